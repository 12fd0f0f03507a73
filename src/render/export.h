#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/connect.h"
#include "observed/observed_state.h"

namespace gpup {

struct ExportOptions {
  std::string name = "exported";    ///< `metadata.name`
  std::vector<HostTarget> targets;  ///< how hosts are reached; hosts that are not in it are simulated from `snapshot`
  std::string snapshot;             ///< the snapshot's path
  /// The folder of the file that is written, relative to the working folder; paths are written relative to it.
  std::string folder;
};

/// The observed state as a desired-state file. It validates, and planning it against the same state shows nothing to
/// do. What a file cannot say, or what would be refused as it is, is left alone and said in a comment: a VM that
/// holds several partitions, or none that a line could mean, is not listed and `policy.unlisted: keep` keeps it; GPUs
/// that are not partitioned, that share their model on their host with such, or that more VMs hold than they have
/// partitions, get no line. Rules that the observed state breaks are overridden, those alone.
/// kBadContent where a host's or the cluster's name cannot stand in a file (control characters), where there is no
/// host, or where the file would be larger than what is read (16 MiB).
Result<std::string> export_desired(const ObservedState& observed, const ExportOptions& options);

}  // namespace gpup
