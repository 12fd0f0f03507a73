#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/text.h"
#include "render/plan_words.h"
#include "render/report.h"

namespace gpup {

namespace {

std::string time_between(Time from, Time to) {
  return human_time(static_cast<std::uint64_t>(std::max<std::int64_t>((to - from).count(), 0)));
}

std::string plural(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string gpu_words(const Plan& plan, std::uint32_t host, std::string_view name) {
  const auto found = std::find_if(plan.gpus.begin(), plan.gpus.end(),
                                  [&](const PlanGpu& gpu) { return gpu.host == host && same_name(gpu.name, name); });
  return gpu_title(found == plan.gpus.end() ? std::string_view() : found->model, name);
}

/// What a step does, without its host: `assign-partition vdi-01 on NVIDIA A2 (4&18416dc3&0&0000)`. Unescaped.
std::string deed_words(const Plan& plan, const Step& step, bool with_host) {
  const std::uint32_t host = host_of(plan, step);
  const auto address = [&](std::string_view kind, std::string_view name) {
    return with_host ? fmt::format("{}/{}/{}", plan.hosts[host].name, kind, name) : std::string(name);
  };
  std::string words = fmt::format("{} ", to_string(step.op));
  switch (step.op) {
    case Op::kSetPartitionCount:
      words += address("gpu", gpu_words(plan, host, plan.gpus[step.gpu].name));
      words += fmt::format(" {} -> {}", step.from == kNone ? "?" : fmt::format("{}", step.from), step.to);
      return words;
    case Op::kSetOfflineAction:
      words += address("vm", plan.vms[step.vm].name);
      words += fmt::format(" {} -> {}", step.from == kNone ? "none" : to_string(static_cast<OfflineAction>(step.from)),
                           to_string(static_cast<OfflineAction>(step.to)));
      return words;
    case Op::kAssignPartition:
      words += address("vm", plan.vms[step.vm].name);
      if (step.gpu != kNone) {
        words += " on " + gpu_words(plan, host, plan.gpus[step.gpu].name);
      }
      return words;
    case Op::kStopVm:
    case Op::kUnassignPartition:
    case Op::kStartVm:
      break;
  }
  return words + address("vm", plan.vms[step.vm].name);
}

/// What was read back: `assigned`, `resolved: partition 0 of NVIDIA A2 (...), 3648 MiB`. Unescaped, may be empty.
std::string verified_words(const Plan& plan, const StepResult& result) {
  const Step& step = plan.steps[result.step];
  if (step.op == Op::kSetPartitionCount) {
    return result.vram && ended_well(result.outcome) ? fmt::format("verified: {} a partition", human_size(*result.vram))
                                                     : std::string();
  }
  if (result.resolved == true) {
    return fmt::format("resolved: partition {} of {}, {}", result.partition_id.value_or(0),
                       gpu_words(plan, host_of(plan, step), result.gpu), human_size(result.vram.value_or(0)));
  }
  if (result.resolved == false) {
    return result.assigned == true ? "assigned, not resolved" : "not assigned";
  }
  return result.assigned ? (*result.assigned ? "assigned" : "not assigned") : "";
}

std::string_view colour_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "\x1b[32m";
    case Outcome::kAlready:
      return "\x1b[36m";
    case Outcome::kFailed:
      return "\x1b[31m";
    case Outcome::kUnknown:
    case Outcome::kSkipped:
      break;
  }
  return "\x1b[33m";
}

std::string painted(Outcome outcome, bool color) {
  const std::string word = fmt::format("{:<8}", to_string(outcome));
  return color ? fmt::format("{}{}\x1b[0m", colour_of(outcome), word) : word;
}

void write_steps(const Plan& plan, const Report& report, Sink& out, bool color) {
  const std::size_t width = fmt::format("{}", report.steps.size()).size();
  for (const StepResult& result : report.steps) {
    const Step& step = plan.steps[result.step];
    std::string line = fmt::format("{:>{}}  {} {}", result.step + 1, width, painted(result.outcome, color),
                                   escape_terminal(deed_words(plan, step, true)));
    if (const std::string verified = verified_words(plan, result); !verified.empty()) {
      line += "  " + escape_terminal(verified);
    }
    if (!result.message.empty()) {
      line += ": " + escape_terminal(result.message);
    }
    if (result.ended != result.started) {
      line += fmt::format("  ({})", time_between(result.started, result.ended));
    }
    out.write(line + "\n");
  }
}

void write_restored(const Report& report, Sink& out) {
  if (!report.restored.empty()) {
    out.write("\nStarted again in the end\n");
  }
  for (const Restored& vm : report.restored) {
    out.write(fmt::format("  {} {}/vm/{}{}{}\n", to_string(vm.outcome), escape_terminal(vm.host),
                          escape_terminal(vm.vm), vm.message.empty() ? "" : ": ", escape_terminal(vm.message)));
  }
}

void write_hooks(const Report& report, Sink& out, bool color) {
  if (!report.hooks.empty()) {
    out.write(report.steps.empty() ? "Hooks\n" : "\nHooks\n");
  }
  for (const HookResult& hook : report.hooks) {
    out.write(fmt::format("  {} {}{}{}  ({})\n", painted(hook.outcome, color), hook_line(hook),
                          hook.message.empty() ? "" : ": ", escape_terminal(hook.message),
                          time_between(hook.started, hook.ended)));
  }
}

void write_not_checked(const Plan& plan, Sink& out) {
  if (!plan.not_checked.empty()) {
    out.write("\nNot checked\n");
  }
  for (const NotChecked& host : plan.not_checked) {
    out.write(fmt::format("  {}: {}\n", escape_terminal(host.host), escape_terminal(host.error)));
  }
}

}  // namespace

