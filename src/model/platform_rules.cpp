#include "model/platform_rules.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace gpup {

namespace {

constexpr std::string_view kHci22h2 = "azure-stack-hci-22h2";
constexpr std::string_view kLocal23h2 = "azure-local-23h2";
constexpr std::string_view kLocal24h2 = "azure-local-24h2";
constexpr std::string_view kServer2025Standard = "windows-server-2025-standard";
constexpr std::string_view kServer2025Datacenter = "windows-server-2025-datacenter";
constexpr std::string_view kServer2022 = "windows-server-2022";

constexpr auto kReleases = std::to_array<Release>({
    {kHci22h2, "Azure Stack HCI 22H2", 20349, std::nullopt},
    {kLocal23h2, "Azure Local 23H2", 25398, std::nullopt},
    {kLocal24h2, "Azure Local 24H2", 26100, Edition::kAzureStackHci},
    {kServer2025Standard, "Windows Server 2025 Standard", 26100, Edition::kStandard},
    {kServer2025Datacenter, "Windows Server 2025 Datacenter", 26100, Edition::kDatacenter},
    {kServer2022, "Windows Server 2022", 20348, std::nullopt},
});

constexpr ModelSupport kYes = ModelSupport::kListed;
constexpr ModelSupport kVendor = ModelSupport::kOtherList;
constexpr ModelSupport kNo = ModelSupport::kNotListed;

// The platform's list of GPUs for GPU-P by release (documented); kVendor where only NVIDIA's vGPU list names the
// model for that release (documented by NVIDIA). Windows Server 2022 has no such list.
struct ModelRow {
  std::string_view model;
  ModelSupport hci22h2;
  ModelSupport local23h2;
  ModelSupport local24h2;
  ModelSupport server2025;
};
constexpr auto kModels = std::to_array<ModelRow>({
    {"NVIDIA A2", kYes, kYes, kYes, kYes},
    {"NVIDIA A10", kYes, kYes, kYes, kYes},
    {"NVIDIA A16", kYes, kYes, kYes, kYes},
    {"NVIDIA A40", kYes, kYes, kYes, kYes},
    {"NVIDIA L2", kNo, kNo, kNo, kYes},
    {"NVIDIA L4", kVendor, kYes, kYes, kYes},
    {"NVIDIA L40", kVendor, kYes, kYes, kYes},
    {"NVIDIA L40S", kVendor, kYes, kYes, kYes},
    {"NVIDIA L40G", kNo, kNo, kNo, kNo},
    {"NVIDIA L20", kVendor, kVendor, kVendor, kVendor},
    {"NVIDIA RTX PRO 6000 Blackwell Server Edition", kNo, kNo, kYes, kNo},
    {"NVIDIA H100", kNo, kNo, kYes, kNo},
    {"NVIDIA T4", kNo, kNo, kNo, kNo},  // assigned whole (DDA) only
});

// The A2 and the A16 share a device id (documented); the subsystems were seen.
struct SubsystemRow {
  std::string_view device;
  std::string_view subsystem;
  std::string_view model;
};
constexpr auto kSubsystems = std::to_array<SubsystemRow>({
    {"10de:25b6", "157e10de", "NVIDIA A2"},
    {"10de:25b6", "14a910de", "NVIDIA A16"},
});

// Guests that hold partitions (documented). From 26100 on the pages say "and later" of Windows.
constexpr auto kGuests = std::to_array<std::string_view>(
    {"Windows 10", "Windows 11", "Windows Server 2019", "Windows Server 2022", "Ubuntu 18.04", "Ubuntu 20.04"});
constexpr auto kGuests24h2 = std::to_array<std::string_view>({"Windows Server 2025", "Ubuntu 22.04"});
constexpr std::uint32_t kBuild24h2 = 26100;

constexpr std::string_view kPartitionPage =
    "Partition and share GPUs with virtual machines (Azure Stack HCI 22H2), section 'GPU partitioning caveats'";
constexpr std::string_view kAdmin = "Partition and share GPUs, section 'Assign GPU partition to a VM'";
constexpr std::string_view kServerPage = "GPU partitioning (Windows Server 2025), section 'Requirements'";

constexpr std::array<std::string_view, 4> kGeneration2Releases = {kLocal23h2, kLocal24h2, kServer2025Standard,
                                                                  kServer2025Datacenter};
constexpr std::array<std::string_view, 1> kServer2025StandardOnly = {kServer2025Standard};
constexpr std::array<std::string_view, 3> kNoLiveMigration = {kHci22h2, kLocal23h2, kServer2022};
constexpr std::array<std::string_view, 1> kServer2022Only = {kServer2022};
constexpr std::array<std::string_view, 5> kWithModelList = {kHci22h2, kLocal23h2, kLocal24h2, kServer2025Standard,
                                                            kServer2025Datacenter};

constexpr auto kRules = std::to_array<PlatformRule>({
    {"R01", RuleCheck::kModelListed, kWithModelList, true, true, "the GPU model is on the release's list for GPU-P",
     "Partition and share GPUs, note on supported GPUs; Azure Local system requirements", Certainty::kDocumented},
    {"R02",
     RuleCheck::kOnePartition,
     {},
     true,
     false,
     "a VM holds one partition",
     kPartitionPage,
     Certainty::kDocumented},
    {"R03", RuleCheck::kGeneration2, kGeneration2Releases, true, true, "a VM that holds a partition is of generation 2",
     "Manage GPUs using partitioning (Azure Local), prerequisites", Certainty::kDocumented},
    {"R04", RuleCheck::kClusterEdition, kServer2025StandardOnly, true, true,
     "GPU-P in a failover cluster needs the Datacenter edition of Windows Server 2025", kServerPage,
     Certainty::kDocumented},
    {"R05", RuleCheck::kNothing, kNoLiveMigration, false, false,
     "a VM that holds a partition cannot be live migrated; it is restarted on another node", kPartitionPage,
     Certainty::kDocumented},
    {"R06",
     RuleCheck::kDdaOrPartition,
     {},
     true,
     false,
     "a GPU is given away whole (DDA) or partitioned, never both",
     kPartitionPage,
     Certainty::kDocumented},
    {"R07",
     RuleCheck::kHomogeneous,
     {},
     true,
     true,
     "the GPUs of a cluster are of one model and size and have one partition count",
     kPartitionPage,
     Certainty::kDocumented},
    {"R08",
     RuleCheck::kOfflineAction,
     {},
     false,
     false,
     "a highly available VM that holds a partition has OfflineAction force-shutdown",
     kAdmin,
     Certainty::kDocumented},
    {"R09",
     RuleCheck::kAutomaticCheckpoints,
     {},
     true,
     true,
     "a VM that holds a partition has no automatic checkpoints: its start fails",
     "operators' reports",
     Certainty::kSeen},
    {"R10",
     RuleCheck::kDynamicMemory,
     {},
     true,
     true,
     "a VM that holds a partition has no dynamic memory",
     "operators' reports",
     Certainty::kSeen},
    {"R11", RuleCheck::kReleaseSupported, kServer2022Only, false, false,
     "Windows Server 2022 is not supported for GPU-P", kServerPage, Certainty::kDocumented},
});

}  // namespace

