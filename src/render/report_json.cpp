#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "render/diagnostics_json.h"
#include "render/report.h"

namespace gpup {

namespace {

void append_flag(std::string& out, std::string_view name, std::optional<bool> value) {
  out += name;
  if (value) {
    append_json_bool(out, *value);
  } else {
    out += "null";
  }
}

void append_time(std::string& out, std::string_view name, Time time) {
  out += name;
  append_json_string(out, to_string(time));
}

/// Why a step, or a start in the end, did not end well.
template <class Entry>
void append_why(std::string& out, const Entry& entry) {
  append_json_member(out, ", \"message\": ", entry.message);
  append_json_member(out, ", \"code\": ", entry.code ? to_string(*entry.code) : std::string());
  append_json_member(out, ", \"hint\": ", entry.hint);
}

void append_step(std::string& out, const Plan& plan, const StepResult& result) {
  const Step& step = plan.steps[result.step];
  out += "{\"id\": ";
  append_json_number(out, result.step + 1ULL);
  append_json_member(out, ", \"op\": ", to_string(step.op));
  append_json_member(out, ", \"host\": ", plan.hosts[host_of(plan, step)].name);
  append_json_member(out, ", \"vm\": ", step.vm == kNone ? std::string_view() : plan.vms[step.vm].name);
  append_json_member(out, ", \"vmId\": ", step.vm == kNone ? std::string_view() : plan.vms[step.vm].id);
  append_json_member(out, ", \"gpu\": ", step.gpu == kNone ? std::string_view() : plan.gpus[step.gpu].name);
  append_json_member(out, ", \"outcome\": ", to_string(result.outcome));
  append_why(out, result);
  append_time(out, ", \"startedAt\": ", result.started);
  append_time(out, ", \"endedAt\": ", result.ended);
  append_flag(out, ", \"sent\": ", result.sent);
  append_flag(out, ", \"assigned\": ", result.assigned);
  append_flag(out, ", \"resolved\": ", result.resolved);
  out += ", \"found\": ";
  if (result.adapter.empty() && !result.vram) {
    out += "null}";
    return;
  }
  append_json_member(out, "{\"adapter\": ", result.adapter);
  append_json_member(out, ", \"gpu\": ", result.gpu);
  out += ", \"partitionId\": ";
  append_json_number_or_null(out, result.partition_id);
  out += ", \"vram\": ";
  append_json_number_or_null(out, result.vram);
  out += "}}";
}

template <class List, class Append>
void append_list(std::string& out, Sink& sink, std::string_view name, const List& values, const Append& append) {
  out += name;
  out += '[';
  std::string_view separator = "\n  ";
  for (const auto& value : values) {
    out += separator;
    separator = ",\n  ";
    append(value);
    if (out.size() >= kChunk) {
      sink.write(out);
      out.clear();
    }
  }
  out += ']';
}

}  // namespace

void render_report_members(const Plan& plan, const Report& report, Sink& sink) {
  std::string out = "\"exitCode\": ";
  append_json_number(out, static_cast<std::uint64_t>(exit_code(plan, report)));
  append_json_member(out, ", \"refusal\": ", to_string(report.refusal));
  append_flag(out, ", \"cancelled\": ", report.cancelled);
  append_time(out, ", \"startedAt\": ", report.started);
  append_time(out, ", \"endedAt\": ", report.ended);
  append_list(out, sink, ",\n \"steps\": ", report.steps,
              [&](const StepResult& result) { append_step(out, plan, result); });
  append_list(out, sink, ",\n \"restored\": ", report.restored, [&](const Restored& vm) {
    append_json_member(out, "{\"host\": ", vm.host);
    append_json_member(out, ", \"vm\": ", vm.vm);
    append_json_member(out, ", \"vmId\": ", vm.vm_id);
    append_json_member(out, ", \"outcome\": ", to_string(vm.outcome));
    append_why(out, vm);
    append_time(out, ", \"startedAt\": ", vm.started);
    append_time(out, ", \"endedAt\": ", vm.ended);
    out += ", \"undone\": ";
    append_json_number_or_null(out, vm.undone == kNone ? std::nullopt : std::optional<std::uint64_t>(vm.undone + 1ULL));
    out += '}';
  });
  append_list(out, sink, ",\n \"leftOff\": ", report.left_off, [&](const LeftOff& vm) {
    append_json_member(out, "{\"host\": ", vm.host);
    append_json_member(out, ", \"vm\": ", vm.vm);
    append_json_member(out, ", \"vmId\": ", vm.vm_id);
    append_why(out, vm);
    append_json_member(out, ", \"command\": ", vm.command);
    out += '}';
  });
  append_list(out, sink, ",\n \"hooks\": ", report.hooks, [&](const HookResult& hook) {
    append_json_member(out, "{\"hook\": ", to_string(hook.kind));
    append_json_member(out, ", \"host\": ", hook.host);
    append_json_member(out, ", \"vm\": ", hook.vm);
    append_json_member(out, ", \"vmId\": ", hook.vm_id);
    out += ", \"step\": ";
    append_json_number_or_null(out, hook.step == kNone ? std::nullopt : std::optional<std::uint64_t>(hook.step + 1ULL));
    append_json_member(out, ", \"outcome\": ", to_string(hook.outcome));
    append_json_member(out, ", \"message\": ", hook.message);
    append_json_member(out, ", \"code\": ", hook.code ? to_string(*hook.code) : std::string());
    append_time(out, ", \"startedAt\": ", hook.started);
    append_time(out, ", \"endedAt\": ", hook.ended);
    out += '}';
  });
  Diagnostics diagnostics = plan.diagnostics;
  diagnostics.insert(diagnostics.end(), report.diagnostics.begin(), report.diagnostics.end());
  append_list(out, sink, ",\n \"diagnostics\": ", diagnostics,
              [&](const Diagnostic& diagnostic) { append_diagnostic(out, diagnostic); });
  append_list(out, sink, ",\n \"notChecked\": ", plan.not_checked, [&](const NotChecked& host) {
    out += "{\"host\": ";
    append_json_string(out, host.host);
    out += ", \"error\": ";
    append_json_string(out, host.error);
    out += '}';
  });
  const auto counts = count_outcomes(report);
  out += ",\n \"summary\": ";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    out += i == 0 ? "{\"" : ", \"";
    out += to_string(static_cast<Outcome>(i));
    out += "\": ";
    append_json_number(out, counts.at(i));
  }
  out += "}";
  sink.write(out);
}

void render_report_json(const Plan& plan, const Report& report, Sink& sink) {
  std::string out = R"({"apiVersion": "gpup/v1", "kind": "Report")";
  append_json_member(out, ", \"plan\": ", plan.id);
  out += ", \"name\": ";
  append_json_string(out, plan.name);
  out += ",\n ";
  sink.write(out);
  render_report_members(plan, report, sink);
  sink.write("}\n");
}

}  // namespace gpup
