#include "render/history.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"

namespace gpup {

namespace {

std::size_t done(const RecordedRun& run) {
  return static_cast<std::size_t>(std::count_if(
      run.steps.begin(), run.steps.end(), [](const RecordedStep& s) { return s.outcome && ended_well(*s.outcome); }));
}

std::string_view open_words(const RecordedRun& run) { return run.under_way ? "under way" : "not ended"; }

std::string end_words(const RecordedRun& run) {
  return run.ended.empty() ? std::string(open_words(run)) : fmt::format("{}", run.exit_code);
}

/// What the run has to do with an earlier one; empty where nothing.
std::string earlier_words(const RecordedRun& run) {
  return !run.resumes.empty()      ? "takes up " + run.resumes
         : !run.rolls_back.empty() ? "rolls back " + run.rolls_back
                                   : std::string();
}

std::string outcome_words(const RecordedStep& step) {
  return std::string(step.outcome ? to_string(*step.outcome) : "begun");
}

/// Rows in columns that are as wide as they need to be; the last is not padded.
template <std::size_t N>
void write_table(std::vector<std::array<std::string, N>> rows, Sink& sink) {
  std::array<std::size_t, N> widths{};
  for (auto& row : rows) {
    for (std::size_t i = 0; i < N; ++i) {
      row[i] = escape_terminal(row[i]);
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < N; ++i) {
      line += row[i] + std::string(i + 1 < N ? widths[i] - display_width(row[i]) + 2 : 0, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    sink.write(line + "\n");
  }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append(", \"").append(name).append("\": ");
  append_json_string_or_null(out, value);
}

/// A member of a run: a list of objects, one a line.
template <class Row, class Write>
void write_list(std::string_view name, const std::vector<Row>& rows, Sink& sink, const Write& write) {
  sink.write(fmt::format(",\n\"{}\": [", name));
  const char* between = "\n{";
  for (const Row& row : rows) {
    std::string out = std::exchange(between, ",\n{");
    write(out, row);
    sink.write(out + "}");
  }
  sink.write(rows.empty() ? "]" : "\n]");
}

/// The members of a run, without braces.
void append_run(std::string& out, const RecordedRun& run) {
  out += "\"run\": ";
  append_json_string(out, run.run);
  append_member(out, "started", run.started);
  append_member(out, "name", run.name);
  append_member(out, "plan", run.plan);
  append_member(out, "resumes", run.resumes);
  append_member(out, "rollsBack", run.rolls_back);
  append_member(out, "ignoresWindow", run.ignores_window);
  out += fmt::format(", \"steps\": {}, \"done\": {}", run.plan_steps, done(run));
  out += fmt::format(", \"underWay\": {}", run.under_way);
  append_member(out, "ended", run.ended);
  out += run.ended.empty() ? ", \"exitCode\": null" : fmt::format(", \"exitCode\": {}", run.exit_code);
}

}  // namespace

void render_history_text(const std::vector<RecordedRun>& runs, const std::string& folder, Sink& sink) {
  if (runs.empty()) {
    sink.write(fmt::format("No runs in {}.\n", escape_terminal(folder)));
    return;
  }
  std::vector<std::array<std::string, 7>> rows = {{"Run", "Started", "Plan", "Steps", "Done", "Exit code", ""}};
  for (const RecordedRun& run : runs) {
    rows.push_back({run.run, run.started, run.name, fmt::format("{}", run.plan_steps), fmt::format("{}", done(run)),
                    end_words(run), earlier_words(run)});
  }
  write_table(std::move(rows), sink);
}

void render_history_json(const std::vector<RecordedRun>& runs, Sink& sink) {
  sink.write("{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"History\",\n\"runs\": [");
  const char* between = "\n";
  for (const RecordedRun& run : runs) {
    std::string out = std::string(between) + "{";
    append_run(out, run);
    sink.write(out + "}");
    between = ",\n";
  }
  sink.write(runs.empty() ? "]\n}\n" : "\n]\n}\n");
}

void render_run_text(const RecordedRun& run, Sink& sink) {
  std::string head = fmt::format("{}: {}, {} of {} steps done, ", run.run, run.name, done(run), run.plan_steps);
  head += run.ended.empty() ? std::string(open_words(run))
                            : fmt::format("ended {} with exit code {}", run.ended, run.exit_code);
  sink.write(escape_terminal(head) + "\n");
  if (!run.resumes.empty()) {
    sink.write("It takes up " + escape_terminal(run.resumes) + ".\n");
  }
  if (!run.rolls_back.empty()) {
    sink.write("It rolls back " + escape_terminal(run.rolls_back) + ".\n");
  }
  if (!run.ignores_window.empty()) {
    sink.write("It ignored policy.window: " + escape_terminal(run.ignores_window) + "\n");
  }
  std::vector<std::array<std::string, 6>> rows = {{"Step", "Time", "Host", "What", "", "Outcome"}};
  for (const RecordedStep& step : run.steps) {
    const bool of_gpu = step.op == to_string(Op::kSetPartitionCount);
    rows.push_back({fmt::format("{}", step.step + 1), step.time, step.host, step.op,
                    of_gpu ? std::string(short_gpu_name(step.object)) : step.object,
                    outcome_words(step) + (step.message.empty() ? "" : ": " + step.message)});
  }
  for (const RecordedVm& vm : run.restored) {
    rows.push_back({"", "", vm.host, "start again", vm.vm, std::string(to_string(vm.outcome))});
  }
  for (const RecordedHook& hook : run.hooks) {
    rows.push_back({"", hook.time, hook.host, "hook " + hook.kind, hook.vm,
                    std::string(hook.outcome ? to_string(*hook.outcome) : "begun") +
                        (hook.message.empty() ? "" : ": " + hook.message)});
  }
  if (rows.size() > 1) {
    sink.write("\n");
    write_table(std::move(rows), sink);
  }
}

void render_run_json(const RecordedRun& run, Sink& sink) {
  std::string out = "{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Run\",\n";
  append_run(out, run);
  sink.write(out);
  write_list("noted", run.steps, sink, [](std::string& row, const RecordedStep& step) {
    row += fmt::format("\"step\": {}", step.step + 1);
    append_member(row, "time", step.time);
    append_member(row, "op", step.op);
    append_member(row, "host", step.host);
    append_member(row, "object", step.object);
    append_member(row, "outcome", step.outcome ? to_string(*step.outcome) : std::string_view());
    append_member(row, "message", step.message);
  });
  write_list("restored", run.restored, sink, [](std::string& row, const RecordedVm& vm) {
    row += "\"host\": ";
    append_json_string(row, vm.host);
    append_member(row, "vm", vm.vm);
    append_member(row, "vmId", vm.vm_id);
    append_member(row, "outcome", to_string(vm.outcome));
  });
  write_list("hooks", run.hooks, sink, [](std::string& row, const RecordedHook& hook) {
    row += "\"hook\": ";
    append_json_string(row, hook.kind);
    append_member(row, "time", hook.time);
    append_member(row, "host", hook.host);
    append_member(row, "vm", hook.vm);
    append_member(row, "vmId", hook.vm_id);
    append_member(row, "outcome", hook.outcome ? to_string(*hook.outcome) : std::string_view());
    append_member(row, "message", hook.message);
  });
  sink.write("\n}\n");
}

}  // namespace gpup