std::string_view to_string(Certainty certainty) {
  switch (certainty) {
    case Certainty::kDocumented:
      return "documented";
    case Certainty::kSeen:
      return "seen";
    case Certainty::kInferred:
      return "inferred";
  }
  assert(false);
  return "";
}

std::span<const Release> releases() { return kReleases; }

const Release* find_release(std::string_view id) {
  const auto* const found =
      std::find_if(kReleases.begin(), kReleases.end(), [&](const Release& r) { return r.id == id; });
  return found == kReleases.end() ? nullptr : found;
}

const Release* release_of(std::optional<std::uint32_t> build, std::optional<Edition> edition) {
  const auto* const found = std::find_if(kReleases.begin(), kReleases.end(), [&](const Release& r) {
    return build == r.build && (!r.edition || r.edition == edition);
  });
  return found == kReleases.end() ? nullptr : found;
}

ModelSupport support_of(std::string_view model, const Release* release) {
  const auto* const row =
      std::find_if(kModels.begin(), kModels.end(), [&](const ModelRow& m) { return m.model == model; });
  if (row == kModels.end() || release == nullptr) {
    return ModelSupport::kUnknown;
  }
  if (release->id == kHci22h2) {
    return row->hci22h2;
  }
  if (release->id == kLocal23h2) {
    return row->local23h2;
  }
  if (release->id == kLocal24h2) {
    return row->local24h2;
  }
  return release->id == kServer2022 ? ModelSupport::kUnknown : row->server2025;
}

std::string_view model_by_subsystem(std::string_view device, std::string_view subsystem) {
  const auto* const row = std::find_if(kSubsystems.begin(), kSubsystems.end(), [&](const SubsystemRow& r) {
    return r.device == device && r.subsystem == subsystem;
  });
  return row == kSubsystems.end() ? std::string_view() : row->model;
}

bool shares_device(std::string_view device) {
  return std::any_of(kSubsystems.begin(), kSubsystems.end(), [&](const SubsystemRow& r) { return r.device == device; });
}

bool guest_listed(std::string_view guest_os, const Release& release) {
  const auto has = [guest_os](std::string_view name) { return guest_os.find(name) != std::string_view::npos; };
  return std::any_of(kGuests.begin(), kGuests.end(), has) ||
         (release.build >= kBuild24h2 && std::any_of(kGuests24h2.begin(), kGuests24h2.end(), has));
}

bool PlatformRule::applies_to(const Release* release) const {
  return releases.empty() ||
         (release != nullptr && std::find(releases.begin(), releases.end(), release->id) != releases.end());
}

std::span<const PlatformRule> platform_rules() { return kRules; }

const PlatformRule* find_rule(std::string_view id) {
  const auto* const found =
      std::find_if(kRules.begin(), kRules.end(), [&](const PlatformRule& r) { return r.id == id; });
  return found == kRules.end() ? nullptr : found;
}

const PlatformRule& rule_for(RuleCheck check) {
  const auto* const found =
      std::find_if(kRules.begin(), kRules.end(), [&](const PlatformRule& r) { return r.check == check; });
  assert(found != kRules.end());
  return *found;
}

}  // namespace gpup
