#include "execute/open_ends.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "execute/trouble.h"

namespace gpup {

OpenEnds::OpenEnds(const Plan& plan)
    : plan_(plan), starts_(plan.vms.size()), power_(plan.vms.size(), Power::kAsItWas), starting_(plan.vms.size()) {
  for (const Step& step : plan.steps) {
    if (step.op == Op::kStartVm) {
      starts_[step.vm] = true;
      power_[step.vm] = step.reason == Reason::kStartOwed ? Power::kOff : Power::kAsItWas;
    }
  }
}

void OpenEnds::started(const Plan& plan, std::uint32_t step) {
  const std::lock_guard guard(mutex_);
  under_way_.insert(step);
  const Step& one = plan.steps[step];
  if (one.op == Op::kStopVm && starts_[one.vm]) {
    power_[one.vm] = Power::kMayBeOff;
  } else if (one.op == Op::kStartVm) {
    starting_[one.vm] = true;
  }
}

void OpenEnds::finished(const Plan& plan, const StepResult& result) {
  const std::lock_guard guard(mutex_);
  if (under_way_.erase(result.step) == 0) {
    return;  // it was skipped
  }
  const Step& step = plan.steps[result.step];
  if (step.op == Op::kStopVm && starts_[step.vm]) {
    power_[step.vm] = result.outcome == Outcome::kDone                     ? Power::kOff
                      : result.sent && result.outcome != Outcome::kAlready ? Power::kMayBeOff
                                                                           : Power::kAsItWas;
  } else if (step.op == Op::kStartVm) {
    power_[step.vm] = ended_well(result.outcome) ? Power::kAsItWas : power_[step.vm];
    starting_[step.vm] = result.outcome == Outcome::kUnknown;
  }
}

std::uint32_t OpenEnds::row_of(const Restored& restored) const {
  const auto vm = std::find_if(plan_.vms.begin(), plan_.vms.end(),
                               [&](const PlanVm& one) { return same_name(one.id, restored.vm_id); });
  return vm == plan_.vms.end() ? kNone : static_cast<std::uint32_t>(vm - plan_.vms.begin());
}

void OpenEnds::restoring(const Plan& /*plan*/, const Restored& begun) {
  if (const std::uint32_t vm = row_of(begun); vm != kNone) {
    const std::lock_guard guard(mutex_);
    starting_[vm] = true;
  }
}

void OpenEnds::restored(const Plan& /*plan*/, const Restored& restored) {
  if (const std::uint32_t vm = row_of(restored); vm != kNone) {
    const std::lock_guard guard(mutex_);
    power_[vm] = ended_well(restored.outcome) ? Power::kAsItWas : power_[vm];
    starting_[vm] = restored.outcome == Outcome::kUnknown;
  }
}

void OpenEnds::hook_started(const HookResult& begun) {
  const std::lock_guard guard(mutex_);
  hooks_.push_back(begun);
}

void OpenEnds::hook_ended(const HookResult& hook) {
  const std::lock_guard guard(mutex_);
  std::erase_if(hooks_, [&](const HookResult& begun) {
    return begun.kind == hook.kind && begun.host == hook.host && begun.vm_id == hook.vm_id;
  });
}

Diagnostics OpenEnds::told() const {
  const std::lock_guard guard(mutex_);
  Diagnostics all;
  for (const std::uint32_t step : under_way_) {
    StepResult result;
    result.step = step;
    result.code = Code::kStepUnknown;
    result.message = "it was under way, and nobody has read what came of it";
    result.hint = "'gpup resume' reads it and goes on from there";
    all.push_back(step_trouble(plan_, result));
  }
  for (HookResult hook : hooks_) {
    hook.message = "was under way, and nobody waits for its end";
    all.push_back(hook_trouble(hook));
  }
  for (std::size_t i = 0; i < power_.size(); ++i) {
    if (power_[i] != Power::kAsItWas) {
      const PlanVm& vm = plan_.vms[i];
      const LeftOff off{plan_.hosts[vm.host].name, std::string(vm.name), std::string(vm.id), {}, start_command(vm.id)};
      all.push_back(
          left_off_trouble(off, starting_[i] ? "may be off: its start was sent, and what came of it is not known"
                                : power_[i] == Power::kOff ? "is left off"
                                                           : "may be off: what came of its stop is not known"));
    }
  }
  return all;
}

}  // namespace gpup
