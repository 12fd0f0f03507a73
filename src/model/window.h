#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gpup {

enum class Weekday : std::uint8_t { kMonday, kTuesday, kWednesday, kThursday, kFriday, kSaturday, kSunday };
std::string_view to_string(Weekday day);  ///< `mon`
std::optional<Weekday> parse_weekday(std::string_view text);

/// When VMs may be stopped, by the clock of a time zone: from one time of day until another, the end not included. One
/// that does not end later than it begins lasts into the next day.
struct Window {
  static constexpr std::uint8_t kEveryDay = 0x7f;

  std::uint8_t days = kEveryDay;  ///< those on which it begins: a bit each, Monday's is the lowest
  std::uint16_t from = 0;         ///< minutes since midnight
  std::uint16_t to = 0;
  std::string zone;  ///< an IANA name: `Europe/Berlin`

  bool has(Weekday day) const { return (days >> static_cast<unsigned>(day) & 1U) != 0; }
  bool operator==(const Window&) const = default;
};

/// `22:00`: minutes since midnight.
std::optional<std::uint16_t> parse_time_of_day(std::string_view text);
std::string time_of_day(std::uint16_t minutes);

/// `mon, tue 22:00 to 04:00 Europe/Berlin`; `every day ...`.
std::string to_string(const Window& window);

/// Whether this machine's time zone database has the zone; an error where the database cannot be read. UTC needs none.
Result<bool> is_zone(const std::string& name);

/// Whether a VM may be stopped at this moment. By the wall clock: where the clock is put forward over the beginning the
/// window begins with the hour that follows, and what the clock shows twice is in it twice. An error where the zone is
/// not known.
Result<bool> window_allows(const Window& window, std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace gpup
