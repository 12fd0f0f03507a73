#include "cli/perform.h"

#include <optional>
#include <string>
#include <utility>

#include "cli/exit_codes.h"
#include "cli/plan_forms.h"
#include "cli/runs.h"
#include "cli/step_progress.h"
#include "execute/execute.h"
#include "execute/open_ends.h"
#include "render/plan_json.h"
#include "render/report.h"

namespace gpup {

namespace {

/// Nothing where the plan may be performed, else the exit code.
std::optional<int> approve(const Call& call, WritingWorld& world, const Plan& plan, PlanCost& cost) {
  show_plan(call, plan, cost);
  if (call.line.has("yes")) {
    return std::nullopt;
  }
  if (!world.is_terminal(Stream::kIn) || !world.is_terminal(Stream::kErr)) {
    return refuse(call,
                  {placeless(Code::kApprovalMissing, "nobody can be asked whether to perform this plan",
                             "give --yes, or save the plan with 'gpup plan --out' and apply that")},
                  kExitNotAllowed);
  }
  const auto answer = world.ask("Perform this plan? Only 'yes' is accepted: ");
  if (world.cancelled()) {
    world.err().write("\ncancelled, nothing was touched\n");
    return kExitCancelled;
  }
  if (answer == "yes") {
    return std::nullopt;
  }
  return refuse(call, {placeless(Code::kApprovalMissing, "the plan was not approved, nothing was touched")},
                kExitNotAllowed);
}

/// Tells what is open where a second signal ends the process.
class LastWords {
 public:
  LastWords(const Call& call, WritingWorld& world, const OpenEnds& open) : world_(world) {
    world.set_last_words([&call, &open] {
      const Diagnostics told = open.told();
      return "\nleft at once\n" + render_diagnostics(told, call.color_err, told.size());
    });
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords() { world_.set_last_words({}); }

 private:
  WritingWorld& world_;
};

Report execute(const Call& call, WritingWorld& world, const Plan& plan, Journal& journal) {
  StepProgress steps(world.err(), world.is_terminal(Stream::kErr));
  OpenEnds open(plan);
  EachProgress progress({&open, &steps});
  const LastWords words(call, world, open);
  return execute(
      plan, world.writer(), journal, progress, world.cancelled(), [&world] { return world.now(); }, limits_of(call));
}

}  // namespace

int perform(const Call& call, WritingWorld& world, const Plan& plan, JournalUse use) {
  use.folder = state_folder(call);
  const Report report = execute(call, world, plan, world.journal(use));
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      render_report_json(plan, report, out);
    } else if (form == "markdown") {
      render_report_markdown(plan, report, out);
    } else if (on_stdout && report.refusal != Refusal::kNotRefused) {
      render_report_text(plan, report, world.err(), call.color_err);  // nothing was done: it is no answer
    } else {
      render_report_text(plan, report, out, on_stdout && call.color_out);
    }
  };
  const int code = exit_code(plan, report);
  const int given = give_answer(call, "text", answer, code);
  return code == kExitDone || code == kExitNotChecked ? given : code;
}

int show_and_perform(const Call& call, WritingWorld& world, Plan& plan, JournalUse use) {
  if (!plan.steps.empty()) {
    PlanCost cost(call, plan);
    show_plan(call, plan, cost);
    plan.id = plan_id(plan);
  }
  return perform(call, world, plan, std::move(use));
}

int approve_and_perform(const Call& call, WritingWorld& world, Plan& plan, JournalUse use) {
  PlanCost cost(call, plan);
  if (const auto refused = cost.refused()) {
    return *refused;
  }
  if (!plan.steps.empty()) {
    world.cancelled();  // from here on a signal is a wish to stop, not an end
    if (const auto refused = approve(call, world, plan, cost)) {
      return *refused;
    }
    plan.id = plan_id(plan);
  }
  return perform(call, world, plan, std::move(use));
}

}  // namespace gpup
