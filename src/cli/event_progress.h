#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/sink.h"
#include "execute/execute.h"
#include "execute/progress.h"
#include "render/events_json.h"

namespace gpup {

/// Writes what a run does as events. The first line is written at once.
class EventProgress : public Progress {
 public:
  EventProgress(LineSink& lines, const Plan& plan, Clock now);

  void started(const Plan& plan, std::uint32_t step) override;
  void finished(const Plan& plan, const StepResult& result) override;
  void restoring(const Plan& plan, const Restored& begun) override;
  void restored(const Plan& plan, const Restored& restored) override;
  void hook_started(const HookResult& begun) override;
  void hook_said(const HookResult&, std::string_view) override {}  // stderr has it
  void hook_ended(const HookResult& hook) override;

  /// Tells of what has been under way for another 15 seconds that it still is. From any thread.
  void beat();
  /// What went wrong, and the summary.
  void ended(const Report& report);

 private:
  struct UnderWay {
    Deed deed;
    Time started;
    Time told;
  };

  void begin(Deed deed, Time now);
  void end(const Deed& deed);

  LineSink& lines_;
  const Plan& plan_;
  const Clock now_;
  std::mutex mutex_;
  std::vector<UnderWay> under_way_;
};

}  // namespace gpup
