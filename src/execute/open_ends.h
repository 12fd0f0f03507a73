#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

#include "base/diagnostics.h"
#include "execute/progress.h"

namespace gpup {

/// Keeps what a run has open, for whoever must tell it where the process is made to end at once. Asked from any thread
/// while the run goes on.
class OpenEnds : public Progress {
 public:
  explicit OpenEnds(const Plan& plan);

  void started(const Plan& plan, std::uint32_t step) override;
  void finished(const Plan& plan, const StepResult& result) override;
  void restoring(const Plan& plan, const Restored& begun) override;
  void restored(const Plan& plan, const Restored& restored) override;
  void hook_started(const HookResult& begun) override;
  void hook_said(const HookResult&, std::string_view) override {}
  void hook_ended(const HookResult& hook) override;

  /// What nobody would know of if the run ended here: the steps that are under way (kStepUnknown), the hooks, then the
  /// VMs that it stopped and has not started again, or may have (kVmLeftOff), each with the command that starts it. Of
  /// a start that is under way it is not known what came of it.
  Diagnostics told() const;

 private:
  enum class Power : std::uint8_t { kAsItWas, kMayBeOff, kOff };

  std::uint32_t row_of(const Restored& restored) const;

  const Plan& plan_;
  std::vector<bool> starts_;  ///< by VM: the plan starts it
  mutable std::mutex mutex_;
  std::vector<Power> power_;    ///< by VM
  std::vector<bool> starting_;  ///< by VM: its start may have been sent, and its end is not known
  std::set<std::uint32_t> under_way_;
  std::vector<HookResult> hooks_;  ///< that are under way
};

}  // namespace gpup
