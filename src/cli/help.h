#pragma once

#include <string>

#include "cli/commands.h"

namespace gpup {

/// What `gpup help` prints: the commands, the options of all of them, the exit codes.
std::string render_help();

/// What `gpup help COMMAND` prints.
std::string render_help(const Command& command);

}  // namespace gpup
