#include "observed/merge.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

Diagnostic refusal(Code code, std::string message, std::string_view object, std::string_view name) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.object = object;
  diagnostic.name = name;
  return diagnostic;
}

/// The first host of a name that an earlier one has, or nullptr.
const Host* repeated_host(const std::vector<Host>& hosts) {
  std::vector<std::pair<std::string, const Host*>> names;
  names.reserve(hosts.size());
  for (const Host& host : hosts) {
    names.emplace_back(fold_case(host.name), &host);
  }
  std::sort(names.begin(), names.end());
  const auto same =
      std::adjacent_find(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  return same == names.end() ? nullptr : same[1].second;
}

/// The record is where a run stopped the VM; the VM may have moved since. Records of VMs that no host has are left:
/// they may be gone, or on a host that was not read.
void find_owed_starts(std::vector<Host>& hosts) {
  std::unordered_set<std::string> owed;
  for (const Host& host : hosts) {
    for (const std::string_view id : host.starts_owed) {
      owed.insert(fold_case(id));
    }
  }
  for (Host& host : hosts) {
    for (Vm& vm : host.vms) {
      vm.start_owed =
          vm.state != VmState::kRunning && (vm.start_owed || (!owed.empty() && owed.contains(fold_case(vm.id))));
    }
  }
}

}  // namespace

Result<ObservedState> merge(std::vector<ObservedState> states) {
  ObservedState whole;
  std::string_view host_of_cluster;
  for (ObservedState& state : states) {
    if (!state.cluster.empty()) {
      const std::string_view host = state.hosts.empty() ? std::string_view{} : state.hosts.front().name;
      if (whole.cluster.empty()) {
        whole.cluster = state.cluster;
        host_of_cluster = host;
      } else if (!same_name(whole.cluster, state.cluster)) {
        return fail({refusal(Code::kSnapshotTwice,
                             fmt::format("the hosts are in two clusters: '{}' in '{}', '{}' in '{}'; expected one",
                                         host_of_cluster, whole.cluster, host, state.cluster),
                             "cluster", state.cluster)});
      }
    }
    if (!state.taken_at.empty() && (whole.taken_at.empty() || state.taken_at < whole.taken_at)) {
      whole.taken_at = std::move(state.taken_at);
    }
    std::move(state.hosts.begin(), state.hosts.end(), std::back_inserter(whole.hosts));
    std::move(state.texts.begin(), state.texts.end(), std::back_inserter(whole.texts));
  }
  if (const Host* const host = repeated_host(whole.hosts)) {
    return fail(
        {refusal(Code::kSnapshotTwice, fmt::format("the host '{}' was read twice", host->name), "host", host->name)});
  }
  find_owed_starts(whole.hosts);
  return whole;
}

ObservedState not_read(std::string_view host, std::string_view error) {
  auto pool = std::make_shared<TextPool>();
  Host unread;
  unread.name = pool->keep(host);
  unread.reachable = false;
  unread.error = pool->keep(error);
  ObservedState state;
  state.hosts.push_back(std::move(unread));
  state.texts.push_back(std::move(pool));
  return state;
}

}  // namespace gpup
