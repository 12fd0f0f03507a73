#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "execute/host_writer.h"

namespace gpup {

/// Hosts that are reached through PowerShell: `transport: local`, `ssh` and `psremoting`. One session a host, opened
/// when it is first needed: for reading only, unless this run writes or has locked the host. A lost session is followed
/// by a new one; nothing is ever sent twice. A write after that takes the lock again, and goes out only if nobody else
/// had it in between. Requests may be made from several threads.
class PowerShellHosts : public HostWriter {
 public:
  /// The result of a request that only reads (`doctor`), or of `hello` itself, as the JSON that the agent gave.
  /// kUnreachable as `observe`.
  virtual Result<std::string> ask(const HostTarget& host, std::string_view op) = 0;
};

/// `bound`: how long one answer of a host may take; a stop has its own timeout on top. `may_write`: sessions are opened
/// for writing from the start, so that the lock needs no other one.
std::unique_ptr<PowerShellHosts> make_powershell_hosts(std::chrono::seconds bound, bool may_write = false);

}  // namespace gpup
