#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace gpup {

namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

/// One character of UTF-8: its code point and length, or an invalid byte (length 1).
struct Character {
  char32_t code = 0;
  std::size_t size = 1;
  bool valid = false;
};

/// The character at the start of a text that is not empty: shortest form, no surrogates, at most U+10FFFF.
Character first_character(std::string_view text) {
  const std::uint8_t lead = byte(text[0]);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  const std::size_t size = lead < 0xc2 ? 0U : lead < 0xe0 ? 2U : lead < 0xf0 ? 3U : lead < 0xf5 ? 4U : 0U;
  if (size == 0 || text.size() < size) {
    return {lead, 1, false};
  }
  char32_t code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t next = byte(text[i]);
    if ((next & 0xc0U) != 0x80) {
      return {lead, 1, false};
    }
    code = (code << 6U) | (next & 0x3fU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) {
    return {lead, 1, false};
  }
  return {code, size, true};
}

bool plain_ascii(char c) { return byte(c) >= 0x20 && byte(c) < 0x7f; }

struct Range {
  char32_t first;
  char32_t last;
};

bool in_ranges(const Range* begin, const Range* end, char32_t code) {
  const Range* const found =
      std::lower_bound(begin, end, code, [](const Range& range, char32_t value) { return range.last < value; });
  return found != end && found->first <= code;
}

// Format characters (Unicode 15: Cf), and with them line and paragraph separators: what cannot be seen and makes one
// name look like another, or turns the direction of the text.
constexpr auto kFormat = std::to_array<Range>({
    {0x00ad, 0x00ad},   {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x2064},   {0x2066, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
    {0xe0020, 0xe007f},
});

/// Characters that would move the cursor or break the line, or that show nothing themselves.
bool acts_on_terminal(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) ||  // C0, DEL, C1
         in_ranges(kFormat.begin(), kFormat.end(), code);
}

// The blocks of combining and zero-width characters that occur in names (Unicode 15: Mn, Me, Cf).
constexpr auto kZeroWidth = std::to_array<Range>({
    {0x00ad, 0x00ad},   {0x0300, 0x036f},   {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2},
    {0x05c4, 0x05c5},   {0x05c7, 0x05c7},   {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc},
    {0x06df, 0x06e4},   {0x06e7, 0x06e8},   {0x06ea, 0x06ed}, {0x0711, 0x0711}, {0x0730, 0x074a}, {0x0900, 0x0902},
    {0x093a, 0x093a},   {0x093c, 0x093c},   {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0951, 0x0957}, {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a},   {0x0e47, 0x0e4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x2060, 0x2064},
    {0x20d0, 0x20f0},   {0x302a, 0x302d},   {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
    {0xe0001, 0xe007f}, {0xe0100, 0xe01ef},
});

// East Asian Wide and Fullwidth, and emoji that terminals show over two columns.
constexpr auto kWide = std::to_array<Range>({
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x3029},   {0x302e, 0x303e},   {0x3041, 0x3098},   {0x309b, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},
    {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff},
    {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320},
    {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3},
    {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc},
    {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596},
    {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2},
    {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb},
    {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
});

/// Edits (insert, delete, replace, swap of neighbours) between two words, ASCII letters without case.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return x == y || lower(x) == lower(y); });
}

std::string fold_case(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  return folded;
}

std::optional<std::size_t> invalid_utf8_at(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & kHighBits) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const Character character = first_character(text.substr(at));
    if (!character.valid) {
      return at;
    }
    at += character.size;
  }
  return std::nullopt;
}

bool commands_a_log(std::string_view rest, bool first) {
  return (first && rest.starts_with("::")) || rest.starts_with("##vso[") || rest.starts_with("##[");
}

std::string hide_passwords(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n'\"`";
  std::string out;
  if (text.find('@') == std::string_view::npos) {
    out = text;
    return out;
  }
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t at = word.rfind('@');
    const std::size_t scheme = word.find("://");
    const std::size_t colon = at == std::string_view::npos
                                  ? at
                                  : word.find(':', scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3);
    if (colon < at && at != std::string_view::npos) {
      out.append(word.substr(0, colon + 1)).append("(hidden)").append(word.substr(at));
    } else {
      out += word;
    }
    out += text.substr(end, end < text.size() ? 1 : 0);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), plain_ascii) && text.find("##") == std::string_view::npos &&
         text.find("::") == std::string_view::npos;
}

