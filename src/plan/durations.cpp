#include "plan/durations.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace gpup {

namespace {

// None of it is measured: times that an administrator would name when asked. The 95th percentile is taken as three
// times the median.
constexpr std::array kDefaults = {
    DefaultTime{Op::kStopVm, StopMode::kShutdown, 60'000, 180'000, "a guest shuts down in about a minute"},
    DefaultTime{Op::kStopVm, StopMode::kTurnOff, 5'000, 15'000, "no guest is asked"},
    DefaultTime{Op::kUnassignPartition, StopMode::kShutdown, 2'000, 6'000, "one cmdlet and reading back"},
    DefaultTime{Op::kSetPartitionCount, StopMode::kShutdown, 5'000, 15'000, "the driver makes its partitions anew"},
    DefaultTime{Op::kAssignPartition, StopMode::kShutdown, 2'000, 6'000, "one cmdlet and reading back"},
    DefaultTime{Op::kSetOfflineAction, StopMode::kShutdown, 2'000, 6'000, "one cmdlet and reading back"},
    DefaultTime{Op::kStartVm, StopMode::kShutdown, 30'000, 90'000, "until it runs; its guest boots on"},
};

bool on_simulated_host(const Plan& plan, std::uint32_t host) {
  return plan.hosts[host].connect.transport == Transport::kSimulated;
}

}  // namespace

std::span<const DefaultTime> default_times() { return kDefaults; }

const DefaultTime& default_time(Op op, const StopPolicy& stop) {
  return *std::find_if(kDefaults.begin(), kDefaults.end(), [&](const DefaultTime& row) {
    return row.op == op && (op != Op::kStopVm || row.mode == stop.mode);
  });
}

StepTime Durations::of(const StepKind& kind, const StopPolicy& stop) const {
  const auto found = measured.find(kind);
  StepTime time;
  if (found != measured.end()) {
    time = found->second;
  } else {
    const DefaultTime& row = default_time(kind.op, stop);
    time = {row.median, row.p95, 0, 0};
  }
  if (kind.op == Op::kStopVm) {
    const auto most = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(std::chrono::milliseconds(stop.timeout).count(), 0, kNone - std::int64_t{1}));
    time.median = std::min(time.median, most);
    time.p95 = std::min(time.p95, most);
  }
  return time;
}

StepGpus::StepGpus(const Plan& plan) : by_vm_(plan.vms.size(), kNone) {
  std::vector<std::vector<std::uint32_t>> by_host(plan.hosts.size());
  for (std::uint32_t g = 0; g < plan.gpus.size(); ++g) {
    by_host[plan.gpus[g].host].push_back(g);
  }
  std::vector<std::uint32_t> only(plan.hosts.size(), kNone);
  for (std::size_t h = 0; h < by_host.size(); ++h) {
    const bool one_model = std::all_of(by_host[h].begin(), by_host[h].end(), [&](std::uint32_t g) {
      return plan.gpus[g].model == plan.gpus[by_host[h].front()].model;
    });
    only[h] = one_model && !by_host[h].empty() ? by_host[h].front() : kNone;
  }
  for (std::size_t v = 0; v < plan.vms.size(); ++v) {
    const PlanVm& vm = plan.vms[v];
    by_vm_[v] = only[vm.host];
    if (by_vm_[v] != kNone) {
      continue;
    }
    if (vm.new_gpu < PlanVm::kHostChooses) {
      by_vm_[v] = vm.new_gpu;
      continue;
    }
    const std::vector<std::uint32_t>& rows = by_host[vm.host];
    for (const PlanAdapter& adapter : plan.adapters_of(vm)) {
      const auto found = std::find_if(rows.begin(), rows.end(),
                                      [&](std::uint32_t g) { return same_name(plan.gpus[g].name, adapter.gpu); });
      if (found != rows.end()) {
        by_vm_[v] = *found;
        break;
      }
    }
  }
}

StepTimes::StepTimes(const Plan& plan, const Durations& durations) : row_of_(plan.steps.size(), kNone) {
  const StepGpus gpus(plan);
  // By GPU, then for the hosts where none is known; each with all ops.
  std::vector<std::array<std::uint32_t, kOps>> known(plan.gpus.size() + plan.hosts.size());
  for (auto& ops : known) {
    ops.fill(kNone);
  }
  std::map<StepKind, std::uint32_t> rows;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const std::uint32_t gpu = gpus.of(step);
    const std::uint32_t host = host_of(plan, step);
    std::uint32_t& row = known[gpu != kNone ? gpu : plan.gpus.size() + host].at(static_cast<std::size_t>(step.op));
    if (row == kNone) {
      StepKind kind{step.op, gpu == kNone ? std::string() : std::string(plan.gpus[gpu].model),
                    on_simulated_host(plan, host)};
      row = rows.emplace(std::move(kind), static_cast<std::uint32_t>(rows.size())).first->second;
    }
    row_of_[i] = row;
  }
  // Numbered as they were met, told in their own order.
  std::vector<std::uint32_t> place(rows.size());
  for (const auto& [kind, number] : rows) {
    place[number] = static_cast<std::uint32_t>(rows_.size());
    rows_.push_back({kind, durations.of(kind, plan.stop)});
  }
  for (std::uint32_t& row : row_of_) {
    row = place[row];
  }
}

}  // namespace gpup
