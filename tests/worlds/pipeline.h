#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "worlds/world.h"

namespace worlds {

/// What gpup made of a world's two texts.
struct Answer {
  bool refused = false;
  nlohmann::json plan;      ///< where it was not refused
  std::string messages;     ///< every diagnostic, one a line
  bool over_limit = false;  ///< refused for policy.disruption alone
};

/// Through the texts: reads the YAML and the snapshot, plans, writes the plan as JSON and parses that.
Answer answer(const World& world);

}  // namespace worlds
