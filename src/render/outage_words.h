#pragma once

#include <string>
#include <vector>

#include "plan/outage.h"
#include "plan/plan.h"

namespace gpup {

// What people are told of a plan's outage, in words, before it becomes text or markdown. All text is unescaped.

/// `hv-e1/vm/vdi-01`
std::string vm_address(const Plan& plan, std::uint32_t vm);

/// The expected outage of a VM, or of the rest of many.
struct OutageRow {
  std::string vm;
  std::string median;  ///< `1 min 34 s`; `stays off`
  std::string p95;
  std::string origin;  ///< `default`, `measured`, `partly default`
  std::string steps;   ///< `4 stop-vm 1 min, 5 assign-partition 2 s, 7 start-vm 30 s`
};

/// In the order of the stops; where like things are told together the ten longest, then how many more there are.
std::vector<OutageRow> outage_rows(const Plan& plan, const Outage& outage, bool fold);

/// `Sum: 3.1 VM-minutes (95%: 9.4), the longest 1 min 34 s: hv-v1/vm/vdi-04`; `No VM is stopped`.
std::string outage_sum(const Plan& plan, const Outage& outage);

/// Who is down, for how long: `1 VM off for good, 3 VMs down for 3.1 VM-minutes in all, the longest for 1 min 34 s,
/// 95%: 4 min`. The name of the longest is left to the caller.
std::string down_verdict(const Outage& outage);

/// When partition counts differ: a line each, at least one.
std::vector<std::string> mixed_lines(const Plan& plan, const Outage& outage);

/// How long one kind of step is expected to take.
struct StepTimeRow {
  std::string op;
  std::string model;
  std::string median;
  std::string p95;
  std::string origin;  ///< `default: one cmdlet and reading back`; `measured: 41 steps of 3 runs`
};
std::vector<StepTimeRow> step_time_rows(const Plan& plan, const Outage& outage);

/// `hv-e1/vm/vdi-01, hv-e1/vm/vdi-02 and 3 more`; empty where nobody is down.
std::string down_words(const Plan& plan, const Outage::Down& down);

}  // namespace gpup
