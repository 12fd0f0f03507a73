#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/result.h"
#include "cli/command_line.h"
#include "cli/world.h"

namespace gpup {

/// Sets the log up as --log-level, --log-format and --log-file say; until then, and by default, nothing below a
/// warning is logged. The log goes to stderr, or to the file; kCannotRead where that cannot be opened.
Result<Done> open_log(const Invocation& line, World& world);

/// Writes what is buffered and lets go of the world.
void close_log();

enum class LogLevel : unsigned char { kDebug, kInfo, kWarn };

bool logs(LogLevel level);
void log_line(LogLevel level, std::string_view text);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (logs(LogLevel::kDebug)) {
    log_line(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  if (logs(LogLevel::kInfo)) {
    log_line(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace gpup
