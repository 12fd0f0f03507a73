#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gpup {

/// What a value is, so that a shell can complete it.
enum class Completes : std::uint8_t { kNothing, kFile, kWord, kFormFile, kCommand, kCode };

/// An option of a command.
struct Option {
  std::string_view name;        ///< long, without dashes
  char letter = 0;              ///< short; 0 = none
  std::string_view value;       ///< what it takes, as help shows it: `FILE`; empty = it is a flag
  std::string_view summary;     ///< one line
  bool repeatable = false;      ///< any other option given twice is an error
  std::string_view words = {};  ///< the values (of --report the forms) that it takes, divided by spaces; empty = any
  Completes completes = Completes::kNothing;

  bool is_flag() const { return value.empty(); }
};

/// A command: parsing, help and completion all come from its row.
struct Command {
  std::string_view name;
  std::string_view summary;   ///< one line, for the list
  std::string_view argument;  ///< its positional, as help shows it: `PLAN`, `FILE...` for many; empty = it takes none
  bool argument_needed = false;
  std::string_view words = {};  ///< the values that its positional takes, divided by spaces; empty = any
  Completes completes = Completes::kNothing;
  std::span<const Option* const> options;
  std::string_view about;     ///< paragraphs, filled at 80 columns
  std::string_view examples;  ///< lines, a command line each

  bool takes_many() const { return argument.ends_with("..."); }
};

/// In the order in which help lists them.
std::span<const Command> commands();

/// Options that every command takes.
std::span<const Option* const> common_options();

/// The command of that name, or nullptr.
const Command* find_command(std::string_view name);

/// The option of that long name that the command takes, its own or a common one, or nullptr.
const Option* find_option(const Command& command, std::string_view name);

/// The option of that letter, or nullptr.
const Option* find_option(const Command& command, char letter);

/// The first word of a list divided by spaces; the rest stays in `words`.
std::string_view next_word(std::string_view& words);

/// Whether the list holds the word.
bool has_word(std::string_view words, std::string_view word);

}  // namespace gpup
