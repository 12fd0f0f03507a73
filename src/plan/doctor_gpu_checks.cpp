#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/doctor_checks.h"

namespace gpup {

namespace {

// Device Manager's numbers (documented): the ones that a card without partitions mostly has.
struct ProblemRow {
  std::uint64_t number;
  std::string_view words;
  std::string_view mend;
};
constexpr auto kProblems = std::to_array<ProblemRow>({
    {10, "the device cannot start", "install the GPU-P host driver that fits the card and the release, and restart"},
    {12, "it finds not enough free resources", "enable 'Above 4G decoding' and SR-IOV in the firmware"},
    {22, "it is disabled", "enable it: Enable-PnpDevice"},
    {24, "it is not there, or its driver is not whole", "look at the card, and install the GPU-P host driver"},
    {28, "it has no driver", "install the vendor's GPU-P (vGPU) host driver"},
    {31, "its driver could not be loaded", "install the GPU-P host driver that fits the release"},
    {43, "its driver stopped it", "update the GPU-P host driver; look at the card's health"},
    {45, "it is not connected", "look at the card"},
});

std::optional<Found> look_driver(const GpuAt& at) {
  const auto& devices = at.host.facts->devices;
  if (!devices) {
    return at.host.not_known({"pnp"});
  }
  const std::string id = instance_id_of(at.gpu.name);
  const auto device = std::find_if(devices->begin(), devices->end(),
                                   [&](const DeviceFacts& each) { return same_name(each.instance_id, id); });
  if (at.gpu.status == GpuStatus::kReadyForDda) {
    return std::nullopt;  // dismounted: Plug and Play has no driver for it, as it should be
  }
  if (device == devices->end()) {
    return judged(at.wanted(), "Plug and Play does not know it", "look at the card; restart the host");
  }
  const std::string name =
      device->friendly_name.empty() ? std::string("a device without a name") : device->friendly_name;
  if (device->problem.value_or(0) != 0) {
    const auto* const row = std::find_if(kProblems.begin(), kProblems.end(),
                                         [&](const ProblemRow& each) { return each.number == device->problem; });
    const bool known = row != kProblems.end();
    return judged(at.wanted() || at.gpu.status == GpuStatus::kPartitioned,
                  known ? fmt::format("{}: {} (problem {})", name, row->words, *device->problem)
                        : fmt::format("{}: problem {}", name, *device->problem),
                  std::string(known ? row->mend : "look the number up in Device Manager"));
  }
  if (device->present == false) {
    return judged(at.wanted(), fmt::format("{} is not present", name), "look at the card; restart the host");
  }
  if (device->status.empty()) {
    return at.host.not_known({"pnp"});
  }
  return same_name(device->status, "OK") ? pass(fmt::format("{}, status OK", name))
                                         : judged(at.wanted(), fmt::format("{}, status {}", name, device->status),
                                                  "install the vendor's GPU-P (vGPU) host driver");
}

std::optional<Found> look_partitionable(const GpuAt& at) {
  if (!at.gpu.status) {
    return at.host.not_known({"gpus"});
  }
  // Nobody asks for it: no line of the file, where there is a file.
  const bool idle = at.host.desired != nullptr && !at.wanted();
  const auto why = [&](std::string seen, std::string mend) {
    return idle ? pass(seen + "; no line of the file asks for it")
                : judged(at.wanted(), std::move(seen), std::move(mend));
  };
  switch (*at.gpu.status) {
    case GpuStatus::kPartitioned:
      return pass(at.gpu.partition_count ? fmt::format("partition count {}", *at.gpu.partition_count)
                                         : std::string("partitioned"));
    case GpuStatus::kReadyForDda:
      return why("it is dismounted for DDA", "give it back to the host: Mount-VMHostAssignableDevice");
    case GpuStatus::kParavirtualization:
      return why("it is paravirtual: SR-IOV is off, or it is a client's card",
                 "enable virtualization and SR-IOV in the firmware, and install the GPU-P (vGPU) host driver");
    case GpuStatus::kNotAssignable:
      return why("it cannot be partitioned", "install the vendor's GPU-P (vGPU) host driver; enable SR-IOV");
  }
  return std::nullopt;
}

std::optional<Found> look_dda(const GpuAt& at) {
  const auto& assignable = at.host.facts->assignable;
  if (at.gpu.status != GpuStatus::kPartitioned) {
    return std::nullopt;
  }
  if (!assignable) {
    return at.host.not_known({"assignable"});
  }
  const std::string id = instance_id_of(at.gpu.name);
  const bool both =
      std::any_of(assignable->begin(), assignable->end(), [&](const std::string& each) { return same_name(each, id); });
  return both ? broken("it is partitioned, and in the pool of DDA devices as well",
                       "take it out of the pool: Mount-VMHostAssignableDevice, then restart the host")
              : pass("partitioned only");
}

std::optional<Found> look_subsystem(const GpuAt& at) {
  if (!shares_device(at.gpu.device)) {
    return std::nullopt;
  }
  if (at.gpu.subsystem.empty()) {
    return at.host.not_known({"gpus"});
  }
  const std::string_view model = model_by_subsystem(at.gpu.device, at.gpu.subsystem);
  if (model.empty()) {
    return warn(fmt::format("subsystem {} is neither an A2's nor an A16's that is known", at.gpu.subsystem),
                "compare the model with the card's label");
  }
  if (!at.gpu.model.empty() && at.gpu.model != model) {
    return broken(fmt::format("the driver calls it {}, and subsystem {} is {}", at.gpu.model, at.gpu.subsystem, model),
                  "install the driver anew; compare with the card's label");
  }
  return pass(fmt::format("subsystem {} is {}", at.gpu.subsystem, model));
}

std::optional<Found> look_model(const GpuAt& at) {
  const PlatformRule& rule = rule_for(RuleCheck::kModelListed);
  if (at.gpu.status != GpuStatus::kPartitioned || !rule.applies_to(at.host.release)) {
    return std::nullopt;
  }
  if (at.gpu.model.empty()) {
    return at.host.not_known({"pnp", "gpus"});
  }
  const std::string_view release = at.host.release->name;
  switch (support_of(at.gpu.model, at.host.release)) {
    case ModelSupport::kListed:
      return pass(fmt::format("on the list for {}", release));
    case ModelSupport::kOtherList:
      return warn(fmt::format("on the GPU vendor's list for {} only, not on the platform's", release),
                  "ask the platform's vendor before relying on it");
    case ModelSupport::kUnknown:
      return warn(fmt::format("gpup does not know this model on {}", release), "compare with the vendor's list");
    case ModelSupport::kNotListed:
      return judged(at.host.desired == nullptr || at.wanted(), fmt::format("not on the list for {}", release),
                    "use a listed model, or accept it with a reason: policy.override of rule R01");
  }
  return std::nullopt;
}

std::optional<Found> look_live_migration(const GpuAt& at) {
  // Only hosts from build 26100 on tell; before it there is none (R05).
  const bool applies = at.gpu.status == GpuStatus::kPartitioned && at.gpu.incoming_live_migration.has_value() &&
                       (at.host.wants_cluster() || at.host.facts->cluster.has_value());
  if (!applies) {
    return std::nullopt;
  }
  return *at.gpu.incoming_live_migration
             ? pass("VMs can be live migrated to it")
             : warn("VMs cannot be live migrated to it: they are restarted on another node",
                    "NVIDIA vGPU 18 or later in host and guest, and a processor with dirty page tracking in its IOMMU");
}

constexpr CheckObject kGpu = CheckObject::kGpu;
constexpr std::string_view kStatusPage = "Partition and share GPUs, section 'Verify GPU driver'";

const std::array kGpuRows = {
    CheckRow<GpuAt>{{"driver", "driver", kGpu, "Plug and Play has the GPU, with a driver and without a problem",
                     kStatusPage, Certainty::kDocumented},
                    look_driver},
    CheckRow<GpuAt>{
        {"partitionable", "partitionable", kGpu, "the GPU can be partitioned", kStatusPage, Certainty::kDocumented},
        look_partitionable},
    CheckRow<GpuAt>{check_of(RuleCheck::kDdaOrPartition, kGpu), look_dda},
    CheckRow<GpuAt>{
        {"subsystem", "subsystem", kGpu, "the A2 and the A16, which share a device id, are told apart by the subsystem",
         "PCI id list", Certainty::kSeen},
        look_subsystem},
    CheckRow<GpuAt>{check_of(RuleCheck::kModelListed, kGpu), look_model},
    CheckRow<GpuAt>{{"live-migration", "live-migration", kGpu, "VMs with a partition can be live migrated to the GPU",
                     "GPU partitioning (Windows Server 2025), section 'Live migration'", Certainty::kDocumented},
                    look_live_migration},
};

}  // namespace

std::span<const CheckRow<GpuAt>> gpu_checks() { return kGpuRows; }

}  // namespace gpup
