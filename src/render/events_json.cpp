#include "render/events_json.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "render/diagnostics_json.h"

namespace gpup {

namespace {

/// A text of at most a thousand bytes, cut where a character begins.
std::string_view cut(std::string_view text) {
  constexpr std::size_t kLongest = 1000;
  if (text.size() <= kLongest) {
    return text;
  }
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

/// One line, member by member.
class Line {
 public:
  Line(std::string_view event, Time time) {
    text("event", event);
    text("time", to_string(time));
  }
  Line() = default;

  void text(std::string_view name, std::string_view value) {
    member(name);
    append_json_string_or_null(line_, cut(value));
  }
  void number(std::string_view name, std::optional<std::uint64_t> value) {
    member(name);
    append_json_number_or_null(line_, value);
  }
  void flag(std::string_view name, bool value) {
    member(name);
    append_json_bool(line_, value);
  }
  void raw(std::string_view name, std::string_view json) {
    member(name);
    line_ += json;
  }
  void deed(const Deed& deed) {
    number("step", deed.step == kNone ? std::nullopt : std::optional(deed.step + 1ULL));
    text("op", deed.hook ? std::string_view() : to_string(deed.op));
    if (deed.hook) {
      text("hook", to_string(*deed.hook));
    }
    text("host", deed.host);
    text("vm", deed.vm);
    text("vmId", deed.vm_id);
    text("gpu", deed.gpu);
  }
  void elapsed(Time from, Time to) {
    number("elapsedMs", static_cast<std::uint64_t>(std::max<std::int64_t>((to - from).count(), 0)));
  }

  std::string end() && { return std::move(line_) + "}\n"; }

 private:
  void member(std::string_view name) {
    line_ += line_.empty() ? "{\"" : ",\"";
    line_ += name;
    line_ += "\":";
  }

  std::string line_;
};

template <class Entry>
Line finished(const Deed& deed, const Entry& entry) {
  Line line(deed.hook ? "hook_finished" : "step_finished", entry.ended);
  line.deed(deed);
  line.elapsed(entry.started, entry.ended);
  line.text("outcome", to_string(entry.outcome));
  line.text("message", entry.message);
  line.text("code", entry.code ? to_string(*entry.code) : std::string());
  return line;
}

}  // namespace

Deed deed_of(const Plan& plan, std::uint32_t step) {
  const Step& one = plan.steps[step];
  Deed deed{step, one.op, plan.hosts[host_of(plan, one)].name, {}, {}, {}, {}};
  if (one.vm != kNone) {
    deed.vm = plan.vms[one.vm].name;
    deed.vm_id = plan.vms[one.vm].id;
  }
  if (one.gpu != kNone) {
    deed.gpu = plan.gpus[one.gpu].name;
  }
  return deed;
}

Deed deed_of(const Restored& restored) { return {kNone, Op::kStartVm, restored.host, restored.vm, restored.vm_id, {}}; }

Deed deed_of(const HookResult& hook) { return {hook.step, Op::kStopVm, hook.host, hook.vm, hook.vm_id, {}, hook.kind}; }

std::string events_head(const Plan& plan) {
  Line line;
  line.text("apiVersion", "gpup/v1");
  line.text("kind", "Events");
  line.text("plan", plan.id);
  line.text("name", plan.name);
  line.number("steps", plan.steps.size());
  return std::move(line).end();
}

std::string event_started(const Deed& deed, Time now) {
  Line line(deed.hook ? "hook_started" : "step_started", now);
  line.deed(deed);
  return std::move(line).end();
}

std::string event_heartbeat(const Deed& deed, Time started, Time now) {
  Line line("heartbeat", now);
  line.deed(deed);
  line.elapsed(started, now);
  return std::move(line).end();
}

std::string event_finished(const Plan& plan, const StepResult& result) {
  Line line = finished(deed_of(plan, result.step), result);
  line.text("hint", result.hint);
  return std::move(line).end();
}

std::string event_finished(const Restored& restored) {
  Line line = finished(deed_of(restored), restored);
  line.text("hint", restored.hint);
  return std::move(line).end();
}

std::string event_finished(const HookResult& hook) { return finished(deed_of(hook), hook).end(); }

std::string event_diagnostic(const Diagnostic& diagnostic, Time now) {
  Diagnostic bounded = diagnostic;
  for (std::string Diagnostic::*const text :
       {&Diagnostic::message, &Diagnostic::file, &Diagnostic::host, &Diagnostic::name, &Diagnostic::hint}) {
    bounded.*text = std::string(cut(bounded.*text));
  }
  std::string json;
  append_diagnostic(json, bounded);
  Line line("diagnostic", now);
  line.raw("diagnostic", json);
  return std::move(line).end();
}

std::string event_summary(const Plan& plan, const Report& report) {
  Line line("summary", report.ended);
  line.number("exitCode", static_cast<std::uint64_t>(exit_code(plan, report)));
  line.text("refusal", to_string(report.refusal));
  line.flag("cancelled", report.cancelled);
  line.elapsed(report.started, report.ended);
  const auto counts = count_outcomes(report);
  Line steps;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    steps.number(to_string(static_cast<Outcome>(i)), counts.at(i));
  }
  std::string json = std::move(steps).end();
  json.pop_back();
  line.raw("steps", json);
  line.number("restored", report.restored.size());
  line.number("leftOff", report.left_off.size());
  return std::move(line).end();
}

}  // namespace gpup
