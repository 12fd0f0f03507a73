#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "execute/back_off.h"
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

/// Performs a plan. All hosts of its steps are locked, then all facts are checked; where one is held or broken,
/// nothing is touched. Each step is read, noted, performed, read back and noted; steps go side by side as `after` and
/// `limits` allow. When a step does not end well, or `cancelled` becomes true (looked at before each step; those under
/// way end), the VMs that this run stopped and that were to run again are started, or listed. A plan without steps
/// contacts nothing and notes nothing. Where the plan has a window, nothing that stops a VM begins outside it: a run
/// that begins there is refused, and what would be stopped once it is over is skipped; `ignore_window` lets it be.
/// Trouble with a host that may pass is waited out, within `patience`; a step is sent again only once a reading has
/// shown that nothing of it has happened, and one that adds an adapter only where the host itself said so. `hosts` is
/// used from several threads at once; the entries of `journal`, `progress` and `now` from one at a time.
Report execute(const Plan& plan, HostWriter& hosts, Journal& journal, Progress& progress,
               const std::atomic<bool>& cancelled, const Clock& now, const Limits& limits = {},
               const Patience& patience = {}, bool ignore_window = false);

}  // namespace gpup
