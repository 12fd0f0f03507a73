#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace gpup {

/// From the first call on, the first SIGINT or SIGTERM sets the flag and the second ends the process; a SIGHUP, which
/// may come twice where a terminal is closed, only sets it. On Windows Ctrl-C and Ctrl-Break are SIGINT, and a console
/// that is closed is a SIGHUP.
const std::atomic<bool>& cancelled_by_signal();

/// What stderr is told at the first of them, and where the second ends the process. The latter is called on another
/// thread, but not after the next call of this has returned.
void set_words_at_signals(std::string at_first, std::function<std::string()> at_last);

}  // namespace gpup
