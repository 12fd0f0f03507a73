#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

#include <windows.h>

#include "adapters/run_program.h"
#include "base/paths.h"
#include "cli/program.h"
#include "paths.h"

namespace gpup::test {

Ended run_gpup(const Folder& folder, const std::vector<std::string>& arguments, std::string_view in,
               const std::string& out_path) {
  REQUIRE_MESSAGE(out_path.empty(), "there is no " << out_path);
  const Folder state;
  ::SetEnvironmentVariableA("XDG_STATE_HOME", (state.path() + "/state").c_str());
  ::SetEnvironmentVariableA("NO_COLOR", nullptr);
  // With its drive: the folder that it runs in may be on another one.
  static const std::string kWholeProgram = path_text(std::filesystem::absolute(kProgram));
  std::vector<std::string> argv = {kWholeProgram};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto run = run_program(argv, in, std::chrono::minutes(1));
  std::filesystem::current_path(before);
  REQUIRE(run);
  return {static_cast<int>(run->ending.code), run->out, run->err};
}

}  // namespace gpup::test
