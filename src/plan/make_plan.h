#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"
#include "plan/plan.h"
#include "plan/scope.h"

namespace gpup {

/// The lines of the file of which a plan says nothing, since not all that they are about was looked at: indexes into
/// the tables of the desired state.
struct NotCompared {
  std::vector<std::uint32_t> gpus;
  std::vector<std::uint32_t> assignments;
};

/// A plan, or why there can be none. Where `diagnostics` holds an error the plan is empty; its warnings
/// are in `plan.diagnostics` otherwise.
struct Planned {
  Plan plan;
  Diagnostics diagnostics;
  NotCompared not_compared;

  bool refused() const { return has_error(diagnostics); }
};

/// Decides what to do. Pure: the same desired and observed state always give the same plan. `sources` gives
/// diagnostics and the plan their file names; hosts that `observed` lacks count as not read. `scope` is for
/// emergencies.
Planned make_plan(const DesiredState& desired, const ObservedState& observed, const Sources& sources,
                  const Scope& scope = {});

}  // namespace gpup
