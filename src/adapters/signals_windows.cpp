#include <atomic>
#include <csignal>

#include <windows.h>

#include "adapters/signal_answers.h"

namespace gpup {

namespace {

/// Called on a thread of its own for each event.
BOOL WINAPI note_event(DWORD event) {
  static std::atomic<int> asked_to_end = 0;
  cancelled_flag = true;
  switch (event) {
    case CTRL_C_EVENT:
    case CTRL_BREAK_EVENT:
      if (++asked_to_end == 1) {
        answer_first_signal();
      } else {
        answer_second_signal(SIGINT);
      }
      return TRUE;
    default:
      // The console is closed, or the user logs off: the process is ended when this returns, or after some seconds. So
      // long it may put things in order.
      ::Sleep(INFINITE);
      return TRUE;
  }
}

}  // namespace

void listen_for_signals() { ::SetConsoleCtrlHandler(note_event, TRUE); }

}  // namespace gpup
