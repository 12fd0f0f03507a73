#pragma once

#include <string>

#include "base/result.h"

namespace gpup {

/// A file in the one layout that files have: keys in the order of the format, two spaces a level, a line for each entry
/// of a list of mappings, short mappings and lists in brackets as they were, at most one empty line between two lines,
/// all comments kept. What the file says stays the same, which is looked at by reading both.
///
/// kBadContent with the file's mistakes, or with GP037 where it has no such layout.
Result<std::string> lay_out(const std::string& path, const std::string& text);

}  // namespace gpup
