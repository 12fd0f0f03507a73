#pragma once

#include <vector>

#include "cli/world.h"
#include "plan/doctor.h"

namespace gpup {

/// Asks all hosts what the doctor wants to know, side by side: each waits for its network, and a silent one for its
/// bound.
std::vector<Examined> examine_all(World& world, std::vector<HostTarget> targets);

/// What `gpup doctor` exits with.
int exit_code(const Checkup& checkup);

}  // namespace gpup
