#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/subprocess.h"
#include "base/result.h"

namespace gpup {

/// What a program wrote, and how it ended.
struct ProgramRun {
  Ending ending;
  std::string out;
  std::string err;

  bool succeeded() const { return ending.code == 0; }
};

/// Runs a program to its end, with `input` on its standard input. Of each of its streams a mebibyte is kept. kRefused
/// where it cannot be started, kInterrupted where it takes longer than `most` and was ended. No shell is involved.
Result<ProgramRun> run_program(const std::vector<std::string>& argv, std::string_view input,
                               std::chrono::milliseconds most);

}  // namespace gpup
