#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/connect.h"

namespace gpup {

/// What runs on this machine so that an agent listens.
struct AgentLaunch {
  enum class Way : std::uint8_t {
    kHere,     ///< PowerShell on this machine, the agent in it
    kSsh,      ///< ssh, which runs PowerShell on the host
    kSession,  ///< PowerShell on this machine, which opens a PSSession with the host
  };

  Way way = Way::kHere;
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;  ///< set besides our own
  std::string powershell;                                        ///< the program that runs the agent's bootstrap
  std::string destination;                                       ///< ssh, PSSession: the address
  bool operator==(const AgentLaunch&) const = default;
};

/// A remote command is cut off silently by some hosts from about 1300 characters on.
inline constexpr std::size_t kLongestRemoteCommand = 1000;

/// How the host's agent is started. `bound` is how long an answer may take: a connection may not take longer. A value
/// that cannot be passed on safely, or that would not survive the way, is refused (kUnreachable, nothing was started).
Result<AgentLaunch> launch_of(const HostTarget& host, std::chrono::seconds bound, std::string_view bootstrap);

/// The command that runs on the host, words divided by spaces: cmd, PowerShell and sh take it alike.
std::string agent_command(std::string_view powershell, std::string_view bootstrap);

}  // namespace gpup
