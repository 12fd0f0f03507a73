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
  void restoring(const Plan&, const Restored&) override {}
  void restored(const Plan& plan, const Restored& restored) override;

  /// What nobody would know of if the run ended here: the steps that are under way (kStepUnknown), then the VMs that it
  /// stopped and has not started again, or may have (kVmLeftOff), each with the command that starts it.
  Diagnostics told() const;

 private:
  enum class Power : std::uint8_t { kAsItWas, kMayBeOff, kOff };

  const Plan& plan_;
  std::vector<bool> starts_;  ///< by VM: the plan starts it
  mutable std::mutex mutex_;
  std::vector<Power> power_;  ///< by VM
  std::set<std::uint32_t> under_way_;
};

}  // namespace gpup
