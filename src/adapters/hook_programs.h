#pragma once

#include <memory>

#include "execute/hooks.h"

namespace gpup {

/// Runs hooks as processes of this machine, each in a session of its own.
std::unique_ptr<Hooks> make_hook_programs();

}  // namespace gpup
