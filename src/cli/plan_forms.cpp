#include "cli/plan_forms.h"

#include <algorithm>

#include "render/plan_json.h"
#include "render/plan_markdown.h"
#include "render/plan_text.h"

namespace gpup {

namespace {

constexpr unsigned kNarrowest = 40;
constexpr unsigned kWidest = 160;

PlanTextOptions text_options(const Call& call, bool color) {
  PlanTextOptions options;
  options.full = call.line.has("full");
  options.color = color;
  if (call.world.is_terminal(Stream::kOut)) {
    options.width = std::clamp(call.world.terminal_width(), kNarrowest, kWidest);
  }
  return options;
}

}  // namespace

int give_plan(const Call& call, const Plan& plan, int code, OutputFile* saved) {
  Result<bool> copied = false;
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      if (on_stdout && saved != nullptr) {
        copied = saved->copy_to(out);
      }
      if (copied && !*copied) {
        write_plan(plan, out);
      }
    } else if (form == "markdown") {
      render_plan_markdown(plan, PlanMarkdownOptions{call.line.has("full")}, out);
    } else {
      render_plan_text(plan, text_options(call, on_stdout && call.color_out), out);
    }
  };
  const int given = give_answer(call, "text", answer, code);
  return copied ? given : give_up(call, copied.error(), Code::kCannotWrite);
}

void show_plan(const Call& call, const Plan& plan) {
  render_plan_text(plan, text_options(call, call.color_err), call.world.err());
}

}  // namespace gpup
