#pragma once

#include <chrono>
#include <functional>

#include "base/result.h"
#include "base/task.h"
#include "execute/loop.h"

namespace gpup {

/// How long trouble that may pass by itself is waited out, and by which clock: tests do not wait.
struct Patience {
  std::chrono::milliseconds most{30'000};  ///< from the first try on
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  /// Empty: the loop's timers. Any other keeps its thread meanwhile.
  std::function<void(std::chrono::milliseconds)> sleep = {};
};

/// The pauses between tries, each twice the one before.
class BackOff {
 public:
  explicit BackOff(const Patience& patience) : patience_(patience), begun_(patience.now()) {}

  /// Waits before the next try; false, at once, where that would be too late.
  Task<bool> wait(Loop& loop);

 private:
  const Patience& patience_;
  const std::chrono::steady_clock::time_point begun_;
  std::chrono::milliseconds pause_{250};
};

/// Trouble that may be gone the next time: the row of its code says so. What has no code does not pass.
bool may_pass(const Error& error);

}  // namespace gpup
