#include "model/window.h"

#include <algorithm>
#include <array>
#include <exception>
#include <stdexcept>

#include <date/tz.h>
#include <fmt/format.h>

#include "model/zone_folder.h"

namespace gpup {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// Without the line breaks at the end.
std::string_view in_a_line(std::string_view words) { return words.substr(0, words.find_last_not_of(" \n") + 1); }

/// A machine may be without a time zone database, and UTC is known all the same.
bool is_utc(std::string_view name) { return name == "UTC" || name == "Etc/UTC"; }

/// nullptr where the system's database has no such zone. The database is read once; its library tells trouble by
/// exceptions.
Result<const date::time_zone*> find_zone(const std::string& name) {
  try {
#if !USE_OS_TZDB
    static const bool told = (date::set_install(zone_folder()), true);
    static_cast<void>(told);
#endif
    date::get_tzdb();
  } catch (const std::exception& error) {
    return fail(ErrorCode::kCannotRead,
                fmt::format("the time zone database of this machine cannot be read: {}", in_a_line(error.what())));
  }
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

using Minutes = std::chrono::sys_time<std::chrono::minutes>;

/// How far the clock of a zone is ahead of UTC at a moment.
Result<std::chrono::seconds> offset_of(const std::string& name, Minutes moment) {
  if (is_utc(name)) {
    return std::chrono::seconds(0);
  }
  const Result<const date::time_zone*> zone = find_zone(name);
  if (!zone) {
    return tl::unexpected<Error>(zone.error());
  }
  if (*zone == nullptr) {
    return fail(ErrorCode::kCannotRead, fmt::format("the time zone database of this machine has no '{}'", name));
  }
  try {
    return (*zone)->get_info(std::chrono::time_point_cast<std::chrono::seconds>(moment)).offset;
  } catch (const std::exception& error) {
    return fail(ErrorCode::kCannotRead,
                fmt::format("the time zone '{}' cannot be read: {}", name, in_a_line(error.what())));
  }
}

}  // namespace

std::string_view to_string(Weekday day) { return kDays.at(static_cast<std::size_t>(day)); }

std::optional<Weekday> parse_weekday(std::string_view text) {
  const auto* const found = std::find(kDays.begin(), kDays.end(), text);
  return found == kDays.end() ? std::nullopt : std::optional(static_cast<Weekday>(found - kDays.begin()));
}

std::optional<std::uint16_t> parse_time_of_day(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || !digit(0) || !digit(1) || text[2] != ':' || !digit(3) || !digit(4)) {
    return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  return hours < 24 && minutes < 60 ? std::optional(static_cast<std::uint16_t>(hours * 60 + minutes)) : std::nullopt;
}

std::string time_of_day(std::uint16_t minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

std::string to_string(const Window& window) {
  std::string days;
  for (std::size_t day = 0; day < kDays.size(); ++day) {
    if (window.has(static_cast<Weekday>(day))) {
      days += fmt::format("{}{}", days.empty() ? "" : ", ", kDays.at(day));
    }
  }
  return fmt::format("{} {} to {} {}", window.days == Window::kEveryDay ? "every day" : days, time_of_day(window.from),
                     time_of_day(window.to), window.zone);
}

Result<bool> is_zone(const std::string& name) {
  if (is_utc(name)) {
    return true;
  }
  const Result<const date::time_zone*> zone = find_zone(name);
  if (!zone) {
    return tl::unexpected<Error>(zone.error());
  }
  return *zone != nullptr;
}

Result<bool> window_allows(const Window& window, std::chrono::sys_time<std::chrono::milliseconds> now) {
  const auto moment = std::chrono::floor<std::chrono::minutes>(now);
  const Result<std::chrono::seconds> offset = offset_of(window.zone, moment);
  if (!offset) {
    return tl::unexpected<Error>(offset.error());
  }
  const auto local = std::chrono::floor<std::chrono::minutes>(moment + *offset);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const auto minute = static_cast<std::uint64_t>((local - day).count());
  const unsigned today = std::chrono::weekday(day).iso_encoding() - 1;
  const auto begins = [&](unsigned weekday) { return window.has(static_cast<Weekday>(weekday)); };
  if (window.from < window.to) {
    return begins(today) && minute >= window.from && minute < window.to;
  }
  return (begins(today) && minute >= window.from) || (begins((today + 6) % 7) && minute < window.to);
}

}  // namespace gpup
