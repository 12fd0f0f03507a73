#include "adapters/journal_file.h"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "adapters/disk.h"
#include "adapters/files.h"
#include "adapters/this_process.h"
#include "base/json_writer.h"
#include "base/paths.h"
#include "base/text.h"
#include "plan/durations.h"

namespace gpup {

namespace {

tl::unexpected<Error> cannot_write(const std::string& path, int error) {
  return fail(ErrorCode::kCannotRead,
              fmt::format("cannot write {}: {}", escape_terminal(path), std::generic_category().message(error)));
}

/// The folder and those above it.
int make_folders(const std::string& path) {
  for (std::size_t at = path.find_first_of(kPathDividers, 1);; at = path.find_first_of(kPathDividers, at + 1)) {
    const std::string part = path.substr(0, at);
    if (!part.empty() && !disk::make_folder(part) && errno != EEXIST) {
      return errno;
    }
    if (at == std::string::npos) {
      return 0;
    }
  }
}

/// One entry: a JSON object on a line.
class Entry {
 public:
  Entry(std::string_view kind, Time time) {
    text("time", to_string(time));
    text("entry", kind);
  }

  void text(const char* name, std::string_view value) {
    member(name);
    append_json_string_or_null(line_, value);
  }
  void number(const char* name, std::uint64_t value) {
    member(name);
    append_json_number(line_, value);
  }
  void flag(const char* name, std::optional<bool> value) {
    member(name);
    if (value) {
      append_json_bool(line_, *value);
    } else {
      line_ += "null";
    }
  }
  /// A list of objects.
  template <class List, class Write>
  void list(const char* name, const List& values, const Write& write) {
    member(name);
    line_ += '[';
    bool first = true;
    for (const auto& value : values) {
      line_ += std::exchange(first, false) ? "{" : ",{";
      separator_ = "";
      write(*this, value);
      line_ += '}';
    }
    line_ += ']';
    separator_ = ",";
  }

  std::string line() && { return "{" + std::move(line_) + "}\n"; }

 private:
  void member(const char* name) {
    line_ += separator_;
    separator_ = ",";
    append_json_string(line_, name);
    line_ += ':';
  }

  std::string line_;
  std::string separator_;
};

class JournalFile : public Journal {
 public:
  JournalFile(JournalUse use, PlanWriter write_plan) : use_(std::move(use)), write_plan_(std::move(write_plan)) {}
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile() override {
    if (descriptor_ >= 0) {
      disk::close(descriptor_);
    }
  }

  Result<Done> begin(const Plan& plan, Time now) override {
    if (Result<Done> kept = keep(plan, now); !kept) {
      return kept;
    }
    gpus_.emplace(plan);
    Entry entry("begin", now);
    entry.text("apiVersion", "gpup/v1");
    std::error_code unknown;
    entry.text("folder", path_text(std::filesystem::current_path(unknown)));
    entry.text("resumes", use_.resumes);
    entry.text("rollsBack", use_.rolls_back);
    entry.text("ignoresWindow", use_.ignores_window);
    entry.text("plan", plan.id);
    entry.text("name", plan.name);
    entry.number("process", process_number());
    entry.number("steps", plan.steps.size());
    entry.list("hosts", plan.hosts, [](Entry& row, const HostTarget& host) {
      row.text("name", host.name);
      row.text("transport", to_string(host.connect.transport));
    });
    entry.list("diagnostics", plan.diagnostics, [](Entry& row, const Diagnostic& diagnostic) {
      row.text("code", to_string(diagnostic.code));
      row.text("severity", to_string(diagnostic.severity));
      row.flag("overridden", diagnostic.code == Code::kOverridden);
      row.text("message", diagnostic.message);
      row.text("file", diagnostic.file);
      row.text("host", diagnostic.host);
      row.text("name", diagnostic.name);
    });
    Result<Done> begun = put(std::move(entry), now);
    if (!begun) {
      leave_nothing();
    }
    return begun;
  }

