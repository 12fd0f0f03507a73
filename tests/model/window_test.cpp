#include "model/window.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace gpup;
using std::chrono::sys_days;
using std::chrono::year;

namespace {

/// `2026-03-29 00:30`, in UTC.
std::chrono::sys_time<std::chrono::milliseconds> utc(int month, unsigned day, std::string_view time) {
  return sys_days(year(2026) / month / static_cast<int>(day)) + std::chrono::minutes(parse_time_of_day(time).value());
}

Window window(std::string_view days, std::string_view from, std::string_view to, std::string zone = "Europe/Berlin") {
  Window made;
  made.from = parse_time_of_day(from).value();
  made.to = parse_time_of_day(to).value();
  made.zone = std::move(zone);
  if (!days.empty()) {
    made.days = 0;
  }
  while (!days.empty()) {
    made.days =
        static_cast<std::uint8_t>(made.days | 1U << static_cast<unsigned>(parse_weekday(days.substr(0, 3)).value()));
    days.remove_prefix(std::min<std::size_t>(days.size(), 4));
  }
  return made;
}

}  // namespace

TEST_CASE("a window allows by the clock of its zone, over midnight and where the clock is changed") {
  // In 2026 the clock of Berlin, UTC+1, goes from 02:00 to 03:00 on Sunday, March 29, and from 03:00 back to 02:00 on
  // Sunday, October 25. November 23 is a Monday.
  struct Case {
    std::string_view name;
    Window window;
    std::chrono::sys_time<std::chrono::milliseconds> now;
    bool allowed;
  };
  const Case cases[] = {
      {"it begins with its first minute", window("", "22:00", "23:00"), utc(11, 23, "21:00"), true},
      {"not a minute earlier", window("", "22:00", "23:00"), utc(11, 23, "20:59"), false},
      {"its last minute", window("", "22:00", "23:00"), utc(11, 23, "21:59"), true},
      {"the end is not in it", window("", "22:00", "23:00"), utc(11, 23, "22:00"), false},
      {"in summer the zone is an hour further", window("", "22:00", "23:00"), utc(7, 6, "20:00"), true},
      {"another zone", window("", "22:00", "23:00", "America/New_York"), utc(11, 24, "03:30"), true},
      {"a zone with half hours", window("", "22:00", "22:30", "Asia/Kolkata"), utc(11, 23, "16:45"), true},
      {"the day is the zone's: Tuesday in Tokyo is Monday in UTC", window("tue", "01:00", "02:00", "Asia/Tokyo"),
       utc(11, 23, "16:30"), true},
      {"not on another day", window("tue wed", "08:00", "09:00"), utc(11, 23, "07:30"), false},
      {"before midnight", window("mon", "22:00", "04:00"), utc(11, 23, "22:30"), true},
      {"after midnight, the day on which it began counts", window("mon", "22:00", "04:00"), utc(11, 24, "02:59"), true},
      {"its end after midnight", window("mon", "22:00", "04:00"), utc(11, 24, "03:00"), false},
      {"the night before its day", window("mon", "22:00", "04:00"), utc(11, 23, "01:00"), false},
      {"from Sunday into Monday", window("sun", "22:00", "04:00"), utc(11, 23, "01:00"), true},
      {"a whole day", window("mon", "06:00", "06:00"), utc(11, 24, "04:59"), true},
      {"and no longer", window("mon", "06:00", "06:00"), utc(11, 24, "05:00"), false},
      {"the beginning is skipped: the last moment before", window("", "02:30", "04:00"), utc(3, 29, "00:59"), false},
      {"the beginning is skipped: it begins at 03:00", window("", "02:30", "04:00"), utc(3, 29, "01:00"), true},
      {"a window that is skipped whole", window("sun", "02:00", "03:00"), utc(3, 29, "01:00"), false},
      {"an hour that comes twice, at first", window("sun", "02:00", "03:00"), utc(10, 25, "00:30"), true},
      {"an hour that comes twice, again", window("sun", "02:00", "03:00"), utc(10, 25, "01:30"), true},
      {"after it", window("sun", "02:00", "03:00"), utc(10, 25, "02:00"), false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Result<bool> allowed = window_allows(c.window, c.now);
    REQUIRE_MESSAGE(allowed.has_value(), allowed.error().message);
    CHECK_EQ(*allowed, c.allowed);
  }
}

TEST_CASE("a window of a zone that nobody knows allows nothing, and says so") {
  const Result<bool> allowed = window_allows(window("", "00:00", "00:00", "Europe/Atlantis"), utc(11, 23, "12:00"));
  REQUIRE_FALSE(allowed.has_value());
  CHECK_EQ(allowed.error().message, "the time zone database of this machine has no 'Europe/Atlantis'");
  CHECK_EQ(is_zone("Europe/Berlin").value(), true);
  CHECK_EQ(is_zone("../../etc/passwd").value(), false);
}

TEST_CASE("UTC is known by both its names") {
  for (const char* const zone : {"UTC", "Etc/UTC"}) {
    CAPTURE(zone);
    CHECK_EQ(is_zone(zone).value(), true);
    CHECK_EQ(window_allows(window("mon", "22:00", "04:00", zone), utc(11, 23, "22:00")).value(), true);
    CHECK_EQ(window_allows(window("mon", "22:00", "04:00", zone), utc(11, 24, "04:00")).value(), false);
  }
}

TEST_CASE("times of day and days have one spelling each") {
  CHECK_EQ(parse_time_of_day("00:00").value(), 0);
  CHECK_EQ(parse_time_of_day("23:59").value(), 1439);
  for (const char* const wrong : {"", "24:00", "12:60", "1:00", "01:0", "01:00:00", "01.00", " 1:00", "-1:00"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_time_of_day(wrong).has_value());
  }
  CHECK_EQ(to_string(window("mon tue", "22:00", "04:30")), "mon, tue 22:00 to 04:30 Europe/Berlin");
  CHECK_EQ(to_string(window("", "22:00", "04:30")), "every day 22:00 to 04:30 Europe/Berlin");
  CHECK_FALSE(parse_weekday("Mon").has_value());
}
