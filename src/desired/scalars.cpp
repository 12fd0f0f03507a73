#include "desired/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include "base/text.h"

namespace gpup {

namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// Takes the digits at the start of `text`; how many there were.
std::size_t skip_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

/// Whole numbers, fractions, exponents, infinity and not-a-number of YAML 1.2's core schema.
bool is_core_number(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return true;
  }
  if (text.size() > 2 && (text.starts_with("0x") || text.starts_with("0o"))) {
    const std::string_view digits = text.substr(2);
    return std::all_of(digits.begin(), digits.end(), text[1] == 'x' ? is_hex : is_octal);
  }
  skip(text, "+-");
  if (text == ".inf" || text == ".Inf" || text == ".INF") {
    return true;
  }
  const std::size_t whole = skip_digits(text);
  const std::size_t fraction = skip(text, ".") ? skip_digits(text) : 0;
  if (whole + fraction == 0) {
    return false;
  }
  if (skip(text, "eE")) {
    skip(text, "+-");
    return skip_digits(text) > 0 && text.empty();
  }
  return text.empty();
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

/// A whole number and one of the units, at most `most`.
template <std::size_t N>
Number<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units, std::uint64_t most) {
  std::string_view unit = text;
  const std::size_t digits = skip_digits(unit);
  const auto found = std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name == unit; });
  if (digits == 0 || found == units.end()) {
    return {};
  }
  Number<std::uint64_t> number = parse_whole_number(text.substr(0, digits));
  if (number.value && *number.value > most / found->factor) {
    return {std::nullopt, NumberTrouble::kOverflow};
  }
  if (number.value) {
    number.value = *number.value * found->factor;
  }
  return number;
}

}  // namespace

PlainKind plain_kind(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return PlainKind::kNull;
  }
  switch (text.front()) {
    case 't':
    case 'T':
      return text == "true" || text == "True" || text == "TRUE" ? PlainKind::kBoolean : PlainKind::kString;
    case 'f':
    case 'F':
      return text == "false" || text == "False" || text == "FALSE" ? PlainKind::kBoolean : PlainKind::kString;
    default:
      break;
  }
  const bool may_be_number =
      is_digit(text.front()) || text.front() == '+' || text.front() == '-' || text.front() == '.';
  return may_be_number && is_core_number(text) ? PlainKind::kNumber : PlainKind::kString;
}

Number<std::uint64_t> parse_whole_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit) || (text.size() > 1 && text.front() == '0')) {
    return {};
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) {
    return {std::nullopt, NumberTrouble::kOverflow};
  }
  return {value, {}};
}

Number<std::uint64_t> parse_byte_size(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{"B", 1}, {"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}}};
  return parse_with_unit(text, kUnits, std::numeric_limits<std::uint64_t>::max());
}

Number<std::chrono::seconds> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 3> kUnits = {{{"s", 1}, {"m", 60}, {"h", 3600}}};
  const Number<std::uint64_t> seconds = parse_with_unit(text, kUnits, std::numeric_limits<std::int32_t>::max());
  if (!seconds.value) {
    return {std::nullopt, seconds.trouble};
  }
  return {std::chrono::seconds(*seconds.value), {}};
}

bool is_guid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == 'x' ? is_hex(c) : c == form;
         });
}

bool is_day(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00";
  if (text.size() != kForm.size() || !std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
        return form == '0' ? c >= '0' && c <= '9' : c == form;
      })) {
    return false;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    unsigned value = 0;
    for (const char c : text.substr(at, digits)) {
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2))};
  return day.ok();
}

bool is_pci_device(std::string_view text) {
  return text.size() == 9 && text[4] == ':' && std::all_of(text.begin(), text.begin() + 4, is_hex) &&
         std::all_of(text.begin() + 5, text.end(), is_hex);
}

std::optional<std::uint32_t> control_character_in(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte < 0x20 || byte == 0x7f) {
      return byte;
    }
    if (byte == 0xc2 && at + 1 < text.size() && static_cast<std::uint8_t>(text[at + 1]) < 0xa0) {
      return static_cast<std::uint8_t>(text[at + 1]);
    }
  }
  return std::nullopt;
}

}  // namespace gpup
