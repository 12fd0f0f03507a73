#include "cli/runs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/paths.h"
#include "base/text.h"
#include "execute/remember.h"
#include "render/journal_reader.h"
#include "render/plan_reader.h"

namespace gpup {

namespace {

constexpr std::string_view kExtension = ".jsonl";

std::string path_in(const Call& call, const std::string& name) {
  const std::string folder = state_folder(call);
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

tl::unexpected<Error> no_run(std::string_view message, std::string_view hint = "'gpup history' lists them") {
  return fail({placeless(Code::kNoRun, message, hint)});
}

Result<RecordedRun> read_one(const Call& call, const std::string& name) {
  const std::string path = path_in(call, name + std::string(kExtension));
  auto text = call.world.read_file(path, kLargestJournal);
  if (!text) {
    if (text.error().code == ErrorCode::kBadContent && text.error().diagnostics.empty()) {
      Diagnostic large = placeless(Code::kJournalSyntax, text.error().message);
      large.file = path;
      return fail({std::move(large)});
    }
    return tl::unexpected<Error>(text.error());
  }
  auto run = read_journal(*text, path, name);
  if (run && run->ended.empty()) {
    run->under_way = call.world.is_taken(path);
  }
  return run;
}

/// Whether the plans share hosts, and any of one name is one host: labs in different files may have such.
bool is_about_same_hosts(const Call& call, const Plan& kept, const Plan& plan) {
  std::size_t shared = 0;
  for (const HostTarget& host : kept.hosts) {
    const auto ours = std::find_if(plan.hosts.begin(), plan.hosts.end(),
                                   [&](const HostTarget& other) { return same_name(other.name, host.name); });
    if (ours == plan.hosts.end()) {
      continue;
    }
    const Connect& now = ours->connect;
    if (now.transport != host.connect.transport ||
        (now.transport == Transport::kSimulated &&
         call.world.absolute(now.file) != call.world.absolute(host.connect.file))) {
      return false;
    }
    ++shared;
  }
  return shared > 0;
}

}  // namespace

std::string state_folder(const Call& call) {
  const auto given = call.line.value("state-dir");
  return given ? std::string(*given) : call.world.state_folder();
}

Result<std::vector<std::string>> run_names(const Call& call) {
  const std::string folder = state_folder(call);
  std::vector<std::string> runs;
  if (folder.empty() || !call.world.is_folder(folder)) {
    return runs;
  }
  auto files = call.world.list_folder(folder);
  if (!files) {
    return tl::unexpected<Error>(files.error());
  }
  for (const std::string& file : *files) {
    if (file.ends_with(kExtension) && !file.starts_with('.')) {
      runs.push_back(file.substr(0, file.size() - kExtension.size()));
    }
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

Result<RecordedRun> read_run(const Call& call, std::string_view name) {
  auto names = run_names(call);
  if (!names) {
    return tl::unexpected<Error>(names.error());
  }
  if (names->empty()) {
    return no_run(fmt::format("there is no run in '{}'", state_folder(call)), "--state-dir names another folder");
  }
  if (name == "latest") {
    return read_one(call, names->back());
  }
  if (!std::binary_search(names->begin(), names->end(), name)) {
    return no_run(fmt::format("there is no run '{}'", name));
  }
  return read_one(call, std::string(name));
}

Result<std::vector<RecordedRun>> read_runs(const Call& call) {
  auto names = run_names(call);
  if (!names) {
    return tl::unexpected<Error>(names.error());
  }
  std::vector<RecordedRun> runs;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    auto run = read_one(call, *name);
    if (run) {
      runs.push_back(std::move(*run));
    } else if (run.error().code == ErrorCode::kBadContent) {
      Diagnostics passed_over = run.error().diagnostics;
      for (Diagnostic& diagnostic : passed_over) {
        diagnostic.severity = Severity::kWarning;
      }
      tell(call, passed_over);
    } else {
      return tl::unexpected<Error>(run.error());
    }
  }
  return runs;
}

void name_owing_runs(const Call& call, Diagnostics& diagnostics) {
  const auto owed = [](const Diagnostic& diagnostic) { return diagnostic.code == Code::kStartOwed; };
  if (std::none_of(diagnostics.begin(), diagnostics.end(), owed)) {
    return;
  }
  const auto runs = read_runs(call);
  if (!runs) {
    return;  // that a start is owed is the host's to say; this only adds to it
  }
  for (Diagnostic& diagnostic : diagnostics) {
    const auto stopped = [&](const RecordedRun& run) {
      return std::any_of(run.steps.begin(), run.steps.end(), [&](const RecordedStep& step) {
        return step.op == to_string(Op::kStopVm) && step.host == diagnostic.host && step.object == diagnostic.name;
      });
    };
    const auto run = std::find_if(runs->begin(), runs->end(), stopped);
    if (owed(diagnostic) && run != runs->end()) {
      diagnostic.message += ", since run " + run->run;
    }
  }
}

Result<Plan> read_kept_plan(const Call& call, const RecordedRun& run) {
  const std::string path = path_in(call, run.run + ".plan.json");
  auto text = call.world.read_file(path, kLargestPlan);
  if (!text) {
    return tl::unexpected<Error>(text.error());
  }
  auto plan = read_plan(std::move(*text), path);
  if (plan && plan->id != run.plan) {
    return no_run(fmt::format("'{}' is not the plan that run '{}' performed", path, run.run));
  }
  for (std::size_t i = 0; plan && !run.folder.empty() && i < plan->hosts.size(); ++i) {
    Connect& connect = plan->hosts[i].connect;
    for (std::string* const file : {&connect.file, &connect.identity_file, &connect.known_hosts}) {
      if (!file->empty() && !is_from_root(*file) && !file->starts_with('~')) {
        *file = call.world.absolute(run.folder + "/" + *file);
      }
    }
  }
  for (std::vector<std::string> HookPolicy::*const hook :
       {&HookPolicy::before, &HookPolicy::after, &HookPolicy::on_failure}) {
    if (plan && !run.folder.empty() && !(plan->hooks.*hook).empty()) {
      std::string& program = (plan->hooks.*hook).front();
      if (!is_from_root(program) && has_folder(program)) {
        program = call.world.absolute(run.folder + "/" + program);
      }
    }
  }
  return plan;
}

PastRuns past_runs(const Call& call, const Plan& plan) {
  constexpr std::size_t kMostRuns = 50;
  PastRuns past;
  const auto names = run_names(call);
  if (!names || plan.differences.empty()) {
    return past;
  }
  for (auto name = names->rbegin(); name != names->rend() && past.runs.size() < kMostRuns; ++name) {
    const auto run = read_one(call, *name);
    if (!run || !run->begun) {
      continue;
    }
    const auto kept = read_kept_plan(call, *run);
    if (kept && is_about_same_hosts(call, *kept, plan)) {
      remember(*kept, *run, past);
    }
  }
  return past;
}

}  // namespace gpup
