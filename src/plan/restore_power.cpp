#include "plan/restore_power.h"

#include <utility>

#include <fmt/format.h>

#include "plan/goal.h"

namespace gpup {

Plan make_restore_plan(const DesiredState& desired, const ObservedState& observed, const Sources& sources) {
  DesiredState nothing;
  for (const DesiredHost& host : desired.hosts) {
    nothing.hosts.emplace_back().target = host.target;
  }
  // Which line is of which VM. What is wrong with lines must not keep a VM off.
  Goal wished = pair_hosts(desired, observed);
  Findings wrong(sources);
  find_vms(desired, wished, wrong);
  Findings findings = wrong.fresh();
  Goal goal = pair_hosts(nothing, observed);
  for (std::size_t h = 0; h < goal.hosts.size(); ++h) {
    HostGoal& on = goal.hosts[h];
    for (std::size_t g = 0; g < on.gpus.size(); ++g) {
      on.gpus[g].count = on.host->gpus[g].partition_count.value_or(0);
    }
    for (std::size_t v = 0; v < on.vms.size(); ++v) {
      const Vm& vm = on.host->vms[v];
      if (!vm.start_owed || vm.state != VmState::kOff) {
        continue;
      }
      const std::uint32_t line = wished.hosts[h].vms[v].line;
      on.vms[v].starts = line == kNone || desired.assignments[line].power != Power::kOff;
      if (!on.vms[v].starts) {
        const DesiredAssignment& wish = desired.assignments[line];
        findings.warn(Code::kStartOwed, wish.at(wish.power_at), {on.host->name, "vm", vm.name},
                      fmt::format("VM '{}' on {} is off and owed a start, and stays off, as the file wants it", vm.name,
                                  on.host->name),
                      "'gpup apply' forgets that it is owed a start");
      }
    }
  }
  Plan plan;
  plan.name = "restore-power";
  for (const DesiredHost& host : desired.hosts) {
    plan.hosts.push_back(host.target);
  }
  write_steps(nothing, goal, plan);
  plan.diagnostics = std::move(findings.list);
  plan.not_checked = std::move(goal.not_checked);
  plan.texts = observed.texts;
  return plan;
}

}  // namespace gpup
