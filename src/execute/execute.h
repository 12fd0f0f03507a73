#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "execute/back_off.h"
#include "execute/hooks.h"
#include "execute/host_writer.h"
#include "execute/journal.h"
#include "execute/progress.h"
#include "execute/report.h"
#include "execute/schedule.h"
#include "plan/plan.h"

namespace gpup {

/// Gives the time; tests give their own.
using Clock = std::function<Time()>;

/// Re-reads every fact that the plan relies on: an error (kFactBroken) for each that no longer holds, in words, with
/// what it was and what it is; a host that cannot be read breaks all of its facts at once (kHostUnreadable). Empty
/// where all hold. `at_once` hosts are read side by side.
Diagnostics check_facts(const Plan& plan, HostReader& hosts, std::uint32_t at_once = 1);

/// What else a run is given.
struct Terms {
  bool ignore_window = false;  ///< VMs may be stopped outside the plan's window
  Hooks* hooks = nullptr;      ///< runs those of the plan; nullptr: they are not run
};

/// Performs a plan. All hosts of its steps and of its owed starts are locked, then all facts are checked; where one is
/// held or broken, nothing is touched. Each step is read, noted, performed, read back and noted; steps go side by side
/// as `after` and `limits` allow. When a step does not end well, or `cancelled` becomes true (looked at before each
/// step; those under way end), the VMs that this run stopped and that were to run again are started, or listed. A plan
/// that does nothing contacts nothing and notes nothing. Where the plan has a window, nothing that stops a VM begins
/// outside it: a run that begins there is refused, and what would be stopped once it is over is skipped;
/// `Terms::ignore_window` lets it be.
///
/// The plan's hook `before` is run before each stop that is to be sent; where it does not end well, that is not.
/// `after` is run once a VM was started, also in the end, and for the VMs of `after_owed`. `on-failure` is run in the
/// end for each VM whose `before` began and for which not all ended well, and once for the run unless that exits with 0
/// or 3: also where it was refused, was cancelled, or cannot write its journal. By then the hosts are unlocked. Where
/// `cancelled` becomes true, a `before` that is under way is told to end; the others end in peace.
///
/// Trouble with a host that may pass is waited out, within `patience`; a step is sent again only once a reading has
/// shown that nothing of it has happened, and one that adds an adapter only where the host itself said so. `hosts` is
/// used from several threads at once; `journal`, `progress` and `now` from the calling one alone.
Report execute(const Plan& plan, HostWriter& hosts, Journal& journal, Progress& progress,
               const std::atomic<bool>& cancelled, const Clock& now, const Limits& limits = {},
               const Patience& patience = {}, const Terms& terms = {});

}  // namespace gpup
