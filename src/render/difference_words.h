#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plan/plan.h"

namespace gpup {

/// Puts a plan's differences in words. All of them are unescaped.
class DifferenceWords {
 public:
  /// The plan must outlive it.
  explicit DifferenceWords(const Plan& plan);

  /// The index of its host in Plan::hosts.
  std::uint32_t host(const Difference& difference) const;

  /// What it is about: `GPU NVIDIA A2 (4&18416dc3&0&0000)`, `VM vdi-01`.
  std::string subject(const Difference& difference) const;

  /// What is there (`after` false) or wanted: `16 partitions of 896 MiB`, `no partition`, `a partition of NVIDIA A2
  /// (...)`, `Running`, `OfflineAction save`.
  std::string value(const Difference& difference, bool after) const;

  /// The line that wants it: `hci-east.yaml:15`; empty where a default does.
  std::string source(const Difference& difference) const;

 private:
  std::string gpu(std::string_view name, std::uint32_t host) const;
  std::string held(const PlanVm& vm, bool after) const;

  const Plan& plan_;
  std::unordered_map<std::string, std::string_view> models_;  // by host and GPU name without case
};

/// `file:line` of a place in the plan's files; empty where it is unknown.
std::string place_words(const Plan& plan, const Place& place);

}  // namespace gpup
