#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"
#include "plan/plan.h"
#include "plan/scope.h"

namespace gpup {

/// A plan, or why there can be none. Where `diagnostics` holds an error the plan is empty; its warnings
/// are in `plan.diagnostics` otherwise.
struct Planned {
  Plan plan;
  Diagnostics diagnostics;

  bool refused() const { return has_error(diagnostics); }
};

/// Decides what to do. Pure: the same desired and observed state always give the same plan. `sources` gives
/// diagnostics and the plan their file names; hosts that `observed` lacks count as not read. `scope` is for
/// emergencies.
Planned make_plan(const DesiredState& desired, const ObservedState& observed, const Sources& sources,
                  const Scope& scope = {});

}  // namespace gpup