  Result<Done> intent(const Plan& plan, std::uint32_t step, Time now) override {
    Entry entry("intent", now);
    step_members(entry, plan, step);
    if (plan.steps[step].vm != kNone) {
      const PlanVm& vm = plan.vms[plan.steps[step].vm];
      entry.text("stateBefore", vm.was_running ? "Running" : "Off");
      entry.list("partitionsBefore", plan.adapters_of(vm), [](Entry& row, const PlanAdapter& adapter) {
        row.text("id", adapter.id);
        row.text("gpu", adapter.gpu);
      });
    }
    return put(std::move(entry), now);
  }

  Result<Done> outcome(const Plan& plan, const StepResult& result) override {
    Entry entry("outcome", result.ended);
    step_members(entry, plan, result.step);
    entry.text("startedAt", to_string(result.started));
    entry.text("outcome", to_string(result.outcome));
    entry.text("message", result.message);
    entry.text("code", result.code ? to_string(*result.code) : std::string());
    entry.flag("sent", result.sent);
    entry.flag("assigned", result.assigned);
    entry.flag("resolved", result.resolved);
    entry.text("found", result.adapter);
    return put(std::move(entry), result.ended);
  }

  Result<Done> undo(const Plan& plan, std::uint32_t step, Time now) override {
    Entry entry("undo", now);
    step_members(entry, plan, step);
    return put(std::move(entry), now);
  }

  Result<Done> restored(const Plan& /*plan*/, const Restored& restored) override {
    Entry entry("restored", restored.ended);
    entry.text("host", restored.host);
    entry.text("vm", restored.vm);
    entry.text("vmId", restored.vm_id);
    entry.text("outcome", to_string(restored.outcome));
    entry.text("message", restored.message);
    entry.text("code", restored.code ? to_string(*restored.code) : std::string());
    return put(std::move(entry), restored.ended);
  }

  Result<Done> hook(const HookResult& begun) override {
    Entry entry("hook", begun.started);
    hook_members(entry, begun);
    return put(std::move(entry), begun.started);
  }

  Result<Done> hook_ended(const HookResult& hook) override {
    Entry entry("hook-ended", hook.ended);
    hook_members(entry, hook);
    entry.text("startedAt", to_string(hook.started));
    entry.text("outcome", to_string(hook.outcome));
    entry.text("message", hook.message);
    entry.text("code", hook.code ? to_string(*hook.code) : std::string());
    return put(std::move(entry), hook.ended);
  }

  std::string run() const override { return run_; }

  Result<Done> end(const Plan& plan, const Report& report) override {
    const Time now = report.ended;
    Entry entry("end", now);
    entry.number("exitCode", static_cast<std::uint64_t>(exit_code(plan, report)));
    entry.flag("cancelled", report.cancelled);
    std::vector<const StepResult*> not_well;
    for (const StepResult& result : report.steps) {
      if (!ended_well(result.outcome)) {
        not_well.push_back(&result);
      }
    }
    entry.list("notDone", not_well, [](Entry& row, const StepResult* result) {
      row.number("step", result->step + 1ULL);
      row.text("outcome", to_string(result->outcome));
    });
    entry.list("leftOff", report.left_off, [](Entry& row, const LeftOff& vm) {
      row.text("host", vm.host);
      row.text("vm", vm.vm);
      row.text("vmId", vm.vm_id);
      row.text("command", vm.command);
    });
    return put(std::move(entry), now);
  }

  Result<Done> flush() override {
    if (descriptor_ >= 0 && !disk::flush_bytes(descriptor_)) {
      return cannot_write(path_, errno);
    }
    return Done{};
  }

 private:
  static void hook_members(Entry& entry, const HookResult& hook) {
    entry.text("hook", to_string(hook.kind));
    if (hook.step != kNone) {
      entry.number("step", hook.step + 1ULL);
    }
    if (!hook.of_run()) {
      entry.text("host", hook.host);
      entry.text("vm", hook.vm);
      entry.text("vmId", hook.vm_id);
    }
  }

