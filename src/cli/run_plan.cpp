#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "cli/plan_forms.h"
#include "cli/plan_inputs.h"
#include "plan/make_plan.h"
#include "render/drift.h"
#include "render/plan_json.h"
#include "render/plan_reader.h"

namespace gpup {

namespace {

bool differs(const Plan& plan) { return !plan.steps.empty() || !plan.differences.empty(); }

}  // namespace

int run_plan(const Call& call) {
  auto made = plan_files(call);
  if (!made) {
    return made.error();
  }
  Plan& plan = made->planned.plan;
  PlanCost cost(call, plan);
  if (const auto refused = cost.refused()) {
    return *refused;
  }
  std::unique_ptr<OutputFile> saved;
  if (const auto path = call.line.value("out")) {
    auto written = write_file(call, *path, [&](OutputFile& file) { plan.id = write_plan(plan, file); });
    if (!written) {
      return give_up(call, written.error(), Code::kCannotWrite);
    }
    saved = std::move(*written);
  }
  const int differing = call.line.has("detailed-exitcode") ? kExitDiffers : kExitDone;
  const int same = plan.incomplete() ? kExitNotChecked : kExitDone;
  return give_plan(call, plan, cost, differs(plan) ? differing : same, saved.get());
}

int run_show(const Call& call) {
  auto plan = read_saved_plan(call);
  if (!plan) {
    return plan.error();
  }
  PlanCost cost(call, *plan);
  return give_plan(call, *plan, cost, kExitDone);
}

int run_drift(const Call& call) {
  auto made = plan_files(call);
  if (!made) {
    return made.error();
  }
  const Plan& plan = made->planned.plan;
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      render_drift_json(plan, out);
    } else if (form == "markdown") {
      render_drift_markdown(plan, out);
    } else {
      render_drift_text(plan, on_stdout && call.color_out, out);
    }
  };
  return give_answer(call, "text", answer,
                     differs(plan)       ? kExitDiffers
                     : plan.incomplete() ? kExitNotChecked
                                         : kExitDone);
}

}  // namespace gpup
