#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "model/words.h"

namespace gpup {

/// How a host is reached. Only the members of its transport are set; the rest are empty.
/// Paths are relative to the working folder (files name them relative to themselves;
/// reading a file joins the two).
struct Connect {
  Transport transport = Transport::kLocal;
  std::string file;        ///< simulated: the lab
  std::string powershell;  ///< local, ssh: the program; empty = the platform's default
  std::string address;     ///< ssh; psremoting over WinRM
  std::string host_name;   ///< psremoting over SSH
  std::optional<std::uint16_t> port;
  std::string user;
  std::string identity_file;
  std::string known_hosts;
  std::string configuration_name;  ///< psremoting
  bool operator==(const Connect&) const = default;
};

/// A host of a run: its name and how to reach it.
struct HostTarget {
  std::string name;
  Connect connect;
  bool operator==(const HostTarget&) const = default;
};

/// How a VM is stopped.
struct StopPolicy {
  StopMode mode = StopMode::kShutdown;
  std::chrono::seconds timeout{300};
  bool operator==(const StopPolicy&) const = default;
};

}  // namespace gpup
