#pragma once

#include "base/sink.h"
#include "execute/report.h"
#include "observed/observed_state.h"
#include "plan/drift.h"
#include "plan/outage.h"
#include "plan/plan.h"

namespace gpup {

// Answers as one HTML page, for whoever decides and for the record: readable without a script, on paper and aloud; it
// asks nothing of any network. Names from outside show as they are and can do nothing. The same values give the same
// bytes.

struct PlanHtmlOptions {
  bool full = false;                        ///< what comes of each step that fails, also where there are many
  const ObservedState* observed = nullptr;  ///< what the plan was made from; nullptr: pictures show what it says itself
};

/// Who goes down, for how long and why; each host before and after; when each step is expected.
void render_plan_html(const Plan& plan, const Outage& outage, const PlanHtmlOptions& options, Sink& out);

/// Each host as it is and as it is wanted, what differs marked in place, with its cause; what is ignored stands apart.
void render_drift_html(const Drift& drift, const ObservedState* observed, Sink& out);

/// What a run came to: each host before and after, when each step was performed, what went wrong.
void render_report_html(const Plan& plan, const Report& report, Sink& out);

}  // namespace gpup