  void step_members(Entry& entry, const Plan& plan, std::uint32_t index) const {
    const Step& step = plan.steps[index];
    entry.number("step", index + 1ULL);
    entry.text("op", to_string(step.op));
    entry.text("host", plan.hosts[host_of(plan, step)].name);
    if (step.vm != kNone) {
      entry.text("vm", plan.vms[step.vm].name);
      entry.text("vmId", plan.vms[step.vm].id);
    }
    if (step.gpu != kNone) {
      entry.text("gpu", plan.gpus[step.gpu].name);
    }
    if (const std::uint32_t gpu = gpus_ ? gpus_->of(step) : kNone; gpu != kNone) {
      entry.text("model", plan.gpus[gpu].model);  // steps on one model take alike: see journal_durations.h
    }
    if (step.adapter != kNone) {
      entry.text("adapter", plan.adapters[step.adapter].id);
    }
    if (step.op == Op::kSetPartitionCount) {
      if (step.from != kNone) {
        entry.number("from", step.from);
      }
      entry.number("to", step.to);
    } else if (step.op == Op::kSetOfflineAction) {
      entry.text("from", step.from == kNone ? "" : to_string(static_cast<OfflineAction>(step.from)));
      entry.text("to", to_string(static_cast<OfflineAction>(step.to)));
    }
  }

  Result<Done> put(Entry entry, Time now) {
    if (descriptor_ < 0) {
      if (Result<Done> opened = open(now); !opened) {
        return opened;
      }
    }
    if (torn_ && !cut_off()) {
      return cannot_write(path_, errno);
    }
    const std::string line = std::move(entry).line();
    for (std::string_view rest = line; !rest.empty();) {
      const std::ptrdiff_t written = disk::write(descriptor_, rest);
      if (written < 0) {
        const int error = errno;
        torn_ = rest.size() < line.size() && !cut_off();
        return cannot_write(path_, error);
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    size_ += line.size();
    return Done{};
  }

  /// Takes back what was written of an entry for which there was no room: what is noted once there is some begins a
  /// line.
  bool cut_off() const { return disk::truncate(descriptor_, size_); }

  /// A run that could not begin is none.
  void leave_nothing() const {
    std::error_code left;
    std::filesystem::remove(path_of(path_), left);
    std::filesystem::remove(path_of(use_.folder + "/" + run_ + ".plan.json"), left);
  }

  /// The plan is on disk before the first entry, and so before anything is sent.
  Result<Done> keep(const Plan& plan, Time now) {
    if (Result<Done> named = name_run(now); !named) {
      return named;
    }
    Result<std::unique_ptr<OutputFile>> file = create_output(path_ + ".plan.json");
    if (!file) {
      return tl::unexpected(file.error());
    }
    write_plan_(plan, **file);
    return (*file)->commit();
  }

  Result<Done> name_run(Time now) {
    const std::string& folder = use_.folder;
    if (folder.empty()) {
      return fail(ErrorCode::kCannotRead, fmt::format("there is no folder for the journal: {}", kNoStateHome));
    }
    if (const int error = make_folders(folder); error != 0) {
      return cannot_write(folder, error);
    }
    std::string stamp;
    for (const char letter : to_string(now)) {
      stamp += letter == '-' || letter == ':' ? "" : std::string(1, letter);
    }
    run_ = fmt::format("{}-{}", stamp, process_number());
    path_ = folder + "/" + run_;
    return Done{};
  }

  Result<Done> open(Time now) {
    if (Result<Done> named = path_.empty() ? name_run(now) : Done{}; !named) {
      return named;
    }
    path_ += ".jsonl";
    descriptor_ = disk::open_to_append(path_);
    if (descriptor_ < 0) {
      return cannot_write(path_, errno);
    }
    disk::lock(descriptor_, false);  // tells others that the run is under way; where that cannot be had, nobody is told
    disk::flush_folder_of(path_);
    return Done{};
  }

  JournalUse use_;
  PlanWriter write_plan_;
  std::string run_;
  std::string path_;  ///< of the journal; without its extension until that is open
  int descriptor_ = -1;
  std::uint64_t size_ = 0;        ///< of the entries that are whole
  bool torn_ = false;             ///< a part of another one follows them
  std::optional<StepGpus> gpus_;  // of the run's plan
};

}  // namespace

std::unique_ptr<Journal> make_journal_file(const JournalUse& use, PlanWriter write_plan) {
  return std::make_unique<JournalFile>(use, std::move(write_plan));
}

std::string default_state_folder() {
  const std::string home = state_home();
  return home.empty() ? home : home + "/gpup/journal";
}

}  // namespace gpup
