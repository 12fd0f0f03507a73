#include "cli/plan_forms.h"

#include <algorithm>

#include "cli/parallel.h"
#include "cli/runs.h"
#include "desired/scalars.h"
#include "render/html.h"
#include "render/outage_json.h"
#include "render/plan_json.h"
#include "render/plan_markdown.h"
#include "render/plan_text.h"

namespace gpup {

namespace {

constexpr unsigned kNarrowest = 40;
constexpr unsigned kWidest = 160;

/// For --expect-plan.
std::string id_of(const Plan& plan) { return plan.id.empty() && !plan.steps.empty() ? plan_id(plan) : plan.id; }

PlanTextOptions text_options(const Call& call, const Plan& plan, bool color, PlanCost& cost) {
  PlanTextOptions options;
  options.id = id_of(plan);
  options.outage = &cost.outage();
  options.full = call.line.has("full");
  options.color = color;
  if (call.world.is_terminal(Stream::kOut)) {
    options.width = std::clamp(call.world.terminal_width(Stream::kOut), kNarrowest, kWidest);
  }
  return options;
}

}  // namespace

const Outage& PlanCost::outage() {
  if (!outage_) {
    const Limits limits = limits_of(call_);
    outage_ =
        expect_outage(plan_, call_.world.past_durations(state_folder(call_)), [&] { return Schedule(plan_, limits); });
  }
  return *outage_;
}

std::optional<int> PlanCost::refused() {
  const auto given = call_.line.value("max-outage");
  const auto most = parse_duration(given.value_or("")).value;
  if (!most) {
    return std::nullopt;
  }
  const Diagnostics too_long = longer_than(plan_, outage(), *most);
  return too_long.empty() ? std::nullopt : std::optional(refuse(call_, too_long));
}

int give_plan(const Call& call, const Plan& plan, PlanCost& cost, int code, OutputFile* saved,
              const ObservedState* observed) {
  Result<bool> copied = false;
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      if (on_stdout && saved != nullptr) {
        copied = saved->copy_to(out);
      }
      if (copied && !*copied) {
        write_plan(plan, out);
      }
    } else if (form == "outage") {
      render_outage_json(plan, cost.outage(), out);
    } else if (form == "markdown") {
      render_plan_markdown(
          plan, PlanMarkdownOptions{call.line.has("full"), &cost.outage(), id_of(plan), call.most_markdown()}, out);
    } else if (form == "html") {
      render_plan_html(plan, cost.outage(), PlanHtmlOptions{call.line.has("full"), observed}, out);
    } else {
      render_plan_text(plan, text_options(call, plan, on_stdout && call.color_out, cost), out);
    }
  };
  const int given = give_answer(call, "text", answer, code);
  return copied ? given : give_up(call, copied.error(), Code::kCannotWrite);
}

void show_plan(const Call& call, const Plan& plan, PlanCost& cost) {
  render_plan_text(plan, text_options(call, plan, call.color_err, cost), call.world.err());
}

Limits limits_of(const Call& call) {
  Limits limits;
  if (const auto given = call.line.value("parallel")) {
    limits.hosts = parse_parallel(*given).value_or(limits.hosts);
  }
  return limits;
}

}  // namespace gpup
