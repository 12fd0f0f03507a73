#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace gpup {

/// A command line that fits the table of commands.
struct Invocation {
  const Command* command = nullptr;
  std::optional<std::string> argument;                         ///< the first
  std::vector<std::string> arguments;                          ///< all of them
  std::vector<std::pair<const Option*, std::string>> options;  ///< in the order given
  bool help = false;  ///< show the command's help and do nothing else; nothing else was checked

  bool has(std::string_view name) const { return value(name).has_value(); }
  /// The value of an option (a flag's is empty), nothing where it was not given.
  std::optional<std::string_view> value(std::string_view name) const;
  std::vector<std::string> values(std::string_view name) const;
};

/// What is wrong with a command line.
struct UsageError {
  std::string message;
  std::string hint;
  const Command* command = nullptr;  ///< where it was known
};

struct Parsed {
  Invocation invocation;
  std::optional<UsageError> error;
};

/// Reads a command line (without the program's name) against the table of commands: `--name VALUE`, `--name=VALUE`,
/// `-n VALUE`, `-nVALUE`; `--` ends the options; values are never split. No arguments at all, `--help` and `--version`
/// are the commands `help` and `version`.
Parsed parse_command_line(const std::vector<std::string>& arguments);

}  // namespace gpup
