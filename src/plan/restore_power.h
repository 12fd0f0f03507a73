#pragma once

#include "base/diagnostics.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"
#include "plan/plan.h"

namespace gpup {

/// A plan of starts alone: of the VMs that are off and that a run stopped and has not started again, as the hosts
/// themselves have it recorded. Of the file no more is asked than which hosts it has and which VMs it wants off: these
/// stay so, and are named. Pure; what could not be read is in `not_checked`.
Plan make_restore_plan(const DesiredState& desired, const ObservedState& observed, const Sources& sources);

}  // namespace gpup
