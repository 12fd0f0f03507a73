#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/doctor.h"

namespace gpup {

// The tables of checks, and what their functions are given.

/// What a check found.
struct Found {
  Verdict verdict = Verdict::kPass;
  std::string seen;
  std::string mend = {};
  std::string_view left_out = {};  ///< not checked, and why that is no result; see LeftOut
  bool silent = false;             ///< not checked, and nobody said why
};

inline Found pass(std::string seen) { return {Verdict::kPass, std::move(seen)}; }
inline Found warn(std::string seen, std::string mend) { return {Verdict::kWarn, std::move(seen), std::move(mend)}; }
inline Found broken(std::string seen, std::string mend) { return {Verdict::kFail, std::move(seen), std::move(mend)}; }
/// Of what only WMI tells: the module's objects do not (seen), and gpup asks cmdlets alone.
inline Found told_by_no_cmdlet() { return {Verdict::kNotChecked, {}, {}, "Hyper-V's cmdlets tell nothing of it"}; }
inline Found judged(bool fails, std::string seen, std::string mend) {
  return {fails ? Verdict::kFail : Verdict::kWarn, std::move(seen), std::move(mend)};
}

/// A host that answered.
struct HostAt {
  const DesiredState* desired = nullptr;
  std::uint32_t index = DesiredAssignment::kNoHost;  ///< in DesiredState::hosts
  const Examined* examined = nullptr;
  const HostFacts* facts = nullptr;
  const Release* own = nullptr;      ///< the release that it runs
  const Release* release = nullptr;  ///< the one whose rules hold

  bool wants_cluster() const { return desired != nullptr && desired->cluster.has_value(); }
  /// Not checked, for the reason that the host gave for the first of these members that has one.
  Found not_known(std::initializer_list<std::string_view> members) const;
};

struct GpuAt {
  const HostAt& host;
  const GpuFacts& gpu;
  const DesiredGpu* line = nullptr;  ///< the line of the file that is about it
  bool wanted() const { return line != nullptr; }
};

struct VmAt {
  const HostAt& host;
  const VmFacts& vm;
  const DesiredAssignment* line = nullptr;  ///< the line of the file that lists it
};

/// The hosts of one cluster, or all hosts that are in none.
struct ClusterAt {
  const DesiredState* desired = nullptr;
  std::string name;  ///< empty: no cluster
  std::vector<HostAt> hosts;
  std::vector<std::vector<const DesiredGpu*>> lines;  ///< of each host's GPUs
  std::vector<const Examined*> silent;                ///< did not answer
};

/// `look` gives nothing where the check does not apply.
template <class At>
struct CheckRow {
  Check check;
  std::optional<Found> (*look)(const At& at);
};

std::span<const CheckRow<ClusterAt>> cluster_checks();
std::span<const CheckRow<HostAt>> host_checks();
std::span<const CheckRow<GpuAt>> gpu_checks();
std::span<const CheckRow<VmAt>> vm_checks();

/// A platform rule as a check.
Check check_of(RuleCheck rule, CheckObject object);

/// `PCI\VEN_10DE&...\4&18416DC3&0&0000`: a GPU's name as Plug and Play has it.
std::string instance_id_of(std::string_view gpu_name);

/// `'a', 'b' and 3 more`.
std::string named(const std::vector<std::string>& names, std::size_t most = 10);

}  // namespace gpup
