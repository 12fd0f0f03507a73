#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"
#include "plan/make_plan.h"
#include "plan/past_runs.h"
#include "plan/plan.h"

namespace gpup {

/// Why something differs, as far as the journals tell.
enum class Cause : std::uint8_t {
  kUnknown,    ///< no run of ours is known to have left it
  kOutside,    ///< the last run of ours left it otherwise
  kFileNewer,  ///< it is as the last run left it: the file wants something else since
  kUnlisted,   ///< a VM that holds a partition and is not in the file
};
inline constexpr std::size_t kCauses = 4;
std::string_view to_string(Cause cause);  ///< `outside`

/// A difference with its cause.
struct Drifted {
  std::uint32_t difference = kNone;  ///< index into Plan::differences
  std::uint32_t host = kNone;        ///< index into Plan::hosts
  Cause cause = Cause::kUnknown;
  std::uint32_t run = kNone;     ///< kOutside, kFileNewer: the run, a row of Drift::runs
  std::uint32_t ignore = kNone;  ///< the entry of policy.ignore that accepts it
  Place place;                   ///< the value that wants it; by default the VM's line, else the host's

  bool ignored() const { return ignore != kNone; }
};

/// How reality differs from the files: the differences of a plan that is never performed, with their causes. The plan
/// and the desired state must outlive it.
struct Drift {
  const Plan& plan;
  const DesiredState& desired;
  std::vector<Drifted> found;     ///< host by host, within one as in the plan
  std::vector<std::string> runs;  ///< names
  Diagnostics diagnostics;        ///< the plan's warnings, then those about policy.ignore
  NotCompared not_compared;
  std::size_t ignored = 0;  ///< how many of `found`

  std::size_t counted() const { return found.size() - ignored; }
};

/// `today`: `2026-11-26`. Pure.
Drift find_drift(const Planned& planned, const DesiredState& desired, const ObservedState& observed,
                 const Sources& sources, const PastRuns& past, std::string_view today);

}  // namespace gpup
