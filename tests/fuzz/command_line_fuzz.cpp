#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/check_line.h"
#include "cli/command_line.h"

// A command line, its words divided by line ends. Whatever it is, it is either understood or refused in words.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::vector<std::string> arguments;
  std::string word;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = static_cast<char>(bytes[i]);
    if (c == '\n') {
      arguments.push_back(word);
      word.clear();
    } else if (c != '\0') {  // no argument of a process holds one
      word += c;
    }
  }
  if (!word.empty()) {
    arguments.push_back(word);
  }
  const gpup::Parsed parsed = gpup::parse_command_line(arguments);
  if (parsed.error) {
    if (parsed.error->message.empty()) {
      std::abort();
    }
    return 0;
  }
  if (parsed.invocation.command == nullptr) {
    std::abort();
  }
  for (const auto& [option, value] : parsed.invocation.options) {
    if (option == nullptr || option->is_flag() != value.empty()) {
      std::abort();
    }
  }
  if (!parsed.invocation.help) {
    const auto error = gpup::check_line(parsed.invocation);
    if (error && error->message.empty()) {
      std::abort();
    }
  }
  return 0;
}
