#include <algorithm>
#include <cassert>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "plan/goal.h"
#include "plan/host_steps.h"

namespace gpup {

namespace {

// Writes one host's part of a plan.
class HostPart {
 public:
  HostPart(const DesiredState& desired, const Goal& goal, const HostGoal& on, Plan& plan)
      : desired_(desired), goal_(goal), on_(on), host_(*on.host), plan_(plan), gpu_row_(on.gpus.size(), kNone) {}

  void write() {
    const HostSteps steps = order_steps(desired_, on_);
    if (!steps.rows.empty()) {
      write_gpus();
    }
    write_vms();
    write_rows(steps);
  }

 private:
  void write_gpus() {
    std::uint32_t unresolved = 0;
    std::vector<std::uint32_t> named(on_.gpus.size(), 0);
    for (const Adapter& adapter : host_.adapters) {
      unresolved += adapter.gpu == Adapter::kUnresolved ? 1U : 0U;
      if (adapter.gpu >= 0) {
        ++named[static_cast<std::size_t>(adapter.gpu)];
      }
    }
    for (std::size_t g = 0; g < on_.gpus.size(); ++g) {
      const GpuGoal& wanted = on_.gpus[g];
      if (!wanted.managed()) {
        continue;
      }
      const Gpu& gpu = host_.gpus[g];
      const auto row = static_cast<std::uint32_t>(plan_.gpus.size());
      gpu_row_[g] = row;
      plan_.gpus.push_back({gpu.name, gpu.model, on_.desired, {}, {}});
      plan_.facts.push_back({Subject::kGpu, Property::kStatus, row, static_cast<std::uint32_t>(gpu.status)});
      plan_.facts.push_back({Subject::kGpu, Property::kPartitionCount, row, gpu.partition_count.value_or(kNone)});
      plan_.facts.push_back({Subject::kGpu, Property::kAssigned, row, named[g]});
      if (wanted.changes) {
        plan_.gpus.back().vram_before = gpu.partition_vram;
        plan_.gpus.back().vram_after = goal_.sizes.of(gpu, wanted.count);
        plan_.differences.push_back({Subject::kGpu, Property::kPartitionCount, row, gpu.partition_count.value_or(kNone),
                                     wanted.count, desired_.gpus[wanted.line].count_place});
      }
    }
    plan_.facts.push_back({Subject::kHost, Property::kAssigned, on_.desired, unresolved});
  }

  void write_vms() {
    vm_row_.assign(on_.vms.size(), kNone);
    for (std::uint32_t v = 0; v < on_.vms.size(); ++v) {
      if (on_.vms[v].touched() || on_.vms[v].stays_off) {
        write_vm(v);
      }
      if (on_.vms[v].stays_off) {
        plan_.owed_starts.push_back({vm_row_[v], on_.desired});
      }
    }
  }

  void write_vm(std::uint32_t v) {
    const VmGoal& wanted = on_.vms[v];
    const Vm& vm = host_.vms[v];
    const DesiredAssignment* line = wanted.listed() ? &desired_.assignments[wanted.line] : nullptr;
    const auto row = static_cast<std::uint32_t>(plan_.vms.size());
    vm_row_[v] = row;
    PlanVm out;
    out.name = vm.name;
    out.id = vm.id;
    out.host = on_.desired;
    out.first_adapter = static_cast<std::uint32_t>(plan_.adapters.size());
    out.adapter_count = vm.adapter_count;
    out.new_gpu = wanted.new_gpu < PlanVm::kHostChooses ? gpu_row_[wanted.new_gpu] : wanted.new_gpu;
    out.min_vram = line != nullptr && wanted.new_gpu != kNone ? line->min_vram.value_or(0) : 0;
    out.place = line != nullptr ? line->place : Place{};
    out.was_running = vm.state == VmState::kRunning;
    plan_.vms.push_back(out);
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      const Adapter& adapter = host_.adapters[a];
      plan_.adapters.push_back({adapter.id, adapter.gpu_name, on_.removed(wanted, a)});
    }

    const auto word = [](std::optional<OfflineAction> action) {
      return action ? static_cast<std::uint32_t>(*action) : kNone;
    };
    plan_.facts.push_back({Subject::kVm, Property::kState, row, static_cast<std::uint32_t>(vm.state)});
    plan_.facts.push_back({Subject::kVm, Property::kPartitions, row, kNone});
    if (wanted.offline_action) {
      plan_.facts.push_back({Subject::kVm, Property::kOfflineAction, row, word(vm.offline_action)});
    }

    if (wanted.adapters_change && wanted.reason != Reason::kCountChanges) {
      plan_.differences.push_back({Subject::kVm, Property::kPartitions, row, kNone, kNone,
                                   line != nullptr ? line->place : desired_.policy.unlisted_place});
    }
    if (wanted.offline_action) {
      assert(line != nullptr);  // only a line wants one
      plan_.differences.push_back({Subject::kVm, Property::kOfflineAction, row, word(vm.offline_action),
                                   word(wanted.offline_action), line->at(line->offline_action_at)});
    }
    // A stop that is followed by a start is no difference: the VM runs before and after.
    if (wanted.stops != wanted.starts) {
      plan_.differences.push_back({Subject::kVm, Property::kState, row, static_cast<std::uint32_t>(vm.state),
                                   static_cast<std::uint32_t>(wanted.starts ? VmState::kRunning : VmState::kOff),
                                   line == nullptr          ? Place{}
                                   : line->power_at.there() ? line->at(line->power_at)
                                                            : line->place});
    }
  }

