#include "execute/report.h"

#include <algorithm>
#include <charconv>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace gpup {

std::string to_string(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

std::optional<Time> parse_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  constexpr std::size_t kToSeconds = 19;
  const bool whole = text.size() == kForm.size();
  if (!whole && (text.size() != kToSeconds + 1 || text.back() != 'Z')) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < (whole ? text.size() : kToSeconds); ++i) {
    if (kForm[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) {
      return std::nullopt;
    }
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) + std::chrono::minutes(number(14, 2)) +
         std::chrono::seconds(number(17, 2)) + std::chrono::milliseconds(whole ? number(20, 3) : 0);
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kAlready:
      return "already";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kUnknown:
      return "unknown";
    case Outcome::kSkipped:
      return "skipped";
  }
  return "";
}

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::kOutsideWindow:
      return "outside-window";
    case Refusal::kHeld:
      return "lock-held";
    case Refusal::kFactBroken:
      return "fact-broken";
    case Refusal::kCannotStart:
      return "cannot-start";
    case Refusal::kNotRefused:
      break;
  }
  return "";
}

std::array<std::uint64_t, kOutcomes> count_outcomes(const Report& report) {
  std::array<std::uint64_t, kOutcomes> counts{};
  for (const StepResult& result : report.steps) {
    ++counts.at(static_cast<std::size_t>(result.outcome));
  }
  return counts;
}

std::string start_command(std::string_view vm_id) {
  const bool plain = !vm_id.empty() && std::all_of(vm_id.begin(), vm_id.end(), [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F') ||
           letter == '-';
  });
  if (plain) {
    return fmt::format("Get-VM -Id {} | Start-VM", vm_id);
  }
  std::string quoted;
  for (const char letter : vm_id) {
    quoted += letter == '\'' ? "''" : std::string(1, letter);
  }
  return fmt::format("Get-VM -Id '{}' | Start-VM", quoted);
}

int exit_code(const Plan& plan, const Report& report) {
  switch (report.refusal) {
    case Refusal::kOutsideWindow:
    case Refusal::kHeld:
      return 6;
    case Refusal::kFactBroken:
      return 5;
    case Refusal::kCannotStart:
      return 1;
    case Refusal::kNotRefused:
      break;
  }
  if (report.cancelled) {
    return 8;
  }
  const bool well = std::all_of(report.steps.begin(), report.steps.end(),
                                [](const StepResult& result) { return ended_well(result.outcome); });
  const bool opened = std::none_of(report.hooks.begin(), report.hooks.end(), [](const HookResult& hook) {
    return hook.kind == HookKind::kAfter && !ended_well(hook.outcome);
  });
  if (!well || !opened || !report.left_off.empty()) {
    return 7;
  }
  return plan.incomplete() ? 3 : 0;
}

}  // namespace gpup
