#pragma once

#include "plan/findings.h"
#include "plan/goal.h"
#include "plan/plan.h"

namespace gpup {

/// Lets a plan keep `policy.disruption` by `after` alone, so that every order that `after` allows keeps it: where n
/// listed VMs may be down, each but the first n is stopped after the start of another one.
///
/// VMs that must be down together (a GPU is emptied whole, places are swapped) are one wave. Waves follow each other as
/// closely as the limits allow, those of `order` first. Once a wave goes down it waits for nothing outside it. A wave
/// that is larger than a limit is an error; the plan is left as it is then.
///
/// A listed VM that is owed a start is down when the plan begins, and is counted until its start. (What the plan does
/// not start, since the file wants it off or the scope leaves it out, is not.)
void keep_limits(const DesiredState& desired, const Goal& goal, Plan& plan, Findings& findings);

}  // namespace gpup
