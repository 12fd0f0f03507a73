#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command_runs.h"
#include "cli/inputs.h"
#include "cli/perform.h"
#include "cli/runs.h"
#include "execute/take_up.h"
#include "plan/roll_back.h"

namespace gpup {

namespace {

tl::unexpected<Error> nothing(std::string_view message, std::string_view hint = "'gpup history' lists the runs") {
  return fail({placeless(Code::kNoRun, message, hint)});
}

/// It may not be taken up or rolled back yet.
Diagnostics still_under_way(const RecordedRun& run) {
  return {placeless(Code::kHostLocked, fmt::format("run '{}' is still under way on this machine", run.run),
                    "wait for its end; a Ctrl-C there ends it at a step's boundary")};
}

/// The newest run that did not end well and that no later one has taken up or rolled back.
Result<RecordedRun> newest_unfinished(const Call& call) {
  auto runs = read_runs(call);
  if (!runs) {
    return tl::unexpected<Error>(runs.error());
  }
  if (runs->empty()) {
    return nothing(fmt::format("there is no run in '{}'", state_folder(call)), "--state-dir names another folder");
  }
  std::map<std::string, std::string> first;  // of a run that takes another one up
  for (const RecordedRun& run : *runs) {
    first[run.run] = run.resumes;
  }
  std::set<std::string> taken_up;
  std::set<std::string> rolled_back;
  const auto is_rolled_back = [&](std::string run) {
    while (!run.empty() && !rolled_back.contains(run)) {
      std::string before = first[run];
      run = before < run ? std::move(before) : std::string();
    }
    return !run.empty();
  };
  for (RecordedRun& run : *runs) {
    if (run.begun && !run.ended_well() && !taken_up.contains(run.run) && !is_rolled_back(run.run)) {
      return std::move(run);
    }
    taken_up.insert(run.resumes);
    if (!run.rolls_back.empty()) {
      rolled_back.insert(run.rolls_back);
    }
  }
  return nothing(fmt::format("every run in '{}' ended well", state_folder(call)));
}

Result<RecordedRun> run_to_resume(const Call& call) {
  if (!call.line.argument) {
    return newest_unfinished(call);
  }
  auto run = read_run(call, *call.line.argument);
  if (run && !run->begun) {
    return nothing(fmt::format("run '{}' ended before anything was sent", run->run), "apply the plan again");
  }
  if (run && run->ended_well()) {
    return nothing(fmt::format("run '{}' ended well: nothing is left of it", run->run));
  }
  return run;
}

/// A run with its kept plan, and which of its steps may have been sent.
struct Kept {
  RecordedRun run;
  Plan plan;
  std::vector<bool> sent;
  KnownAdapters adapters;
};

/// What the run did to adapters.
void note_adapters(const Kept& kept, KnownAdapters& adapters) {
  for (const RecordedStep& recorded : kept.run.steps) {
    if (!recorded.intended || recorded.step >= kept.plan.steps.size()) {
      continue;
    }
    const Step& step = kept.plan.steps[recorded.step];
    if (step.op == Op::kUnassignPartition) {
      adapters.taken(kept.plan.adapters[step.adapter].id);
    } else if (step.op == Op::kAssignPartition) {
      adapters.given(kept.plan.vms[step.vm].id, recorded.adapter);
      if (recorded.undone || !recorded.outcome || !ended_well(*recorded.outcome)) {
        adapters.taken(recorded.adapter);
      }
    }
  }
}

Result<Kept> keep(const Call& call, RecordedRun run) {
  auto plan = read_kept_plan(call, run);
  if (!plan) {
    return tl::unexpected<Error>(plan.error());
  }
  Kept kept{std::move(run), std::move(*plan), {}, {}};
  kept.sent.resize(kept.plan.steps.size());
  for (const RecordedStep& step : kept.run.steps) {
    if (step.intended && step.step < kept.sent.size()) {
      kept.sent[step.step] = true;
    }
  }
  note_adapters(kept, kept.adapters);
  return kept;
}

/// The run with all that took it up: what they sent counts as its own. Runs that rolled it back are known as well.
Result<Kept> whole_run(const Call& call, RecordedRun run) {
  while (!run.resumes.empty()) {
    if (run.resumes >= run.run) {
      return nothing(fmt::format("run '{}' says that it took up '{}', which is no earlier one", run.run, run.resumes));
    }
    auto first = read_run(call, run.resumes);
    if (!first) {
      return tl::unexpected<Error>(first.error());
    }
    run = std::move(*first);
  }
  auto root = keep(call, std::move(run));
  auto runs = read_runs(call);
  if (!root || !runs) {
    return tl::unexpected<Error>(root ? runs.error() : root.error());
  }
  std::set<std::string> family = {root->run.run};
  std::set<std::string> rolled_back;
  for (auto one = runs->rbegin(); one != runs->rend(); ++one) {  // the oldest first
    const bool goes_on = family.contains(one->resumes);
    if (!goes_on && !family.contains(one->rolls_back) && !rolled_back.contains(one->resumes)) {
      continue;
    }
    (goes_on ? family : rolled_back).insert(one->run);
    if (!one->begun) {
      continue;
    }
    const auto later = keep(call, *one);
    if (!later) {
      return tl::unexpected<Error>(later.error());
    }
    if (goes_on) {
      add_sent(root->plan, later->plan, later->sent, root->sent);
    }
    note_adapters(*later, root->adapters);
  }
  return root;
}

/// What the run stopped and nobody has started: named, where this command may not start it.
void name_stopped(const Call& call, const Plan& left, const ObservedState& observed) {
  Diagnostics named;
  for (const LeftOff& vm : stopped_by_run(left, observed)) {
    Diagnostic diagnostic =
        placeless(Code::kVmLeftOff, fmt::format("VM {} ({}) is off: {}", vm.vm, vm.vm_id, vm.message),
                  fmt::format("'gpup restore-power -f FILE' starts it, and so does, on {}: {}", vm.host, vm.command));
    diagnostic.host = vm.host;
    diagnostic.object = "vm";
    diagnostic.name = vm.vm;
    named.push_back(std::move(diagnostic));
  }
  tell(call, named);
}

}  // namespace

int run_resume(const Call& call, WritingWorld& world) {
  const auto run = run_to_resume(call);
  if (!run) {
    return cannot_work(call, run.error());
  }
  if (run->under_way) {
    return refuse(call, still_under_way(*run), kExitNotAllowed);
  }
  const auto plan = read_kept_plan(call, *run);
  if (!plan) {
    return cannot_work(call, plan.error());
  }
  world.cancelled();  // from here on a signal is a wish to stop, not an end
  Diagnostics trouble;
  const auto observed = read_observed(call, plan->hosts, trouble);
  if (!observed) {
    return cannot_work(call, observed.error());
  }
  Plan left = what_is_left(*plan, *run, *observed);
  const int code = show_and_perform(call, world, left, {{}, run->run, {}});
  if (code == kExitStale || code == kExitNotAllowed) {
    name_stopped(call, left, *observed);
  }
  return code;
}

int run_rollback(const Call& call, WritingWorld& world) {
  auto run = read_run(call, *call.line.argument);
  if (!run) {
    return cannot_work(call, run.error());
  }
  if (!run->begun) {
    return cannot_work(call, nothing(fmt::format("run '{}' ended before anything was sent", run->run)).value());
  }
  if (run->under_way) {
    return refuse(call, still_under_way(*run), kExitNotAllowed);
  }
  const auto whole = whole_run(call, std::move(*run));
  if (!whole) {
    return cannot_work(call, whole.error());
  }
  Diagnostics trouble;
  const auto observed = read_observed(call, whole->plan.hosts, trouble);
  if (!observed) {
    return cannot_work(call, observed.error());
  }
  Planned planned = make_roll_back(whole->plan, whole->sent, whole->adapters, *observed);
  if (planned.refused()) {
    return refuse(call, planned.diagnostics);
  }
  if (planned.plan.steps.empty()) {
    tell(call, planned.plan.diagnostics);  // there is no plan to show them with
  }
  return approve_and_perform(call, world, planned.plan, {{}, {}, whole->run.run});
}

}  // namespace gpup
