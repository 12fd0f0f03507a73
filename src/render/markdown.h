#pragma once

#include <string>
#include <string_view>

namespace gpup {

/// Text from outside as plain words in markdown, in a table's cell too: nothing in it can end the cell, start markup or
/// HTML, link or mention anybody.
std::string markdown_text(std::string_view text);

/// Text from outside as a code span, outside tables (which split their cells at pipes even within code).
std::string markdown_code(std::string_view text);

}  // namespace gpup
