#pragma once

#include "base/sink.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// The report as people read it: what each step came to, what was verified, the VMs that are left off and the command
/// that starts each, what was not checked, one summary line. Escaped for a terminal.
void render_report_text(const Plan& plan, const Report& report, Sink& out, bool color = false);

/// The report as JSON (`schemas/report.v1.schema.json`).
void render_report_json(const Plan& plan, const Report& report, Sink& out);

/// One step as a line of progress: `stop-vm hv-e1/vm/vdi-01`. Escaped.
std::string step_line(const Plan& plan, std::uint32_t step);

/// A step's outcome as a line: `done     stop-vm hv-e1/vm/vdi-01 (1.2 s)`. Escaped.
std::string result_line(const Plan& plan, const StepResult& result);

}  // namespace gpup
