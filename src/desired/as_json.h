#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpup {

/// The documents of a file as a list in JSON, a line each. Comments, layout and kinds of scalars are lost: each is a
/// string, or null. For text in which `read_desired` found no mistake, so that it is bounded; nothing for other text.
std::optional<std::string> yaml_as_json(std::string_view text);

/// The text with comments cut off that speak of a password or the like.
std::string without_secret_comments(std::string_view text);

}  // namespace gpup
