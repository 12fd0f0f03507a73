#pragma once

#include "base/sink.h"
#include "plan/plan.h"

namespace gpup {

// The answer of `gpup drift`: the differences of a plan that is never performed, each with what is there, what is
// wanted and the line that wants it. Hosts that were not read stand apart: nothing about them is in sync.

/// For people; escaped for a terminal. The last line says `No drift`, or how many differences there are.
void render_drift_text(const Plan& plan, bool color, Sink& out);

/// For pull requests and issues; names from outside cannot break out of their cell.
void render_drift_markdown(const Plan& plan, Sink& out);

/// `schemas/drift.v1.schema.json`. Differences have the form that they have in a plan.
void render_drift_json(const Plan& plan, Sink& out);

}  // namespace gpup
