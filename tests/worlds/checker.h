#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "worlds/reading.h"
#include "worlds/world.h"

namespace worlds {

/// How often and how meanly a plan is performed.
struct Effort {
  int random_orders = 4;
  std::uint32_t seed = 1;
};

struct Judgement {
  std::vector<std::string> violations;  ///< each begins with the rule of design.md, section 5: `rule 3: ...`
  /// Where performing it ended, one world a way in which hosts may behave that is worth planning again; empty where
  /// there are violations.
  std::vector<World> ends;
  int orders = 0;  ///< executed
};

/// Performs the plan (JSON, as design.md, section 5, shows it) on hosts of its own, in the array's order and in orders
/// that `after` allows, on hosts that keep and hosts that forget the GPU of an adapter that was not pinned, and that
/// choose GPUs in several ways; and looks at each rule at each step.
Judgement judge(const World& world, const Reading& reading, const nlohmann::json& plan, const Effort& effort = {});

/// The violations alone.
std::vector<std::string> check(const World& world, const nlohmann::json& plan);

}  // namespace worlds
