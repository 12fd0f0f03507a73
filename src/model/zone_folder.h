#pragma once

#include <string>

namespace gpup {

/// Where the time zone database is, for builds whose library does not take the system's: `tzdata` beside the program.
std::string zone_folder();

}  // namespace gpup
