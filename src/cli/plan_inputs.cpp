#include "cli/plan_inputs.h"

#include <string>
#include <utility>
#include <vector>

#include "cli/log.h"
#include "cli/runs.h"
#include "cli/signed_files.h"
#include "plan/scope.h"
#include "render/plan_reader.h"

namespace gpup {

namespace {

Scope scope_of(const Call& call) {
  const auto addresses = [&](std::string_view option) {
    std::vector<Address> all;
    for (const std::string& given : call.line.values(option)) {
      all.push_back(parse_address(given).value_or(Address{given, {}}));
    }
    return all;
  };
  return {addresses("target"), addresses("exclude"), call.line.command->name == "drift"};
}

tl::unexpected<int> stop(const Call& call, const Error& error) { return tl::unexpected<int>(cannot_work(call, error)); }

}  // namespace

tl::expected<MadePlan, int> plan_files(const Call& call) {
  auto files = read_files(call);
  if (!files) {
    return stop(call, files.error());
  }
  tell(call, files->warnings);
  Diagnostics trouble;  // make_plan says the same of each host
  auto observed = read_observed(call, files->targets(), trouble);
  if (!observed) {
    return stop(call, observed.error());
  }
  MadePlan made{std::move(*files), std::move(*observed), {}};
  made.planned = make_plan(made.files.desired, made.observed, made.files.sources, scope_of(call));
  name_owing_runs(call, made.planned.plan.diagnostics);
  log_info("{} differences, {} steps", made.planned.plan.differences.size(), made.planned.plan.steps.size());
  if (made.planned.refused()) {
    return tl::unexpected<int>(refuse(call, made.planned.diagnostics));
  }
  return made;
}

tl::expected<SavedPlan, int> read_saved_plan(const Call& call) {
  const std::string path = call.line.argument.value_or("-");
  auto text = path == "-" ? call.world.read_stdin(kLargestPlan) : call.world.read_file(path, kLargestPlan);
  if (!text) {
    return stop(call, text.error());
  }
  auto signer = signer_of(call, kPlanSignature, path, *text);
  if (!signer) {
    return stop(call, signer.error());
  }
  auto plan = read_plan(std::move(*text), path);
  if (!plan) {
    return stop(call, plan.error());
  }
  return SavedPlan{std::move(*plan), std::move(*signer)};
}

}  // namespace gpup
