#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/lab_rules.h"
#include "base/diagnostics.h"

namespace gpup {

enum class FaultKind : std::uint8_t {
  kFail,
  kClaimSuccess,
  kLoseReplyBefore,
  kLoseReplyAfter,
  kDropSession,
  kDelay,
  kMoveTo,
};

/// A fault that happens now.
struct Fault {
  FaultKind kind = FaultKind::kFail;
  std::string message;       ///< of a refusal; never empty
  std::uint64_t ms = 0;      ///< how much longer the host takes
  std::string to;            ///< move-to: a host of the lab
  std::optional<Code> code;  ///< what a refusal, or a lost reply, is called
  bool performed = false;    ///< fail, drop-session: whether it happened all the same
};

/// What a request is about, as faults name it.
struct Request {
  std::string_view op;  ///< `start-vm`, or `observe`
  std::string vm_name;  ///< empty where there is none
  std::string vm_id;
  std::string gpu;
};

/// What is wrong with the `simulate` objects of a lab, if anything is: unknown members and words, wrong types.
Diagnostics check_simulate(const LabJson& lab, const std::string& path);

/// How often a fault saw a request that is its own, and how it counts one more.
struct FaultCount {
  std::function<std::uint64_t(std::size_t fault)> seen;
  std::function<void(std::size_t fault)> count;
};

/// The first fault of the host that happens to this request, if one does.
std::optional<Fault> next_fault(const LabJson& host, const Request& request, const FaultCount& counter);

/// False where nothing happens to any request of the host.
bool has_faults(const LabJson& host);

/// `simulate.heldBy` of the host: who else holds its lock; empty where nobody does.
std::string simulated_holder(const LabJson& host);

/// `simulate.latency` of the host for that op.
std::uint64_t latency_ms(const LabJson& host, std::string_view op);

}  // namespace gpup
