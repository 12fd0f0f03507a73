#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/connect.h"

namespace gpup {

/// A value of --connect: `[NAME=]URI`.
struct ConnectUri {
  HostTarget target;  ///< its name is empty where the URI gives none (`simulated:`)
};

/// Reads `local:`, `simulated:FILE`, `ssh://[user@]address[:port]`, `winrm://address[:port]`, each with or without
/// `NAME=` before it. An address in brackets is IPv6. What is wrong is in the message.
Result<ConnectUri> parse_connect(std::string_view text);

}  // namespace gpup
