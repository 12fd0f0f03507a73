#pragma once

#include <string>
#include <string_view>

namespace gpup {

/// Appends text from outside as character data of XML 1.0, in an attribute's value in double quotes, too. What a
/// terminal would obey is escaped as `escape_terminal` does, and so are the two characters that XML cannot hold.
void append_xml(std::string& out, std::string_view text);

}  // namespace gpup
