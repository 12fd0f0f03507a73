#pragma once

#include <vector>

#include "model/connect.h"
#include "observed/observed_state.h"
#include "plan/plan.h"

namespace gpup {

/// A plan of starts alone: of the VMs that are off and that a run stopped and has not started again, as the hosts
/// themselves have it recorded. No file is asked. Pure; what could not be read is in `not_checked`.
Plan make_restore_plan(const std::vector<HostTarget>& targets, const ObservedState& observed);

}  // namespace gpup
