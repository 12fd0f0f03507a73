#include "render/journal_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "observed/json_reader.h"

namespace gpup {

namespace {

constexpr std::uint64_t kLargestLine = 64ULL * 1024 * 1024;

/// The members of an entry, whatever its kind.
struct Entry {
  std::string time, entry, version, plan, name, folder, resumes, rolls_back, ignores_window;
  std::string hook, op, host, vm, vm_id, gpu, model, outcome, message, found, started_at;
  std::optional<std::uint64_t> steps, step, exit_code;
  std::map<std::string, Transport> hosts;
};

/// A host of the entry 'begin'.
struct EntryHost {
  std::string name, transport;
};

template <auto Member>
bool number(JsonReader& reader, Entry& entry) {
  entry.*Member = reader.number(0, std::numeric_limits<std::uint32_t>::max() - 1);
  return !reader.dead();
}

bool hosts(JsonReader& reader, Entry& entry) {
  static constexpr std::array<Member<JsonReader, EntryHost>, 2> kHostMembers = {{
      {"name", true, take_text<&EntryHost::name>},
      {"transport", true, take_text<&EntryHost::transport>},
  }};
  return reader.list([&] {
    EntryHost host;
    if (!reader.object(kHostMembers, reader, host, "a host")) {
      return false;
    }
    if (const auto transport = parse_transport(host.transport)) {
      entry.hosts.emplace(host.name, *transport);
    }
    return true;
  });
}

constexpr std::array<Member<JsonReader, Entry>, 24> kEntryMembers = {{
    {"time", true, take_text<&Entry::time>},
    {"entry", true, take_text<&Entry::entry>},
    {"step", false, number<&Entry::step>},
    {"op", false, take_text<&Entry::op>},
    {"hook", false, take_text<&Entry::hook>},
    {"host", false, take_text<&Entry::host>},
    {"vm", false, take_text<&Entry::vm>},
    {"vmId", false, take_text<&Entry::vm_id>},
    {"gpu", false, take_text<&Entry::gpu>},
    {"model", false, take_text<&Entry::model>},
    {"startedAt", false, take_text<&Entry::started_at>},
    {"outcome", false, take_text<&Entry::outcome>},
    {"message", false, take_text<&Entry::message>},
    {"found", false, take_text<&Entry::found>},
    {"apiVersion", false, take_text<&Entry::version>},
    {"folder", false, take_text<&Entry::folder>},
    {"resumes", false, take_text<&Entry::resumes>},
    {"rollsBack", false, take_text<&Entry::rolls_back>},
    {"ignoresWindow", false, take_text<&Entry::ignores_window>},
    {"plan", false, take_text<&Entry::plan>},
    {"name", false, take_text<&Entry::name>},
    {"steps", false, number<&Entry::steps>},
    {"hosts", false, hosts},
    {"exitCode", false, number<&Entry::exit_code>},
}};

std::optional<Outcome> parse_outcome(std::string_view word) {
  for (const Outcome outcome :
       {Outcome::kDone, Outcome::kAlready, Outcome::kFailed, Outcome::kUnknown, Outcome::kSkipped}) {
    if (to_string(outcome) == word) {
      return outcome;
    }
  }
  return std::nullopt;
}

class Reading {
 public:
  Reading(const std::string& path, std::string run) : path_(path) { run_.run = std::move(run); }

