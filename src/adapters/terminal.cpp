#include "adapters/terminal.h"

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace gpup {

void prepare_standard_streams() {
  // A descriptor below 3 that is closed would go to the next file that is opened, and what is said on it would be
  // written there.
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

unsigned terminal_columns(int descriptor) {
  struct winsize size {};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool read_typed(char& c) { return ::read(STDIN_FILENO, &c, 1) == 1; }

}  // namespace gpup
