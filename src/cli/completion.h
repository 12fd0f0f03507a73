#pragma once

#include <string>
#include <string_view>

namespace gpup {

/// A shell's completion script, made from the table of commands: bash, zsh, fish or powershell. Empty for others.
std::string render_completion(std::string_view shell);

}  // namespace gpup
