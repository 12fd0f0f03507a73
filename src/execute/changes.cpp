#include "execute/changes.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "base/text.h"

namespace gpup {

namespace {

class Changes {
 public:
  Changes(const Plan& plan, const Report& report)
      : plan_(plan), report_(report), of_vm_(plan.vms.size()), of_gpu_(plan.gpus.size()) {
    for (std::uint32_t i = 0; i < report.steps.size(); ++i) {
      const Step& step = plan.steps[report.steps[i].step];
      if (step.vm != kNone) {
        of_vm_[step.vm].push_back(i);
      } else if (step.gpu != kNone) {
        of_gpu_[step.gpu].push_back(i);
      }
    }
    for (const Restored& vm : report.restored) {
      if (vm.undone != kNone) {
        undone_.insert(vm.undone);
      }
      if (ended_well(vm.outcome)) {
        restored_.insert(vm.vm_id);
      }
    }
  }

  Change of(const Difference& difference) const {
    if (report_.refusal != Refusal::kNotRefused) {
      return {};
    }
    if (difference.subject == Subject::kGpu) {
      return fold(of_gpu_[difference.index], {Op::kSetPartitionCount});
    }
    const std::span<const std::uint32_t> steps = of_vm_[difference.index];
    switch (difference.property) {
      case Property::kPartitions:
        return partitions(plan_.vms[difference.index], steps);
      case Property::kOfflineAction:
        return fold(steps, {Op::kSetOfflineAction});
      case Property::kState:
        return power(difference, steps);
      case Property::kPartitionCount:
      case Property::kStatus:
      case Property::kAssigned:
        break;
    }
    return {};
  }

 private:
  Change fold(std::span<const std::uint32_t> steps, const std::set<Op>& ops) const {
    std::size_t well = 0;
    std::size_t not_sent = 0;
    for (const std::uint32_t i : steps) {
      const StepResult& result = report_.steps[i];
      if (!ops.contains(plan_.steps[result.step].op)) {
        continue;
      }
      if (undone_.contains(result.step) || (result.outcome == Outcome::kSkipped && !result.sent)) {
        ++not_sent;
      } else if (ended_well(result.outcome)) {
        ++well;
      } else {
        return {Change::State::kUnknown, {}};
      }
    }
    return {well == 0       ? Change::State::kAsBefore
            : not_sent == 0 ? Change::State::kAsWanted
                            : Change::State::kInBetween,
            {}};
  }

  Change power(const Difference& difference, std::span<const std::uint32_t> steps) const {
    if (restored_.contains(plan_.vms[difference.index].id)) {
      const bool wanted = difference.after == static_cast<std::uint32_t>(VmState::kRunning);
      return {wanted ? Change::State::kAsWanted : Change::State::kAsBefore, {}};
    }
    return fold(steps, {Op::kStopVm, Op::kStartVm});
  }

  Change partitions(const PlanVm& vm, std::span<const std::uint32_t> steps) const {
    Change change = fold(steps, {Op::kUnassignPartition, Op::kAssignPartition});
    if (!change.known()) {
      return change;
    }
    std::vector<std::pair<std::string, std::string>> held;  // adapter, GPU
    for (const PlanAdapter& adapter : plan_.adapters_of(vm)) {
      held.emplace_back(adapter.id, adapter.gpu);
    }
    for (const std::uint32_t i : steps) {
      follow(report_.steps[i], held);
    }
    change.gpus.reserve(held.size());
    for (auto& [adapter, gpu] : held) {
      change.gpus.push_back(std::move(gpu));
    }
    return change;
  }

  /// What one step, in the plan's order, made of what its VM held.
  void follow(const StepResult& result, std::vector<std::pair<std::string, std::string>>& held) const {
    const Step& step = plan_.steps[result.step];
    if (!ended_well(result.outcome) || undone_.contains(result.step)) {
      return;
    }
    const auto is = [&](std::string_view id) {
      return [id](const std::pair<std::string, std::string>& one) { return same_name(one.first, id); };
    };
    if (step.op == Op::kUnassignPartition) {
      std::erase_if(held, is(plan_.adapters[step.adapter].id));
    } else if (step.op == Op::kAssignPartition) {
      const std::string_view pinned = step.gpu == kNone ? std::string_view() : plan_.gpus[step.gpu].name;
      held.emplace_back(result.adapter, result.gpu.empty() ? std::string(pinned) : result.gpu);
    } else if (step.op == Op::kStartVm && !result.gpu.empty()) {
      const auto started = std::find_if(held.begin(), held.end(), is(result.adapter));
      if (started != held.end()) {
        started->second = result.gpu;
      }
    }
  }

  const Plan& plan_;
  const Report& report_;
  std::vector<std::vector<std::uint32_t>> of_vm_;  // rows of the report's steps
  std::vector<std::vector<std::uint32_t>> of_gpu_;
  std::set<std::uint32_t> undone_;  // assign-partition steps
  std::set<std::string, std::less<>> restored_;
};

}  // namespace

std::string_view to_string(Change::State state) {
  switch (state) {
    case Change::State::kAsWanted:
      return "as-wanted";
    case Change::State::kAsBefore:
      return "as-before";
    case Change::State::kInBetween:
      return "in-between";
    case Change::State::kUnknown:
      return "unknown";
    case Change::State::kUntouched:
      break;
  }
  return "untouched";
}

std::vector<Change> changes_of(const Plan& plan, const Report& report) {
  const Changes changes(plan, report);
  std::vector<Change> all;
  all.reserve(plan.differences.size());
  for (const Difference& difference : plan.differences) {
    all.push_back(changes.of(difference));
  }
  return all;
}

}  // namespace gpup
