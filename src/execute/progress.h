#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// Is told what a run does while it does it.
class Progress {
 public:
  virtual ~Progress() = default;

  virtual void started(const Plan& plan, std::uint32_t step) = 0;
  /// Also for steps that were skipped, which never started.
  virtual void finished(const Plan& plan, const StepResult& result) = 0;
  /// A VM is started in the end; what came of it is told by `restored`.
  virtual void restoring(const Plan& plan, const Restored& begun) = 0;
  virtual void restored(const Plan& plan, const Restored& restored) = 0;
  virtual void hook_started(const HookResult& begun) = 0;
  /// A line that it wrote, as it came.
  virtual void hook_said(const HookResult& begun, std::string_view line) = 0;
  virtual void hook_ended(const HookResult& hook) = 0;
};

/// Says nothing.
class NoProgress : public Progress {
 public:
  void started(const Plan&, std::uint32_t) override {}
  void finished(const Plan&, const StepResult&) override {}
  void restoring(const Plan&, const Restored&) override {}
  void restored(const Plan&, const Restored&) override {}
  void hook_started(const HookResult&) override {}
  void hook_said(const HookResult&, std::string_view) override {}
  void hook_ended(const HookResult&) override {}
};

/// Tells several, one after the other.
class EachProgress : public Progress {
 public:
  explicit EachProgress(std::vector<Progress*> each) : each_(std::move(each)) {}

  void started(const Plan& plan, std::uint32_t step) override {
    for (Progress* const one : each_) {
      one->started(plan, step);
    }
  }
  void finished(const Plan& plan, const StepResult& result) override {
    for (Progress* const one : each_) {
      one->finished(plan, result);
    }
  }
  void restoring(const Plan& plan, const Restored& begun) override {
    for (Progress* const one : each_) {
      one->restoring(plan, begun);
    }
  }
  void restored(const Plan& plan, const Restored& restored) override {
    for (Progress* const one : each_) {
      one->restored(plan, restored);
    }
  }
  void hook_started(const HookResult& begun) override {
    for (Progress* const one : each_) {
      one->hook_started(begun);
    }
  }
  void hook_said(const HookResult& begun, std::string_view line) override {
    for (Progress* const one : each_) {
      one->hook_said(begun, line);
    }
  }
  void hook_ended(const HookResult& hook) override {
    for (Progress* const one : each_) {
      one->hook_ended(hook);
    }
  }

 private:
  std::vector<Progress*> each_;
};

}  // namespace gpup
