#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "desired/desired_state.h"
#include "observed/observed_state.h"
#include "plan/findings.h"
#include "plan/overrides.h"
#include "plan/plan.h"
#include "plan/scope.h"

namespace gpup {

// The goal: desired made absolute against observed. Passes fill it in turn, each in a file of its own; indexes
// are those of the observed host's tables.

/// What is wanted of an observed GPU.
struct GpuGoal {
  std::uint32_t line = kNone;  ///< the line under `gpus` that manages it: an index into DesiredState::gpus
  std::uint32_t count = 0;     ///< its partition count in the end
  bool changes = false;        ///< the count is another one now
  bool overfull = false;       ///< managed, its count stays, and more adapters name it than it has partitions

  bool managed() const { return line != kNone; }
};

/// What is wanted of an observed VM.
struct VmGoal {
  std::uint32_t line = kNone;      ///< the assignment that lists it: an index into DesiredState::assignments
  std::uint32_t gpu_line = kNone;  ///< the line under `gpus` that its partition comes from
  std::uint32_t kept = kNone;      ///< the adapter that stays although others go: an index into Host::adapters
  std::uint32_t new_gpu = kNone;   ///< as PlanVm::new_gpu, but an index into Host::gpus
  Reason reason = Reason::kText;   ///< why its adapters change, where they do
  bool stays = false;              ///< the scope does not cover it: it is left as it is
  bool adapters_change = false;
  bool blocks = false;  ///< one of its adapters has to go before a count of the host can be set
  bool stops = false;
  bool starts = false;
  bool stays_off = false;                       ///< it is off and owed a start, and is to stay off
  std::optional<OfflineAction> offline_action;  ///< to be set

  bool listed() const { return line != kNone; }
  bool touched() const { return adapters_change || stops || starts || offline_action.has_value(); }
};

struct HostGoal {
  const Host* host = nullptr;
  std::uint32_t desired = kNone;  ///< index into DesiredState::hosts
  std::vector<GpuGoal> gpus;      ///< as Host::gpus
  std::vector<VmGoal> vms;        ///< as Host::vms
  bool one_model = true;          ///< its GPUs that are partitioned or paravirtual are all of one model
  bool managed = false;           ///< it has a managed GPU
  bool counts_change = false;
  bool unusable = false;     ///< a line names a GPU here that cannot be partitioned, which was told
  bool counts_stay = false;  ///< the scope does not cover its counts
  bool left_out = false;     ///< the scope covers nothing of it: only homogeneity looks at it

  /// True where the adapter is on the GPU line `line`, or will be once its VM starts.
  bool fits(const Adapter& adapter, std::uint32_t line) const {
    return adapter.gpu >= 0 ? gpus[static_cast<std::size_t>(adapter.gpu)].line == line
                            : adapter.gpu == Adapter::kUnresolved && one_model;
  }
  /// True where policy.unlisted is about this adapter: it is on a managed GPU, or may be.
  bool on_managed(const Adapter& adapter) const {
    return adapter.gpu >= 0 ? gpus[static_cast<std::size_t>(adapter.gpu)].managed()
                            : adapter.gpu == Adapter::kUnresolved && managed;
  }
  /// True where the adapter has to go before a count of this host can be set.
  bool in_the_way(const Adapter& adapter) const {
    return adapter.gpu >= 0 ? gpus[static_cast<std::size_t>(adapter.gpu)].changes
                            : adapter.gpu == Adapter::kUnresolved && counts_change;
  }
  /// True where the VM (an index into Host::vms) runs in the end.
  bool will_run(std::size_t vm) const {
    return vms[vm].starts || (host->vms[vm].state == VmState::kRunning && !vms[vm].stops);
  }
  /// True where the plan takes this adapter (an index into Host::adapters) away from its VM.
  bool removed(const VmGoal& vm, std::uint32_t adapter) const {
    return vm.adapters_change && adapter != vm.kept && (vm.listed() || on_managed(host->adapters[adapter]));
  }
};

/// What a partition is known to get: read, never computed.
class PartitionSizes {
 public:
  /// Learns from the partitioned GPUs of a host. Where two disagree the smaller size counts.
  void learn(const Host& host);

  /// Bytes that a partition of the GPU gets at a count: its own, where it has the count already, else that of a
  /// GPU of its model and total VRAM that has it; nullopt where none has.
  std::optional<std::uint64_t> of(const Gpu& gpu, std::uint32_t count) const;

 private:
  std::map<std::tuple<std::string_view, std::uint64_t, std::uint32_t>, std::uint64_t> sizes_;
};

struct Goal {
  std::vector<HostGoal> hosts;  ///< those that could be read, in the file's order
  std::vector<NotChecked> not_checked;
  std::vector<std::uint32_t> unchecked;  ///< assignments whose VM, or all of whose VMs, no readable host has
  PartitionSizes sizes;
};

/// Pairs the file's hosts with the observed ones. Nothing is wanted of them yet.
Goal pair_hosts(const DesiredState& desired, const ObservedState& observed);

/// The same; compares the cluster, too.
Goal find_hosts(const DesiredState& desired, const ObservedState& observed, Findings& findings);

/// What the scope covers.
void narrow(const DesiredState& desired, const Scope& scope, Goal& goal, Findings& findings);

/// Which line manages which GPU, and the counts that are wanted.
void find_gpus(const DesiredState& desired, Goal& goal, Findings& findings);

/// Which line lists which VM, and which line under `gpus` its partition comes from.
void find_vms(const DesiredState& desired, Goal& goal, Findings& findings);

/// Marks GPUs whose count stays and that more adapters name than they have partitions: while one is so, setting the
/// count of another could leave the host fuller than it may be.
void find_overfull(HostGoal& on);

/// What happens to each VM: adapters, power, OfflineAction. Finds VMs that cannot be touched.
void decide_vms(const DesiredState& desired, Goal& goal, Findings& findings);

/// Room for every adapter in the end; pins the new ones where a host has several models.
void find_room(const DesiredState& desired, Goal& goal, Findings& findings);

/// Checks minVram against what partitions are known to get.
void check_sizes(const DesiredState& desired, const Goal& goal, Findings& findings);

/// One model, one size, one count on all hosts. Those that the scope leaves as they are count only where the plan sets
/// a count: that it leaves a mixture is its own doing then.
void check_homogeneous(const DesiredState& desired, const Scope& scope, const Goal& goal, Overrides& overrides,
                       Findings& findings);

/// The rows of the platform table, by each host's release.
void check_platform(const DesiredState& desired, const Goal& goal, Overrides& overrides, Findings& findings);

/// The steps of the whole plan, with its tables, differences and facts.
void write_steps(const DesiredState& desired, const Goal& goal, Plan& plan);

/// `a, b and 3 more`: at most `most` of the names, quoted.
std::string some_names(const std::vector<std::string_view>& names, std::size_t most = 10);

}  // namespace gpup