std::string report_summary(const Plan& plan, const Report& report) {
  switch (report.refusal) {
    case Refusal::kOutsideWindow:
      return "Nothing was touched: no VM may be stopped now.";
    case Refusal::kHeld:
      return "Nothing was touched: somebody else is changing a host of this plan.";
    case Refusal::kFactBroken:
      return "Nothing was touched: the plan no longer fits the hosts. Make a new one.";
    case Refusal::kCannotStart:
      return "Nothing was touched: what must be there before the first step is not.";
    case Refusal::kNotRefused:
      break;
  }
  if (plan.steps.empty() && !plan.owed_starts.empty()) {
    return fmt::format("{} forgotten.", plural(report.forgotten, "owed start"));
  }
  if (plan.steps.empty() && plan.acts()) {
    return fmt::format("{} run.", plural(report.hooks.size(), "hook"));
  }
  if (plan.steps.empty()) {
    return plan.incomplete() ? "Nothing to do, but not everything could be checked." : "Nothing to do.";
  }
  const auto counts = count_outcomes(report);
  std::string line = plural(report.steps.size(), "step") + ":";
  std::string_view separator = " ";
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (counts.at(i) > 0) {
      line += fmt::format("{}{} {}", separator, counts.at(i), to_string(static_cast<Outcome>(i)));
      separator = ", ";
    }
  }
  std::size_t assigned = 0;
  std::size_t resolved = 0;
  for (const StepResult& result : report.steps) {
    assigned += plan.steps[result.step].op == Op::kAssignPartition && result.assigned == true ? 1U : 0U;
    resolved += result.resolved == true ? 1U : 0U;
  }
  line += fmt::format("; verified: {} assigned, {} resolved", assigned, resolved);
  if (!report.left_off.empty()) {
    line += fmt::format("; {} left off", plural(report.left_off.size(), "VM"));
  }
  line += report.cancelled ? "; cancelled" : "";
  return line + fmt::format("; {}.", time_between(report.started, report.ended));
}

void render_report_text(const Plan& plan, const Report& report, Sink& out, bool color) {
  // A rule that was overridden stays on record, with its reason.
  Diagnostics told;
  std::copy_if(plan.diagnostics.begin(), plan.diagnostics.end(), std::back_inserter(told),
               [](const Diagnostic& diagnostic) { return diagnostic.code == Code::kOverridden; });
  told.insert(told.end(), report.diagnostics.begin(), report.diagnostics.end());
  write_steps(plan, report, out, color);
  write_restored(report, out);
  write_hooks(report, out, color);
  if (!told.empty()) {
    out.write(report.steps.empty() && report.hooks.empty() ? "" : "\n");
    out.write(render_diagnostics(told, color, told.size()));
  }
  write_not_checked(plan, out);
  if (!report.steps.empty() || !report.hooks.empty() || !told.empty() || !plan.not_checked.empty()) {
    out.write("\n");
  }
  out.write(report_summary(plan, report) + "\n");
}

std::string step_line(const Plan& plan, std::uint32_t step) {
  return escape_terminal(deed_words(plan, plan.steps[step], true));
}

std::string result_line(const Plan& plan, const StepResult& result) {
  std::string line = fmt::format("{:<8} {}", to_string(result.outcome), step_line(plan, result.step));
  if (!result.message.empty()) {
    line += ": " + escape_terminal(result.message);
  }
  if (result.ended != result.started) {
    line += fmt::format(" ({})", time_between(result.started, result.ended));
  }
  return line;
}

std::string hook_line(const HookResult& hook) {
  return fmt::format(
      "hook {}{}", to_string(hook.kind),
      hook.of_run() ? "" : fmt::format(" {}/vm/{}", escape_terminal(hook.host), escape_terminal(hook.vm)));
}

}  // namespace gpup
