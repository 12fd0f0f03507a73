#pragma once

#include <vector>

#include "execute/recorded_run.h"
#include "execute/report.h"
#include "observed/observed_state.h"
#include "plan/plan.h"

namespace gpup {

/// What is left to do of a run that did not end well, as a plan of its own: the steps that were done are gone, and so
/// are those that may have been sent and are found as wanted. What the run itself changed is expected as it left it;
/// facts about what is finished are dropped. VMs that it stopped and that are off are to be started, whatever becomes
/// of their other steps; one that runs again without being finished is stopped once more. The hook after a start is
/// owed to those that run and for which it has not ended well. Pure; facts that others have broken are left as they
/// were, for `execute` to refuse.
Plan what_is_left(const Plan& plan, const RecordedRun& run, const ObservedState& observed);

/// The VMs of `left` that the run stopped and that are off.
std::vector<LeftOff> stopped_by_run(const Plan& left, const ObservedState& observed);

}  // namespace gpup
