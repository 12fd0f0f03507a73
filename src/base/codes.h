#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpup {

/// The number of a diagnostic, printed as `GP012`. Every one has a row in the table
/// that `gpup explain` prints (`src/cli/explain_*.cpp`): its meaning, an example that
/// triggers it, how to mend it.
enum class Code : std::uint16_t {
// Files: what the text is made of (001 to 009), their values (010 to 029), what they say together (030 to 049).
// Snapshots and labs: 060 to 079. Goal, rules and plans: 100 to 159. Saved plans: 160 to 169.
// Hosts and execution: 170 to 189. Command line: 190 to 199.
#define GPUP_CODE(name, number) name = number,
#include "base/codes.def"
#undef GPUP_CODE
};

/// `GP012`.
std::string to_string(Code code);

/// The code that `GP012`, `gp012` or `12` names, if there is one.
std::optional<Code> parse_code(std::string_view text);

}  // namespace gpup
