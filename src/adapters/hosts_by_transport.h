#pragma once

#include <memory>

#include "execute/host_writer.h"

namespace gpup {

/// All hosts: each request goes to those that serve the host's transport, `simulated` or any of PowerShell's.
std::unique_ptr<HostWriter> make_hosts_by_transport(std::unique_ptr<HostWriter> simulated,
                                                    std::unique_ptr<HostWriter> powershell);

}  // namespace gpup
