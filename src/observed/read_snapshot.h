#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "observed/observed_state.h"

namespace gpup {

inline constexpr std::uint64_t kLargestSnapshot = 1024ULL * 1024 * 1024;
inline constexpr std::uint64_t kLargestReply = 64ULL * 1024 * 1024;  ///< of a host

/// Reads a snapshot (or a lab, or a host's reply of the same form), strictly: repeated members of any object,
/// repeated hosts, repeated GPUs, VM ids and adapter ids on a host, wrong types, numbers out of range, missing
/// members, more than 64 levels, more than `max_bytes`, invalid UTF-8 are errors (kBadContent) with
/// `path:line:column`; the first one is reported. Unknown members are allowed everywhere, and so is `null` for
/// what may be absent. A byte order mark at the start is fine, UTF-16 with one is read. Keeps nothing of `text`.
Result<ObservedState> read_snapshot(std::string text, const std::string& path,
                                    std::uint64_t max_bytes = kLargestSnapshot);

}  // namespace gpup
