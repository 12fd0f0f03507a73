#include "render/markdown.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

std::string markdown_text(std::string_view text) {
  static constexpr std::string_view kSpecial = "\\`*_{}[]()#+-.!|<>~&@:";
  std::string out;
  for (const char c : escape_terminal(text)) {
    if (kSpecial.find(c) == std::string_view::npos) {
      out += c;
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '@') {
      out += "&#64;";
    } else if (c == ':') {
      out += "&#58;";
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

std::string markdown_code(std::string_view text) {
  const std::string safe = escape_terminal(text);
  if (safe.find_first_not_of(' ') == std::string::npos) {
    return fmt::format("`\"{}\"`", safe);
  }
  // Marks that are longer than any run of backticks in it.
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : safe) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string marks(longest + 1, '`');
  const bool pad = safe.front() == '`' || safe.back() == '`' || (safe.front() == ' ' && safe.back() == ' ');
  return pad ? fmt::format("{0} {1} {0}", marks, safe) : fmt::format("{0}{1}{0}", marks, safe);
}

}  // namespace gpup
