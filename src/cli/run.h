#pragma once

#include <string>
#include <vector>

#include "cli/world.h"

namespace gpup {

/// Runs a command line (without the program's name) in a world and returns the exit code. Only `apply` is given more
/// than the part of the world that reads.
int run(const std::vector<std::string>& arguments, WritingWorld& world);

}  // namespace gpup
