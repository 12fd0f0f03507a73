#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// How long a step takes, in milliseconds: half of them at most `median`, 95 of a hundred at most `p95`.
struct StepTime {
  std::uint32_t median = 0;
  std::uint32_t p95 = 0;
  std::uint32_t samples = 0;  ///< steps that were measured; 0: it is the default
  std::uint32_t runs = 0;     ///< the runs that they were part of

  bool is_default() const { return samples == 0; }
  bool operator==(const StepTime&) const = default;
};

/// What is taken for a kind of step as long as this site has not measured it, and why.
struct DefaultTime {
  Op op = Op::kStopVm;
  StopMode mode = StopMode::kShutdown;  ///< stop-vm: the row is for this way to stop
  std::uint32_t median = 0;
  std::uint32_t p95 = 0;
  std::string_view why;
};
std::span<const DefaultTime> default_times();

/// The row for an op, as the policy stops VMs.
const DefaultTime& default_time(Op op, const StopPolicy& stop);

/// The kinds of steps that are measured apart.
struct StepKind {
  Op op = Op::kStopVm;
  std::string model;       ///< of the GPU that the step is about; empty where it cannot be told
  bool simulated = false;  ///< on a simulated host, which says nothing of real ones

  auto operator<=>(const StepKind&) const = default;
};

/// How long steps took at this site.
struct Durations {
  std::map<StepKind, StepTime> measured;

  /// What was measured, else the default. No stop takes longer than the policy lets it.
  StepTime of(const StepKind& kind, const StopPolicy& stop) const;
};

/// Which GPU a step is about: the one that it sets; for a VM's steps the one that its partition is to be on, else is
/// on; where neither is known, any of its host if all that the plan knows are of one model.
class StepGpus {
 public:
  explicit StepGpus(const Plan& plan);

  /// A row of Plan::gpus, or kNone.
  std::uint32_t of(const Step& step) const { return step.vm == kNone ? step.gpu : by_vm_[step.vm]; }

 private:
  std::vector<std::uint32_t> by_vm_;
};

/// The expected times of a plan's steps, by their kinds.
class StepTimes {
 public:
  struct Row {
    StepKind kind;
    StepTime time;
  };

  StepTimes() = default;
  StepTimes(const Plan& plan, const Durations& durations);

  const StepTime& of(std::uint32_t step) const { return rows_[row_of_[step]].time; }
  /// The kinds that the plan has, by op, model and simulated.
  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<Row> rows_;
  std::vector<std::uint32_t> row_of_;  // by step
};

}  // namespace gpup
