#pragma once

#include <string>

#include "base/sink.h"
#include "execute/progress.h"

namespace gpup {

/// Tells on stderr what a run does. Without a terminal a line for each step that ended; with one, a last line that
/// changes says what is under way.
class StepProgress : public Progress {
 public:
  StepProgress(Sink& err, bool terminal) : err_(err), terminal_(terminal) {}

  void started(const Plan& plan, std::uint32_t step) override;
  void finished(const Plan& plan, const StepResult& result) override;
  void restoring(const Plan& plan, const std::string& host, const std::string& vm) override;
  void restored(const Plan& plan, const Restored& restored) override;

 private:
  void live(const std::string& text);
  void line(const std::string& text);

  Sink& err_;
  bool terminal_;
  std::size_t ended_ = 0;
};

}  // namespace gpup
