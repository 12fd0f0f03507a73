#pragma once

#include <cstdint>
#include <string>
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
  virtual void restoring(const Plan& plan, const std::string& host, const std::string& vm) = 0;
  virtual void restored(const Plan& plan, const Restored& restored) = 0;
};

/// Says nothing.
class NoProgress : public Progress {
 public:
  void started(const Plan&, std::uint32_t) override {}
  void finished(const Plan&, const StepResult&) override {}
  void restoring(const Plan&, const std::string&, const std::string&) override {}
  void restored(const Plan&, const Restored&) override {}
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
  void restoring(const Plan& plan, const std::string& host, const std::string& vm) override {
    for (Progress* const one : each_) {
      one->restoring(plan, host, vm);
    }
  }
  void restored(const Plan& plan, const Restored& restored) override {
    for (Progress* const one : each_) {
      one->restored(plan, restored);
    }
  }

 private:
  std::vector<Progress*> each_;
};

}  // namespace gpup
