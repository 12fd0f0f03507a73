#pragma once

#include <optional>

#include "cli/command_line.h"

namespace gpup {

/// What is wrong with a command line beyond single options: nothing to read from, sources or outputs that exclude each
/// other, standard input used twice, a URI of --connect.
std::optional<UsageError> check_line(const Invocation& line);

}  // namespace gpup
