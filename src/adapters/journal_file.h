#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/sink.h"
#include "execute/journal.h"

namespace gpup {

/// Writes a plan in its saved form.
using PlanWriter = std::function<void(const Plan& plan, OutputFile& file)>;

/// A journal in a folder, one file a run, JSON lines, each flushed to disk before its call returns. The folder
/// (readable by its owner only) and the file `RUN.jsonl` are made by the first entry, and before it `RUN.plan.json`.
std::unique_ptr<Journal> make_journal_file(const JournalUse& use, PlanWriter write_plan);

/// Where they go: `gpup/journal` below where programs keep their state for this user; empty where that is not known.
std::string default_state_folder();

}  // namespace gpup
