#include "execute/open_ends.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "execute/trouble.h"

namespace gpup {

OpenEnds::OpenEnds(const Plan& plan) : plan_(plan), starts_(plan.vms.size()), power_(plan.vms.size(), Power::kAsItWas) {
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
  } else if (step.op == Op::kStartVm && ended_well(result.outcome)) {
    power_[step.vm] = Power::kAsItWas;
  }
}

void OpenEnds::restored(const Plan& plan, const Restored& restored) {
  const auto vm = std::find_if(plan.vms.begin(), plan.vms.end(),
                               [&](const PlanVm& one) { return same_name(one.id, restored.vm_id); });
  if (vm != plan.vms.end() && ended_well(restored.outcome)) {
    const std::lock_guard guard(mutex_);
    power_[static_cast<std::size_t>(vm - plan.vms.begin())] = Power::kAsItWas;
  }
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
  for (std::size_t i = 0; i < power_.size(); ++i) {
    if (power_[i] != Power::kAsItWas) {
      const PlanVm& vm = plan_.vms[i];
      const LeftOff off{plan_.hosts[vm.host].name, std::string(vm.name), std::string(vm.id), {}, start_command(vm.id)};
      all.push_back(left_off_trouble(
          off, power_[i] == Power::kOff ? "is left off" : "may be off: what came of its stop is not known"));
    }
  }
  return all;
}

}  // namespace gpup