  Result<RecordedRun> read(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos && wrong_.empty(); end = text.find('\n')) {
      ++line_;
      take_line(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    if (!wrong_.empty()) {
      return fail(std::move(wrong_));
    }
    for (auto& [step, row] : steps_) {
      run_.steps.push_back(std::move(row));
    }
    return std::move(run_);
  }

 private:
  void take_line(std::string_view line) {
    JsonReader reader(std::string(line), path_, kLargestLine, "the entry");
    Entry entry;
    if (reader.start() && reader.object(kEntryMembers, reader, entry, "an entry")) {
      reader.finish();
    }
    if (reader.failed()) {
      wrong_ = reader.take_diagnostics();
      wrong_.resize(1);
      wrong_.front().code = Code::kJournalSyntax;
      wrong_.front().line = line_;
      return;
    }
    take(entry);
  }

  void take(Entry& entry) {
    if (!run_.begun) {
      begin(entry);
    } else if (!run_.ended.empty()) {
      refuse("nothing may follow the entry 'end'");
    } else if (entry.entry == "intent" || entry.entry == "outcome" || entry.entry == "undo") {
      take_step(entry);
    } else if (entry.entry == "hook" || entry.entry == "hook-ended") {
      take_hook(entry);
    } else if (entry.entry == "restored") {
      const std::optional<Outcome> outcome = parse_outcome(entry.outcome);
      if (!outcome) {
        refuse("'outcome' is none that gpup knows");
        return;
      }
      run_.restored.push_back({entry.host, entry.vm, entry.vm_id, *outcome});
    } else if (entry.entry == "end") {
      if (!entry.exit_code || *entry.exit_code > 255 || entry.time.empty()) {
        refuse("the entry 'end' must have a time and an exit code");
        return;
      }
      run_.ended = entry.time;
      run_.exit_code = static_cast<int>(*entry.exit_code);
    } else {
      refuse(fmt::format("there is no entry '{}'", JsonReader::shown(entry.entry)));
    }
  }

  void begin(Entry& entry) {
    if (entry.entry != "begin" || entry.version != "gpup/v1" || !entry.steps) {
      refuse("a journal starts with the entry 'begin' of gpup/v1");
      return;
    }
    run_.begun = true;
    run_.started = entry.time;
    run_.plan = entry.plan;
    run_.name = entry.name;
    run_.folder = entry.folder;
    run_.resumes = entry.resumes;
    run_.rolls_back = entry.rolls_back;
    run_.ignores_window = entry.ignores_window;
    run_.hosts = std::move(entry.hosts);
    run_.plan_steps = *entry.steps;
  }

  void take_step(const Entry& entry) {
    if (!entry.step || *entry.step == 0 || *entry.step > run_.plan_steps) {
      refuse(fmt::format("'step' must be a number from 1 to {}", run_.plan_steps));
      return;
    }
    const auto index = static_cast<std::uint32_t>(*entry.step - 1);
    RecordedStep& row = steps_[index];
    row.step = index;
    row.op = entry.op;
    row.host = entry.host;
    row.object = entry.vm.empty() ? entry.gpu : entry.vm;
    row.time = entry.time;
    if (entry.entry == "intent") {
      if (row.intended || row.outcome) {
        refuse(fmt::format("step {} began twice", *entry.step));
      }
      row.intended = true;
      row.began = entry.time;
      return;
    }
    if (entry.entry == "undo") {
      if (!row.outcome || row.undone) {
        refuse(fmt::format("step {} cannot be undone here", *entry.step));
      }
      row.undone = true;
      row.message = "taken back: its VM did not start with it";
      return;
    }
    const std::optional<Outcome> outcome = parse_outcome(entry.outcome);
    if (!outcome || row.outcome) {
      refuse(outcome ? fmt::format("step {} ended twice", *entry.step) : "'outcome' is none that gpup knows");
      return;
    }
    row.outcome = outcome;
    row.model = entry.model;
    row.began = entry.started_at.empty() ? row.began : entry.started_at;
    row.ended = entry.time;
    row.message = entry.message;
    row.adapter = entry.found;
  }

  void take_hook(const Entry& entry) {
    if (!parse_hook_kind(entry.hook)) {
      refuse("'hook' is none that gpup knows");
      return;
    }
    if (entry.entry == "hook") {
      run_.hooks.push_back({entry.hook, entry.host, entry.vm, entry.vm_id, {}, {}, entry.time});
      return;
    }
    const std::optional<Outcome> outcome = parse_outcome(entry.outcome);
    const auto begun = std::find_if(run_.hooks.begin(), run_.hooks.end(), [&](const RecordedHook& hook) {
      return !hook.outcome && hook.kind == entry.hook && hook.host == entry.host && hook.vm_id == entry.vm_id;
    });
    if (!outcome || begun == run_.hooks.end()) {
      refuse(outcome ? "a hook ended that had not begun" : "'outcome' is none that gpup knows");
      return;
    }
    begun->outcome = outcome;
    begun->message = entry.message;
    begun->time = entry.time;
  }

  void refuse(std::string message) {
    Diagnostic diagnostic;
    diagnostic.code = Code::kJournalSyntax;
    diagnostic.file = path_;
    diagnostic.line = line_;
    diagnostic.column = 1;
    diagnostic.message = std::move(message);
    wrong_.push_back(std::move(diagnostic));
  }

  const std::string& path_;
  RecordedRun run_;
  std::map<std::uint32_t, RecordedStep> steps_;
  std::uint32_t line_ = 0;
  Diagnostics wrong_;
};

}  // namespace

Result<RecordedRun> read_journal(std::string_view text, const std::string& path, std::string run) {
  return Reading(path, std::move(run)).read(text);
}

}  // namespace gpup
