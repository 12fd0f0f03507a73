#pragma once

#include <optional>

#include "base/result.h"
#include "cli/call.h"
#include "cli/inputs.h"
#include "execute/signatures.h"
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

/// A plan that was read back, with who signed it where that was asked for.
struct SavedPlan {
  Plan plan;
  std::optional<Signer> signer;
};

/// The saved plan that the argument names, signed as --allowed-signers wants it; what went wrong has been told. Bytes
/// that nobody who is allowed has signed are not even looked at.
tl::expected<SavedPlan, int> read_saved_plan(const Call& call);

}  // namespace gpup
