#include "cli/event_progress.h"

#include <chrono>
#include <utility>

namespace gpup {

EventProgress::EventProgress(LineSink& lines, const Plan& plan, Clock now)
    : lines_(lines), plan_(plan), now_(std::move(now)) {
  lines_.put(events_head(plan));
  for (const Diagnostic& diagnostic : plan.diagnostics) {
    lines_.put(event_diagnostic(diagnostic, now_()));
  }
}

void EventProgress::begin(Deed deed, Time now) {
  lines_.put(event_started(deed, now));
  const std::lock_guard guard(mutex_);
  under_way_.push_back({std::move(deed), now, now});
}

void EventProgress::end(const Deed& deed) {
  const std::lock_guard guard(mutex_);
  std::erase_if(under_way_, [&](const UnderWay& one) { return one.deed == deed; });
}

void EventProgress::started(const Plan& plan, std::uint32_t step) { begin(deed_of(plan, step), now_()); }

void EventProgress::finished(const Plan& plan, const StepResult& result) {
  end(deed_of(plan, result.step));
  lines_.put(event_finished(plan, result));
}

void EventProgress::restoring(const Plan&, const Restored& begun) { begin(deed_of(begun), begun.started); }

void EventProgress::restored(const Plan&, const Restored& restored) {
  end(deed_of(restored));
  lines_.put(event_finished(restored));
}

void EventProgress::hook_started(const HookResult& begun) { begin(deed_of(begun), begun.started); }

void EventProgress::hook_ended(const HookResult& hook) {
  end(deed_of(hook));
  lines_.put(event_finished(hook));
}

void EventProgress::beat() {
  constexpr std::chrono::seconds kPeriod(15);
  const std::lock_guard guard(mutex_);
  const Time now = now_();
  for (UnderWay& one : under_way_) {
    if (now - one.told >= kPeriod) {
      one.told = now;
      lines_.put(event_heartbeat(one.deed, one.started, now));
    }
  }
}

void EventProgress::ended(const Report& report) {
  for (const Diagnostic& diagnostic : report.diagnostics) {
    lines_.put(event_diagnostic(diagnostic, report.ended));
  }
  lines_.put(event_summary(plan_, report));
}

}  // namespace gpup
