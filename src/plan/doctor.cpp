#include "plan/doctor.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include "base/text.h"
#include "plan/doctor_checks.h"

namespace gpup {

namespace {

constexpr Check kReachable = {"reachable",        "reachable",
                              CheckObject::kHost, "the host answers, and is the one that is meant",
                              "its transport",    Certainty::kDocumented};

bool whole_match(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

std::unique_ptr<re2::RE2> pattern_of(std::string_view match) {
  return match.empty() ? nullptr
                       : std::make_unique<re2::RE2>(re2::StringPiece(match.data(), match.size()), re2::RE2::Quiet);
}

/// Which line of the file is about which GPU and VM.
class Lines {
 public:
  explicit Lines(const DesiredState* desired) : desired_(desired) {
    if (desired == nullptr) {
      return;
    }
    for (const DesiredGpu& line : desired->gpus) {
      gpu_patterns_.push_back(pattern_of(line.match));
    }
    for (const DesiredAssignment& line : desired->assignments) {
      if (!line.match.empty()) {
        matches_.emplace_back(&line, pattern_of(line.match));
      } else if (!line.id.empty()) {
        by_id_.emplace(fold_case(line.id), &line);
      } else {
        by_name_.emplace(line.vm, &line);
      }
    }
  }

  const DesiredGpu* gpu(const GpuFacts& gpu, std::uint32_t host) const {
    for (std::size_t i = 0; i < gpu_patterns_.size(); ++i) {
      const DesiredGpu& line = desired_->gpus[i];
      const bool here = line.hosts.empty() || std::find(line.hosts.begin(), line.hosts.end(), host) != line.hosts.end();
      const bool it = !line.model.empty()    ? gpu.model == line.model
                      : !line.device.empty() ? same_name(gpu.device, line.device)
                                             : whole_match(*gpu_patterns_[i], gpu.model);
      if (here && it) {
        return &line;
      }
    }
    return nullptr;
  }

  const DesiredAssignment* vm(const VmFacts& vm, std::uint32_t host) const {
    const auto here = [host](const DesiredAssignment* line) {
      return line->host == DesiredAssignment::kNoHost || line->host == host;
    };
    if (const auto found = by_id_.find(vm.id); found != by_id_.end() && here(found->second)) {
      return found->second;
    }
    const auto [first, last] = by_name_.equal_range(vm.name);
    const auto found = std::find_if(first, last, [&](const auto& entry) { return here(entry.second); });
    if (found != last) {
      return found->second;
    }
    for (const auto& [line, pattern] : matches_) {
      if (here(line) && whole_match(*pattern, vm.name)) {
        return line;
      }
    }
    return nullptr;
  }

 private:
  const DesiredState* desired_;
  std::vector<std::unique_ptr<re2::RE2>> gpu_patterns_;
  std::unordered_map<std::string, const DesiredAssignment*> by_id_;
  std::unordered_multimap<std::string_view, const DesiredAssignment*> by_name_;
  std::vector<std::pair<const DesiredAssignment*, std::unique_ptr<re2::RE2>>> matches_;
};

class Doctor {
 public:
  Doctor(const DesiredState* desired, const std::vector<Examined>& hosts)
      : desired_(desired), hosts_(hosts), lines_(desired) {
    checkup_.name = desired == nullptr ? std::string() : desired->name;
  }

  Checkup run() {
    std::vector<HostAt> answered;
    for (const Examined& host : hosts_) {
      if (host.facts) {
        answered.push_back(place(host));
      }
    }
    for (const ClusterAt& cluster : clusters(answered)) {
      CheckResult about;
      about.name = cluster.name;
      make(cluster_checks(), cluster, about, simulated(cluster));
    }
    auto at = answered.begin();
    for (const Examined& host : hosts_) {
      if (host.facts) {
        look(*at++);
      } else {
        unreachable(host);
      }
    }
    return std::move(checkup_);
  }

 private:
  HostAt place(const Examined& host) const {
    HostAt at;
    at.desired = desired_;
    at.examined = &host;
    at.facts = &*host.facts;
    at.own = release_of(host.facts->build, host.facts->edition);
    at.release = at.own;
    if (desired_ != nullptr) {
      const auto found = std::find_if(desired_->hosts.begin(), desired_->hosts.end(), [&](const DesiredHost& each) {
        return same_name(each.target.name, host.target.name);
      });
      at.index = static_cast<std::uint32_t>(found - desired_->hosts.begin());
      at.release = desired_->platform == "auto" ? at.own : find_release(desired_->platform);
    }
    return at;
  }

  static bool simulated(const HostAt& at) { return at.examined->target.connect.transport == Transport::kSimulated; }
  static bool simulated(const ClusterAt& at) {
    return std::all_of(at.hosts.begin(), at.hosts.end(), [](const HostAt& host) { return simulated(host); });
  }

  /// With a file all its hosts belong together; without one the hosts tell who does.
  std::vector<ClusterAt> clusters(const std::vector<HostAt>& answered) const {
    std::map<std::string, ClusterAt> groups;
    const auto group = [&](const std::string& name) -> ClusterAt& {
      ClusterAt& found = groups[fold_case(name)];
      if (found.name.empty()) {
        found.name = name;
      }
      found.desired = desired_;
      return found;
    };
    const std::string whole = desired_ == nullptr ? std::string() : desired_->cluster.value_or("");
    for (const HostAt& host : answered) {
      const std::string own = host.facts->cluster ? host.facts->cluster->name : std::string();
      ClusterAt& at = group(desired_ != nullptr ? whole : own);
      at.hosts.push_back(host);
      std::vector<const DesiredGpu*>& lines = at.lines.emplace_back();
      for (const GpuFacts& gpu : host.facts->gpus.value_or(std::vector<GpuFacts>())) {
        lines.push_back(lines_.gpu(gpu, host.index));
      }
    }
    for (const Examined& host : hosts_) {
      if (!host.facts && (desired_ != nullptr || groups.size() == 1)) {
        (desired_ != nullptr ? group(whole) : groups.begin()->second).silent.push_back(&host);
      }
    }
    std::vector<ClusterAt> all;
    all.reserve(groups.size());
    for (auto& [name, at] : groups) {
      all.push_back(std::move(at));
    }
    return all;
  }

  void look(const HostAt& at) {
    CheckResult about;
    about.host = at.examined->target.name;
    add(kReachable, pass(fmt::format("answers by transport {}", to_string(at.examined->target.connect.transport))),
        about, simulated(at));
    make(host_checks(), at, about, simulated(at));
    for (const GpuFacts& gpu : at.facts->gpus.value_or(std::vector<GpuFacts>())) {
      const GpuAt gpu_at{at, gpu, lines_.gpu(gpu, at.index)};
      // A server's own display adapter is a GPU, too, and nobody's concern here.
      const bool matters =
          gpu_at.wanted() || gpu.status != GpuStatus::kNotAssignable || gpu.device.starts_with("10de:");
      if (matters) {
        CheckResult about_gpu = about;
        about_gpu.name = gpu.name;
        about_gpu.model = gpu.model;
        make(gpu_checks(), gpu_at, about_gpu, simulated(at));
      }
    }
    for (const VmFacts& vm : at.facts->vms.value_or(std::vector<VmFacts>())) {
      const VmAt vm_at{at, vm, lines_.vm(vm, at.index)};
      if (vm_at.line != nullptr || vm.adapters.value_or(0) > 0) {
        CheckResult about_vm = about;
        about_vm.name = vm.name;
        about_vm.vm_id = vm.id;
        make(vm_checks(), vm_at, about_vm, simulated(at));
      }
    }
  }

  void unreachable(const Examined& host) {
    CheckResult about;
    about.host = host.target.name;
    const Diagnostics& why = host.error.diagnostics;
    about.code = why.empty() ? Code::kHostUnreadable : why.front().code;
    const std::string where = why.empty() || why.front().line == 0
                                  ? std::string()
                                  : fmt::format("{}:{}:{}: ", why.front().file, why.front().line, why.front().column);
    std::string hint = why.empty() ? std::string() : why.front().hint;
    add(kReachable,
        broken(where + (why.empty() ? host.error.message : why.front().message),
               hint.empty() ? fmt::format("'gpup explain {}' tells more", to_string(*about.code)) : std::move(hint)),
        about, false);
  }

  template <class At>
  void make(std::span<const CheckRow<At>> rows, const At& at, const CheckResult& about, bool is_simulated) {
    for (const CheckRow<At>& row : rows) {
      if (std::optional<Found> found = row.look(at)) {
        add(row.check, *std::move(found), about, is_simulated);
      }
    }
  }

  void add(const Check& check, Found found, const CheckResult& about, bool is_simulated) {
    if (is_simulated && found.silent) {
      found.left_out = "a simulated host tells nothing of it";
    }
    if (!found.left_out.empty()) {
      const LeftOut entry{check.id, found.left_out};
      if (std::find(checkup_.left_out.begin(), checkup_.left_out.end(), entry) == checkup_.left_out.end()) {
        checkup_.left_out.push_back(entry);
      }
      return;
    }
    if (found.verdict == Verdict::kFail && check.is_rule && desired_ != nullptr && find_rule(check.id)->may_override) {
      const auto& overrides = desired_->policy.overrides;
      const auto accepted = std::find_if(overrides.begin(), overrides.end(),
                                         [&](const DesiredOverride& each) { return each.rule == check.id; });
      if (accepted != overrides.end()) {
        found.verdict = Verdict::kWarn;
        found.seen += fmt::format("; overridden: {}", accepted->reason);
        found.mend = "accepted by policy.override: remove that once the rule holds";
      }
    }
    CheckResult result = about;
    result.check = check;
    result.verdict = found.verdict;
    result.seen = std::move(found.seen);
    result.mend = std::move(found.mend);
    checkup_.results.push_back(std::move(result));
  }

  const DesiredState* desired_;
  const std::vector<Examined>& hosts_;
  Lines lines_;
  Checkup checkup_;
};

template <class At>
void append_checks(std::vector<Check>& all, std::span<const CheckRow<At>> rows) {
  for (const CheckRow<At>& row : rows) {
    all.push_back(row.check);
  }
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kFail:
      return "fail";
    case Verdict::kNotChecked:
      return "not-checked";
  }
  assert(false);
  return "";
}

std::string_view to_string(CheckObject object) {
  switch (object) {
    case CheckObject::kCluster:
      return "cluster";
    case CheckObject::kHost:
      return "host";
    case CheckObject::kGpu:
      return "gpu";
    case CheckObject::kVm:
      return "vm";
  }
  assert(false);
  return "";
}

std::vector<Check> doctor_checks() {
  std::vector<Check> all;
  append_checks(all, cluster_checks());
  all.push_back(kReachable);
  append_checks(all, host_checks());
  append_checks(all, gpu_checks());
  append_checks(all, vm_checks());
  return all;
}

std::size_t Checkup::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [&](const CheckResult& each) { return each.verdict == verdict; }));
}

