#include <string>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/goal.h"

namespace gpup {

namespace {

bool in_one_model(const Host& host) {
  const Gpu* first = nullptr;
  for (const Gpu& gpu : host.gpus) {
    if (gpu.status != GpuStatus::kPartitioned && gpu.status != GpuStatus::kParavirtualization) {
      continue;
    }
    if (first != nullptr && first->model != gpu.model) {
      return false;
    }
    first = &gpu;
  }
  return true;
}

void compare_cluster(const DesiredState& desired, const ObservedState& observed, const Goal& goal, Findings& findings) {
  if (goal.hosts.empty()) {
    return;  // nothing was read, so nothing is known of the cluster
  }
  if (desired.cluster) {
    if (*desired.cluster != observed.cluster) {
      const bool by_case = same_name(*desired.cluster, observed.cluster);
      findings.error(
          Code::kClusterDiffers, desired.cluster_place, {{}, "cluster", *desired.cluster},
          observed.cluster.empty()
              ? fmt::format("the hosts are not in cluster '{}': they are in none", *desired.cluster)
              : fmt::format("the hosts are not in cluster '{}' but in '{}'", *desired.cluster, observed.cluster),
          by_case ? "names are compared exactly, upper and lower case included" : "");
    }
    return;
  }
  std::vector<std::string_view> clustered;
  for (const HostGoal& host : goal.hosts) {
    for (const Vm& vm : host.host->vms) {
      if (vm.clustered) {
        clustered.push_back(vm.name);
      }
    }
  }
  if (!clustered.empty()) {
    findings.error(
        Code::kClusterMissing, desired.hosts.front().place, {{}, "cluster", observed.cluster},
        fmt::format("the file names no cluster, but VMs of its hosts are clustered: {}", some_names(clustered, 5)),
        observed.cluster.empty() ? std::string("name the failover cluster with 'cluster:'")
                                 : fmt::format("add 'cluster: {}'", observed.cluster));
  }
}

}  // namespace

Goal pair_hosts(const DesiredState& desired, const ObservedState& observed) {
  std::unordered_map<std::string, const Host*> by_name;
  by_name.reserve(observed.hosts.size());
  for (const Host& host : observed.hosts) {
    by_name.emplace(fold_case(host.name), &host);
  }
  Goal goal;
  for (std::uint32_t i = 0; i < desired.hosts.size(); ++i) {
    const std::string& name = desired.hosts[i].target.name;
    const auto found = by_name.find(fold_case(name));
    if (found == by_name.end()) {
      goal.not_checked.push_back({name, "the observed state has no such host"});
    } else if (!found->second->reachable) {
      goal.not_checked.push_back(
          {name, std::string(found->second->error.empty() ? std::string_view("the host could not be read")
                                                          : found->second->error)});
    } else {
      HostGoal host;
      host.host = found->second;
      host.desired = i;
      host.gpus.resize(host.host->gpus.size());
      host.vms.resize(host.host->vms.size());
      host.one_model = in_one_model(*host.host);
      goal.hosts.push_back(std::move(host));
    }
  }
  return goal;
}

Goal find_hosts(const DesiredState& desired, const ObservedState& observed, Findings& findings) {
  Goal goal = pair_hosts(desired, observed);
  compare_cluster(desired, observed, goal, findings);
  return goal;
}

}  // namespace gpup
