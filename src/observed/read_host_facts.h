#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "observed/host_facts.h"
#include "observed/read_snapshot.h"

namespace gpup {

/// Reads what a host answers when it is examined (the agent's `doctor`). Strict in what it knows: wrong types, numbers
/// out of range, words that are none, repeated members are kBadContent with `path:line:column`. Any member may be
/// absent or null, which is "not known"; unknown ones are allowed.
Result<HostFacts> read_host_facts(std::string text, const std::string& path, std::uint64_t max_bytes = kLargestReply);

}  // namespace gpup