  void write_rows(const HostSteps& steps) {
    const auto first_step = static_cast<std::uint32_t>(plan_.steps.size());
    const auto first_after = static_cast<std::uint32_t>(plan_.after.size());
    for (const HostSteps::Row& row : steps.rows) {
      Step step;
      step.op = row.op;
      step.reason = row.reason;
      step.vm = row.vm == kNone ? kNone : vm_row_[row.vm];
      step.gpu = row.gpu == kNone ? kNone : gpu_row_[row.gpu];
      step.first_after = first_after + row.first_after;
      step.after_count = row.after_count;
      if (row.op == Op::kUnassignPartition) {
        step.adapter = plan_.vms[step.vm].first_adapter + (row.adapter - host_.vms[row.vm].first_adapter);
      } else if (row.op == Op::kSetPartitionCount) {
        step.from = host_.gpus[row.gpu].partition_count.value_or(kNone);
        step.to = on_.gpus[row.gpu].count;
      } else if (row.op == Op::kSetOfflineAction) {
        const std::optional<OfflineAction> before = host_.vms[row.vm].offline_action;
        step.from = before ? static_cast<std::uint32_t>(*before) : kNone;
        step.to = static_cast<std::uint32_t>(*on_.vms[row.vm].offline_action);
      }
      plan_.steps.push_back(step);
    }
    for (const std::uint32_t before : steps.after) {
      plan_.after.push_back(first_step + before);
    }
  }

  const DesiredState& desired_;
  const Goal& goal_;
  const HostGoal& on_;
  const Host& host_;
  Plan& plan_;
  std::vector<std::uint32_t> gpu_row_;  // of a GPU of the host: its row in Plan::gpus
  std::vector<std::uint32_t> vm_row_;
};

// So that the tables of a large plan are not moved while they grow.
void reserve(const Goal& goal, Plan& plan) {
  std::size_t vms = 0;
  std::size_t adapters = 0;
  std::size_t steps = 0;
  std::size_t facts = 0;
  std::size_t differences = 0;
  std::size_t gpus = 0;
  std::size_t waits = 0;  // of assigns for counts
  for (const HostGoal& host : goal.hosts) {
    std::size_t sets = 0;
    std::size_t assigns = 0;
    for (const GpuGoal& gpu : host.gpus) {
      sets += gpu.changes ? 1 : 0;
      gpus += gpu.managed() ? 1 : 0;
      steps += gpu.changes ? 1 : 0;
      differences += gpu.changes ? 1 : 0;
    }
    for (std::size_t v = 0; v < host.vms.size(); ++v) {
      const VmGoal& vm = host.vms[v];
      if (!vm.touched()) {
        continue;
      }
      ++vms;
      assigns += vm.new_gpu != kNone ? 1 : 0;
      const std::size_t own = host.host->vms[v].adapter_count;
      const std::size_t offline_action = vm.offline_action ? 1 : 0;
      adapters += own;
      steps += (vm.stops ? 1 : 0) + (vm.adapters_change ? own : 0) + (vm.new_gpu != kNone ? 1 : 0) + offline_action +
               (vm.starts ? 1 : 0);
      facts += 2 + offline_action;
      differences += offline_action + (vm.stops != vm.starts ? 1 : 0) +
                     (vm.adapters_change && vm.reason != Reason::kCountChanges ? 1 : 0);
    }
    waits += sets * assigns;
  }
  plan.gpus.reserve(gpus);
  plan.vms.reserve(vms);
  plan.adapters.reserve(adapters);
  plan.steps.reserve(steps);
  plan.after.reserve(steps + steps / 4 + waits);
  plan.facts.reserve(facts + 3 * gpus + goal.hosts.size());
  plan.differences.reserve(differences);
}

// Records on hosts that their VMs have left, of those that the plan starts or leaves off. One that just runs may be
// about to stop, by the very request that the record is of.
void find_left_behind(const Goal& goal, Plan& plan) {
  if (std::all_of(goal.hosts.begin(), goal.hosts.end(),
                  [](const HostGoal& on) { return on.host->starts_owed.empty(); })) {
    return;
  }
  std::map<std::string, std::uint32_t> rows;
  for (const OwedStart& owed : plan.owed_starts) {
    rows.emplace(fold_case(plan.vms[owed.vm].id), owed.vm);
  }
  for (const Step& step : plan.steps) {
    if (is_power(step.op)) {
      rows.emplace(fold_case(plan.vms[step.vm].id), step.vm);
    }
  }
  for (const HostGoal& on : goal.hosts) {
    for (const std::string_view id : on.host->starts_owed) {
      const auto row = rows.find(fold_case(id));
      if (row != rows.end() && plan.vms[row->second].host != on.desired) {
        plan.owed_starts.push_back({row->second, on.desired});
      }
    }
  }
}

void count_others(const HostGoal& host, std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t>& others) {
  for (std::size_t g = 0; g < host.gpus.size(); ++g) {
    if (host.gpus[g].managed()) {
      const Gpu& gpu = host.host->gpus[g];
      ++others[{gpu.model, gpu.partition_count.value_or(kNone)}];
    }
  }
}

}  // namespace

void write_steps(const DesiredState& desired, const Goal& goal, Plan& plan) {
  reserve(goal, plan);
  plan.cluster.name = desired.cluster.value_or("");
  std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t> others;
  for (const HostGoal& host : goal.hosts) {
    const std::size_t steps = plan.steps.size();
    HostPart(desired, goal, host, plan).write();
    if (desired.cluster && plan.steps.size() == steps) {
      count_others(host, others);
    }
  }
  find_left_behind(goal, plan);
  for (const auto& [kind, gpus] : others) {
    plan.cluster.others.push_back({kind.first, kind.second, gpus});
  }
}

}  // namespace gpup
