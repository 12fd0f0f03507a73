#pragma once

#include <string>
#include <string_view>

#include "render/html_picture.h"

namespace gpup {

/// Appends one side of a host's picture as an SVG element. Colours and sizes are page.css's. `label` says to those who
/// do not see it what it is; unescaped.
void append_side(const Side& side, std::string_view label, std::string& out);

/// `stopped, then started again`; empty for kUntouched.
std::string_view fate_words(Fate fate);

/// The class that page.css and page.js know a fate by.
std::string_view fate_class(Fate fate);

/// `gets a partition`; empty for kStays.
std::string_view move_words(Move move);

/// `+`; empty for kStays.
std::string_view move_sign(Move move);

}  // namespace gpup
