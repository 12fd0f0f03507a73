#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "plan/doctor_checks.h"

namespace gpup {

namespace {

/// Not checked, since these hosts did not answer; nothing of it was said by the others.
Found unread(const ClusterAt& at) {
  std::vector<std::string> names;
  for (const Examined* host : at.silent) {
    names.push_back(host->target.name);
  }
  return {Verdict::kNotChecked, fmt::format("{} did not answer", named(names)), "look at the check 'reachable'"};
}

std::optional<Found> look_cluster(const ClusterAt& at) {
  const std::string_view wanted =
      at.desired != nullptr && at.desired->cluster ? std::string_view(*at.desired->cluster) : std::string_view();
  std::vector<std::string> members;
  std::vector<std::string> others;
  bool clustered_vms = false;
  const HostAt* unsure = nullptr;
  for (const HostAt& host : at.hosts) {
    const auto& cluster = host.facts->cluster;
    if (cluster) {
      members.push_back(host.examined->target.name);
      const auto& vms = host.facts->vms;
      clustered_vms = clustered_vms ||
                      (vms && std::any_of(vms->begin(), vms->end(), [](const VmFacts& vm) { return vm.clustered; }));
    }
    if (!wanted.empty() && !cluster && host.facts->errors.contains("cluster")) {
      unsure = &host;
    } else if (!wanted.empty() && (!cluster || !same_name(cluster->name, wanted))) {
      others.push_back(fmt::format("{} is in {}", host.examined->target.name,
                                   cluster ? fmt::format("cluster {}", cluster->name) : std::string("no cluster")));
    }
  }
  if (!others.empty()) {
    return broken(fmt::format("{}", fmt::join(others, ", ")),
                  "name the hosts' cluster in the file, and only its nodes under hosts");
  }
  if (unsure != nullptr) {
    return unsure->not_known({"cluster"});
  }
  if (members.empty()) {
    return wanted.empty() || at.silent.empty() ? std::nullopt : std::optional(unread(at));
  }
  if (at.desired != nullptr && wanted.empty()) {
    return judged(clustered_vms, fmt::format("{} is in a cluster that the file does not name", members.front()),
                  "name it in the file: cluster");
  }
  return pass(fmt::format("{}", fmt::join(members, ", ")));
}

/// `hv-e1` of `hv-e1.contoso.com`: the cluster knows its nodes by that.
std::string_view first_label(std::string_view name) { return name.substr(0, name.find('.')); }

bool is_node(const Examined& host, std::string_view node) {
  return same_name(host.target.name, node) || same_name(first_label(host.target.name), node) ||
         (host.facts && same_name(host.facts->computer, node));
}

std::string_view node_state(std::int64_t state) {
  switch (state) {
    case 0:
      return "up";
    case 1:
      return "down";
    case 2:
      return "paused";
    case 3:
      return "joining";
    default:
      return "in an unknown state";
  }
}

std::optional<Found> look_nodes(const ClusterAt& at) {
  const auto told = std::find_if(at.hosts.begin(), at.hosts.end(), [](const HostAt& host) {
    return host.facts->cluster && !host.facts->cluster->nodes.empty();
  });
  if (told == at.hosts.end()) {
    return std::nullopt;  // the check before this one tells why
  }
  std::vector<std::string> good;
  std::vector<std::string> absent;
  std::vector<std::string> not_up;
  bool down = false;
  for (const NodeFacts& node : told->facts->cluster->nodes) {
    const auto is_it = [&](const Examined* host) { return is_node(*host, node.name); };
    const bool asked =
        std::any_of(at.silent.begin(), at.silent.end(), is_it) ||
        std::any_of(at.hosts.begin(), at.hosts.end(), [&](const HostAt& host) { return is_it(host.examined); });
    if (node.state != 0) {
      not_up.push_back(fmt::format("{} is {}", node.name, node_state(node.state.value_or(-1))));
      down = down || node.state == 1;
    } else if (asked) {
      good.push_back(node.name);
    }
    if (!asked) {
      absent.push_back(node.name);
    }
  }
  if (!absent.empty()) {
    const std::string more = not_up.empty() ? std::string() : fmt::format("; {}", fmt::join(not_up, ", "));
    return at.desired != nullptr
               ? broken(fmt::format("the file does not list {}{}", named(absent), more),
                        "list every node of the cluster under hosts: a VM may fail over to any of them")
               : Found{Verdict::kNotChecked, fmt::format("{} was not asked{}", named(absent), more),
                       "give it to --connect, too"};
  }
  if (!not_up.empty()) {
    return judged(down, fmt::format("{}", fmt::join(not_up, ", ")),
                  "bring the node up: Start-ClusterNode, Resume-ClusterNode");
  }
  return pass(fmt::format("{}: listed and up", fmt::join(good, ", ")));
}

/// Cards that are alike.
struct CardKind {
  std::string_view model;
  std::optional<std::uint64_t> total_vram;
  std::uint64_t count = 0;
  auto operator<=>(const CardKind&) const = default;
};
struct Cards {
  std::size_t number = 0;
  std::vector<std::string> hosts;
};
using Kinds = std::map<CardKind, Cards>;

bool same_make(const Kinds& kinds) {
  return std::all_of(kinds.begin(), kinds.end(), [&](const auto& entry) {
    return entry.first.model == kinds.begin()->first.model && entry.first.total_vram == kinds.begin()->first.total_vram;
  });
}

std::string kinds_words(const Kinds& kinds) {
  constexpr std::size_t kMost = 6;
  std::string words;
  std::size_t shown = 0;
  for (const auto& [kind, cards] : kinds) {
    if (++shown > kMost) {
      return words + fmt::format("; and {} more kinds", kinds.size() - kMost);
    }
    words += fmt::format("{}{} x {} ({}) at {} on {}", words.empty() ? "" : "; ", cards.number,
                         kind.model.empty() ? std::string_view("a card of unknown model") : kind.model,
                         kind.total_vram ? human_size(*kind.total_vram) : std::string("unknown VRAM"), kind.count,
                         fmt::join(cards.hosts, ", "));
  }
  return words;
}

std::optional<Found> look_homogeneous(const ClusterAt& at) {
  Kinds now;
  Kinds wanted;
  std::vector<std::string> without;
  const HostAt* unsure = nullptr;
  for (std::size_t h = 0; h < at.hosts.size(); ++h) {
    const HostAt& host = at.hosts[h];
    const std::string& name = host.examined->target.name;
    const auto add = [&name](Kinds& kinds, const CardKind& kind) {
      Cards& cards = kinds[kind];
      ++cards.number;
      if (cards.hosts.empty() || cards.hosts.back() != name) {
        cards.hosts.push_back(name);
      }
    };
    if (!host.facts->gpus) {
      unsure = &host;
      continue;
    }
    bool any = false;
    for (std::size_t g = 0; g < host.facts->gpus->size(); ++g) {
      const GpuFacts& gpu = (*host.facts->gpus)[g];
      if (gpu.status != GpuStatus::kPartitioned) {
        continue;
      }
      any = true;
      const DesiredGpu* line = at.lines[h][g];
      CardKind kind{gpu.model, gpu.total_vram, gpu.partition_count.value_or(0)};
      add(now, kind);
      kind.count =
          line == nullptr ? kind.count : line->partition_count.value_or(static_cast<std::uint32_t>(kind.count));
      add(wanted, kind);
    }
    if (!any) {
      without.push_back(name);
    }
  }
  const bool in_cluster = !at.name.empty();
  const bool require = (at.desired == nullptr ? std::nullopt : at.desired->policy.homogeneous)
                           .value_or(in_cluster ? Homogeneous::kRequire : Homogeneous::kWarn) == Homogeneous::kRequire;
  if (!same_make(now)) {
    return judged(require, kinds_words(now), "put cards of one model and size in all hosts");
  }
  if (wanted.size() > 1) {
    return judged(require, kinds_words(wanted), "give them one partitionCount");
  }
  if (in_cluster && !now.empty() && !without.empty()) {
    return judged(require, fmt::format("{} has no partitioned GPU", named(without)),
                  "put the same cards in every node: a VM may fail over to any of them");
  }
  if (now.size() > 1) {
    return warn(kinds_words(now), "'gpup apply' gives them the count of the file");
  }
  if (unsure != nullptr) {
    return unsure->not_known({"gpus"});
  }
  if (!at.silent.empty()) {
    return unread(at);
  }
  return now.empty() ? std::nullopt : std::optional(pass(kinds_words(now)));
}

constexpr CheckObject kCluster = CheckObject::kCluster;

const std::array kClusterRows = {
    CheckRow<ClusterAt>{{"cluster", "cluster", kCluster, "the hosts are nodes of the cluster that the file names",
                         "Manage GPUs using partitioning (Azure Local), prerequisites", Certainty::kDocumented},
                        look_cluster},
    CheckRow<ClusterAt>{{"nodes", "nodes", kCluster, "all nodes of the cluster are in the file, and up",
                         "Partition and share GPUs, prerequisites", Certainty::kDocumented},
                        look_nodes},
    CheckRow<ClusterAt>{check_of(RuleCheck::kHomogeneous, kCluster), look_homogeneous},
};

}  // namespace

std::span<const CheckRow<ClusterAt>> cluster_checks() { return kClusterRows; }

}  // namespace gpup
