#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/codes.h"
#include "plan/drift.h"
#include "render/difference_words.h"

namespace gpup {

// What a drift says, finding by finding: every form for pipelines tells these, in this order, at these lines.

enum class FindingKind : std::uint8_t {
  kDrift,
  kIgnored,     ///< a difference that policy.ignore accepts
  kNotChecked,  ///< a host
  kWarning,
  kError,  ///< why nothing was compared at all
};

/// One of them. All text is unescaped; views live for as long as the call.
struct DriftFinding {
  FindingKind kind = FindingKind::kDrift;
  std::string_view rule;  ///< the property that differs, or a code: `partitionCount`, `GP220`
  std::string_view file;  ///< as it was given; empty where there is no place
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string_view message;
  std::string_view address;  ///< what it is about: the same as long as that differs, wherever its line goes
  const DesiredIgnore* ignore = nullptr;  ///< of kIgnored
};

void tell_findings(const Drift& drift, const std::function<void(const DriftFinding&)>& tell);
/// The last of them, kWarning and kError, alone.
void tell_diagnostics(const Drift& drift, const std::function<void(const DriftFinding&)>& tell);

/// `host hv-e2 was not checked: no route to host`
std::string not_checked_words(const NotChecked& host);

/// How many there are of each kind.
std::array<std::size_t, 5> count_findings(const Drift& drift);

/// `hv-e1: VM vdi-01 is no partition, wanted a partition of NVIDIA A2 (...); changed outside since run ...`. Appends.
void append_sentence(std::string& out, const Drift& drift, const DifferenceWords& words, const Drifted& drifted);

/// `changed outside since run 20261126T084100.250Z-4711`; empty where it is not known.
void append_cause(std::string& out, const Drift& drift, const Drifted& drifted);

/// `accepted until 2026-12-31: card is swapped`
void append_ignore(std::string& out, const DesiredIgnore& line);

/// How many that count differ by which cause: `2 changed outside, 1 not in the file`; empty where no cause is known.
std::string causes_words(const Drift& drift);

/// `No drift.`, `Drift: 3 differences (1 changed outside), 1 ignored; 1 host not checked.`
std::string drift_verdict(const Drift& drift);

}  // namespace gpup
