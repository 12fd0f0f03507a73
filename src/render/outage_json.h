#pragma once

#include "base/sink.h"
#include "plan/outage.h"
#include "plan/plan.h"

namespace gpup {

/// A plan's outage as `schemas/outage.v1.schema.json` describes it. It stands beside the plan's JSON and not in it,
/// since it depends on what this site has measured.
void render_outage_json(const Plan& plan, const Outage& outage, Sink& out);

}  // namespace gpup