std::string escape_terminal(std::string_view text) {
  if (is_plain(text)) {
    return std::string(text);
  }
  std::string safe;
  safe.reserve(text.size() + 16);
  bool first = true;  // nothing but blanks so far
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid) {
      fmt::format_to(std::back_inserter(safe), "\\x{{{:02x}}}", static_cast<unsigned>(character.code));
    } else if (acts_on_terminal(character.code) || commands_a_log(text, first)) {
      fmt::format_to(std::back_inserter(safe), "\\u{{{:x}}}", static_cast<unsigned>(character.code));
    } else {
      safe.append(text.substr(0, character.size));
    }
    first = first && character.code == ' ';
    text.remove_prefix(character.size);
  }
  return safe;
}

std::string_view short_gpu_name(std::string_view name) {
  // \\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-...}
  const std::size_t end = name.rfind("#{");
  if (end == std::string_view::npos || end == 0) {
    return name;
  }
  const std::size_t begin = name.rfind('#', end - 1);
  if (begin == std::string_view::npos || begin + 1 == end) {
    return name;
  }
  return name.substr(begin + 1, end - begin - 1);
}

std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known) {
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  std::optional<std::string_view> best;
  std::size_t fewest = allowed + 1;
  for (const std::string_view candidate : known) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t shorter = std::min(word.size(), candidate.size());
    if (longer - shorter > allowed) {
      continue;  // keeps a hostile word of megabytes cheap, too
    }
    const std::size_t distance = edits(word, candidate);
    // Words that have nothing in common are no slip of one another, however short.
    if (distance < fewest && distance < longer) {
      fewest = distance;
      best = candidate;
    }
  }
  return best;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    if (byte(text[0]) < 0x80) {
      ++width;
      text.remove_prefix(1);
      continue;
    }
    const Character character = first_character(text);
    text.remove_prefix(character.size);
    if (character.valid && in_ranges(kWide.begin(), kWide.end(), character.code)) {
      width += 2;
    } else if (!character.valid || !in_ranges(kZeroWidth.begin(), kZeroWidth.end(), character.code)) {
      ++width;
    }
  }
  return width;
}

std::string human_size(std::uint64_t bytes) {
  struct Unit {
    std::string_view name;
    std::uint64_t size;
  };
  constexpr std::uint64_t kKiB = 1024;
  constexpr std::array<Unit, 3> kUnits = {
      {{"TiB", kKiB * kKiB * kKiB * kKiB}, {"GiB", kKiB * kKiB * kKiB}, {"MiB", kKiB * kKiB}}};
  for (const Unit& unit : kUnits) {
    if (bytes >= unit.size && bytes % (unit.size / 2) == 0) {
      return fmt::format("{}{} {}", bytes / unit.size, bytes % unit.size == 0 ? "" : ".5", unit.name);
    }
  }
  if (bytes >= kKiB && bytes < kKiB * kKiB && bytes % kKiB == 0) {
    return fmt::format("{} KiB", bytes / kKiB);
  }
  return fmt::format("{} B", bytes);
}

std::string human_time(std::uint64_t milliseconds) {
  constexpr std::uint64_t kTenth = 100;
  constexpr std::uint64_t kSecond = 1000;
  constexpr std::uint64_t kMinute = 60 * kSecond;
  constexpr std::uint64_t kHour = 60 * kMinute;
  const auto and_rest = [](std::uint64_t whole, std::string_view unit, std::uint64_t rest, std::string_view small) {
    return rest == 0 ? fmt::format("{} {}", whole, unit) : fmt::format("{} {} {} {}", whole, unit, rest, small);
  };
  if (milliseconds >= kHour) {
    return and_rest(milliseconds / kHour, "h", milliseconds % kHour / kMinute, "min");
  }
  if (milliseconds >= kMinute) {
    return and_rest(milliseconds / kMinute, "min", milliseconds % kMinute / kSecond, "s");
  }
  const std::uint64_t tenths = milliseconds % kSecond / kTenth;
  return tenths == 0 ? fmt::format("{} s", milliseconds / kSecond)
                     : fmt::format("{}.{} s", milliseconds / kSecond, tenths);
}

}  // namespace gpup
