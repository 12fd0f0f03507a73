#pragma once

#include <string>

#include "base/sink.h"
#include "plan/outage.h"
#include "plan/plan.h"

namespace gpup {

struct PlanMarkdownOptions {
  bool full = false;               ///< every VM and step; otherwise like changes of many are told together
  const Outage* outage = nullptr;  ///< who is down for how long, and what comes of a step that fails, if that is told
  std::string id = {};             ///< the plan's, told in the end where there are steps and this is not empty
};

/// The plan for a pull request: tables of what changes, the steps folded away. Names from outside cannot break out
/// of their cell: pipes, backticks, HTML, links and mentions are escaped. Ends with a newline.
void render_plan_markdown(const Plan& plan, const PlanMarkdownOptions& options, Sink& sink);
void render_plan_markdown(const Plan& plan, const PlanMarkdownOptions& options, std::string& out);

}  // namespace gpup
