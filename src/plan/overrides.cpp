#include "plan/overrides.h"

#include <fmt/format.h>

namespace gpup {

Overrides::Overrides(const DesiredPolicy& policy, Findings& findings)
    : overrides_(policy.overrides), used_(policy.overrides.size(), false) {
  for (std::size_t i = 0; i < overrides_.size(); ++i) {
    const PlatformRule* rule = find_rule(overrides_[i].rule);
    if (rule != nullptr && !rule->may_override) {
      used_[i] = true;
      findings.error(Code::kOverrideNotAllowed, overrides_[i].place, {},
                     fmt::format("rule {} cannot be overridden: {}", rule->id, rule->statement));
    }
  }
}

void Overrides::broken(const PlatformRule& rule, Place place, About about, std::string message, Findings& findings) {
  const std::string source = fmt::format("rule {} ({}): {}", rule.id, to_string(rule.certainty), rule.document);
  for (std::size_t i = 0; i < overrides_.size(); ++i) {
    if (overrides_[i].rule == rule.id && rule.may_override) {
      used_[i] = true;
      findings.warn(Code::kOverridden, place, about,
                    fmt::format("{}; rule {} is overridden: {}", message, rule.id, overrides_[i].reason), source);
      return;
    }
  }
  findings.add(rule.refuses ? Severity::kError : Severity::kWarning,
               rule.refuses ? Code::kPlatformRule : Code::kPlatformWarning, place, about, std::move(message), source);
}

void Overrides::tell_unused(Findings& findings) const {
  for (std::size_t i = 0; i < overrides_.size(); ++i) {
    if (!used_[i]) {
      findings.warn(Code::kOverrideUnused, overrides_[i].place, {},
                    fmt::format("the override of rule {} is not needed: nothing breaks it", overrides_[i].rule),
                    "remove it, so that it does not hide a later mistake");
    }
  }
}

}  // namespace gpup
