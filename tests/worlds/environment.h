#pragma once

#include <cstdint>

namespace worlds {

/// GPUP_WORLDS=long in the environment.
bool long_form();

/// A number from the environment, for a person who looks for something.
std::uint64_t number(const char* name, std::uint64_t otherwise);

}  // namespace worlds
