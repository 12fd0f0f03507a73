#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

// What a run does as JSON, a line for each event, with its end (`schemas/events.v1.schema.json`). A line has at most
// 64 KiB: longer texts are cut.

/// A step, a start in the end, or a hook.
struct Deed {
  std::uint32_t step = kNone;  ///< kNone: a start in the end, or a hook that no step has
  Op op = Op::kStartVm;
  std::string host;
  std::string vm;
  std::string vm_id;
  std::string gpu;
  std::optional<HookKind> hook = std::nullopt;  ///< it is one, and no step: `op` says nothing
  bool operator==(const Deed&) const = default;
};
Deed deed_of(const Plan& plan, std::uint32_t step);
Deed deed_of(const Restored& restored);
Deed deed_of(const HookResult& hook);

/// The first line: which format this is, and of which plan.
std::string events_head(const Plan& plan);

std::string event_started(const Deed& deed, Time now);
/// It is still under way.
std::string event_heartbeat(const Deed& deed, Time started, Time now);
std::string event_finished(const Plan& plan, const StepResult& result);
std::string event_finished(const Restored& restored);
std::string event_finished(const HookResult& hook);
std::string event_diagnostic(const Diagnostic& diagnostic, Time now);
/// The last line.
std::string event_summary(const Plan& plan, const Report& report);

}  // namespace gpup
