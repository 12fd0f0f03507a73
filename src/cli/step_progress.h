#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/sink.h"
#include "execute/progress.h"

namespace gpup {

/// Tells on stderr what a run does. Without a terminal a line for each step that ended; with one, a last line that
/// changes says what is under way: the step that has been so the longest, and how many others.
class StepProgress : public Progress {
 public:
  StepProgress(Sink& err, bool terminal) : err_(err), terminal_(terminal) {}

  void started(const Plan& plan, std::uint32_t step) override;
  void finished(const Plan& plan, const StepResult& result) override;
  void restoring(const Plan& plan, const Restored& begun) override;
  void restored(const Plan& plan, const Restored& restored) override;

 private:
  void begin(std::string text);
  void end(const std::string& text, const std::string& line);
  void live();

  Sink& err_;
  bool terminal_;
  std::size_t ended_ = 0;
  std::vector<std::string> under_way_;  ///< in the order in which they began
};

}  // namespace gpup
