#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/result.h"
#include "cli/call.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"

namespace gpup {

/// So many hosts are asked at a time: each is mostly waited for.
inline constexpr std::size_t kMostReadAtOnce = 16;

/// The files of -f, read.
struct Files {
  Sources sources;
  DesiredState desired;
  Diagnostics warnings;

  std::vector<HostTarget> targets() const;
};

/// The texts of what -f names; wrong is only what cannot be one of its files (too large, a folder without any).
Result<Sources> read_sources(const Call& call);

/// Reads what -f names: files, folders (their *.yaml and *.yml, sorted, not deeper), `-`. kBadContent holds every
/// mistake of every file; kCannotRead names every file that cannot be read.
Result<Files> read_files(const Call& call);

/// What the hosts say, or the snapshot of --observed. A host that cannot be read is in it as not reachable; its
/// trouble is added to `trouble` as a warning. kBadContent where a snapshot or a lab is wrong.
Result<ObservedState> read_observed(const Call& call, const std::vector<HostTarget>& targets, Diagnostics& trouble);

/// The hosts of --connect. `simulated:FILE` without a name stands for all hosts of the lab.
Result<std::vector<HostTarget>> connect_targets(const Call& call);

/// True where any host could not be read.
bool some_not_read(const ObservedState& observed);

}  // namespace gpup
