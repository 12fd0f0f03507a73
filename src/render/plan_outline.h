#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace gpup {

// What people are told of a plan, in words, before it becomes text or markdown. All text is unescaped.

/// One thing that changes: `partition count`, from `16` to `4`.
struct OutlineChange {
  std::string what;
  std::string before;
  std::string after;
};

/// A GPU or a VM that changes, or several of one host that change alike.
struct OutlineItem {
  bool gpu = false;
  std::vector<std::string> names;  ///< the first few
  std::size_t count = 1;           ///< how many there are
  std::string fate;                ///< `stopped, then started again`; empty for GPUs
  std::string place;               ///< `hci-east.yaml:21`, the first one's; empty where no line wants it
  bool unlisted = false;           ///< a VM that is not in the file that the plan was made from
  std::vector<OutlineChange> changes;
};

/// A host, or several on which the same happens.
struct OutlineHost {
  std::vector<std::string> names;  ///< the first few
  std::size_t count = 1;
  std::vector<OutlineItem> items;  ///< GPUs, then VMs; the first host's
};

/// A step, or several of one kind and reason.
struct OutlineStep {
  std::uint32_t id = 0;  ///< of the first
  std::size_t count = 1;
  Op op = Op::kStopVm;
  std::string target;  ///< `hv-e1/vm/vdi-01`: the first one's
  std::string detail;  ///< `16 -> 4`; may be empty
  std::string reason;
};

/// A plan of at most this many steps is told whole.
inline constexpr std::size_t kToldWhole = 100;

/// True where like changes are told together.
bool folded(const Plan& plan, bool full);

std::vector<OutlineHost> outline_hosts(const Plan& plan, bool fold);

/// Calls `tell` for each line, in the plan's order.
void outline_steps(const Plan& plan, bool fold, const std::function<void(const OutlineStep&)>& tell);

/// `a, b, c and 4997 more`.
std::string some_of(const std::vector<std::string>& names, std::size_t count);

/// What an empty plan says.
std::string_view nothing_to_do(const Plan& plan);

/// `Plan: 1 partition count to set, 3 VMs to stop and start again, ...`: without a newline.
std::string plan_summary(const Plan& plan);

}  // namespace gpup
