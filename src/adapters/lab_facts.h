#pragma once

#include <string>

#include "adapters/lab_rules.h"
#include "base/result.h"
#include "observed/host_facts.h"

namespace gpup {

/// What a simulated host tells when it is examined: what its lab knows, and what `simulate.facts` of the host says, in
/// the form of the agent's `doctor`. Of these, `gpus` and `vms` are joined by name or id with those of the lab; other
/// lists stand instead of it. kBadContent where the facts are wrong.
Result<HostFacts> lab_facts(const LabJson& lab, const LabJson& host, const std::string& shown);

}  // namespace gpup
