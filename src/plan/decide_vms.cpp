#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "plan/goal.h"
#include "plan/mutant.h"

namespace gpup {

namespace {

// Decides for the VMs of one host.
class HostVms {
 public:
  HostVms(const DesiredState& desired, HostGoal& on, Findings& findings)
      : desired_(desired), on_(on), findings_(findings), load_(on.gpus.size(), 0) {}

  void decide() {
    find_overfull(on_);
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const Vm& vm = on_.host->vms[v];
      if (on_.vms[v].stays) {
        leave(vm, on_.vms[v]);
      } else if (!on_.vms[v].listed()) {
        decide_unlisted(vm, on_.vms[v]);
      } else if (on_.vms[v].gpu_line != kNone) {
        decide_listed(vm, on_.vms[v]);
      }
    }
    choose_kept();
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      if (!on_.vms[v].stays && (!on_.vms[v].listed() || on_.vms[v].gpu_line != kNone)) {
        finish(on_.host->vms[v], on_.vms[v]);
      }
    }
    move_owed();
    tell_unlisted();
  }

 private:
  About about(const Vm& vm) const { return {on_.host->name, "vm", vm.name}; }
  const DesiredAssignment& line(const VmGoal& goal) const { return desired_.assignments[goal.line]; }
  Place place(const VmGoal& goal) const { return goal.listed() ? line(goal).place : desired_.policy.unlisted_place; }
  bool on_overfull(const Adapter& adapter) const {
    return on_.counts_change && adapter.gpu >= 0 && on_.gpus[static_cast<std::size_t>(adapter.gpu)].overfull;
  }

