#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "observed/observed_state.h"

namespace gpup {

/// Joins states (of one host each, as HostReader gives them) into one, hosts in the given order. The cluster is the
/// one that they name; those that name none do not matter. Hosts of two clusters, or a host that is there twice, are
/// an error (kBadContent with a diagnostic). `taken_at` is the earliest that is there. A VM is owed a start if any of
/// them has it recorded, wherever it is now, and if it does not run.
Result<ObservedState> merge(std::vector<ObservedState> states);

/// A host that could not be read: "not checked", with the reason.
ObservedState not_read(std::string_view host, std::string_view error);

}  // namespace gpup
