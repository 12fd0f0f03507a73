#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sink.h"
#include "execute/execute.h"
#include "execute/progress.h"
#include "plan/durations.h"

namespace gpup {

/// Tells on stderr what a run does: a line for each step that ended. On a terminal the last lines, which change, say
/// what is under way, for how long, and how long that is expected to take where this site has measured it.
class StepProgress : public Progress {
 public:
  struct Terminal {
    unsigned width = 80;
    StepTimes expected;
  };

  /// Without a terminal nothing but lines is written.
  StepProgress(Sink& err, std::optional<Terminal> terminal, Clock now);

  void started(const Plan& plan, std::uint32_t step) override;
  void finished(const Plan& plan, const StepResult& result) override;
  void restoring(const Plan& plan, const Restored& begun) override;
  void restored(const Plan& plan, const Restored& restored) override;
  void hook_started(const HookResult& begun) override;
  void hook_said(const HookResult& begun, std::string_view line) override;
  void hook_ended(const HookResult& hook) override;

  /// Lets times go on. From any thread.
  void tick();

 private:
  struct UnderWay {
    std::string text;
    std::string host;
    std::uint64_t expected_ms = 0;  ///< 0: not known
    Time started;
  };

  void begin(UnderWay one);
  void end(const std::string& text, const std::string& line);
  void erase();
  void draw();
  std::string row(const UnderWay& one, Time now) const;
  std::string last_row(Time now) const;

  Sink& err_;
  const std::optional<Terminal> terminal_;
  const Clock now_;
  const Time begun_;
  std::mutex mutex_;
  std::size_t ended_ = 0;
  std::size_t steps_ = 0;            ///< of the plan
  std::size_t drawn_ = 0;            ///< lines that are to be drawn anew
  std::vector<UnderWay> under_way_;  ///< in the order in which they began
};

}  // namespace gpup
