#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"
#include "execute/execute.h"
#include "execute/hooks.h"
#include "execute/journal.h"
#include "execute/loop.h"
#include "execute/progress.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// The hooks of one run: which are to be run for whom, each at most once for a VM, and what came of them.
class HookRuns {
 public:
  /// What a run shares with its hooks.
  struct Shared {
    const Plan& plan;
    Journal& journal;
    Progress& progress;
    const std::atomic<bool>& cancelled;
    const Clock& now;
    Loop& loop;
    /// Brings an entry of the journal to disk; false where it cannot.
    std::function<Task<bool>(std::function<Result<Done>()> entry)> note;
  };

  HookRuns(Shared shared, Hooks* hooks);

  bool has(HookKind kind) const { return hooks_ != nullptr && !shared_.plan.hooks.of(kind).empty(); }
  /// What is wrong with programs that are not to be found. Those are not run in what is left of the run.
  Diagnostics look_for_programs();

  /// Before a stop. One that cannot be noted is not run (kCannotWrite).
  Task<HookResult> before(std::uint32_t stop);
  bool begun(std::uint32_t vm) const { return begun_[vm]; }
  /// The VM was started, on that host. `step` may be kNone.
  Task<> after(std::uint32_t vm, std::uint32_t step, std::string host);
  /// All went well for a VM that is not started again.
  void settle(std::uint32_t vm) { settled_[vm] = true; }
  /// For the VMs of `Plan::after_owed`, so many at once.
  void after_owed(std::size_t at_once);
  /// In the end: for each VM for which not all ended well, then for the run unless its exit code tells that it did.
  /// A run that was refused has no journal.
  void on_failure(const Report& report, std::size_t at_once);

  /// What came of them, those that were told before left out.
  std::vector<HookResult> take_results() { return std::exchange(results_, {}); }

 private:
  HookResult of_vm(HookKind kind, std::uint32_t vm, std::uint32_t step) const;
  Task<HookResult> run(HookResult hook, bool noted, std::optional<int> exit_code = std::nullopt);
  void run_all(std::size_t count, std::size_t at_once, const std::function<Task<>(std::size_t)>& one) const;
  static Task<> run_some(std::size_t& next, std::size_t count, const std::function<Task<>(std::size_t)>& one);
  HookCall call_of(const HookResult& hook, std::optional<int> exit_code) const;
  std::uint32_t step_that_failed(const Report& report, std::uint32_t vm) const;

  const Shared shared_;
  Hooks* const hooks_;
  std::array<bool, kHookKinds> missing_{};
  std::vector<bool> begun_;    // by VM: its hook before a stop was
  std::vector<bool> settled_;  // by VM: all ended well for it
  std::vector<HookResult> results_;
};

}  // namespace gpup
