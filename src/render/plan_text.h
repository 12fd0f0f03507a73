#pragma once

#include <cstddef>
#include <string>

#include "base/sink.h"
#include "plan/outage.h"
#include "plan/plan.h"

namespace gpup {

struct PlanTextOptions {
  bool full = false;               ///< every VM and step; otherwise like changes of many are told together
  bool color = false;              ///< with a terminal's colours
  std::size_t width = 100;         ///< columns that long lines are broken at
  const Outage* outage = nullptr;  ///< who is down for how long, and what comes of a step that fails, if that is told
  std::string id = {};             ///< the plan's, told in the end where there are steps and this is not empty
};

/// The plan for people: for each host what changes, then the numbered steps with their reasons, what they
/// cost, one summary line, warnings, hosts that were not checked. Safe for a terminal whatever names the plan holds.
/// Ends with a newline.
void render_plan_text(const Plan& plan, const PlanTextOptions& options, Sink& sink);
void render_plan_text(const Plan& plan, const PlanTextOptions& options, std::string& out);

}  // namespace gpup
