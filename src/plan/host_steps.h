#pragma once

#include <cstdint>
#include <vector>

#include "plan/goal.h"

namespace gpup {

/// The steps of one host, in an order that may be performed as it stands. Indexes are the host's own (Host::vms,
/// Host::gpus, Host::adapters); `after` counts from the host's first step.
struct HostSteps {
  struct Row {
    Op op = Op::kStopVm;
    Reason reason = Reason::kText;
    std::uint32_t vm = kNone;
    std::uint32_t gpu = kNone;      ///< set-partition-count, pinned assign-partition
    std::uint32_t adapter = kNone;  ///< unassign-partition
    std::uint32_t first_after = 0;
    std::uint32_t after_count = 0;
  };
  std::vector<Row> rows;
  std::vector<std::uint32_t> after;
};

/// Orders what the goal wants of one host:
/// - a VM that holds a partition of a GPU whose count changes (or an unresolved one) is stopped and loses it first;
/// - then the counts are set; where the file limits how many VMs are down and adapters are pinned to GPUs, one GPU
/// after
///   another;
/// - every other VM is stopped only after the steps that its own change waits for, so that it is down for its own
///   chain alone;
/// - an adapter is added only where a partition is free for it, whichever way the steps are interleaved: each one
///   waits for the count, or for the very removal that frees its place;
/// - a VM that is sure of its place starts before those that could take it, since the host chooses their GPU, and after
///   the stops of those that hold a partition of a GPU that nobody can tell.
HostSteps order_steps(const DesiredState& desired, const HostGoal& on);

}  // namespace gpup
