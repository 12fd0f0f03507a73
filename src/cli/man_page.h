#pragma once

#include <string>
#include <string_view>

#include "cli/commands.h"

namespace gpup {

/// What stands at the foot of manual pages.
struct PageEdition {
  std::string_view version;  ///< of gpup
  std::string_view date;     ///< of that version: `2026-11-26`
};

/// The name of a command's page, without its section: `gpup-plan`.
std::string man_page_name(const Command& command);

/// gpup(1), in the macros of man(7): the commands, the options of all of them, the exit codes, files.
std::string render_man_page(const PageEdition& edition);

/// gpup-COMMAND(1).
std::string render_man_page(const PageEdition& edition, const Command& command);

}  // namespace gpup
