#pragma once

#include <optional>

#include "cli/call.h"
#include "execute/schedule.h"
#include "observed/observed_state.h"
#include "plan/outage.h"
#include "plan/plan.h"

namespace gpup {

/// What a plan costs, by this machine's journals, with as much side by side as --parallel says. Found out when it is
/// first asked for: not every form of a plan needs it.
class PlanCost {
 public:
  PlanCost(const Call& call, const Plan& plan) : call_(call), plan_(plan) {}

  const Outage& outage();

  /// The exit code where --max-outage refuses the plan, which has been told then.
  std::optional<int> refused();

 private:
  const Call& call_;
  const Plan& plan_;
  std::optional<Outage> outage_;
};

/// The plan as the answer, in the forms that the command line asks for. `saved`: a file that holds it already, or
/// nullptr: copying is a fraction of writing it again. `observed`: what it was made from, where that is at hand.
int give_plan(const Call& call, const Plan& plan, PlanCost& cost, int code, OutputFile* saved = nullptr,
              const ObservedState* observed = nullptr);

/// The plan as text on stderr, as `apply` shows it before it asks.
void show_plan(const Call& call, const Plan& plan, PlanCost& cost);

/// How much goes on at once, as --parallel says.
Limits limits_of(const Call& call);

}  // namespace gpup
