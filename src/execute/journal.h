#pragma once

#include <string>

#include "base/result.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// Which journal a run writes, and what it says of itself.
struct JournalUse {
  std::string folder;               ///< the state folder
  std::string resumes;              ///< the run that this one takes up
  std::string rolls_back;           ///< the run whose changes this one undoes
  std::string ignores_window = {};  ///< why the plan's window does not hold for it; empty: it does
};

/// Where a run notes what it is about to do and what came of it. Entries are noted one at a time. An entry is on disk
/// once a `flush` that began after it was noted has returned; where an intent cannot be brought there, the step is not
/// performed.
class Journal {
 public:
  virtual ~Journal() = default;

  /// A run begins: its plan, with the rules that it overrides and their reasons. The plan itself is kept beside the
  /// journal, so that the run can be taken up.
  virtual Result<Done> begin(const Plan& plan, Time now) = 0;
  virtual Result<Done> intent(const Plan& plan, std::uint32_t step, Time now) = 0;
  /// Not for steps that were skipped.
  virtual Result<Done> outcome(const Plan& plan, const StepResult& result) = 0;
  /// What that assign-partition step added is about to be taken back, as its VM does not start with it.
  virtual Result<Done> undo(const Plan& plan, std::uint32_t step, Time now) = 0;
  virtual Result<Done> restored(const Plan& plan, const Restored& restored) = 0;
  /// A hook is about to be run. One before a stop is not run where this cannot be brought to disk; the others are.
  virtual Result<Done> hook(const HookResult& begun) = 0;
  virtual Result<Done> hook_ended(const HookResult& hook) = 0;
  virtual Result<Done> end(const Plan& plan, const Report& report) = 0;

  /// What the run is called, once it has begun; empty where it has no name.
  virtual std::string run() const { return {}; }

  /// One at a time, but also while an entry is noted.
  virtual Result<Done> flush() = 0;
};

}  // namespace gpup
