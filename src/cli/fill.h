#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gpup {

/// Appends text with lines of at most 80 columns, each indented; line breaks in it are kept.
void append_filled(std::string& out, std::string_view text, std::size_t indent);

/// Appends lines as they are, each indented.
void append_indented(std::string& out, std::string_view text, std::size_t indent);

}  // namespace gpup
