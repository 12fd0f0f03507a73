#pragma once

#include "base/sink.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// The report for a pull request or an issue: the text, kept as it is; names from outside cannot end it early.
void render_report_markdown(const Plan& plan, const Report& report, Sink& out);

}  // namespace gpup
