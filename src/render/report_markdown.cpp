#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "render/markdown.h"
#include "render/report.h"

namespace gpup {

void render_report_markdown(const Plan& plan, const Report& report, Sink& out) {
  out.write(fmt::format("# Report\n\n{}\n", report_summary(plan, report)));
  Diagnostics told = plan.diagnostics;
  told.insert(told.end(), report.diagnostics.begin(), report.diagnostics.end());
  if (!told.empty()) {
    out.write("\n## Diagnostics\n\n| | | |\n|---|---|---|\n");
    for (const Diagnostic& diagnostic : told) {
      out.write(fmt::format("| {} | {} | {} |\n", to_string(diagnostic.code), to_string(diagnostic.severity),
                            markdown_text(diagnostic.message)));
    }
  }
  if (!report.left_off.empty()) {
    out.write("\n## Left off\n\n| Host | VM | Why | Start it with |\n|---|---|---|---|\n");
    for (const LeftOff& vm : report.left_off) {
      out.write(fmt::format("| {} | {} | {} | {} |\n", markdown_text(vm.host), markdown_text(vm.vm),
                            markdown_text(vm.message), markdown_text(vm.command)));
    }
  }
  if (!report.steps.empty()) {
    out.write("\n## Steps\n\n| | Step | Outcome | |\n|--:|---|---|---|\n");
    for (const StepResult& result : report.steps) {
      out.write(fmt::format("| {} | {} | {} | {} |\n", result.step + 1, markdown_text(step_line(plan, result.step)),
                            to_string(result.outcome), markdown_text(result.message)));
    }
  }
  if (!report.restored.empty()) {
    out.write("\n## Started again in the end\n\n| Host | VM | Outcome | |\n|---|---|---|---|\n");
    for (const Restored& vm : report.restored) {
      out.write(fmt::format("| {} | {} | {} | {} |\n", markdown_text(vm.host), markdown_text(vm.vm),
                            to_string(vm.outcome), markdown_text(vm.message)));
    }
  }
  if (!report.hooks.empty()) {
    out.write("\n## Hooks\n\n| Hook | Host | VM | Outcome | |\n|---|---|---|---|---|\n");
    for (const HookResult& hook : report.hooks) {
      out.write(fmt::format("| {} | {} | {} | {} | {} |\n", to_string(hook.kind), markdown_text(hook.host),
                            markdown_text(hook.vm), to_string(hook.outcome), markdown_text(hook.message)));
    }
  }
  if (!plan.not_checked.empty()) {
    out.write("\n## Not checked\n\n| Host | Why |\n|---|---|\n");
    for (const NotChecked& host : plan.not_checked) {
      out.write(fmt::format("| {} | {} |\n", markdown_text(host.host), markdown_text(host.error)));
    }
  }
}

}  // namespace gpup
