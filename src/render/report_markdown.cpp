#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "render/markdown.h"
#include "render/outage_words.h"
#include "render/report.h"

namespace gpup {

namespace {

/// How long a VM was down: from the begin of its stop to the end of its start.
struct WasDown {
  std::uint32_t vm = kNone;
  Time from{};
  Time to{};
  bool back = false;
};

std::vector<WasDown> who_was_down(const Plan& plan, const Report& report) {
  std::vector<WasDown> all;
  std::vector<std::uint32_t> row(plan.vms.size(), kNone);
  for (const StepResult& result : report.steps) {
    const Step& step = plan.steps[result.step];
    if (step.op == Op::kStopVm && result.sent) {
      row[step.vm] = static_cast<std::uint32_t>(all.size());
      all.push_back({step.vm, result.started, report.ended, false});
    } else if (step.op == Op::kStartVm && row[step.vm] != kNone && ended_well(result.outcome)) {
      all[row[step.vm]].to = result.ended;
      all[row[step.vm]].back = true;
    }
  }
  for (const Restored& vm : report.restored) {
    for (WasDown& down : all) {
      if (plan.vms[down.vm].id == vm.vm_id && ended_well(vm.outcome)) {
        down.to = vm.ended;
        down.back = true;
      }
    }
  }
  return all;
}

std::string duration(const WasDown& down) {
  return human_time(static_cast<std::uint64_t>(std::max<std::int64_t>((down.to - down.from).count(), 0)));
}

std::string down_part(const Plan& plan, const std::vector<WasDown>& all) {
  const auto back = std::count_if(all.begin(), all.end(), [](const WasDown& down) { return down.back; });
  if (back == 0) {
    return {};
  }
  const auto longest = std::max_element(all.begin(), all.end(), [](const WasDown& a, const WasDown& b) {
    return (a.back ? (a.to - a.from).count() : -1) < (b.back ? (b.to - b.from).count() : -1);
  });
  return fmt::format(" {} VM{} down{} for {}, {}.", back, back == 1 ? " was" : "s were",
                     back == 1 ? "" : ", the longest", duration(*longest),
                     markdown_brief(vm_address(plan, longest->vm)));
}

class ReportMarkdown {
 public:
  ReportMarkdown(const Plan& plan, const Report& report, std::size_t most, Sink& out)
      : plan_(plan), report_(report), page_(out, most) {}

  void write() {
    const std::vector<WasDown> down = who_was_down(plan_, report_);
    page_.text(fmt::format("**{}{}{}**\n", plan_.name.empty() ? "" : markdown_brief(plan_.name) + ": ",
                           report_summary(plan_, report_), down_part(plan_, down)));
    write_left_off();
    write_diagnostics();
    write_not_checked();
    write_restored();
    write_hooks();
    page_.begin("VMs that were down", "\n<details><summary>Outage</summary>\n\n| VM | Down for |\n|---|---|\n",
                "\n</details>\n");
    for (const WasDown& each : down) {
      row({markdown_code(vm_address(plan_, each.vm)), each.back ? duration(each) : "not started again"});
    }
    page_.end();
    write_steps();
    page_.finish();
  }

 private:
  void row(const std::vector<std::string>& cells) {
    line_.clear();
    append_row(line_, cells);
    page_.line(line_);
  }

  void write_left_off() {
    page_.begin("VMs that are left off", "\n| Left off | VM | Why | Start it with |\n|---|---|---|---|\n");
    for (const LeftOff& vm : report_.left_off) {
      row({markdown_code(vm.host), markdown_code(vm.vm), markdown_text(vm.message), markdown_code(vm.command)});
    }
    page_.end();
  }

  void write_diagnostics() {
    page_.begin("diagnostics", "\n| Code | | | |\n|---|---|---|---|\n");
    for (const Diagnostics* const list : {&report_.diagnostics, &plan_.diagnostics}) {
      for (const Diagnostic& diagnostic : *list) {
        row({std::string(to_string(diagnostic.code)), std::string(to_string(diagnostic.severity)),
             markdown_text(diagnostic.message), markdown_text(diagnostic.hint)});
      }
    }
    page_.end();
  }

  void write_not_checked() {
    page_.begin("hosts that were not checked", "\n| Not checked | Why |\n|---|---|\n");
    for (const NotChecked& host : plan_.not_checked) {
      row({markdown_code(host.host), markdown_text(host.error)});
    }
    page_.end();
  }

  void write_restored() {
    page_.begin("VMs that were started in the end", "\n| Started in the end | VM | Outcome | |\n|---|---|---|---|\n");
    for (const Restored& vm : report_.restored) {
      row({markdown_code(vm.host), markdown_code(vm.vm), std::string(to_string(vm.outcome)),
           markdown_text(vm.message)});
    }
    page_.end();
  }

  void write_hooks() {
    page_.begin("hooks", "\n| Hook | Host | VM | Outcome | |\n|---|---|---|---|---|\n");
    for (const HookResult& hook : report_.hooks) {
      row({std::string(to_string(hook.kind)), markdown_text(hook.host), markdown_text(hook.vm),
           std::string(to_string(hook.outcome)), markdown_text(hook.message)});
    }
    page_.end();
  }

  void write_steps() {
    page_.begin("steps",
                fmt::format("\n<details><summary>Steps: {}</summary>\n\n| | Step | Outcome | |\n|--:|---|---|---|\n",
                            report_.steps.size()),
                "\n</details>\n");
    for (const StepResult& result : report_.steps) {
      if (page_.is_full()) {
        page_.leave_out(1);
      } else {
        row({fmt::format("{}", result.step + 1), markdown_text(step_line(plan_, result.step)),
             std::string(to_string(result.outcome)), markdown_text(result.message)});
      }
    }
    page_.end();
  }

  const Plan& plan_;
  const Report& report_;
  MarkdownPage page_;
  std::string line_;
};

}  // namespace

void render_report_markdown(const Plan& plan, const Report& report, std::size_t most, Sink& out) {
  ReportMarkdown(plan, report, most, out).write();
}

}  // namespace gpup
