#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/result.h"
#include "base/sink.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"
#include "plan/make_plan.h"

namespace gpup {

/// A line of a file that says something about a subject.
struct WhyLine {
  Place place;
  std::string file;     ///< its path
  std::string excerpt;  ///< the line
  std::string says;     ///< `lists this VM`
};

/// The chain from the file to the steps of one VM, GPU or step, or to their absence. All text is unescaped.
struct WhySubject {
  std::string object;  ///< `vm`, `gpu`, `step`
  std::string host;
  std::string name;
  std::string id;                    ///< of a VM; empty for others
  std::vector<WhyLine> lines;        ///< what the files say
  std::vector<std::string> seen;     ///< what was observed
  std::vector<std::string> reasons;  ///< the rules that lead to the steps, or why nothing happens
  std::vector<std::uint32_t> steps;  ///< indexes into Plan::steps, in the plan's order
};

/// Everything of that name: VMs by name (exactly) or id, a GPU by its name or a part of it or of its model that fits no
/// other, a step by its number, or one of them as answers name it (`hv-e1/vm/vdi-01`). `desired` may be empty: then
/// only what was seen is told. Where there is nothing of that name, a diagnostic (kNoSubject) suggests the nearest, or
/// names the GPUs that the part fits.
Result<std::vector<WhySubject>> find_why(std::string_view name, const DesiredState& desired,
                                         const ObservedState& observed, const Plan& plan, const Sources& sources);

/// For people; escaped for a terminal.
void render_why_text(const std::vector<WhySubject>& subjects, const Plan& plan, bool color, Sink& out);

/// `schemas/why.v1.schema.json`.
void render_why_json(const std::vector<WhySubject>& subjects, const Plan& plan, Sink& out);

}  // namespace gpup
