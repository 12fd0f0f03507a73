#pragma once

#include "execute/recorded_run.h"
#include "plan/past_runs.h"
#include "plan/plan.h"

namespace gpup {

/// Adds what a run left on its hosts. `kept`: the plan that it performed.
void remember(const Plan& kept, const RecordedRun& run, PastRuns& past);

}  // namespace gpup
