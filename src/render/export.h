#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/connect.h"
#include "observed/observed_state.h"

namespace gpup {

struct ExportOptions {
  std::string name = "exported";    ///< `metadata.name`
  std::vector<HostTarget> targets;  ///< how hosts are reached; hosts that are not in it are read from `snapshot`
  std::string snapshot;             ///< the snapshot's path as the file should name it
};

/// The observed state as a desired-state file. It validates, and planning it against the same state shows nothing to
/// do. What a file cannot say (a VM that holds several partitions, ...) is left alone by policy and said in a comment.
/// kBadContent where a name cannot stand in a file at all (control characters).
Result<std::string> export_desired(const ObservedState& observed, const ExportOptions& options);

}  // namespace gpup
