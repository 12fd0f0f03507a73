#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "model/platform_rules.h"
#include "plan/goal.h"
#include "plan/mutant.h"

namespace gpup {

namespace {

// One model, one total VRAM, one count.
struct Kind {
  std::string_view model;
  std::optional<std::uint64_t> total_vram;
  std::uint32_t count = 0;
  auto operator<=>(const Kind&) const = default;
};

struct Group {
  std::uint32_t cards = 0;
  std::uint32_t selected = 0;  // by a line that gives them a count
  bool changes = false;
  Place place;  // of the count
};

/// True where it warned.
bool warn_partly_selected(const DesiredState& desired, const Goal& goal, Findings& findings) {
  bool warned = false;
  std::map<Kind, Group> now;
  for (const HostGoal& host : goal.hosts) {
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      const Gpu& gpu = host.host->gpus[g];
      if (gpu.status != GpuStatus::kPartitioned) {
        continue;
      }
      Group& group = now[{gpu.model, gpu.total_vram, gpu.partition_count.value_or(0)}];
      ++group.cards;
      if (host.gpus[g].managed() && desired.gpus[host.gpus[g].line].partition_count && !host.counts_stay) {
        ++group.selected;
        group.changes = group.changes || host.gpus[g].changes;
        group.place = desired.gpus[host.gpus[g].line].count_place;
      }
    }
  }
  for (const auto& [kind, group] : now) {
    if (group.changes && group.selected < group.cards) {
      warned = true;
      findings.warn(Code::kPartOfHomogeneousSet, group.place, {{}, "gpu", kind.model},
                    fmt::format("only {} of {} equal GPUs ({}) get another partition count", group.selected,
                                group.cards, kind.model),
                    "select all of them: differing counts are not recommended");
    }
  }
  return warned;
}

}  // namespace

void check_homogeneous(const DesiredState& desired, const Scope& scope, const Goal& goal, Overrides& overrides,
                       Findings& findings) {
  const bool partly_selected = warn_partly_selected(desired, goal, findings);
  struct Where {
    std::uint32_t cards = 0;
    std::string_view host;
  };
  const bool sets = !scope.compares && std::any_of(goal.hosts.begin(), goal.hosts.end(),
                                                   [](const HostGoal& host) { return host.counts_change; });
  std::map<Kind, Where> after;
  for (const HostGoal& host : goal.hosts) {
    if (host.counts_stay && !sets) {
      continue;
    }
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      const Gpu& gpu = host.host->gpus[g];
      if (gpu.status == GpuStatus::kPartitioned) {
        Where& where = after[{gpu.model, gpu.total_vram, host.gpus[g].count}];
        ++where.cards;
        where.host = where.host.empty() ? host.host->name : where.host;
      }
    }
  }
  if (after.size() < 2) {
    return;
  }
  const bool alike_but_for_count = std::all_of(after.begin(), after.end(), [&](const auto& entry) {
    return entry.first.model == after.begin()->first.model && entry.first.total_vram == after.begin()->first.total_vram;
  });
  std::string what;
  std::size_t shown = 0;
  for (const auto& [kind, where] : after) {
    if (++shown > 6) {
      what += fmt::format("; and {} more kinds", after.size() - 6);
      break;
    }
    what += fmt::format("{}{} x {} ({}) at {} on {}", what.empty() ? "" : "; ", where.cards, kind.model,
                        kind.total_vram ? human_size(*kind.total_vram) : std::string("unknown VRAM"), kind.count,
                        where.host);
  }
  const Homogeneous policy =
      desired.policy.homogeneous.value_or(desired.cluster ? Homogeneous::kRequire : Homogeneous::kWarn);
  const Place place = desired.gpus.empty() ? Place{} : desired.gpus.front().place;
  const About about{{},
                    desired.cluster ? "cluster" : "host",
                    desired.cluster ? std::string_view(*desired.cluster) : std::string_view()};
  const std::string message = fmt::format("the GPUs would not be homogeneous: {}", what);
  if (policy == Homogeneous::kRequire && !GPUP_MUTANT(19)) {
    // The refusal has a code of its own; an override makes it a warning that carries the reason.
    Findings broken = findings.fresh();
    overrides.broken(rule_for(RuleCheck::kHomogeneous), place, about, message, broken);
    for (Diagnostic& diagnostic : broken.list) {
      diagnostic.code = diagnostic.severity == Severity::kError ? Code::kNotHomogeneous : diagnostic.code;
      findings.list.push_back(std::move(diagnostic));
    }
  } else if (!partly_selected || !alike_but_for_count) {  // else it was told
    findings.warn(Code::kNotHomogeneous, place, about, message,
                  "one model, one size and one partition count are recommended");
  }
}

namespace {

// The platform rules of one host.
class HostRules {
 public:
  HostRules(const DesiredState& desired, const HostGoal& on, Overrides& overrides, Findings& findings)
      : desired_(desired),
        on_(on),
        host_(*on.host),
        overrides_(overrides),
        findings_(findings),
        release_(desired.platform == "auto" ? release_of(host_.build, host_.edition) : find_release(desired.platform)) {
  }

