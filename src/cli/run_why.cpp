#include <utility>

#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/plan_inputs.h"
#include "render/why.h"

namespace gpup {

namespace {

/// Without files: nothing is wanted, only what was seen can be told.
tl::expected<MadePlan, int> look_only(const Call& call) {
  Diagnostics trouble;
  auto observed = read_observed(call, {}, trouble);
  if (!observed) {
    return tl::unexpected<int>(cannot_work(call, observed.error()));
  }
  return MadePlan{{}, std::move(*observed), {}};
}

}  // namespace

int run_why(const Call& call) {
  const auto made = call.line.has("file") ? plan_files(call) : look_only(call);
  if (!made) {
    return made.error();
  }
  const Plan& plan = made->planned.plan;
  const auto subjects = find_why(*call.line.argument, made->files.desired, made->observed, plan, made->files.sources);
  if (!subjects) {
    return refuse(call, subjects.error().diagnostics, kExitError);
  }
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      render_why_json(*subjects, plan, out);
    } else {
      render_why_text(*subjects, plan, on_stdout && call.color_out, out);
    }
  };
  return give_answer(call, "text", answer, kExitDone);
}

}  // namespace gpup
