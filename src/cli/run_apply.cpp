#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "cli/perform.h"
#include "cli/plan_forms.h"
#include "cli/plan_inputs.h"
#include "plan/restore_power.h"
#include "render/plan_json.h"

namespace gpup {

namespace {

/// Nothing where --expect-plan allows this plan, else the exit code.
std::optional<int> refuse_another(const Call& call, const std::string& id) {
  const auto expected = call.line.value("expect-plan");
  if (!expected || *expected == id) {
    return std::nullopt;
  }
  return refuse(
      call,
      {placeless(Code::kOtherPlan, fmt::format("this plan is {}, not {} as --expect-plan says", id, *expected),
                 "look at this plan; if it is to be performed, give its id")},
      kExitNotAllowed);
}

}  // namespace

int run_apply(const Call& call, WritingWorld& world) {
  if (call.line.argument) {
    auto saved = read_saved_plan(call);
    if (!saved) {
      return saved.error();
    }
    const Plan& plan = saved->plan;
    if (const auto refused = refuse_another(call, plan.id)) {
      return *refused;
    }
    const auto refused = PlanCost(call, plan).refused();
    return refused ? *refused : perform(call, world, plan, {}, std::move(saved->signer));
  }
  auto made = plan_files(call);
  if (!made) {
    return made.error();
  }
  Plan& plan = made->planned.plan;
  if (call.line.has("expect-plan")) {
    plan.id = plan_id(plan);
    if (const auto refused = refuse_another(call, plan.id)) {
      return *refused;
    }
  }
  return approve_and_perform(call, world, plan);
}

int run_restore_power(const Call& call, WritingWorld& world) {
  Files files;
  if (call.line.has("connect")) {
    auto connected = connect_targets(call);
    if (!connected) {
      return cannot_work(call, connected.error());
    }
    for (HostTarget& target : *connected) {
      files.desired.hosts.emplace_back().target = std::move(target);
    }
  } else {
    auto read = read_files(call);
    if (!read) {
      return cannot_work(call, read.error());
    }
    files = std::move(*read);
  }
  Diagnostics trouble;
  const auto observed = read_observed(call, files.targets(), trouble);
  if (!observed) {
    return cannot_work(call, observed.error());
  }
  tell(call, trouble);
  Plan plan = make_restore_plan(files.desired, *observed, files.sources);
  plan.hooks = std::move(files.desired.policy.hooks);
  if (!plan.acts()) {
    tell(call, plan.diagnostics);  // there is no plan to show them with
  }
  return approve_and_perform(call, world, plan);
}

}  // namespace gpup
