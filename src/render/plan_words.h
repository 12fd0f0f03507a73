#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// Hex digits of a plan's id.
inline constexpr std::size_t kPlanDigits = 64;

/// True for properties whose values are numbers; the others' are words (but kPartitions, which is a list).
bool is_number(Property property);

/// The word for an enumerator of a property: `partitioned`, `Running`, `force-shutdown`.
std::string_view property_word(Property property, std::uint32_t value);

/// The enumerator of a word of that property; kNone where there is no such word.
std::uint32_t parse_property_word(Property property, std::string_view word);

/// The GPUs that the VM's adapters are on, one an adapter, before the plan or after it; an empty name where the host
/// has not chosen yet. Replaces what `names` held.
void held_gpus(const Plan& plan, const PlanVm& vm, bool after, std::vector<std::string_view>& names);

/// `NVIDIA A2 (4&18416dc3&0&0000)`; the short name alone where the model is not known. Unescaped.
std::string gpu_title(std::string_view model, std::string_view name);

/// When which hook of the plan is run, two cells a row; empty where it has none. Unescaped.
std::vector<std::array<std::string, 2>> hook_rows(const Plan& plan);

/// The records of owed starts that the plan drops, each as `hv-e1/vm/vdi-01, recorded on hv-e2`. Unescaped.
std::vector<std::string> owed_start_rows(const Plan& plan);
inline constexpr std::string_view kOwedStartsTitle = "Owed starts, forgotten once each VM is as planned";

/// How long each may take: `Hooks, run on this machine, each for 5 min at most`.
std::string hook_title(const Plan& plan);

}  // namespace gpup
