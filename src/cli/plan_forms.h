#pragma once

#include "cli/call.h"
#include "plan/plan.h"

namespace gpup {

/// The plan as the answer, in the forms that the command line asks for. `saved`: a file that holds it already, or
/// nullptr: copying is a fraction of writing it again.
int give_plan(const Call& call, const Plan& plan, int code, OutputFile* saved = nullptr);

/// The plan as text on stderr, as `apply` shows it before it asks.
void show_plan(const Call& call, const Plan& plan);

}  // namespace gpup
