#pragma once

#include <string>
#include <vector>

#include "base/sink.h"
#include "execute/recorded_run.h"

namespace gpup {

/// A table of runs, as they are given. `folder` is named where there are none.
void render_history_text(const std::vector<RecordedRun>& runs, const std::string& folder, Sink& sink);
void render_history_json(const std::vector<RecordedRun>& runs, Sink& sink);

/// One run with the steps that its journal has noted.
void render_run_text(const RecordedRun& run, Sink& sink);
void render_run_json(const RecordedRun& run, Sink& sink);

}  // namespace gpup
