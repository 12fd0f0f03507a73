#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/doctor_checks.h"

namespace gpup {

namespace {

constexpr std::uint64_t kCheckpointsDisabled = 2;
constexpr std::uint64_t kStopActionSave = 3;
constexpr std::uint64_t kUsualHighMmio = 512ULL * 1024 * 1024;  // of generation 2 (seen)

bool holds(const VmFacts& vm) { return vm.adapters.value_or(0) > 0; }
bool is_running(const VmFacts& vm) { return vm.state == "Running"; }

std::optional<Found> look_state(const VmAt& at) {
  if (at.vm.state.empty()) {
    return at.host.not_known({"vms"});
  }
  if (is_running(at.vm) || at.vm.state == "Off") {
    return pass(at.vm.state);
  }
  // A plan touches it only where something about it must change.
  const bool must_change = at.line != nullptr && at.vm.adapters && *at.vm.adapters != 1;
  return judged(must_change, at.vm.state, "bring it to Running or Off: gpup works with no other state");
}

std::optional<Found> look_generation(const VmAt& at) {
  if (!rule_for(RuleCheck::kGeneration2).applies_to(at.host.release)) {
    return std::nullopt;
  }
  if (!at.vm.generation) {
    return at.host.not_known({"vms"});
  }
  std::string seen = fmt::format("generation {}", *at.vm.generation);
  return *at.vm.generation >= 2 ? pass(std::move(seen)) : broken(std::move(seen), "move it to a VM of generation 2");
}

std::optional<Found> look_one_partition(const VmAt& at) {
  if (!at.vm.adapters) {
    return at.host.not_known({"vms.adapters", "vms"});
  }
  if (*at.vm.adapters > 1) {
    return broken(fmt::format("it holds {} partitions", *at.vm.adapters),
                  at.line != nullptr ? "'gpup apply' leaves it one" : "list it in the file, or take all but one away");
  }
  return pass(*at.vm.adapters == 1 ? "it holds one partition" : "it holds none yet");
}

std::optional<Found> look_stale_adapter(const VmAt& at) {
  constexpr std::string_view kMend =
      "if its start fails with 0x800705AA and it shows no adapter, the record of one is left behind: put the card back"
      " where it was, or make the VM anew from its disks";
  if (at.vm.stale_adapter) {
    return *at.vm.stale_adapter
               ? broken("the record of an adapter on a GPU that is gone is left behind", std::string(kMend))
               : pass("no sign of one");
  }
  if (is_running(at.vm) || holds(at.vm)) {
    return pass(is_running(at.vm) ? "it runs" : "its adapter is visible");
  }
  if (!at.vm.cache_types && !at.vm.high_mmio) {
    return at.host.not_known({"vms"});
  }
  const bool prepared = at.vm.cache_types == true || at.vm.high_mmio.value_or(0) > kUsualHighMmio;
  return prepared ? warn("it is prepared for a GPU and shows no adapter", std::string(kMend)) : pass("no sign of one");
}

std::optional<Found> look_automatic_checkpoints(const VmAt& at) {
  if (!at.vm.automatic_checkpoints) {
    return at.host.not_known({"vms"});
  }
  return *at.vm.automatic_checkpoints
             ? broken("automatic checkpoints are on", "Set-VM -AutomaticCheckpointsEnabled $false, while it is off")
             : pass("off");
}

std::optional<Found> look_checkpoint_type(const VmAt& at) {
  if (!at.vm.checkpoint_type) {
    return at.host.not_known({"vms"});
  }
  return *at.vm.checkpoint_type == kCheckpointsDisabled
             ? pass("disabled")
             : warn("checkpoints may be made, and fail", "Set-VM -CheckpointType Disabled");
}

std::optional<Found> look_checkpoints(const VmAt& at) {
  if (!at.vm.has_checkpoint) {
    return at.host.not_known({"vms"});
  }
  return *at.vm.has_checkpoint ? warn("it has a checkpoint", "remove its checkpoints, which merges their disks")
                               : pass("none");
}

std::optional<Found> look_dynamic_memory(const VmAt& at) {
  if (!at.vm.dynamic_memory) {
    return at.host.not_known({"vms"});
  }
  return *at.vm.dynamic_memory ? broken("dynamic memory is on", "Set-VM -StaticMemory, while it is off") : pass("off");
}

std::optional<Found> look_hibernation(const VmAt& at) {
  if (at.vm.state == "Hibernated") {
    return broken("it is hibernated", "start it, and shut it down: it cannot come back with another partition");
  }
  if (!at.vm.hibernation) {
    return told_by_no_cmdlet();
  }
  return *at.vm.hibernation ? warn("its guest may hibernate", "switch hibernation off: powercfg /hibernate off in it")
                            : pass("off");
}

std::optional<Found> look_stop_action(const VmAt& at) {
  if (!at.vm.automatic_stop_action) {
    return at.host.not_known({"vms"});
  }
  return *at.vm.automatic_stop_action == kStopActionSave
             ? warn("the VM is saved when its host shuts down", "Set-VM -AutomaticStopAction ShutDown, while it is off")
             : pass(*at.vm.automatic_stop_action == 4 ? "it is shut down" : "it is turned off");
}

std::optional<Found> look_shutdown_service(const VmAt& at) {
  if (!at.vm.shutdown_service) {
    return at.host.not_known({"vms.shutdownService", "vms"});
  }
  if (*at.vm.shutdown_service) {
    return pass("enabled");
  }
  const bool needs = at.host.desired != nullptr && at.host.desired->policy.stop.mode == StopMode::kShutdown;
  return judged(needs && at.line != nullptr, "disabled: gpup and the cluster cannot shut the guest down",
                "enable the integration service 'Guest shutdown' of the VM, or choose policy.stop.mode turn-off");
}

std::optional<Found> look_offline_action(const VmAt& at) {
  if (!at.vm.clustered) {
    return std::nullopt;
  }
  if (!at.vm.offline_action) {
    return at.host.not_known({"cluster"});
  }
  const OfflineAction now = *at.vm.offline_action;
  if (now == OfflineAction::kForceShutdown) {
    return pass(std::string(to_string(now)));
  }
  if (at.line == nullptr) {
    return warn(std::string(to_string(now)), "list it in the file, or set OfflineAction 3 of its cluster resource");
  }
  const OfflineAction wanted = at.line->offline_action.value_or(OfflineAction::kForceShutdown);
  return wanted == OfflineAction::kForceShutdown
             ? warn(std::string(to_string(now)), "'gpup apply' sets force-shutdown")
             : warn(fmt::format("{}; the file wants {}", to_string(now), to_string(wanted)),
                    "set 'offlineAction: force-shutdown' in the file");
}

std::optional<Found> look_guest(const VmAt& at) {
  if (at.host.release == nullptr) {
    return std::nullopt;  // no list is known
  }
  if (at.vm.guest_os.empty()) {
    return told_by_no_cmdlet();
  }
  return guest_listed(at.vm.guest_os, *at.host.release)
             ? pass(at.vm.guest_os)
             : warn(fmt::format("{} is not on the list for {}", at.vm.guest_os, at.host.release->name),
                    "use a listed guest, or try it first");
}

constexpr CheckObject kVm = CheckObject::kVm;
constexpr std::string_view kReports = "operators' reports";

const std::array kVmRows = {
    CheckRow<VmAt>{
        {"state", "state", kVm, "the VM is Running or Off", "VM states of the Hyper-V module", Certainty::kSeen},
        look_state},
    CheckRow<VmAt>{check_of(RuleCheck::kGeneration2, kVm), look_generation},
    CheckRow<VmAt>{check_of(RuleCheck::kOnePartition, kVm), look_one_partition},
    CheckRow<VmAt>{
        {"stale-adapter", "stale-adapter", kVm, "no record of an adapter is left from a GPU that was moved or replaced",
         kReports, Certainty::kSeen},
        look_stale_adapter},
    CheckRow<VmAt>{check_of(RuleCheck::kAutomaticCheckpoints, kVm), look_automatic_checkpoints},
    CheckRow<VmAt>{{"checkpoint-type", "checkpoint-type", kVm,
                    "checkpoints of the VM are disabled: with a partition they fail", kReports, Certainty::kSeen},
                   look_checkpoint_type},
    CheckRow<VmAt>{{"checkpoints", "checkpoints", kVm, "the VM has no checkpoints", kReports, Certainty::kSeen},
                   look_checkpoints},
    CheckRow<VmAt>{check_of(RuleCheck::kDynamicMemory, kVm), look_dynamic_memory},
    CheckRow<VmAt>{{"hibernation", "hibernation", kVm, "the VM does not hibernate", kReports, Certainty::kInferred},
                   look_hibernation},
    CheckRow<VmAt>{
        {"stop-action", "stop-action", kVm, "the VM is not saved when its host shuts down (AutomaticStopAction)",
         kReports, Certainty::kInferred},
        look_stop_action},
    CheckRow<VmAt>{{"shutdown-service", "shutdown-service", kVm, "the guest can be shut down (integration service)",
                    "OfflineAction of clustered VMs; Stop-VM", Certainty::kDocumented},
                   look_shutdown_service},
    CheckRow<VmAt>{check_of(RuleCheck::kOfflineAction, kVm), look_offline_action},
    CheckRow<VmAt>{{"guest", "guest", kVm, "the guest is on the release's list for GPU-P",
                    "Partition and share GPUs, supported guest operating systems", Certainty::kDocumented},
                   look_guest},
};

}  // namespace

std::span<const CheckRow<VmAt>> vm_checks() { return kVmRows; }

}  // namespace gpup
