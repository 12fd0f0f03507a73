#include "plan/restore_power.h"

#include <utility>

#include "desired/desired_state.h"
#include "plan/goal.h"

namespace gpup {

Plan make_restore_plan(const std::vector<HostTarget>& targets, const ObservedState& observed) {
  DesiredState nothing;
  for (const HostTarget& target : targets) {
    nothing.hosts.emplace_back().target = target;
  }
  Goal goal = pair_hosts(nothing, observed);
  for (HostGoal& on : goal.hosts) {
    for (std::size_t g = 0; g < on.gpus.size(); ++g) {
      on.gpus[g].count = on.host->gpus[g].partition_count.value_or(0);
    }
    for (std::size_t v = 0; v < on.vms.size(); ++v) {
      const Vm& vm = on.host->vms[v];
      on.vms[v].starts = vm.start_owed && vm.state == VmState::kOff;
    }
  }
  Plan plan;
  plan.name = "restore-power";
  plan.hosts = targets;
  write_steps(nothing, goal, plan);
  plan.not_checked = std::move(goal.not_checked);
  plan.texts = observed.texts;
  return plan;
}

}  // namespace gpup
