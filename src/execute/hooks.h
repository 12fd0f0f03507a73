#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gpup {

/// A program that is to be run on this machine, word by word, and what it is told by its environment besides ours.
struct HookCall {
  const std::vector<std::string>& argv;
  std::vector<std::pair<std::string, std::string>> environment;
  std::chrono::seconds timeout{300};
  const std::atomic<bool>* cancelled = nullptr;  ///< once true, it is told to end; nullptr: it may end in peace
};

/// Runs hooks. Used from several threads.
class Hooks {
 public:
  virtual ~Hooks() = default;

  /// kRefused, with why, where there is no such program, or none that may be run. It is not run.
  virtual Result<Done> look_for(const std::vector<std::string>& argv) const = 0;

  /// Runs a program to its end. There is no shell, and nothing for it to read. `said` is given what it writes, line by
  /// line, as it came; lines are cut where they are long, and a program that says too much is not listened to any more.
  /// Where it takes too long, or is told to end, it has a moment to do so; then it is ended with all that it started.
  /// kRefused, with why, where it could not be started or did not exit with 0; kInterrupted where it was told to end.
  virtual Result<Done> run(const HookCall& call, const std::function<void(std::string_view line)>& said) = 0;
};

}  // namespace gpup
