#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "execute/report.h"
#include "observed/observed_state.h"
#include "plan/plan.h"

namespace gpup {

/// What a run did to the adapters of its VMs so far: what they should hold follows from it. Steps of different VMs go
/// side by side, and each touches the rows of its own VM; hence no bits, which neighbours would share.
struct Held {
  std::vector<std::uint8_t> gone;  ///< by Plan::adapters: 1 where it was removed
  std::vector<std::string> added;  ///< by Plan::vms: the id of the adapter that was added; empty if none

  explicit Held(const Plan& plan) : gone(plan.adapters.size()), added(plan.vms.size()) {}
};

/// What a look at the host before a step says.
enum class Before : std::uint8_t {
  kGo,       ///< what the step relies on holds
  kAlready,  ///< what it wants is there
  kBroken,   ///< something changed since the plan was made
  kMissing,  ///< its VM is not on the host any more
};

struct Look {
  Before before = Before::kGo;
  std::string message;  ///< why it is broken
};

/// Judges a step before it is sent. `result` takes what was found where that is what it wants.
Look before_step(const Plan& plan, const Step& step, const Host& host, const Held& held, StepResult& result);

/// Judges a step after it was sent: true where the host now is as it wants, with what was read in `result`; false with
/// what is missing in `result.message`.
bool after_step(const Plan& plan, const Step& step, const Host& host, const Held& held, StepResult& result);

}  // namespace gpup
