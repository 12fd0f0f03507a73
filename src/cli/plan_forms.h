#pragma once

#include "cli/call.h"
#include "plan/plan.h"

namespace gpup {

/// The plan as the answer, in the forms that the command line asks for.
int give_plan(const Call& call, const Plan& plan, int code);

/// The plan as text on stderr, as `apply` shows it before it asks.
void show_plan(const Call& call, const Plan& plan);

}  // namespace gpup
