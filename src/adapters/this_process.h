#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "execute/who.h"

namespace gpup {

/// The user whose process this is, by the system's list of users rather than by the environment, and this machine.
Who who_runs_this();

/// The user's name; empty where the system's list has none.
std::string user_name();
/// Empty where it has none.
std::string machine_name();

std::uint64_t process_number();

/// What was given after the program's name, as UTF-8.
std::vector<std::string> arguments(int argc, char** argv);

/// A variable as UTF-8; nothing where it is not set.
std::optional<std::string> environment_variable(const std::string& name);

/// Where programs keep their state for this user; empty where that is not known, for which kNoStateHome has the words.
std::string state_home();
extern const char* const kNoStateHome;

}  // namespace gpup
