#include <utility>
#include <vector>

#include "cli/command_runs.h"
#include "cli/inputs.h"
#include "cli/perform.h"
#include "cli/plan_forms.h"
#include "cli/plan_inputs.h"
#include "plan/restore_power.h"

namespace gpup {

int run_apply(const Call& call, WritingWorld& world) {
  if (call.line.argument) {
    auto plan = read_saved_plan(call);
    if (!plan) {
      return plan.error();
    }
    const auto refused = PlanCost(call, *plan).refused();
    return refused ? *refused : perform(call, world, *plan);
  }
  auto made = plan_files(call);
  return made ? approve_and_perform(call, world, made->planned.plan) : made.error();
}

int run_restore_power(const Call& call, WritingWorld& world) {
  std::vector<HostTarget> targets;
  if (call.line.has("connect")) {
    auto connected = connect_targets(call);
    if (!connected) {
      return cannot_work(call, connected.error());
    }
    targets = std::move(*connected);
  } else {
    const auto files = read_files(call);
    if (!files) {
      return cannot_work(call, files.error());
    }
    targets = files->targets();
  }
  Diagnostics trouble;
  const auto observed = read_observed(call, targets, trouble);
  if (!observed) {
    return cannot_work(call, observed.error());
  }
  tell(call, trouble);
  Plan plan = make_restore_plan(targets, *observed);
  return approve_and_perform(call, world, plan);
}

}  // namespace gpup
