#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// A host with all that is on it, or one VM.
struct Address {
  std::string host;
  std::string vm;  ///< its name or id; empty: the host

  bool operator==(const Address&) const = default;
};
std::string to_string(const Address& address);  ///< `hv-e1`, `hv-e1/vm/vdi-01`
/// Everything after `/vm/` is the VM's name.
std::optional<Address> parse_address(std::string_view text);

/// What a plan is to cover. Whatever it does not cover stays as it is; a change that would need it changed is refused.
/// A GPU's count belongs to its host: it is covered where the host is.
struct Scope {
  std::vector<Address> targets;   ///< only these; empty: all
  std::vector<Address> excludes;  ///< but not these
  bool compares = false;          ///< nothing is to be performed, only told

  bool whole() const { return targets.empty() && excludes.empty(); }
};

/// False where a plan was made with a scope: it says so in its warnings.
bool covers_all(const Plan& plan);

}  // namespace gpup
