#include <cstdlib>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/program.h"
#include "paths.h"

namespace gpup::test {

Ended run_gpup(const Folder& folder, const std::vector<std::string>& arguments, std::string_view in,
               const std::string& out_path) {
  const Folder streams;
  streams.write("in", in);
  const std::string out = out_path.empty() ? streams.path() + "/out" : out_path;
  const pid_t child = fork();
  if (child == 0) {
    const int in_file = open((streams.path() + "/in").c_str(), O_RDONLY);
    const int out_file = open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err_file = open((streams.path() + "/err").c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(in_file, 0);
    dup2(out_file, 1);
    dup2(err_file, 2);
    setenv("XDG_STATE_HOME", (streams.path() + "/state").c_str(), 1);
    unsetenv("NO_COLOR");
    std::vector<char*> argv = {const_cast<char*>("gpup")};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    if (chdir(folder.path().c_str()) == 0) {
      execv(kProgram, argv.data());
    }
    _exit(127);
  }
  Ended ended;
  int status = 0;
  waitpid(child, &status, 0);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ended.out = out_path.empty() ? streams.read("out") : std::string();
  ended.err = streams.read("err");
  return ended;
}

}  // namespace gpup::test
