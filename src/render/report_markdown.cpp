#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "render/report.h"

namespace gpup {

namespace {

/// Text from outside as a code span in a table's cell: nothing in it is markup.
std::string cell(std::string_view text) {
  if (text.empty()) {
    return "";
  }
  std::string out;
  std::size_t run = 0;
  std::size_t longest = 0;
  for (const char letter : escape_terminal(text)) {
    run = letter == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    out += letter == '|' ? "\\|" : std::string(1, letter);
  }
  const std::string fence(longest + 1, '`');
  const std::string_view pad = out.front() == '`' || out.back() == '`' ? " " : "";
  return fmt::format("{}{}{}{}{}", fence, pad, out, pad, fence);
}

}  // namespace

void render_report_markdown(const Plan& plan, const Report& report, Sink& out) {
  out.write(fmt::format("# Report\n\n{}\n", report_summary(plan, report)));
  Diagnostics told = plan.diagnostics;
  told.insert(told.end(), report.diagnostics.begin(), report.diagnostics.end());
  if (!told.empty()) {
    out.write("\n## Diagnostics\n\n| | | |\n|---|---|---|\n");
    for (const Diagnostic& diagnostic : told) {
      out.write(fmt::format("| {} | {} | {} |\n", to_string(diagnostic.code), to_string(diagnostic.severity),
                            cell(diagnostic.message)));
    }
  }
  if (!report.left_off.empty()) {
    out.write("\n## Left off\n\n| Host | VM | Why | Start it with |\n|---|---|---|---|\n");
    for (const LeftOff& vm : report.left_off) {
      out.write(fmt::format("| {} | {} | {} | {} |\n", cell(vm.host), cell(vm.vm), cell(vm.message), cell(vm.command)));
    }
  }
  if (!report.steps.empty()) {
    out.write("\n## Steps\n\n| | Step | Outcome | |\n|--:|---|---|---|\n");
    for (const StepResult& result : report.steps) {
      out.write(fmt::format("| {} | {} | {} | {} |\n", result.step + 1, cell(step_line(plan, result.step)),
                            to_string(result.outcome), cell(result.message)));
    }
  }
  if (!report.restored.empty()) {
    out.write("\n## Started again in the end\n\n| Host | VM | Outcome | |\n|---|---|---|---|\n");
    for (const Restored& vm : report.restored) {
      out.write(
          fmt::format("| {} | {} | {} | {} |\n", cell(vm.host), cell(vm.vm), to_string(vm.outcome), cell(vm.message)));
    }
  }
  if (!plan.not_checked.empty()) {
    out.write("\n## Not checked\n\n| Host | Why |\n|---|---|\n");
    for (const NotChecked& host : plan.not_checked) {
      out.write(fmt::format("| {} | {} |\n", cell(host.host), cell(host.error)));
    }
  }
}

}  // namespace gpup
