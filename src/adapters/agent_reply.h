#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace gpup {

/// Why the host's agent refused a request, as it says. Text is empty where it says nothing.
struct AgentError {
  std::string reason;    ///< `cmdlet`, `held`, `lock`, `reading`, `facts`, `timeout`, `unsupported`, ...
  std::string error_id;  ///< FullyQualifiedErrorId: `ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVM`
  std::string category;  ///< `ObjectNotFound`
  std::optional<std::int64_t> hresult;
  std::string message;     ///< the host's text, in its language
  bool performed = false;  ///< the cmdlet had been called: it may have had an effect

  std::string fact;  ///< facts: `ownerNode`, `state`, `adapters`, `partitionCount`, `gpu`, `vm`
  std::string expected;
  std::string found;   ///< facts, timeout
  std::string cmdlet;  ///< unsupported

  // held: whoever holds the lock.
  std::string holder_host;
  std::string holder_process;
  std::string holder_user;
  std::string holder_since;
  bool operator==(const AgentError&) const = default;
};

/// One reply: the number of its request, and the result as JSON or the error.
struct AgentReply {
  std::uint64_t id = 0;
  bool ok = false;
  std::string result;  ///< an object
  AgentError error;
};

/// Reads the JSON of a reply. Strict as snapshots are; the error tells in words what is wrong.
tl::expected<AgentReply, std::string> read_reply(std::string json);

/// A member of a result that is a whole number; nothing where there is none.
std::optional<std::uint64_t> number_in(const std::string& result, const std::string& member);

}  // namespace gpup
