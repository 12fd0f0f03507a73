#include "cli/fill.h"

#include <algorithm>

namespace gpup {

namespace {

constexpr std::size_t kColumns = 80;

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

void append_filled(std::string& out, std::string_view text, std::size_t indent) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    while (line.size() + indent > kColumns) {
      std::size_t end = line.rfind(' ', kColumns - indent);
      if (end == std::string_view::npos) {
        end = line.find(' ');
      }
      if (end == std::string_view::npos) {
        break;
      }
      out.append(indent, ' ').append(line.substr(0, end)).append("\n");
      line.remove_prefix(end + 1);
    }
    if (!line.empty()) {
      out.append(indent, ' ').append(line);
    }
    out += '\n';
  }
}

void append_indented(std::string& out, std::string_view text, std::size_t indent) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (!line.empty()) {
      out.append(indent, ' ').append(line);
    }
    out += '\n';
  }
}

}  // namespace gpup
