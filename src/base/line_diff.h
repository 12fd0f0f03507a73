#pragma once

#include <string>
#include <string_view>

namespace gpup {

/// What differs between two texts, line by line, with three lines around each change, as `diff -u` shows it; empty
/// where nothing does. Lines are escaped for a terminal.
std::string line_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace gpup
