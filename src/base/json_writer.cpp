#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace gpup {

namespace {

// True for the bytes that stand in a JSON string as they are: printable ASCII but `"` and `\`.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) {
    plain.at(c) = c != '"' && c != '\\';
  }
  return plain;
}();

char* write_u16(char* to, std::uint32_t unit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  *to++ = '\\';
  *to++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4) {
    *to++ = kHex[(unit >> static_cast<unsigned>(shift)) & 0xfU];
  }
  return to;
}

// Characters outside ASCII that a terminal, or the eye, would obey.
bool obeyed(std::uint32_t c) {
  return (c >= 0x80 && c < 0xa0) || c == 0x61c || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

// The length of the character that begins at `at`, and its code; 0 where none does.
std::size_t decode(const unsigned char* at, std::size_t left, std::uint32_t& code) {
  const std::uint32_t lead = at[0];
  const auto tail = [&](std::size_t i) { return static_cast<std::uint32_t>(at[i]) & 0x3fU; };
  const auto is_tail = [&](std::size_t i) { return (at[i] & 0xc0U) == 0x80U; };
  if (lead >= 0xc2 && lead < 0xe0 && left >= 2 && is_tail(1)) {
    code = (lead & 0x1fU) << 6U | tail(1);
    return 2;
  }
  if (lead >= 0xe0 && lead < 0xf0 && left >= 3 && is_tail(1) && is_tail(2)) {
    code = (lead & 0xfU) << 12U | tail(1) << 6U | tail(2);
    return code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5 && left >= 4 && is_tail(1) && is_tail(2) && is_tail(3)) {
    code = (lead & 7U) << 18U | tail(1) << 12U | tail(2) << 6U | tail(3);
    return code >= 0x10000 && code <= 0x10ffff ? 4 : 0;
  }
  return 0;
}

// One byte or character that is not plain; moves `at` past it.
char* write_special(char* to, std::string_view text, std::size_t& at) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (c < 0x80) {
    ++at;
    if (c == '"' || c == '\\') {
      *to++ = '\\';
      *to++ = static_cast<char>(c);
      return to;
    }
    return write_u16(to, c);
  }
  std::uint32_t code = 0;
  const std::size_t length = decode(reinterpret_cast<const unsigned char*>(text.data()) + at, text.size() - at, code);
  if (length == 0) {
    ++at;
    std::memcpy(to, "\xef\xbf\xbd", 3);
    return to + 3;
  }
  if (obeyed(code)) {
    at += length;
    return write_u16(to, code);
  }
  std::memcpy(to, text.data() + at, length);
  at += length;
  return to + length;
}

// The rest of the text, from `at` on.
char* write_plain_and_special(char* to, std::string_view text, std::size_t at) {
  while (at < text.size()) {
    while (text.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, text.data() + at, sizeof bytes);
      if (!json_plain(bytes)) {
        break;
      }
      std::memcpy(to, &bytes, sizeof bytes);
      to += sizeof bytes;
      at += sizeof bytes;
    }
    while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) {
      *to++ = text[at++];
    }
    if (at < text.size()) {
      to = write_special(to, text, at);
    }
  }
  return to;
}

}  // namespace

char* write_json_string(char* to, std::string_view text) {
  *to++ = '"';
  std::size_t at = 0;
  // Answers are read by CI's runners, too, some of which obey `##vso[` and `##[` wherever they stand.
  for (std::size_t hash = text.find("##"); hash != std::string_view::npos; hash = text.find("##", hash + 1)) {
    if (commands_a_log(text.substr(hash), false)) {
      to = write_plain_and_special(to, text.substr(0, hash), at);
      to = write_u16(to, '#');
      at = hash + 1;
    }
  }
  to = write_plain_and_special(to, text, at);
  *to++ = '"';
  return to;
}

char* write_json_number(char* to, std::uint64_t value) {
  constexpr std::ptrdiff_t kDigits = 20;
  return std::to_chars(to, to + kDigits, value).ptr;
}

void append_json_string(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + json_string_bound(text));
  const char* const end = write_json_string(out.data() + before, text);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

void append_json_string_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    append_json_string(out, text);
  }
}

void append_json_member(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  append_json_string_or_null(out, text);
}

void append_json_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const char* const end = write_json_number(digits.data(), value);
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_json_bool(std::string& out, bool value) { out += value ? "true" : "false"; }

}  // namespace gpup
