#include "plan/make_plan.h"

#include <utility>

#include "plan/disruption.h"
#include "plan/findings.h"
#include "plan/goal.h"
#include "plan/overrides.h"

namespace gpup {

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
  planned.plan.not_checked = std::move(goal.not_checked);
  planned.diagnostics = std::move(findings.list);
  return planned;
}

}  // namespace gpup
