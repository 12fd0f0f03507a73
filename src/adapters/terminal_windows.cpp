#include <cstdlib>

#include <windows.h>
// after it
#include <fcntl.h>
#include <io.h>

#include "adapters/disk.h"
#include "adapters/terminal.h"

namespace gpup {

namespace {

constexpr int kIn = 0;
constexpr int kErr = 2;

HANDLE handle_of(int descriptor) {
  const auto handle = ::_get_osfhandle(descriptor);
  return handle == -2 ? INVALID_HANDLE_VALUE : reinterpret_cast<HANDLE>(handle);  // -2: it had none at the start
}

UINT code_page_before = 0;

void restore_code_page() { ::SetConsoleOutputCP(code_page_before); }

}  // namespace

void prepare_standard_streams() {
  for (int descriptor = kIn; descriptor <= kErr; ++descriptor) {
    if (handle_of(descriptor) == INVALID_HANDLE_VALUE) {
      const int nothing = ::_open("NUL", descriptor == kIn ? O_WRONLY : O_RDONLY);
      if (nothing >= 0 && nothing != descriptor) {
        ::_dup2(nothing, descriptor);
        ::_close(nothing);
      }
    }
    ::_setmode(descriptor, O_BINARY);
    DWORD mode = 0;
    if (descriptor != kIn && ::GetConsoleMode(handle_of(descriptor), &mode) != 0) {
      ::SetConsoleMode(handle_of(descriptor), mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
  }
  // The console is that of the shell, too, which has its own code page back at the end.
  code_page_before = ::GetConsoleOutputCP();
  if (code_page_before != 0 && code_page_before != CP_UTF8) {
    ::SetConsoleOutputCP(CP_UTF8);
    std::atexit(restore_code_page);
  }
}

bool is_terminal(int descriptor) {
  DWORD mode = 0;
  return ::GetConsoleMode(handle_of(descriptor), &mode) != 0;
}

unsigned terminal_columns(int descriptor) {
  CONSOLE_SCREEN_BUFFER_INFO screen{};
  if (::GetConsoleScreenBufferInfo(handle_of(descriptor), &screen) == 0) {
    return 0;
  }
  return static_cast<unsigned>(screen.srWindow.Right - screen.srWindow.Left + 1);
}

bool read_typed(char& c) { return disk::read(kIn, &c, 1) == 1; }

}  // namespace gpup
