#pragma once

#include <cstddef>
#include <string>

#include "base/sink.h"
#include "plan/outage.h"
#include "plan/plan.h"
#include "render/markdown.h"

namespace gpup {

struct PlanMarkdownOptions {
  bool full = false;               ///< every VM and step; otherwise like changes of many are told together
  const Outage* outage = nullptr;  ///< who is down for how long, and what comes of a step that fails, if that is told
  std::string id = {};             ///< the plan's, told in the end where there are steps and this is not empty
  std::size_t most = kMarkdownBytes;  ///< bytes
};

/// The plan for a pull request: the verdict first (what changes, who is down for how long), tables of what changes, the
/// rest folded away. Names from outside cannot break out. Ends with a newline.
void render_plan_markdown(const Plan& plan, const PlanMarkdownOptions& options, Sink& sink);
void render_plan_markdown(const Plan& plan, const PlanMarkdownOptions& options, std::string& out);

}  // namespace gpup
