#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/call.h"
#include "execute/recorded_run.h"
#include "plan/past_runs.h"
#include "plan/plan.h"

namespace gpup {

/// The folder of the journals: --state-dir, or the platform's; empty where neither is known.
std::string state_folder(const Call& call);

/// The runs of the state folder by name, the oldest first.
Result<std::vector<std::string>> run_names(const Call& call);

/// The run that is named; `latest` is the newest. kBadContent where there is none (kNoRun) or its journal is wrong.
Result<RecordedRun> read_run(const Call& call, std::string_view name);

/// All runs, the newest first. A journal that is wrong is passed over, with a warning.
Result<std::vector<RecordedRun>> read_runs(const Call& call);

/// Where diagnostics tell of starts that are owed, adds the run that this machine knows to have stopped the VM.
void name_owing_runs(const Call& call, Diagnostics& diagnostics);

/// The plan that was kept beside the journal. Its relative paths, which start from the folder that the run was
/// started in, are made whole.
Result<Plan> read_kept_plan(const Call& call, const RecordedRun& run);

/// What the runs of the state folder left, as far as they are about hosts of that plan: the newest 50 of them.
/// Journals and kept plans that cannot be read are passed over: that nothing is known of them is no
/// trouble.
PastRuns past_runs(const Call& call, const Plan& plan);

}  // namespace gpup
