#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "worlds/checker.h"
#include "worlds/oracle.h"

namespace worlds {

/// What all trials of a run came to.
struct Tally {
  std::uint64_t worlds = 0;
  std::uint64_t planned = 0;
  std::uint64_t refused = 0;
  std::uint64_t over_limit = 0;  ///< of those, for policy.disruption alone
  std::uint64_t open = 0;
  std::uint64_t orders = 0;
  std::uint64_t violations = 0;
};

/// Lets gpup plan the world and judges what it says; then plans the ends again. Empty where all is right, otherwise
/// what is wrong, with the world and the plan.
std::string trial(const World& world, const Effort& effort, Tally& tally);

}  // namespace worlds
