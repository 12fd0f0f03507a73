#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "observed/merge.h"
#include "plan/make_plan.h"
#include "render/diagnostics_json.h"
#include "render/export.h"
#include "render/observe_table.h"
#include "render/snapshot_json.h"

namespace gpup {

namespace {

/// What `validate` has to say of files that are right.
std::string valid_line(const Files& files, bool against_snapshot, std::size_t not_checked) {
  std::string line = fmt::format("valid: {} of {}, {}, {}, {}", counted(files.sources.files().size(), "file"),
                                 escape_terminal(files.desired.name), counted(files.desired.hosts.size(), "host"),
                                 counted(files.desired.gpus.size(), "GPU line"),
                                 counted(files.desired.assignments.size(), "assignment"));
  if (against_snapshot) {
    line += not_checked == 0
                ? std::string("; fits the snapshot")
                : fmt::format("; fits what the snapshot holds, {} not checked", counted(not_checked, "host"));
  }
  return line + "\n";
}

/// What was observed, and the hosts that it is about.
struct Seen {
  ObservedState observed;
  std::vector<HostTarget> targets;
};

/// The hosts that the files name, from a snapshot: others are left out, those that it lacks are not checked.
ObservedState only(ObservedState observed, const std::vector<HostTarget>& targets) {
  std::vector<Host> hosts;
  for (const HostTarget& target : targets) {
    const auto found = std::find_if(observed.hosts.begin(), observed.hosts.end(),
                                    [&](const Host& host) { return same_name(host.name, target.name); });
    if (found != observed.hosts.end()) {
      hosts.push_back(std::move(*found));
      observed.hosts.erase(found);
      continue;
    }
    ObservedState missing = not_read(target.name, "the snapshot does not have it");
    std::move(missing.hosts.begin(), missing.hosts.end(), std::back_inserter(hosts));
    observed.texts.insert(observed.texts.end(), missing.texts.begin(), missing.texts.end());
  }
  observed.hosts = std::move(hosts);
  return observed;
}

/// For the commands that show what is there: from -f, --connect or --observed.
Result<Seen> see(const Call& call, Diagnostics& trouble) {
  Seen seen;
  if (call.line.has("file")) {
    auto files = read_files(call);
    if (!files) {
      return tl::unexpected<Error>(files.error());
    }
    trouble = files->warnings;
    seen.targets = files->targets();
  } else if (call.line.has("connect")) {
    auto targets = connect_targets(call);
    if (!targets) {
      return tl::unexpected<Error>(targets.error());
    }
    seen.targets = std::move(*targets);
  }
  auto observed = read_observed(call, seen.targets, trouble);
  if (!observed) {
    return tl::unexpected<Error>(observed.error());
  }
  seen.observed = std::move(*observed);
  if (call.line.has("observed") && call.line.has("file")) {
    seen.observed = only(std::move(seen.observed), seen.targets);
  }
  return seen;
}

std::string folder_of(std::string_view path) {
  const std::size_t divider = path.find_last_of(kPathDividers);
  return divider == std::string_view::npos ? std::string() : std::string(path.substr(0, divider + 1));
}

void write_observed(const ObservedState& observed, std::string_view form, Sink& out) {
  if (form == "json") {
    write_snapshot(observed, out);
  } else if (form == "yaml") {
    write_snapshot_yaml(observed, out);
  } else {
    std::string text;
    render_observe(observed, form == "wide" ? ObserveForm::kWide : ObserveForm::kTable, text);
    out.write(text);
  }
}

}  // namespace

int run_validate(const Call& call) {
  auto files = read_files(call);
  if (!files) {
    return cannot_work(call, files.error());
  }
  Diagnostics diagnostics = std::move(files->warnings);
  std::size_t not_checked = 0;
  const bool against_snapshot = call.line.has("observed");
  if (against_snapshot) {
    auto observed = read_observed(call, {}, diagnostics);
    if (!observed) {
      return cannot_work(call, observed.error());
    }
    Planned planned = make_plan(files->desired, *observed, files->sources);
    diagnostics.insert(diagnostics.end(), planned.diagnostics.begin(), planned.diagnostics.end());
    not_checked = planned.plan.not_checked.size();
  }
  if (has_error(diagnostics)) {
    return refuse(call, diagnostics);
  }
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      write_diagnostics(diagnostics, out);
      return;
    }
    if (on_stdout) {
      tell(call, diagnostics);
    }
    out.write(valid_line(*files, against_snapshot, not_checked));
  };
  return give_answer(call, "text", answer, not_checked == 0 ? kExitDone : kExitNotChecked);
}

int run_observe(const Call& call) {
  Diagnostics trouble;
  auto seen = see(call, trouble);
  if (!seen) {
    return cannot_work(call, seen.error());
  }
  tell(call, trouble);
  const int code = some_not_read(seen->observed) ? kExitNotChecked : kExitDone;
  const auto answer = [&](std::string_view form, bool, Sink& out) { write_observed(seen->observed, form, out); };
  return give_answer(call, call.line.has("out") ? "json" : "table", answer, code);
}

int run_export(const Call& call) {
  Diagnostics trouble;
  auto seen = see(call, trouble);
  if (!seen) {
    return cannot_work(call, seen.error());
  }
  ExportOptions options;
  options.targets = seen->targets;
  // What came by a pipe has no path: the file names the snapshot that one would save.
  const std::string_view saved = call.line.value("observed").value_or("");
  options.snapshot = saved == "-" ? "snapshot.json" : std::string(saved);
  options.folder = folder_of(call.line.value("out").value_or(""));
  if (is_from_root(options.folder) || options.folder.starts_with("..")) {
    // Seen from there, a path of the working folder has no relative name that is sure.
    options.snapshot = options.snapshot.empty() ? options.snapshot : call.world.absolute(options.snapshot);
    for (HostTarget& target : options.targets) {
      for (std::string* path : {&target.connect.file, &target.connect.identity_file, &target.connect.known_hosts}) {
        *path = path->empty() ? *path : call.world.absolute(*path);
      }
    }
  }
  const auto text = export_desired(seen->observed, options);
  if (!text) {
    return cannot_work(call, text.error());
  }
  tell(call, trouble);
  const auto answer = [&](std::string_view, bool, Sink& out) { out.write(*text); };
  return give_answer(call, "yaml", answer, some_not_read(seen->observed) ? kExitNotChecked : kExitDone);
}

}  // namespace gpup
