#include "cli/help.h"

#include <algorithm>
#include <span>
#include <string>

#include "cli/exit_codes.h"
#include "cli/fill.h"

namespace gpup {

namespace {

std::string left_column(const Option& option) {
  std::string text = option.letter == 0 ? "    " : std::string("-") + option.letter + ", ";
  text.append("--").append(option.name);
  if (!option.is_flag()) {
    text.append(" ").append(option.value);
  }
  return text;
}

/// A row of a list: what, padded, then its summary, which goes on below itself.
void append_row(std::string& out, const std::string& left, std::string_view summary, std::size_t width) {
  std::string filled;
  append_filled(filled, summary, 2 + width + 2);
  filled.replace(0, 2 + width, "  " + left + std::string(width - left.size(), ' '));
  out += filled;
}

void append_options(std::string& out, std::span<const Option* const> options) {
  std::size_t width = 0;
  for (const Option* option : options) {
    width = std::max(width, left_column(*option).size());
  }
  for (const Option* option : options) {
    append_row(out, left_column(*option), std::string(option->summary) + (option->repeatable ? "; repeatable" : ""),
               width);
  }
}

}  // namespace

std::string render_help() {
  std::string out =
      "gpup keeps the GPU partitions of Hyper-V hosts as YAML files say.\n\n"
      "Usage: gpup COMMAND [OPTIONS]\n\n"
      "Commands:\n";
  std::size_t width = 0;
  for (const Command& command : commands()) {
    width = std::max(width, command.name.size());
  }
  for (const Command& command : commands()) {
    append_row(out, std::string(command.name), command.summary, width);
  }
  out += "\nOptions of every command:\n";
  append_options(out, common_options());
  out += "\nExit codes:\n";
  for (const ExitCode& row : kExitCodes) {
    append_row(out, std::to_string(row.code), row.means, 2);
  }
  out += "\n'gpup help COMMAND' tells more about one of them.\n";
  return out;
}

std::string render_help(const Command& command) {
  std::string out = "gpup ";
  out.append(command.name).append(": ").append(command.summary).append("\n\nUsage: gpup ").append(command.name);
  if (!command.argument.empty()) {
    out.append(command.argument_needed ? " " : " [").append(command.argument);
    out.append(command.argument_needed ? "" : "]");
  }
  out += " [OPTIONS]\n\n";
  append_filled(out, command.about, 0);
  if (!command.options.empty()) {
    out += "\nOptions:\n";
    append_options(out, command.options);
  }
  out += "\nOptions of every command:\n";
  append_options(out, common_options());
  out += "\nExamples:\n";
  append_indented(out, command.examples, 2);
  return out;
}

}  // namespace gpup
