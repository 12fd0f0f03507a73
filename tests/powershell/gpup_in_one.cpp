// gpup, run again and again in one process, so that its sessions with hosts last from one run to the next:
//   gpup_in_one OUT ERR read|write
// A run is asked for on standard input, as its folder and its arguments, each ended by a NUL, and one NUL more; a
// NUL alone is the end. What it says goes to the files OUT and ERR, and its exit code, on a line, to standard output.
// The sessions are opened to read, or to write as well.
#define main gpup_main
#include "main.cpp"  // NOLINT(bugprone-suspicious-include): the program, as it is
#undef main

#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// Where it writes from now on: a file, made anew.
void redirect(int descriptor, const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(file, descriptor);
  ::close(file);
}

/// The next text up to a NUL; false at the end of the input.
bool read_text(std::string& text) {
  text.clear();
  int c = 0;
  while ((c = std::getchar()) > 0) {
    text += static_cast<char>(c);
  }
  return c == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    return 64;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int told = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  gpup::RealWorld world;
  // A session that was opened to read would be followed by another one when a run writes. Slow machines take their
  // time.
  world.prepare_hosts({.request_timeout = std::chrono::minutes(10), .may_write = std::string_view(argv[3]) == "write"});
  world.writer();
  for (std::string folder; read_text(folder) && !folder.empty();) {
    std::vector<std::string> arguments;
    for (std::string argument; read_text(argument) && !argument.empty();) {
      arguments.push_back(argument);
    }
    redirect(STDOUT_FILENO, argv[1]);
    redirect(STDERR_FILENO, argv[2]);
    if (::chdir(folder.c_str()) != 0) {
      return 1;
    }
    const std::string code = std::to_string(gpup::run(arguments, world)) + "\n";
    if (::write(told, code.data(), code.size()) < 0) {
      return 1;
    }
  }
}
