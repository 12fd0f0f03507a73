#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "plan/doctor_checks.h"

namespace gpup {

namespace {

using std::chrono::milliseconds;

/// Nobody notices less; logs are hard to put together beyond it.
constexpr milliseconds kSmallSkew = std::chrono::minutes(1);
/// Kerberos refuses a login beyond it, unless a policy says otherwise (documented).
constexpr milliseconds kLargeSkew = std::chrono::minutes(5);

constexpr std::string_view kReleasesPage = "Partition and share GPUs with virtual machines, prerequisites";
constexpr std::string_view kModulePage = "Hyper-V module for Windows PowerShell";
constexpr std::string_view kAgent = "what gpup's agent calls ('gpup agent')";
constexpr std::string_view kSeen = "operators' reports";

std::string build_words(const HostFacts& facts) {
  return facts.revision ? fmt::format("build {}.{}", *facts.build, *facts.revision)
                        : fmt::format("build {}", *facts.build);
}

std::optional<Found> look_release(const HostAt& at) {
  const HostFacts& facts = *at.facts;
  if (!facts.build) {
    return at.not_known({"host.build"});
  }
  if (at.own == nullptr) {
    const bool other_editions = std::any_of(releases().begin(), releases().end(),
                                            [&](const Release& release) { return release.build == facts.build; });
    if (other_editions && !facts.edition) {
      return at.not_known({"host.edition"});
    }
    return warn(fmt::format("{} is no release that gpup knows{}", build_words(facts),
                            facts.product.empty() ? std::string() : fmt::format(" ({})", facts.product)),
                "its rules are not checked: compare with the vendor's list of supported releases");
  }
  std::string seen = fmt::format("{} ({})", at.own->name, build_words(facts));
  if (at.release != at.own) {
    return warn(seen + fmt::format(", and the file says platform {}", at.desired->platform),
                "set 'platform: auto', or the release that the host runs");
  }
  return pass(std::move(seen));
}

std::optional<Found> look_supported(const HostAt& at) {
  if (!rule_for(RuleCheck::kReleaseSupported).applies_to(at.release)) {
    return std::nullopt;
  }
  return warn(std::string(at.release->name), "move to Azure Local or to Windows Server 2025");
}

std::optional<Found> look_cluster_edition(const HostAt& at) {
  if (!at.wants_cluster() && !at.facts->cluster) {
    return std::nullopt;
  }
  if (rule_for(RuleCheck::kClusterEdition).applies_to(at.release)) {
    return broken(fmt::format("{} in a failover cluster", at.release->name), "install the Datacenter edition");
  }
  return at.release == nullptr ? std::nullopt : std::optional(pass(std::string(at.release->name)));
}

std::optional<Found> look_elevated(const HostAt& at) {
  if (!at.facts->elevated) {
    return at.not_known({"host.elevated"});
  }
  return *at.facts->elevated ? pass("the session is elevated")
                             : broken("the session is not elevated",
                                      "log in as an administrator of the host; locally, start gpup elevated");
}

std::optional<Found> look_modules(const HostAt& at) {
  const auto& modules = at.facts->modules;
  if (modules.empty()) {
    return at.not_known({"host.modules"});
  }
  std::vector<std::string> there;
  std::vector<std::string> missing;
  bool fails = false;
  for (const auto& [name, version] : modules) {
    if (!version.empty()) {
      there.push_back(fmt::format("{} {}", name, version));
    } else if (name != "FailoverClusters" || at.wants_cluster()) {
      missing.push_back(name);
      fails = fails || name != "PnpDevice";
    }
  }
  if (missing.empty()) {
    return pass(fmt::format("{}", fmt::join(there, ", ")));
  }
  return judged(fails, fmt::format("the host lacks {}", named(missing)),
                "install the Windows feature that brings it: Install-WindowsFeature Hyper-V-PowerShell,"
                " RSAT-Clustering-PowerShell");
}

/// The name that older or newer builds have for the same cmdlet; empty where there is none.
std::string twin_of(std::string_view cmdlet) {
  constexpr std::string_view kNew = "VMHostPartitionableGpu";
  constexpr std::string_view kOld = "VMPartitionableGpu";
  for (const auto& [from, to] : {std::pair(kNew, kOld), std::pair(kOld, kNew)}) {
    if (cmdlet.ends_with(from)) {
      return std::string(cmdlet.substr(0, cmdlet.size() - from.size())).append(to);
    }
  }
  return {};
}

std::optional<Found> look_cmdlets(const HostAt& at) {
  const auto& cmdlets = at.facts->cmdlets;
  if (cmdlets.empty()) {
    return at.not_known({"host.cmdlets"});
  }
  std::vector<std::string> missing;
  bool fails = false;
  for (const auto& [name, there] : cmdlets) {
    const auto twin = cmdlets.find(twin_of(name));
    const bool needless = name.starts_with("FailoverClusters\\") && !at.wants_cluster() && !at.facts->cluster;
    if (!there && !needless && (twin == cmdlets.end() || !twin->second)) {
      missing.push_back(name);
      fails = fails || !name.starts_with("PnpDevice\\");
    }
  }
  if (missing.empty()) {
    return pass("all that gpup calls are there");
  }
  return judged(fails, fmt::format("the host lacks {}", named(missing, 4)),
                "install the modules that bring them, or update the host");
}

std::optional<Found> look_virtualization(const HostAt& at) {
  if (!at.facts->virtualization) {
    return at.not_known({"host.virtualization"});
  }
  return *at.facts->virtualization
             ? pass("Hyper-V answers")
             : broken("Hyper-V does not run",
                      "enable virtualization (VT-x or AMD-V) in the firmware and the Hyper-V role");
}

std::optional<Found> look_sr_iov(const HostAt& at) {
  if (!at.facts->sr_iov) {
    return at.not_known({"host.iovSupport"});
  }
  if (*at.facts->sr_iov) {
    return pass("the host supports SR-IOV");
  }
  constexpr std::size_t kMostReasons = 4;
  const auto& reasons = at.facts->sr_iov_reasons;
  const auto end = reasons.begin() + static_cast<std::ptrdiff_t>(std::min(reasons.size(), kMostReasons));
  const auto& gpus = at.facts->gpus;
  const bool works = gpus && std::any_of(gpus->begin(), gpus->end(),
                                         [](const GpuFacts& gpu) { return gpu.status == GpuStatus::kPartitioned; });
  // A partitioned GPU is proof: then the host's word is about its network cards.
  return judged(!works,
                reasons.empty() ? std::string("the host gives no reason")
                                : fmt::format("the host says: {}", fmt::join(reasons.begin(), end, " ")),
                "enable SR-IOV and the IOMMU (VT-d or AMD-Vi) in the firmware, and update it");
}

std::optional<Found> look_device_policy(const HostAt& at) {
  struct Policy {
    std::string_view name;
    std::string_view member;
    const std::optional<std::uint64_t>& value;
  };
  const Policy policies[] = {
      {"RequireSecureDeviceAssignment", "host.requireSecureDeviceAssignment", at.facts->require_secure_assignment},
      {"RequireSupportedDeviceAssignment", "host.requireSupportedDeviceAssignment",
       at.facts->require_supported_assignment}};
  std::vector<std::string> set;
  for (const Policy& policy : policies) {
    if (!policy.value || at.facts->errors.contains(policy.member)) {
      return at.not_known({policy.member});
    }
    if (*policy.value != 0) {
      set.push_back(fmt::format("{} = {}", policy.name, *policy.value));
    }
  }
  if (set.empty()) {
    return pass("not set");
  }
  return warn(fmt::format("{}", fmt::join(set, ", ")),
              "VMs with a GPU that is not on the host's list do not start: clear the policy under"
              " HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\HyperV, or try one VM first");
}

std::optional<Found> look_other_writers(const HostAt& at) {
  if (!at.facts->arc_managed) {
    return at.not_known({"host.arcManaged"});
  }
  return *at.facts->arc_managed
             ? warn("the host is managed through Azure Arc",
                    "let only one of gpup and the Azure portal set partitions: what one sets is drift to the other")
             : pass("not managed through Azure Arc");
}

/// `2 min 5 s`
std::string span_words(milliseconds span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  return seconds < 120 ? fmt::format("{}.{} s", seconds, span.count() % 1000 / 100)
                       : fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

std::optional<Found> look_clock(const HostAt& at) {
  if (!at.facts->clock) {
    return at.not_known({"host.clock"});
  }
  // The host looked at its clock somewhere between the question and the answer.
  const ClockTime clock = *at.facts->clock;
  const milliseconds ahead = std::max(clock - at.examined->answered, milliseconds(0));
  const milliseconds behind = std::max(at.examined->asked - clock, milliseconds(0));
  const milliseconds skew = std::max(ahead, behind);
  if (skew < kSmallSkew) {
    return pass(skew == milliseconds(0) ? std::string("as this machine's") : fmt::format("{} off", span_words(skew)));
  }
  return judged(skew > kLargeSkew,
                fmt::format("{} {} this machine's", span_words(skew), ahead > behind ? "ahead of" : "behind"),
                "set the host's clock or this machine's (w32tm /resync): Kerberos refuses logins beyond 5 minutes");
}

std::optional<Found> look_gpus(const HostAt& at) {
  if (!at.facts->gpus) {
    return at.not_known({"gpus"});
  }
  const auto& gpus = *at.facts->gpus;
  const auto count = std::count_if(gpus.begin(), gpus.end(),
                                   [](const GpuFacts& gpu) { return gpu.status == GpuStatus::kPartitioned; });
  if (count > 0) {
    return pass(fmt::format("{} can be partitioned", count));
  }
  const auto wants = [&](const DesiredGpu& line) {
    return line.hosts.empty() || std::find(line.hosts.begin(), line.hosts.end(), at.index) != line.hosts.end();
  };
  const bool wanted = at.desired != nullptr && std::any_of(at.desired->gpus.begin(), at.desired->gpus.end(), wants);
  return judged(wanted, "none can be partitioned",
                "install the vendor's GPU-P (vGPU) host driver, and look at the checks of its GPUs");
}

std::optional<Found> look_vms(const HostAt& at) {
  if (!at.facts->vms) {
    return at.not_known({"vms"});
  }
  if (at.facts->errors.contains("vms.adapters")) {
    return at.not_known({"vms.adapters"});
  }
  const auto& vms = *at.facts->vms;
  const auto holders =
      std::count_if(vms.begin(), vms.end(), [](const VmFacts& vm) { return vm.adapters.value_or(0) > 0; });
  return pass(fmt::format("{} of {} hold a partition", holders, vms.size()));
}

constexpr CheckObject kHost = CheckObject::kHost;

const std::array kHostRows = {
    CheckRow<HostAt>{{"release", "release", kHost, "the host's release is one whose rules are known", kReleasesPage,
                      Certainty::kDocumented},
                     look_release},
    CheckRow<HostAt>{check_of(RuleCheck::kReleaseSupported, kHost), look_supported},
    CheckRow<HostAt>{check_of(RuleCheck::kClusterEdition, kHost), look_cluster_edition},
    CheckRow<HostAt>{{"elevated", "elevated", kHost, "the session is elevated: Hyper-V's cmdlets need it", kModulePage,
                      Certainty::kDocumented},
                     look_elevated},
    CheckRow<HostAt>{{"modules", "modules", kHost, "the host has the PowerShell modules that gpup calls", kAgent,
                      Certainty::kDocumented},
                     look_modules},
    CheckRow<HostAt>{
        {"cmdlets", "cmdlets", kHost, "the modules have the cmdlets that gpup calls", kAgent, Certainty::kDocumented},
        look_cmdlets},
    CheckRow<HostAt>{
        {"virtualization", "virtualization", kHost, "Hyper-V runs on the host", kReleasesPage, Certainty::kDocumented},
        look_virtualization},
    CheckRow<HostAt>{
        {"sr-iov", "sr-iov", kHost, "the host supports SR-IOV (Get-VMHost: IovSupport)", kSeen, Certainty::kSeen},
        look_sr_iov},
    CheckRow<HostAt>{{"device-policy", "device-policy", kHost, "no policy keeps VMs with unlisted GPUs from starting",
                      kSeen, Certainty::kSeen},
                     look_device_policy},
    CheckRow<HostAt>{{"other-writers", "other-writers", kHost, "nobody else sets partitions on the host",
                      "Manage GPUs using partitioning (Azure Local)", Certainty::kDocumented},
                     look_other_writers},
    CheckRow<HostAt>{{"clock", "clock", kHost, "the host's clock is right",
                      "Kerberos policy: maximum tolerance for clocks", Certainty::kDocumented},
                     look_clock},
    CheckRow<HostAt>{
        {"gpus", "gpus", kHost, "the host has a GPU that can be partitioned", kReleasesPage, Certainty::kDocumented},
        look_gpus},
    CheckRow<HostAt>{
        {"vms", "vms", kHost, "the host's VMs and their partitions can be read", kAgent, Certainty::kDocumented},
        look_vms},
};

}  // namespace

std::span<const CheckRow<HostAt>> host_checks() { return kHostRows; }

}  // namespace gpup
