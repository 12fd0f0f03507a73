#include "kill/trial.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "adapters/journal_file.h"
#include "adapters/simulated_host.h"
#include "adapters/temporary_folder.h"
#include "desired/read_desired.h"
#include "execute/take_up.h"
#include "observed/merge.h"
#include "plan/restore_power.h"
#include "render/journal_reader.h"
#include "render/plan_json.h"
#include "render/plan_reader.h"

namespace gpup::kill {

namespace {

std::string file_of(const std::string& folder, std::string_view extension) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().string().ends_with(extension)) {
      return entry.path().string();
    }
  }
  return {};
}

/// The plan stops it for good.
bool is_to_be_off(const Plan& plan, std::string_view vm_id) {
  bool stops = false;
  bool starts = false;
  for (const Step& step : plan.steps) {
    if (step.vm != kNone && plan.vms[step.vm].id == vm_id) {
      stops = stops || step.op == Op::kStopVm;
      starts = starts || step.op == Op::kStartVm;
    }
  }
  return stops && !starts;
}

bool is_named(const Report& report, std::string_view vm_id) {
  return std::any_of(report.left_off.begin(), report.left_off.end(),
                     [&](const LeftOff& vm) { return vm.vm_id == vm_id && !vm.command.empty(); });
}

std::string words(const Plan& plan, const Report& report) {
  return "exit code " + std::to_string(exit_code(plan, report)) + "\n" + render_diagnostics(report.diagnostics);
}

bool is_well(const Plan& plan, const Report& report) {
  const int code = exit_code(plan, report);
  return code == 0 || code == 3;
}

}  // namespace

Trial::Trial(const worlds::World& world, const std::string& folder, Stage& stage, const Limits& limits)
    : stage_(stage),
      lab_(folder + "/lab.json"),
      state_(folder + "/state"),
      limits_(limits),
      world_(worlds::to_snapshot_json(world)) {
  reset();
  sources_.add("world.yaml", worlds::to_yaml(world));
  ReadDesired read = read_desired(sources_);
  if (has_error(read.diagnostics)) {
    return;
  }
  desired_ = std::move(read.state);
  for (DesiredHost& host : desired_.hosts) {
    host.target.connect = stage_.connect(host.target.name);
  }
  first_ = observe();
  Planned planned = plan_again();
  if (planned.refused() || planned.plan.steps.empty()) {
    why_not_.push_back("there is no plan\n" + render_diagnostics(planned.diagnostics));
    return;
  }
  plan_ = std::move(planned.plan);
  plan_.id = plan_id(plan_);
  Fate fate(End::kNone, 0, Mutant::kNone);
  if (const Report report = perform(plan_, fate, {}); is_well(plan_, report)) {
    look_at_goal(why_not_);
    points_ = why_not_.empty() ? fate.passed() : 0;
  } else {
    why_not_.push_back("without trouble: " + words(plan_, report));
  }
  runs_ = 0;
}

std::vector<std::string> Trial::run(End end, std::uint64_t at, Way way, Mutant mutant) {
  reset();
  const std::optional<Report> report = first_run(end, at, mutant);
  std::vector<std::string> wrong;
  if (!stage_.rest()) {
    wrong.emplace_back("something of the run does not end");
  }
  look(report ? &*report : nullptr, true, wrong);
  go_on(way, wrong);
  if (wrong.empty() && stage_.sessions() != nullptr) {
    stage_.let_guests_leave();
    look(nullptr, true, wrong);
  }
  return wrong;
}

void Trial::reset() {
  text_ = stage_.begin(world_);
  spill(lab_, text_);
  std::error_code none;
  std::filesystem::remove_all(state_, none);
}

/// Its report, where the run lived to give one.
std::optional<Report> Trial::first_run(End end, std::uint64_t at, Mutant mutant) {
  Fate fate(end, at, mutant, stage_.sessions());
  if (end != End::kKill) {
    return perform(plan_, fate, {});
  }
  ++runs_;
  const pid_t child = ::fork();
  if (child == 0) {
    perform(plan_, fate, {});
    ::_exit(0);  // side by side there may be fewer points than last time
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    std::abort();
  }
  return std::nullopt;
}

Report Trial::perform(const Plan& plan, Fate& fate, const std::string& resumes) {
  ++runs_;
  FatedHosts hosts(fate.ends_early() ? stage_.hosts_to_lose() : stage_.hosts(), fate);
  FatedJournal journal(
      make_journal_file({state_, resumes, {}}, [](const Plan& kept, OutputFile& file) { write_plan(kept, file); }),
      state_, fate);
  NoProgress progress;
  const std::atomic<bool> cancelled = false;
  return execute(
      plan, hosts, journal, progress, cancelled, [this] { return Time(std::chrono::milliseconds(++now_)); }, limits_);
}

void Trial::go_on(Way way, std::vector<std::string>& wrong) {
  switch (way) {
    case Way::kResume:
      resume(wrong);
      return;
    case Way::kApply:
      apply(wrong);
      return;
    case Way::kRestorePower:
      restore_power(wrong);
      return;
  }
}

