#pragma once

#include "execute/who.h"

namespace gpup {

/// The user whose process this is, by the system's list of users rather than by the environment, and this machine.
Who who_runs_this();

}  // namespace gpup
