#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gpup {

/// What a plain (unquoted) scalar is by YAML 1.2's core schema.
enum class PlainKind : std::uint8_t { kString, kNull, kBoolean, kNumber };
PlainKind plain_kind(std::string_view text);

/// Why a number could not be taken.
enum class NumberTrouble : std::uint8_t { kNotANumber, kOverflow };

template <class T>
struct Number {
  std::optional<T> value;
  NumberTrouble trouble = NumberTrouble::kNotANumber;
};

/// `12`, `+12`; no leading zeros, other bases, fractions or separators.
Number<std::uint64_t> parse_whole_number(std::string_view text);

/// `3GiB`: a whole number of B, KiB, MiB, GiB or TiB, in bytes.
Number<std::uint64_t> parse_byte_size(std::string_view text);

/// `5m`: a whole number of s, m or h; at most 2^31 - 1 seconds.
Number<std::chrono::seconds> parse_duration(std::string_view text);

/// `711cee18-60db-43b4-be7e-cedce5e25dd0`.
bool is_guid(std::string_view text);

/// `2026-12-31`: a day of the calendar.
bool is_day(std::string_view text);

/// `10de:25b6`: PCI vendor and device.
bool is_pci_device(std::string_view text);

/// The first control character (C0, DEL, C1) of valid UTF-8, if there is one.
std::optional<std::uint32_t> control_character_in(std::string_view text);

}  // namespace gpup
