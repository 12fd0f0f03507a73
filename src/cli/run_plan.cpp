#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "cli/plan_forms.h"
#include "cli/plan_inputs.h"
#include "cli/runs.h"
#include "cli/signed_files.h"
#include "plan/drift.h"
#include "plan/make_plan.h"
#include "render/drift.h"
#include "render/html.h"
#include "render/plan_json.h"
#include "render/plan_reader.h"

namespace gpup {

namespace {

bool differs(const Plan& plan) { return !plan.steps.empty() || !plan.differences.empty(); }

std::string day_of(Time time) { return to_string(time).substr(0, std::string_view("2026-11-26").size()); }

/// When the hosts were read, in seconds since 1970: as a snapshot says, else now.
std::optional<std::int64_t> observed_at(const Call& call, const ObservedState& observed) {
  const auto seconds = [](Time time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  };
  if (!call.line.has("observed")) {
    return seconds(call.world.now());
  }
  const std::optional<Time> taken = parse_time(observed.taken_at);
  return taken ? std::optional<std::int64_t>(seconds(*taken)) : std::nullopt;
}

/// Saves the plan and notes its id, with a signature beside it where --sign asks for one.
Result<std::unique_ptr<OutputFile>> save(const Call& call, std::string_view path, Plan& plan) {
  if (!call.line.has("sign")) {
    return write_file(call, path, [&](OutputFile& file) { plan.id = write_plan(plan, file); });
  }
  StringSink text;
  plan.id = write_plan(plan, text);
  return write_signed(call, path, kPlanSignature, text.text);
}

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
    auto written = save(call, *path, plan);
    if (!written) {
      return give_up(call, written.error(), Code::kCannotWrite);
    }
    saved = std::move(*written);
  }
  const int differing = call.line.has("detailed-exitcode") ? kExitDiffers : kExitDone;
  const int same = plan.incomplete() ? kExitNotChecked : kExitDone;
  return give_plan(call, plan, cost, differs(plan) ? differing : same, saved.get(), &made->observed);
}

int run_show(const Call& call) {
  const auto saved = read_saved_plan(call);
  if (!saved) {
    return saved.error();
  }
  PlanCost cost(call, saved->plan);
  return give_plan(call, saved->plan, cost, kExitDone);
}

int run_drift(const Call& call) {
  auto made = plan_files(call);
  if (!made) {
    return made.error();
  }
  const Plan& plan = made->planned.plan;
  const Drift drift = find_drift(made->planned, made->files.desired, made->observed, made->files.sources,
                                 past_runs(call, plan), day_of(call.world.now()));
  if (const auto path = call.line.value("metrics")) {
    const auto written = write_file(call, *path, [&](OutputFile& file) {
      render_drift_metrics(drift, made->observed, observed_at(call, made->observed), file);
    });
    if (!written) {
      return give_up(call, written.error(), Code::kCannotWrite);
    }
  }
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      render_drift_json(drift, out);
    } else if (form == "markdown") {
      render_drift_markdown(drift, call.most_markdown(), out);
    } else if (form == "html") {
      render_drift_html(drift, &made->observed, out);
    } else if (is_pipeline_form(form)) {
      render_drift_pipeline(form, drift, out);
    } else {
      render_drift_text(drift, on_stdout && call.color_out, out);
    }
  };
  return give_answer(call, "text", answer,
                     drift.counted() > 0 ? kExitDiffers
                     : plan.incomplete() ? kExitNotChecked
                                         : kExitDone);
}

}  // namespace gpup
