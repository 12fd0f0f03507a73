#pragma once

#include <memory>

#include "base/result.h"
#include "cli/call.h"
#include "cli/inputs.h"
#include "observed/observed_state.h"
#include "plan/make_plan.h"

namespace gpup {

/// A plan with what it was made of.
struct MadePlan {
  Files files;
  ObservedState observed;
  Planned planned;
};

/// Reads the files of -f, then the hosts or --observed, and plans. What went wrong has been told; the error is the
/// exit code. No host is contacted while the files hold an error.
tl::expected<MadePlan, int> plan_files(const Call& call);

/// The saved plan that the argument names; what went wrong has been told.
tl::expected<Plan, int> read_saved_plan(const Call& call);

}  // namespace gpup
