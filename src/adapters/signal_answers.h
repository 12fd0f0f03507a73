#pragma once

#include <atomic>

namespace gpup {

/// Set from wherever a system tells of a signal.
extern std::atomic<bool> cancelled_flag;
static_assert(std::atomic<bool>::is_always_lock_free);

/// A process that a signal ended has this and the signal's number as its exit code.
inline constexpr int kEndedBySignal = 128;

/// Says what is to be said at the first one.
void answer_first_signal();
/// Says the last words, and ends the process.
[[noreturn]] void answer_second_signal(int signal);

/// Whatever the system needs so that they are told.
void listen_for_signals();

}  // namespace gpup
