#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gpup {

/// Text from outside in HTML or SVG, between tags or within an attribute's double quotes: the one way in. It shows as
/// it is and can do nothing: markup's characters are entities, control characters, direction marks and invalid bytes
/// stand there as `\u{1b}`. The source holds no command to a CI's runner either.
std::string html_text(std::string_view text);

/// The same, of at most so many columns of a terminal; what is longer ends with `…`.
std::string html_cut(std::string_view text, std::size_t columns);

}  // namespace gpup
