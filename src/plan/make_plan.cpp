#include "plan/make_plan.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "plan/disruption.h"
#include "plan/findings.h"
#include "plan/goal.h"
#include "plan/overrides.h"

namespace gpup {

namespace {

/// Lines about hosts that were not read, or about what the scope leaves out.
NotCompared lines_not_compared(const DesiredState& desired, const Goal& goal, const Scope& scope) {
  NotCompared lines;
  lines.assignments = goal.unchecked;
  std::vector<bool> compared(desired.hosts.size(), false);  // whether the host's GPUs were
  for (const HostGoal& host : goal.hosts) {
    compared[host.desired] = !host.counts_stay;
    for (std::size_t v = 0; !scope.whole() && v < host.vms.size(); ++v) {
      if (host.vms[v].stays && host.vms[v].listed()) {
        lines.assignments.push_back(host.vms[v].line);
      }
    }
  }
  if (scope.whole() && goal.not_checked.empty()) {
    return lines;
  }
  std::sort(lines.assignments.begin(), lines.assignments.end());
  lines.assignments.erase(std::unique(lines.assignments.begin(), lines.assignments.end()), lines.assignments.end());
  for (std::uint32_t i = 0; i < desired.gpus.size(); ++i) {
    const std::vector<std::uint32_t>& on = desired.gpus[i].hosts;
    const bool whole = on.empty() ? std::find(compared.begin(), compared.end(), false) == compared.end()
                                  : std::all_of(on.begin(), on.end(), [&](std::uint32_t h) { return compared[h]; });
    if (!whole) {
      lines.gpus.push_back(i);
    }
  }
  return lines;
}

}  // namespace

Planned make_plan(const DesiredState& desired, const ObservedState& observed, const Sources& sources,
                  const Scope& scope) {
  Findings findings(sources);
  Overrides overrides(desired.policy, findings);
  Goal goal = find_hosts(desired, observed, findings);
  for (const HostGoal& host : goal.hosts) {
    goal.sizes.learn(*host.host);
  }
  narrow(desired, scope, goal, findings);
  find_gpus(desired, goal, findings);
  find_vms(desired, goal, findings);
  decide_vms(desired, goal, findings);
  find_room(desired, goal, findings);
  check_sizes(desired, goal, findings);
  check_homogeneous(desired, scope, goal, overrides, findings);
  check_platform(desired, goal, overrides, findings);

  Planned planned;
  if (!has_error(findings.list)) {
    overrides.tell_unused(findings);
    Plan& plan = planned.plan;
    plan.name = desired.name;
    for (const Sources::File& file : sources.files()) {
      plan.files.push_back({file.path, file.sha256});
    }
    for (const DesiredHost& host : desired.hosts) {
      plan.hosts.push_back(host.target);
    }
    plan.stop = desired.policy.stop;
    plan.window = desired.policy.window;
    plan.hooks = desired.policy.hooks;
    write_steps(desired, goal, plan);
    keep_limits(desired, goal, plan, findings);
    plan.diagnostics = findings.list;
    plan.not_checked = goal.not_checked;
    plan.texts = observed.texts;
  }
  if (has_error(findings.list)) {
    planned.plan = {};
    // Nothing will be stopped: a warning that something will be would only frighten.
    std::erase_if(findings.list, [](const Diagnostic& d) { return d.code == Code::kUnlistedStopped; });
  }
  planned.not_compared = lines_not_compared(desired, goal, scope);
  planned.plan.not_checked = std::move(goal.not_checked);
  planned.diagnostics = std::move(findings.list);
  return planned;
}

}  // namespace gpup
