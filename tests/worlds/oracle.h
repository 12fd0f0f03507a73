#pragma once

#include "worlds/reading.h"

namespace worlds {

enum class Verdict { kPlan, kRefuse, kOpen };

/// Whether the plan must be made, must be refused, or may be either (design.md says neither).
Verdict should_refuse(const Reading& reading);

}  // namespace worlds
