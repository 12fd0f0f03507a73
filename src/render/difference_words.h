#pragma once

#include <cstddef>
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

  /// `NVIDIA A2 (4&18416dc3&0&0000)`: a GPU of a host, by its name.
  std::string gpu_words(std::string_view name, std::uint32_t host) const;

  // The same, appended.
  void append_subject(std::string& out, const Difference& difference) const;
  void append_value(std::string& out, const Difference& difference, bool after) const;

  /// The line that wants it: `hci-east.yaml:15`; empty where a default does.
  std::string source(const Difference& difference) const;

 private:
  struct GpuKey {
    std::uint32_t host;
    std::string_view name;
    bool operator==(const GpuKey& other) const;
  };
  struct GpuHash {
    std::size_t operator()(const GpuKey& key) const;
  };

  void append_gpu(std::string& out, std::string_view name, std::uint32_t host) const;
  void append_held(std::string& out, const PlanVm& vm, bool after) const;

  const Plan& plan_;
  std::unordered_map<GpuKey, std::string_view, GpuHash> models_;  // names without case
};

/// `file:line` of a place in the plan's files; empty where it is unknown.
std::string place_words(const Plan& plan, const Place& place);
void append_place_words(std::string& out, const Plan& plan, const Place& place);

}  // namespace gpup