void Trial::resume(std::vector<std::string>& wrong) {
  const std::string journal = file_of(state_, ".jsonl");
  const std::string name = std::filesystem::path(journal).stem().string();
  auto run = read_journal(read_text(journal), journal, name);
  if (!run) {
    wrong.push_back("resume: the journal cannot be read: " + render_diagnostics(run.error().diagnostics));
    return;
  }
  if (!run->begun) {
    if (read_text(lab_) != text_) {
      wrong.emplace_back("resume: something was changed, and the journal has not begun");
    }
    apply(wrong);
    return;
  }
  if (!run->ended_well()) {
    const std::string kept = file_of(state_, ".plan.json");
    const auto plan = read_plan(read_text(kept), kept);
    if (!plan || plan->id != run->plan) {
      wrong.emplace_back("resume: the kept plan cannot be read, or is another");
      return;
    }
    Plan left = what_is_left(*plan, *run, observe());
    left.id = plan_id(left);
    Fate fate(End::kNone, 0, Mutant::kNone);
    if (const Report report = perform(left, fate, name); !is_well(left, report)) {
      wrong.push_back("resume: " + words(left, report));
    }
  }
  look(nullptr, false, wrong);
  look_at_goal(wrong);
}

void Trial::apply(std::vector<std::string>& wrong) {
  Planned planned = plan_again();
  if (planned.refused()) {
    wrong.push_back("apply: refused: " + render_diagnostics(planned.diagnostics));
    return;
  }
  planned.plan.id = plan_id(planned.plan);
  Fate fate(End::kNone, 0, Mutant::kNone);
  if (const Report report = perform(planned.plan, fate, {}); !is_well(planned.plan, report)) {
    wrong.push_back("apply: " + words(planned.plan, report));
  }
  look(nullptr, false, wrong);
  look_at_goal(wrong);
}

/// On a clean machine.
void Trial::restore_power(std::vector<std::string>& wrong) {
  std::filesystem::remove_all(state_);
  Plan plan = make_restore_plan(desired_, observe(), sources_);
  plan.id = plan_id(plan);
  Fate fate(End::kNone, 0, Mutant::kNone);
  const Report report = perform(plan, fate, {});
  // Half way, a machine may hold what no host can start: then it is told so, and the start stays owed.
  const bool all_refused = std::all_of(report.left_off.begin(), report.left_off.end(), [](const LeftOff& vm) {
    return vm.code == Code::kNoPartition || vm.code == Code::kStaleAdapter;
  });
  if (!is_well(plan, report) && (report.left_off.empty() || !all_refused)) {
    wrong.push_back("restore-power: " + words(plan, report));
  }
  look(&report, true, wrong);
}

/// What must hold whenever a run has ended. `to_be_owed`: a VM that the run stopped may be off, if its host knows that
/// a start is owed, and if the run has named it where it lived to do so.
void Trial::look(const Report* report, bool to_be_owed, std::vector<std::string>& wrong) const {
  const ObservedState now = observe();
  for (const Host& host : now.hosts) {
    const Host* const before = find_host(first_, host.name);
    if (!host.reachable && before != nullptr && before->reachable) {
      wrong.push_back(std::string(host.name) + " cannot be read any more: " + std::string(host.error));
    }
    for (const Vm& vm : host.vms) {
      const Vm* const was = before == nullptr ? nullptr : find_vm(*before, vm.id);
      const std::string name = std::string(host.name) + "/" + std::string(vm.name);
      if (was == nullptr) {
        wrong.push_back(name + " has come from nowhere");
        continue;
      }
      if (vm.adapter_count > std::max<std::size_t>(was->adapter_count, 1)) {
        wrong.push_back(name + " has a second adapter");
      }
      if (was->state != VmState::kRunning || vm.state == VmState::kRunning || is_to_be_off(plan_, vm.id)) {
        continue;
      }
      if (!to_be_owed) {
        wrong.push_back(name + " is off, and was on");
      } else if (!vm.start_owed) {
        wrong.push_back(name + " is off, and its host does not know that a start is owed");
      } else if (report != nullptr && !is_named(*report, vm.id)) {
        wrong.push_back(name + " is off, and the run has not named it");
      }
    }
  }
}

void Trial::look_at_goal(std::vector<std::string>& wrong) const {
  const Planned planned = plan_again();
  if (planned.refused() || !planned.plan.steps.empty()) {
    wrong.push_back("the goal is not reached: " + std::to_string(planned.plan.steps.size()) + " steps are left\n" +
                    render_diagnostics(planned.diagnostics));
  }
  const ObservedState now = observe();
  for (const Host& host : now.hosts) {
    for (const Vm& vm : host.vms) {
      if (vm.start_owed) {
        wrong.push_back(std::string(host.name) + "/" + std::string(vm.name) + " is still owed a start");
      }
    }
  }
}

/// The hosts of the file, as gpup sees them.
ObservedState Trial::observe() const {
  const auto hosts = stage_.hosts();
  std::vector<ObservedState> states;
  for (const DesiredHost& host : desired_.hosts) {
    auto state = hosts->observe(host.target).get();
    states.push_back(state ? std::move(*state) : not_read(host.target.name, state.error().message));
  }
  auto merged = merge(std::move(states));
  return merged ? std::move(*merged) : ObservedState();
}

}  // namespace gpup::kill