  void check() {
    if (!on_.managed || on_.left_out) {
      return;
    }
    const Release* own = release_of(host_.build, host_.edition);
    if (own == nullptr && host_.build) {
      warn(fmt::format("build {} of {} is not a release that gpup knows: its rules are not checked", *host_.build,
                       host_.name));
    } else if (own != nullptr && release_ != own) {
      warn(fmt::format("{} runs {}, and the file says platform {}", host_.name, own->name, desired_.platform));
    }
    check_release();
    check_models();
    check_vms();
  }

 private:
  void warn(std::string message) {
    findings_.warn(Code::kPlatformWarning, desired_.platform_place, {host_.name, "host", host_.name},
                   std::move(message));
  }
  void broken(RuleCheck check, Place place, About about, std::string message) {
    const PlatformRule& rule = rule_for(check);
    if (rule.applies_to(release_)) {
      overrides_.broken(rule, place, about, std::move(message), findings_);
    }
  }

  void check_release() {
    const About about{host_.name, "host", host_.name};
    const Place place = desired_.hosts[on_.desired].place;
    broken(RuleCheck::kReleaseSupported, place, about,
           fmt::format("{} runs Windows Server 2022, which is not supported for GPU partitioning", host_.name));
    if (desired_.cluster) {
      broken(
          RuleCheck::kClusterEdition, place, about,
          fmt::format("{} runs Windows Server 2025 Standard: a failover cluster with GPU partitions needs Datacenter",
                      host_.name));
    }
  }

  void check_models() {
    std::vector<std::string_view> seen;
    for (std::size_t g = 0; g < on_.gpus.size(); ++g) {
      const Gpu& gpu = host_.gpus[g];
      if (!on_.gpus[g].managed() || std::find(seen.begin(), seen.end(), gpu.model) != seen.end()) {
        continue;
      }
      seen.push_back(gpu.model);
      const Place place = desired_.gpus[on_.gpus[g].line].place;
      const About about{host_.name, "gpu", gpu.name};
      switch (support_of(gpu.model, release_)) {
        case ModelSupport::kListed:
        case ModelSupport::kUnknown:
          break;
        case ModelSupport::kOtherList:
          findings_.warn(Code::kPlatformWarning, place, about,
                         fmt::format("{} is on the GPU vendor's list for {} only, not on the platform's", gpu.model,
                                     release_->name),
                         "rule R01");
          break;
        case ModelSupport::kNotListed:
          broken(RuleCheck::kModelListed, place, about,
                 fmt::format("{} is not supported for GPU partitioning on {}", gpu.model, release_->name));
          break;
      }
    }
  }

  void check_vms() {
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const Vm& vm = host_.vms[v];
      const VmGoal& goal = on_.vms[v];
      if (!goal.listed() || goal.gpu_line == kNone) {
        continue;
      }
      const DesiredAssignment& line = desired_.assignments[goal.line];
      const About about{host_.name, "vm", vm.name};
      if (vm.clustered && goal.line != warned_ && line.offline_action &&
          *line.offline_action != OfflineAction::kForceShutdown && *line.offline_action != OfflineAction::kUnmanaged) {
        warned_ = goal.line;  // once for all VMs of a match
        broken(RuleCheck::kOfflineAction, line.at(line.offline_action_at), about,
               fmt::format("VM '{}' gets OfflineAction {}; force-shutdown is recommended", vm.name,
                           to_string(*line.offline_action)));
      }
      if (goal.new_gpu == kNone) {
        continue;  // it holds its partition: whatever speaks against that did not prevent it
      }
      if (vm.generation && *vm.generation < 2) {
        broken(RuleCheck::kGeneration2, line.place, about,
               fmt::format("VM '{}' on {} is of generation {}, and a partition needs generation 2", vm.name, host_.name,
                           *vm.generation));
      }
      if (vm.automatic_checkpoints == true) {
        broken(RuleCheck::kAutomaticCheckpoints, line.place, about,
               fmt::format("VM '{}' on {} has automatic checkpoints: with a partition it would not start", vm.name,
                           host_.name));
      }
      if (vm.dynamic_memory == true) {
        broken(RuleCheck::kDynamicMemory, line.place, about,
               fmt::format("VM '{}' on {} has dynamic memory", vm.name, host_.name));
      }
    }
  }

  const DesiredState& desired_;
  const HostGoal& on_;
  const Host& host_;
  Overrides& overrides_;
  Findings& findings_;
  const Release* release_;
  std::uint32_t warned_ = kNone;  // the assignment whose OfflineAction was warned about last
};

std::string release_ids() {
  std::string out;
  for (const Release& release : releases()) {
    out += fmt::format(", {}", release.id);
  }
  return out;
}

}  // namespace

void check_platform(const DesiredState& desired, const Goal& goal, Overrides& overrides, Findings& findings) {
  if (desired.platform != "auto" && find_release(desired.platform) == nullptr) {
    std::vector<std::string_view> known = {"auto"};
    for (const Release& release : releases()) {
      known.push_back(release.id);
    }
    const auto near = nearest(desired.platform, known);
    findings.error(Code::kUnknownPlatform, desired.platform_place, {},
                   fmt::format("unknown platform '{}': expected auto{}", desired.platform, release_ids()),
                   near ? fmt::format("did you mean '{}'?", *near) : std::string());
    return;
  }
  for (const HostGoal& host : goal.hosts) {
    HostRules(desired, host, overrides, findings).check();
  }
}

}  // namespace gpup
