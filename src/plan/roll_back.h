#pragma once

#include <vector>

#include "observed/observed_state.h"
#include "plan/make_plan.h"
#include "plan/plan.h"

namespace gpup {

/// A plan that brings back what a run changed: for each step of `run` that may have been sent (`sent`, by step), the
/// property that it was about becomes what the plan's facts say it was before. What holds already needs no step.
/// Kept by the rules of every plan; what cannot be brought back as it was is a warning (kNotRestored), what cannot be
/// done without harm to others refuses (kCannotRollBack). The ids of adapters are new ones. Pure.
Planned make_roll_back(const Plan& run, const std::vector<bool>& sent, const ObservedState& observed);

/// Adds to `sent` what a run that took up `run` with the plan `taken_up` has sent: steps are alike where they do the
/// same to the same VM or GPU.
void add_sent(const Plan& run, const Plan& taken_up, const std::vector<bool>& also_sent, std::vector<bool>& sent);

}  // namespace gpup
