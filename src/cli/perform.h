#pragma once

#include <optional>

#include "cli/call.h"
#include "cli/world.h"
#include "execute/signatures.h"
#include "plan/plan.h"

namespace gpup {

/// Performs a plan and gives the report as the answer; the exit code. The run is noted in the state folder, and in the
/// receipts that are asked for. `signer`: who is known to have signed the plan.
int perform(const Call& call, WritingWorld& world, const Plan& plan, JournalUse use = {},
            std::optional<Signer> signer = {});

/// The same for a plan that was approved before: it is shown first.
int show_and_perform(const Call& call, WritingWorld& world, Plan& plan, JournalUse use = {});

/// The same for a plan that was just made: it is shown and, without --yes, asked for first.
int approve_and_perform(const Call& call, WritingWorld& world, Plan& plan, JournalUse use = {});

}  // namespace gpup
