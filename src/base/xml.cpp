#include "base/xml.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.h"

namespace gpup {

namespace {

constexpr auto kNeedsNoReference = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0; i < plain.size(); ++i) {
    plain[i] = i != '&' && i != '<' && i != '>' && i != '"' && i != '\'' && i != 0xef;
  }
  return plain;
}();

/// Writes what is not plain and returns how many bytes it took.
std::size_t append_marked(std::string& out, std::string_view rest) {
  switch (rest[0]) {
    case '&':
      out += "&amp;";
      return 1;
    case '<':
      out += "&lt;";
      return 1;
    case '>':
      out += "&gt;";
      return 1;
    case '"':
      out += "&quot;";
      return 1;
    case '\'':
      out += "&#39;";
      return 1;
    default:
      break;
  }
  // U+FFFE and U+FFFF are no characters of XML.
  if (rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf")) {
    out += rest[2] == '\xbe' ? "\\u{fffe}" : "\\u{ffff}";
    return 3;
  }
  out += rest[0];
  return 1;
}

void append_safe(std::string& out, std::string_view safe) {
  while (!safe.empty()) {
    const auto* const end = std::find_if_not(safe.begin(), safe.end(),
                                             [](char c) { return kNeedsNoReference[static_cast<unsigned char>(c)]; });
    const auto plain = static_cast<std::size_t>(end - safe.begin());
    out += safe.substr(0, plain);
    safe.remove_prefix(plain);
    if (!safe.empty()) {
      safe.remove_prefix(append_marked(out, safe));
    }
  }
}

}  // namespace

void append_xml(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    append_safe(out, text);
  } else {
    append_safe(out, escape_terminal(text));
  }
}

}  // namespace gpup
