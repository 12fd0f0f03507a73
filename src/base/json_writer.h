#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpup {

// JSON, appended to a string piece by piece: no tree is built on the way out. Names of members and punctuation
// are written by the caller as literals.

/// Appends `text` as a JSON string, with its quotes. UTF-8 is kept; `"`, `\` and everything that a terminal would
/// obey are escaped: control characters (C0, DEL, C1), line and paragraph separators, direction marks and the BOM, as
/// `\u001b`. What is not UTF-8 becomes U+FFFD, one for each byte that begins no character.
void append_json_string(std::string& out, std::string_view text);

/// As above; `null` where the text is empty.
void append_json_string_or_null(std::string& out, std::string_view text);

/// As above, after `name` as it stands: `, "path": `.
void append_json_member(std::string& out, std::string_view name, std::string_view text);

/// Exact over the whole range.
void append_json_number(std::string& out, std::uint64_t value);

void append_json_bool(std::string& out, bool value);

template <class Number>
void append_json_number_or_null(std::string& out, const std::optional<Number>& value) {
  if (value) {
    append_json_number(out, *value);
  } else {
    out += "null";
  }
}

/// How many bytes `text` may take at most, quotes included.
constexpr std::size_t json_string_bound(std::string_view text) { return 2 + 6 * text.size(); }

/// True if all eight bytes stand in a JSON string as they are: printable ASCII but `"` and `\`.
constexpr bool json_plain(std::uint64_t bytes) {
  // Mycroft: a byte below n has its top bit set in (x - n) & ~x. False alarms come only above a true one.
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kTops = 0x8080808080808080U;
  const std::uint64_t quote = bytes ^ (kOnes * '"');
  const std::uint64_t backslash = bytes ^ (kOnes * '\\');
  const std::uint64_t control = bytes - kOnes * 0x20;
  const std::uint64_t del = bytes + kOnes;  // 0x7f becomes 0x80
  return ((((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | control | del | bytes) & kTops) == 0;
}

// The same, into memory that has room; they return the end of what they wrote.
char* write_json_string(char* to, std::string_view text);
char* write_json_number(char* to, std::uint64_t value);  ///< at most 20 bytes

}  // namespace gpup
