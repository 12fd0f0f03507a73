#pragma once

#include <atomic>
#include <functional>

#include "execute/host_writer.h"
#include "execute/journal.h"
#include "execute/progress.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// Gives the time; tests give their own.
using Clock = std::function<Time()>;

/// Re-reads every fact that the plan relies on: an error (kFactBroken) for each that no longer holds, in words, with
/// what it was and what it is; a host that cannot be read breaks all of its facts at once (kHostUnreadable). Empty
/// where all hold.
Diagnostics check_facts(const Plan& plan, HostReader& hosts);

/// Performs a plan. All hosts of its steps are locked, then all facts are checked; where one is held or broken,
/// nothing is touched. Each step is read, noted, performed, read back and noted. When a step does not end well, or
/// `cancelled` becomes true (looked at between steps), the VMs that this run stopped and that were to run again are
/// started, or listed. A plan without steps contacts nothing and notes nothing.
Report execute(const Plan& plan, HostWriter& hosts, Journal& journal, Progress& progress,
               const std::atomic<bool>& cancelled, const Clock& now);

}  // namespace gpup
