#pragma once

#include <string_view>

namespace gpup {

// What runs on hosts, put into the program when it is built: src/adapters/agent/.

/// The agent: it serves requests until its input ends. ASCII.
std::string_view agent_script();

/// What PowerShell is started with; it takes the agent from its input and runs it. ASCII, and short: a remote command
/// carries it.
std::string_view agent_bootstrap();

}  // namespace gpup
