#pragma once

#include "execute/journal.h"

namespace gpup::test {

/// A journal that takes everything and keeps nothing.
class QuietJournal : public Journal {
 public:
  Result<Done> begin(const Plan&, Time) override { return Done{}; }
  Result<Done> intent(const Plan&, std::uint32_t, Time) override { return Done{}; }
  Result<Done> outcome(const Plan&, const StepResult&) override { return Done{}; }
  Result<Done> undo(const Plan&, std::uint32_t, Time) override { return Done{}; }
  Result<Done> restored(const Plan&, const Restored&) override { return Done{}; }
  Result<Done> hook(const HookResult&) override { return Done{}; }
  Result<Done> hook_ended(const HookResult&) override { return Done{}; }
  Result<Done> end(const Plan&, const Report&) override { return Done{}; }
  Result<Done> flush() override { return Done{}; }
};

}  // namespace gpup::test
