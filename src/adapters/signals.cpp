#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "adapters/signal_answers.h"

namespace gpup {

namespace {

std::atomic<int> asked_to_end = 0;
std::atomic<int> signal_pipe = -1;  // to whoever answers them; the second ends the process
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void note_signal(int signal) {
  cancelled_flag = true;
  // Where a terminal is closed the kernel sends a SIGHUP, and a shell that had it passes it on.
  const int asked = signal == SIGHUP ? 0 : ++asked_to_end;
  if (asked == 0) {
    return;
  }
  const int error = errno;
  const auto number = static_cast<unsigned char>(signal);
  const bool told = asked <= 2 && signal_pipe >= 0 && write(signal_pipe, &number, 1) == 1;
  if (asked > 1 && !told) {
    _exit(kEndedBySignal + signal);
  }
  errno = error;
}

/// The number of the signal that comes next.
int next_signal(int pipe) {
  unsigned char signal = SIGTERM;
  while (read(pipe, &signal, 1) < 0 && errno == EINTR) {
  }
  return signal;
}

[[noreturn]] void answer_signals(int pipe) {
  next_signal(pipe);
  answer_first_signal();
  answer_second_signal(next_signal(pipe));
}

/// A thread of its own waits for signals: in a handler little is allowed. Without one the second just ends.
void wait_for_signals() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return;
  }
  // The others get the signals, so that a question that is open ends.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(answer_signals, ends[0]).detach();
    signal_pipe = ends[1];
  } catch (const std::system_error&) {
    close(ends[0]);
    close(ends[1]);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void listen_for_signals() {
  wait_for_signals();
  struct sigaction action {};
  action.sa_handler = note_signal;  // without SA_RESTART: a question that is open ends
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {  // nohup
    sigaction(SIGHUP, &action, nullptr);
  }
}

}  // namespace gpup
