#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "execute/shared_reads.h"
#include "plan/plan.h"

namespace gpup {

/// How messages name a VM: its name, with its id where names alone do not tell.
std::string vm_words(const PlanVm& vm);

/// `a partition of \\?\PCI#..., one not resolved yet`, or `no partition`.
std::string partitions_words(const std::vector<std::string_view>& gpus);

/// The words of an error; of several diagnostics the first.
std::string why(const Error& error);

/// The code of an error and what mends it, where it has a diagnostic: of several the first.
struct Called {
  Code code;
  std::string hint;
};
Called called(const Error& error, Code otherwise);

std::string_view offline_action_words(std::uint32_t value);  ///< kNone is `none`

/// The name of the plan's other host that has the VM now; empty where none that can be read has it.
Task<std::string> where_now(const Plan& plan, const PlanVm& vm, SharedReads& reads);

}  // namespace gpup
