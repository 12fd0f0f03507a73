#pragma once

#include <cstddef>
#include <string>

#include "base/sink.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// The report as people read it: what each step came to, what was verified, what went wrong (a VM that is left off
/// with the command that starts it), what was not checked, one summary line. Escaped for a terminal.
void render_report_text(const Plan& plan, const Report& report, Sink& out, bool color = false);

/// The report as a markdown page of at most `most` bytes, for a pull request or a job's summary: the verdict first.
void render_report_markdown(const Plan& plan, const Report& report, std::size_t most, Sink& out);

/// The report as JSON (`schemas/report.v1.schema.json`).
void render_report_json(const Plan& plan, const Report& report, Sink& out);

/// The members of that JSON that tell what became of the plan, from `exitCode` to `summary`.
void render_report_members(const Plan& plan, const Report& report, Sink& out);

/// The report's one line: `6 steps: 5 done, 1 failed; 2 of 3 VMs that it starts run with their partition; 1 VM is left
/// off`, or why nothing was touched. Unescaped: it holds no text from outside.
std::string report_summary(const Plan& plan, const Report& report);

/// One step as a line of progress: `stop-vm hv-e1/vm/vdi-01`. Escaped.
std::string step_line(const Plan& plan, std::uint32_t step);

/// A step's outcome as a line: `done     stop-vm hv-e1/vm/vdi-01 (1.2 s)`. Escaped.
std::string result_line(const Plan& plan, const StepResult& result);

/// A hook: `hook before hv-e1/vm/vdi-01`, `hook on-failure`. Escaped.
std::string hook_line(const HookResult& hook);

}  // namespace gpup