  // The scope does not cover it.
  void leave(const Vm& vm, const VmGoal& goal) {
    const auto adapters = on_.host->adapters_of(vm);
    if (std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& a) { return on_.in_the_way(a); })) {
      findings_.error(Code::kLeftOutInTheWay, goal.listed() ? line(goal).place : Place{}, about(vm),
                      fmt::format("VM '{}' on {} is left out by --target or --exclude and holds a partition of a GPU "
                                  "whose count would change",
                                  vm.name, on_.host->name),
                      "let the plan cover it, or leave the host's counts out as well");
    }
    count_load(vm, goal);
  }

  void decide_listed(const Vm& vm, VmGoal& goal) {
    const auto adapters = on_.host->adapters_of(vm);
    const bool one_fits = adapters.size() == 1 && on_.fits(adapters.front(), goal.gpu_line);
    if (one_fits && (GPUP_MUTANT(24) || !on_.in_the_way(adapters.front()))) {
      count_load(vm, goal);
      return;
    }
    goal.adapters_change = true;
    goal.reason = adapters.empty()      ? Reason::kHoldsNone
                  : adapters.size() > 1 ? Reason::kHoldsSeveral
                  : one_fits            ? Reason::kCountChanges
                                        : Reason::kDoesNotFit;
    goal.blocks = std::any_of(adapters.begin(), adapters.end(),
                              [&](const Adapter& a) { return on_.in_the_way(a) || on_overfull(a); });
    goal.new_gpu = PlanVm::kHostChooses;
  }

  void decide_unlisted(const Vm& vm, VmGoal& goal) {
    const auto adapters = on_.host->adapters_of(vm);
    const bool on_managed =
        std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& a) { return on_.on_managed(a); });
    if (on_managed) {
      switch (GPUP_MUTANT(9) ? Unlisted::kKeep : desired_.policy.unlisted) {
        case Unlisted::kUnassign:
          goal.adapters_change = true;
          goal.reason = Reason::kNotListed;
          goal.blocks = std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& a) {
            return on_.on_managed(a) && (on_.in_the_way(a) || on_overfull(a));
          });
          break;
        case Unlisted::kKeep:
          if (!GPUP_MUTANT(23) &&
              std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& a) { return on_.in_the_way(a); })) {
            findings_.error(Code::kUnlistedInTheWay, desired_.policy.unlisted_place, about(vm),
                            fmt::format("VM '{}' on {} is not in the file and holds a partition of a GPU whose count "
                                        "would change",
                                        vm.name, on_.host->name),
                            "list it, or take its partition away, or leave the count as it is");
          }
          break;
        case Unlisted::kRefuse:
          findings_.error(
              Code::kUnlistedRefused, desired_.policy.unlisted_place, about(vm),
              fmt::format("VM '{}' on {} holds a partition and is not in the file", vm.name, on_.host->name),
              "list it under assignments, or choose another policy.unlisted");
          break;
      }
    }
    count_load(vm, goal);
  }

  // Adapters that stay are a load of their GPU.
  void count_load(const Vm& vm, const VmGoal& goal) { count(vm, goal, load_); }
  void count(const Vm& vm, const VmGoal& goal, std::vector<std::uint32_t>& load) const {
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      const Adapter& adapter = on_.host->adapters[a];
      if (adapter.gpu >= 0 && !on_.removed(goal, a)) {
        ++load[static_cast<std::size_t>(adapter.gpu)];
      }
    }
  }

  // Of several adapters of a VM that is off, one that fits stays.
  void choose_kept() {
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      VmGoal& goal = on_.vms[v];
      if (!goal.listed() || !goal.adapters_change || goal.reason != Reason::kHoldsSeveral) {
        continue;
      }
      const Vm& vm = on_.host->vms[v];
      // What a VM keeps over a stop may be forgotten meanwhile and come back on another GPU, or stand in the way of a
      // count (inferred), so it gets a new one. Only where that could not be pinned does one stay.
      const bool must_keep = vm.clustered && !on_.one_model;
      if ((goal.blocks || vm.state == VmState::kRunning) && !must_keep) {
        continue;
      }
      goal.kept = best_kept(vm, goal, must_keep);
      if (goal.kept != kNone) {
        goal.new_gpu = kNone;
        const Adapter& kept = on_.host->adapters[goal.kept];
        if (kept.gpu >= 0) {
          ++load_[static_cast<std::size_t>(kept.gpu)];
        }
      }
    }
  }

  std::uint32_t best_kept(const Vm& vm, const VmGoal& goal, bool must_keep) const {
    std::uint32_t unresolved = kNone;
    std::uint32_t full = kNone;
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      const Adapter& adapter = on_.host->adapters[a];
      if (!on_.fits(adapter, goal.gpu_line) || on_.in_the_way(adapter)) {
        continue;
      }
      if (adapter.gpu < 0) {
        unresolved = unresolved == kNone ? a : unresolved;
      } else if (load_[static_cast<std::size_t>(adapter.gpu)] < on_.gpus[static_cast<std::size_t>(adapter.gpu)].count) {
        return a;
      } else {
        full = full == kNone ? a : full;
      }
    }
    return unresolved != kNone ? unresolved : must_keep ? full : kNone;
  }

  void finish(const Vm& vm, VmGoal& goal) {
    const Power power = goal.listed() ? line(goal).power : Power::kKeep;
    if (goal.listed()) {
      want_offline_action(vm, goal);
    }
    const bool runs = vm.state == VmState::kRunning;
    goal.stops = runs && (goal.adapters_change || power == Power::kOff || (GPUP_MUTANT(15) && goal.offline_action));
    goal.starts = (goal.stops && power != Power::kOff && !GPUP_MUTANT(16)) ||
                  (vm.state == VmState::kOff && (power == Power::kRunning || (power == Power::kKeep && vm.start_owed)));
    goal.stays_off = vm.state == VmState::kOff && vm.start_owed && power == Power::kOff;
    if (vm.state == VmState::kOff && vm.start_owed && power != Power::kOff) {
      findings_.warn(Code::kStartOwed, place(goal), about(vm),
                     fmt::format("VM '{}' on {} is off and owed a start: a run stopped it and has not started it again",
                                 vm.name, on_.host->name),
                     "'gpup restore-power -f FILE' starts it and does nothing else; 'gpup apply' starts it, too");
    }
    if (vm.state == VmState::kOther && !GPUP_MUTANT(17) && (goal.touched() || power != Power::kKeep)) {
      findings_.error(Code::kVmState, place(goal), about(vm),
                      fmt::format("VM '{}' on {} is {}: only VMs that are Running or Off can be changed", vm.name,
                                  on_.host->name, vm.state_name),
                      fmt::format("{}; look at it and bring it to Running or Off first",
                                  goal.adapters_change  ? "its adapters would have to change"
                                  : goal.offline_action ? "its OfflineAction would have to change"
                                                        : "the file says what its power is to be"));
    }
    if (goal.adapters_change && goal.listed() && vm.clustered && !on_.one_model) {
      if (goal.kept == kNone && !GPUP_MUTANT(22)) {
        findings_.error(Code::kPinClustered, place(goal), about(vm),
                        fmt::format("VM '{}' on {} is clustered and the host has GPUs of several models: its partition "
                                    "would have to be pinned to a GPU of this host, which fails over nowhere",
                                    vm.name, on_.host->name));
      } else if (goal.blocks && goal.stops && !goal.starts) {
        findings_.error(Code::kPinClustered, place(goal), about(vm),
                        fmt::format("VM '{}' on {} is clustered and the host has GPUs of several models: the partition "
                                    "that it keeps may lose its GPU while the VM is off and a count is set",
                                    vm.name, on_.host->name),
                        "leave it running for this change");
      }
    }
    tell_kept(vm, goal);
  }

  // What a VM keeps while it is off may lose its GPU (inferred), and the host then chooses one anew. Where that
  // matters nobody can order the steps around it.
  void tell_kept(const Vm& vm, const VmGoal& goal) {
    if (!goal.stops || on_.one_model || goal.new_gpu != kNone || !keeps_one(vm, goal)) {
      return;
    }
    if (goal.blocks && !goal.listed()) {
      findings_.error(Code::kUnlistedInTheWay, desired_.policy.unlisted_place, about(vm),
                      fmt::format("VM '{}' on {} is not in the file, holds a partition of a GPU whose count would "
                                  "change, and keeps another one, which may come back on that GPU while counts are set",
                                  vm.name, on_.host->name),
                      "shut it down first, and what it still has then is kept; or leave the count as it is");
    } else if (goal.starts || vm.clustered) {
      findings_.warn(Code::kKeptMayMove, place(goal), about(vm),
                     fmt::format("VM '{}' on {} keeps a partition while it is off: on a host that forgets the GPU of "
                                 "such a partition {}",
                                 vm.name, on_.host->name,
                                 goal.starts ? "it may come back on a GPU of another model"
                                             : "it has none until the VM runs, on a GPU of any model"),
                     "look at 'gpup drift' afterwards");
    }
  }
  bool keeps_one(const Vm& vm, const VmGoal& goal) const {
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      if (on_.host->adapters[a].gpu >= 0 && !on_.removed(goal, a)) {
        return true;
      }
    }
    return false;
  }

  // Where the host chooses GPUs, others may run in the place that a VM had before a run stopped it. Its start is owed
  // all the same, so it gets a new partition.
  void move_owed() {
    if (!on_.one_model) {
      return;
    }
    std::vector<std::size_t> owed;
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const VmGoal& goal = on_.vms[v];
      if (on_.host->vms[v].start_owed && on_.host->vms[v].state == VmState::kOff && goal.starts &&
          goal.gpu_line != kNone && !goal.adapters_change) {
        owed.push_back(v);
      }
    }
    if (owed.empty()) {
      return;
    }
    std::vector<std::uint32_t> running(on_.gpus.size(), 0);
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      if (on_.will_run(v) && !std::binary_search(owed.begin(), owed.end(), v)) {
        count(on_.host->vms[v], on_.vms[v], running);
      }
    }
    for (const std::size_t v : owed) {
      VmGoal& goal = on_.vms[v];
      const Adapter& adapter = on_.host->adapters_of(on_.host->vms[v]).front();  // it holds one, which fits
      if (adapter.gpu < 0) {
        continue;
      }
      const auto g = static_cast<std::size_t>(adapter.gpu);
      if (running[g] < on_.gpus[g].count) {
        ++running[g];
        continue;
      }
      goal.adapters_change = true;
      goal.reason = Reason::kPlaceTaken;
      goal.blocks = on_overfull(adapter);
      goal.new_gpu = PlanVm::kHostChooses;
    }
  }

  void want_offline_action(const Vm& vm, VmGoal& goal) {
    const DesiredAssignment& wish = line(goal);
    if (!vm.clustered) {
      if (wish.offline_action && wish.match.empty()) {
        findings_.error(
            Code::kOfflineActionNotClustered, wish.at(wish.offline_action_at), about(vm),
            fmt::format("VM '{}' on {} is not clustered, so it has no OfflineAction", vm.name, on_.host->name),
            "remove 'offlineAction' from this line");
      }
      return;
    }
    const OfflineAction wanted = wish.offline_action.value_or(OfflineAction::kForceShutdown);
    if (wanted != OfflineAction::kUnmanaged && vm.offline_action != wanted && !GPUP_MUTANT(20)) {
      goal.offline_action = wanted;
    }
  }

  void tell_unlisted() {
    std::vector<std::string_view> names;
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      if (on_.vms[v].stops && !on_.vms[v].listed()) {
        names.push_back(on_.host->vms[v].name);
      }
    }
    if (!names.empty()) {
      findings_.warn(
          Code::kUnlistedStopped, desired_.policy.unlisted_place,
          {on_.host->name, "vm", names.size() == 1 ? names.front() : std::string_view()},
          fmt::format("{} VM{} on {} {} not in the file and will be stopped to take {} partition away: {}",
                      names.size(), names.size() == 1 ? "" : "s", on_.host->name, names.size() == 1 ? "is" : "are",
                      names.size() == 1 ? "its" : "their", some_names(names)),
          "policy.unlisted is unassign; list them, or choose keep or refuse");
    }
  }

  const DesiredState& desired_;
  HostGoal& on_;
  Findings& findings_;
  std::vector<std::uint32_t> load_;  // by GPU: adapters that stay
};

}  // namespace

void find_overfull(HostGoal& on) {
  std::vector<std::uint32_t> named(on.gpus.size(), 0);
  for (const Adapter& adapter : on.host->adapters) {
    if (adapter.gpu >= 0) {
      ++named[static_cast<std::size_t>(adapter.gpu)];
    }
  }
  for (std::size_t g = 0; g < on.gpus.size(); ++g) {
    on.gpus[g].overfull = on.gpus[g].managed() && !on.gpus[g].changes && named[g] > on.gpus[g].count;
  }
}

void decide_vms(const DesiredState& desired, Goal& goal, Findings& findings) {
  for (HostGoal& host : goal.hosts) {
    HostVms(desired, host, findings).decide();
  }
}

}  // namespace gpup
