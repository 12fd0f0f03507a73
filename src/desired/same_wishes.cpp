#include "desired/same_wishes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/text.h"

namespace gpup {

namespace {

// Each names all members of what it compares, so that a new one is not forgotten: it does not compile without.

bool same(const DesiredHost& a, const DesiredHost& b) {
  const auto meaning = [](const DesiredHost& host) {
    const auto& [target, place] = host;
    return std::tie(target);
  };
  return meaning(a) == meaning(b);
}

// Hosts that lines name are compared apart.
bool same(const DesiredGpu& a, const DesiredGpu& b) {
  const auto meaning = [](const DesiredGpu& gpu) {
    const auto& [model, device, match, count, expect, hosts, place, count_place, expect_place] = gpu;
    return std::make_tuple(model, device, match, count, expect, hosts.size());
  };
  return meaning(a) == meaning(b);
}

bool same(const DesiredAssignment& a, const DesiredAssignment& b) {
  const auto meaning = [](const DesiredAssignment& line) {
    const auto& [vm, id, match, gpu, min_vram, place, host, expect, offline_action, power, gpu_at, min_vram_at,
                 offline_action_at, power_at, host_at, expect_at] = line;
    // Whether something was said, and not where.
    const auto said = [](DesiredAssignment::Detail detail) { return detail.there(); };
    return std::make_tuple(vm, id, match, gpu, min_vram, host == DesiredAssignment::kNoHost, expect, offline_action,
                           power, said(gpu_at), said(min_vram_at), said(offline_action_at), said(power_at),
                           said(host_at), said(expect_at));
  };
  return meaning(a) == meaning(b);
}

bool same(const DesiredOverride& a, const DesiredOverride& b) {
  const auto meaning = [](const DesiredOverride& line) {
    const auto& [rule, reason, place] = line;
    return std::tie(rule, reason);
  };
  return meaning(a) == meaning(b);
}

bool same(const DesiredIgnore& a, const DesiredIgnore& b) {
  const auto meaning = [](const DesiredIgnore& line) {
    const auto& [object, host, vm, gpu, property, reason, until, place] = line;
    return std::tie(object, host, vm, gpu, property, reason, until);
  };
  return meaning(a) == meaning(b);
}

bool same(const DownLimit& a, const DownLimit& b) { return a.value == b.value && a.percent == b.percent; }

bool same(const std::optional<DownLimit>& a, const std::optional<DownLimit>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

bool same(const DesiredDisruption::Group& a, const DesiredDisruption::Group& b) {
  const auto& [match, limit, place] = a;
  const auto& [other_match, other_limit, other_place] = b;
  return match == other_match && same(limit, other_limit);
}

bool same(const DesiredDisruption::Entry& a, const DesiredDisruption::Entry& b) {
  const auto& [name, place] = a;
  const auto& [other_name, other_place] = b;
  return name == other_name;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& one, const T& other) { return same(one, other); });
}

bool same(const DesiredDisruption& a, const DesiredDisruption& b) {
  const auto& [limit, per_host, order, groups, limit_place, per_host_place] = a;
  const auto& [other_limit, other_per_host, other_order, other_groups, other_limit_place, other_per_host_place] = b;
  return same(limit, other_limit) && per_host == other_per_host && same(order, other_order) &&
         same(groups, other_groups) && limit_place.known() == other_limit_place.known() &&
         per_host_place.known() == other_per_host_place.known();
}

bool same(const DesiredPolicy& a, const DesiredPolicy& b) {
  const auto& [unlisted, unlisted_place, homogeneous, stop, overrides, disruption, window, hooks, ignores] = a;
  const auto& [other_unlisted, other_place, other_homogeneous, other_stop, other_overrides, other_disruption,
               other_window, other_hooks, other_ignores] = b;
  return unlisted == other_unlisted && unlisted_place.known() == other_place.known() &&
         homogeneous == other_homogeneous && stop == other_stop && same(overrides, other_overrides) &&
         same(disruption, other_disruption) && window == other_window && hooks == other_hooks &&
         same(ignores, other_ignores);
}

bool same(const DesiredState& a, const DesiredState& b) {
  const auto& [name, platform, platform_place, cluster, cluster_place, hosts, gpus, assignments, policy, texts] = a;
  const auto& [other_name, other_platform, other_platform_place, other_cluster, other_cluster_place, other_hosts,
               other_gpus, other_assignments, other_policy, other_texts] = b;
  return name == other_name && platform == other_platform && platform_place.known() == other_platform_place.known() &&
         cluster == other_cluster && cluster_place.known() == other_cluster_place.known() && same(hosts, other_hosts) &&
         same(gpus, other_gpus) && same(assignments, other_assignments) && same(policy, other_policy);
}

/// The numbers that hosts have in a draft follow from what is named first: here they are names.
class Names {
 public:
  explicit Names(const Draft& draft) {
    for (std::uint32_t number = 0; number < draft.host_names.size(); ++number) {
      names_.push_back(fold_case(draft.host_names.name(number)));
    }
  }
  std::string_view operator()(std::uint32_t number) const {
    return number < names_.size() ? std::string_view(names_[number]) : std::string_view();
  }

 private:
  std::vector<std::string> names_;
};

bool same_hosts(const Draft& a, const Draft& b) {
  const Names names(a);
  const Names other_names(b);
  const auto same_name = [&](std::uint32_t one, std::uint32_t other) { return names(one) == other_names(other); };
  const auto same_names = [&](const std::vector<std::uint32_t>& some, const std::vector<std::uint32_t>& others) {
    return std::equal(some.begin(), some.end(), others.begin(), others.end(), same_name);
  };
  const auto& gpus = a.state.gpus;
  const auto& lines = a.state.assignments;
  return same_names(a.host_numbers, b.host_numbers) &&
         std::equal(
             gpus.begin(), gpus.end(), b.state.gpus.begin(), b.state.gpus.end(),
             [&](const DesiredGpu& one, const DesiredGpu& other) { return same_names(one.hosts, other.hosts); }) &&
         std::equal(lines.begin(), lines.end(), b.state.assignments.begin(), b.state.assignments.end(),
                    [&](const DesiredAssignment& one, const DesiredAssignment& other) {
                      return same_name(one.host, other.host);
                    });
}

}  // namespace

bool same_wishes(const Draft& a, const Draft& b) {
  return same(a.state, b.state) && same_hosts(a, b) && a.hosts_given == b.hosts_given &&
         a.name_at.known() == b.name_at.known() && a.policy_at.known() == b.policy_at.known();
}

}  // namespace gpup
