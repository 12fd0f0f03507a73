#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "base/result.h"

namespace gpup {

/// What a host answers to a request. Whoever asked waits for it in one of three ways, whichever suits the host: it is
/// there, it comes by itself at a known time, or somebody has to wait for it. To be had once, and always: some hosts
/// are asked only once somebody waits.
template <class T>
class [[nodiscard]] HostAnswer {
 public:
  using Clock = std::chrono::steady_clock;
  using Get = std::function<Result<T>()>;

  // It is there: as with `Result`, what is returned is one.
  HostAnswer(Result<T> answer) : here_(std::move(answer)) {}
  HostAnswer(T value) : here_(std::move(value)) {}
  HostAnswer(tl::unexpected<Error> why) : here_(Result<T>(std::move(why))) {}

  /// It comes at that time; `get` is not called before, and does not wait.
  static HostAnswer due(Clock::time_point time, Get get) { return HostAnswer(time, std::move(get)); }
  /// `get` waits for it, as long as it takes.
  static HostAnswer waited(Get get) { return HostAnswer(std::nullopt, std::move(get)); }

  bool is_here() const { return here_.has_value(); }
  /// Nothing where it is there or is waited for.
  std::optional<Clock::time_point> due() const { return due_; }

  /// Once. Returns at once where it is there or its time has come; else waits, here.
  Result<T> get() {
    if (here_) {
      return *std::move(here_);
    }
    if (due_) {
      std::this_thread::sleep_until(*due_);
    }
    return get_();
  }

 private:
  HostAnswer(std::optional<Clock::time_point> time, Get get) : due_(time), get_(std::move(get)) {}

  std::optional<Result<T>> here_;
  std::optional<Clock::time_point> due_;
  Get get_;
};

}  // namespace gpup
