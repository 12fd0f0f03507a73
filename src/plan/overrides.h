#pragma once

#include <string>
#include <vector>

#include "desired/desired_state.h"
#include "model/platform_rules.h"
#include "plan/findings.h"

namespace gpup {

/// The platform rules that the file accepts to break, each with its reason (`policy.override`).
class Overrides {
 public:
  /// Refuses overrides of rules that allow none.
  Overrides(const DesiredPolicy& policy, Findings& findings);

  /// Tells of a broken rule: as an error where the rule refuses, as a warning where it does not or is overridden.
  void broken(const PlatformRule& rule, Place place, About about, std::string message, Findings& findings);

  /// Warns of overrides that nothing needed.
  void tell_unused(Findings& findings) const;

 private:
  const std::vector<DesiredOverride>& overrides_;
  std::vector<bool> used_;
};

}  // namespace gpup
