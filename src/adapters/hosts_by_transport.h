#pragma once

#include <memory>

#include "execute/host_writer.h"

namespace gpup {

/// All hosts: each request goes to those that serve the host's transport. A transport that nobody serves cannot be
/// reached (kUnreachable, with a diagnostic of kTransportMissing).
std::unique_ptr<HostWriter> make_hosts_by_transport(std::unique_ptr<HostWriter> simulated);

}  // namespace gpup