Found HostAt::not_known(std::initializer_list<std::string_view> members) const {
  for (const std::string_view member : members) {
    if (const auto why = facts->errors.find(member); why != facts->errors.end() && !why->second.empty()) {
      return {Verdict::kNotChecked, why->second, "mend what kept it from being read, and run doctor again"};
    }
  }
  Found unsaid{Verdict::kNotChecked, "the host did not tell", "look at it on the host"};
  unsaid.silent = true;
  return unsaid;
}

namespace {

std::string_view title_of(RuleCheck rule) {
  switch (rule) {
    case RuleCheck::kModelListed:
      return "model";
    case RuleCheck::kOnePartition:
      return "one-partition";
    case RuleCheck::kGeneration2:
      return "generation";
    case RuleCheck::kClusterEdition:
      return "cluster-edition";
    case RuleCheck::kNothing:
      return "live-migration";
    case RuleCheck::kDdaOrPartition:
      return "dda-or-partition";
    case RuleCheck::kHomogeneous:
      return "homogeneous";
    case RuleCheck::kOfflineAction:
      return "offline-action";
    case RuleCheck::kAutomaticCheckpoints:
      return "automatic-checkpoints";
    case RuleCheck::kDynamicMemory:
      return "dynamic-memory";
    case RuleCheck::kReleaseSupported:
      return "release-supported";
  }
  assert(false);
  return "";
}

}  // namespace

Check check_of(RuleCheck rule, CheckObject object) {
  const PlatformRule& row = rule_for(rule);
  return {row.id, title_of(rule), object, row.statement, row.document, row.certainty, true};
}

std::string instance_id_of(std::string_view gpu_name) {
  constexpr std::string_view kPrefix = R"(\\?\)";
  if (gpu_name.starts_with(kPrefix)) {
    gpu_name.remove_prefix(kPrefix.size());
  }
  std::string id(gpu_name.substr(0, gpu_name.find("#{")));
  std::replace(id.begin(), id.end(), '#', '\\');
  return id;
}

std::string named(const std::vector<std::string>& names, std::size_t most) {
  const std::size_t shown = std::min(names.size(), most);
  std::string all =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return names.size() > most ? all + fmt::format(" and {} more", names.size() - most) : all;
}

Checkup check_up(const DesiredState* desired, const std::vector<Examined>& hosts) {
  return Doctor(desired, hosts).run();
}

}  // namespace gpup
