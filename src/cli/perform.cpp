#include "cli/perform.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ticker.h"
#include "cli/event_progress.h"
#include "cli/exit_codes.h"
#include "cli/plan_forms.h"
#include "cli/receipts.h"
#include "cli/runs.h"
#include "cli/step_progress.h"
#include "execute/execute.h"
#include "execute/open_ends.h"
#include "plan/durations.h"
#include "render/html.h"
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

/// Tells what the first signal does, and what is open where a second one ends the process.
class LastWords {
 public:
  LastWords(const Call& call, WritingWorld& world, const OpenEnds& open) : world_(world) {
    constexpr std::string_view kFirst =
        "\ncancelled: no new step begins, those under way end, and VMs that were stopped are started again; a second "
        "signal ends gpup at once\n";
    world.set_words(kFirst, [&call, &open] {
      const Diagnostics told = open.told();
      return "\nleft at once\n" + render_diagnostics(told, call.color_err, told.size());
    });
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords() { world_.set_words({}, {}); }

 private:
  WritingWorld& world_;
};

/// Where lines can be drawn anew, with what steps are expected to take.
std::optional<StepProgress::Terminal> terminal_of(const Call& call, WritingWorld& world, const Plan& plan) {
  if (!world.is_terminal(Stream::kErr) || world.env("TERM") == "dumb") {
    return std::nullopt;
  }
  return StepProgress::Terminal{world.terminal_width(Stream::kErr),
                                StepTimes(plan, world.past_durations(state_folder(call)))};
}

/// Where a run is noted, and whether it may stop VMs at any time.
struct Noted {
  Journal& journal;
  bool ignores_window;
};

Report execute(const Call& call, WritingWorld& world, const Plan& plan, const Noted& noted, EventProgress* events) {
  const Clock now = [&world] { return world.now(); };
  std::optional<StepProgress::Terminal> terminal = terminal_of(call, world, plan);
  const bool live = terminal || events != nullptr;
  StepProgress steps(world.err(), std::move(terminal), now);
  OpenEnds open(plan);
  std::vector<Progress*> each = {&open, &steps};
  if (events != nullptr) {
    each.push_back(events);
  }
  EachProgress progress(std::move(each));
  const LastWords words(call, world, open);
  std::optional<Ticker> ticker;
  if (live) {
    constexpr std::chrono::seconds kPeriod(1);
    ticker.emplace(kPeriod, [&steps, events] {
      steps.tick();
      if (events != nullptr) {
        events->beat();
      }
    });
  }
  return execute(plan, world.writer(), noted.journal, progress, world.cancelled(), now, limits_of(call), {},
                 {noted.ignores_window, &world.hooks()});
}

/// The report, with events where they are asked for; nothing, with the exit code, where these cannot be written.
tl::expected<Report, int> perform_with_events(const Call& call, WritingWorld& world, const Plan& plan,
                                              const Noted& noted) {
  const auto path = call.line.value("events");
  if (!path) {
    return execute(call, world, plan, noted, nullptr);
  }
  const auto lines = world.create_lines(std::string(*path));
  if (!lines) {
    return tl::unexpected(give_up(call, lines.error(), Code::kCannotWrite));
  }
  EventProgress events(**lines, plan, [&world] { return world.now(); });
  Report report = execute(call, world, plan, noted, &events);
  events.ended(report);
  if (const Result<Done> written = (*lines)->finish(); !written) {
    Diagnostic lost = placeless(Code::kEventsLost, written.error().message, "'gpup history latest' tells of the run");
    lost.severity = Severity::kWarning;
    tell(call, {std::move(lost)});
  }
  return report;
}

}  // namespace

int perform(const Call& call, WritingWorld& world, const Plan& plan, JournalUse use, std::optional<Signer> signer) {
  use.folder = state_folder(call);
  use.ignores_window = call.line.has("ignore-window") ? call.line.value("reason").value_or("") : "";
  auto receipts = Receipts::prepare(call, std::move(signer));
  if (!receipts) {
    return receipts.error();
  }
  Journal& journal = world.journal(use);
  const auto performed = perform_with_events(call, world, plan, {journal, !use.ignores_window.empty()});
  if (!performed) {
    return performed.error();
  }
  const Report& report = *performed;
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      render_report_json(plan, report, out);
    } else if (form == "markdown") {
      render_report_markdown(plan, report, call.most_markdown(), out);
    } else if (form == "html") {
      render_report_html(plan, report, out);
    } else if (on_stdout && report.refusal != Refusal::kNotRefused) {
      render_report_text(plan, report, world.err(), call.color_err);  // nothing was done: it is no answer
    } else {
      render_report_text(plan, report, out, on_stdout && call.color_out);
    }
  };
  const int code = exit_code(plan, report);
  // They are written first: an answer that nobody takes does not keep them from it.
  const int kept = receipts->write(call, plan, report, journal.run(), use.ignores_window, code);
  const bool stdout_is_taken = call.line.value("events") == "-";
  if (stdout_is_taken) {
    render_report_text(plan, report, world.err(), call.color_err);
  }
  const int given = stdout_is_taken ? write_reports(call, answer, code) : give_answer(call, "text", answer, code);
  return code == kExitDone || code == kExitNotChecked ? (kept == code ? given : kept) : code;
}

int show_and_perform(const Call& call, WritingWorld& world, Plan& plan, JournalUse use) {
  if (plan.acts()) {
    PlanCost cost(call, plan);
    plan.id = plan_id(plan);
    show_plan(call, plan, cost);
  }
  return perform(call, world, plan, std::move(use));
}

int approve_and_perform(const Call& call, WritingWorld& world, Plan& plan, JournalUse use) {
  PlanCost cost(call, plan);
  if (const auto refused = cost.refused()) {
    return *refused;
  }
  if (plan.acts()) {
    world.cancelled();  // from here on a signal is a wish to stop, not an end
    plan.id = plan_id(plan);
    if (const auto refused = approve(call, world, plan, cost)) {
      return *refused;
    }
  }
  return perform(call, world, plan, std::move(use));
}

}  // namespace gpup
