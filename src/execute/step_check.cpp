#include "execute/step_check.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "execute/find.h"

namespace gpup {

namespace {

Look broken(std::string message) { return {Before::kBroken, std::move(message)}; }

bool contains(const std::vector<std::string_view>& ids, std::string_view id) {
  return std::any_of(ids.begin(), ids.end(), [&](std::string_view one) { return same_name(one, id); });
}

/// The ids of the adapters that the VM should hold now.
std::vector<std::string_view> expected(const Plan& plan, std::uint32_t vm_index, const Held& held) {
  const PlanVm& vm = plan.vms[vm_index];
  std::vector<std::string_view> ids;
  for (std::uint32_t i = 0; i < vm.adapter_count; ++i) {
    if (held.gone[vm.first_adapter + i] == 0) {
      ids.push_back(plan.adapters[vm.first_adapter + i].id);
    }
  }
  if (!held.added[vm_index].empty()) {
    ids.push_back(held.added[vm_index]);
  }
  return ids;
}

/// The VM's adapters that it should not hold, and whether one that it should is missing.
struct Strangers {
  std::vector<const Adapter*> more;
  bool missing = false;
};

Strangers strangers(const Host& host, const Vm& vm, const std::vector<std::string_view>& ids) {
  Strangers found;
  std::size_t known = 0;
  for (const Adapter& adapter : host.adapters_of(vm)) {
    if (contains(ids, adapter.id)) {
      ++known;
    } else {
      found.more.push_back(&adapter);
    }
  }
  found.missing = known < ids.size();
  return found;
}

bool fits_wish(const Plan& plan, const Step& step, const Adapter& adapter) {
  return step.gpu == kNone || same_name(adapter.gpu_name, plan.gpus[step.gpu].name);
}

bool is_resolved(const Adapter& adapter) {
  return !adapter.gpu_name.empty() && adapter.partition_id.has_value() && adapter.vram.has_value();
}

void note(const Adapter& adapter, StepResult& result) {
  result.adapter = adapter.id;
  result.gpu = adapter.gpu_name;
  result.partition_id = adapter.partition_id;
  result.vram = adapter.vram;
}

/// The GPU that the host chose must be one of those that the plan manages: a card of another model may have come since.
const Adapter* misplaced(const Plan& plan, const Step& step, const Host& host, const Vm& vm) {
  const PlanVm& planned = plan.vms[step.vm];
  if (planned.new_gpu != PlanVm::kHostChooses) {
    return nullptr;
  }
  for (const Adapter& adapter : host.adapters_of(vm)) {
    const bool managed = std::any_of(plan.gpus.begin(), plan.gpus.end(), [&](const PlanGpu& gpu) {
      return gpu.host == planned.host && same_name(gpu.name, adapter.gpu_name);
    });
    if (!adapter.gpu_name.empty() && !managed) {
      return &adapter;
    }
  }
  return nullptr;
}

/// What a started VM holds: `assigned` and `resolved` of the step. True where all of it is resolved.
bool note_started(const Plan& plan, const Step& step, const Host& host, const Vm& vm, StepResult& result) {
  const auto adapters = host.adapters_of(vm);
  const PlanVm& planned = plan.vms[step.vm];
  const bool all = std::all_of(adapters.begin(), adapters.end(), is_resolved);
  if (!adapters.empty()) {
    note(adapters.front(), result);
  }
  const bool wants_one = planned.new_gpu != kNone;
  if (!adapters.empty() || wants_one) {
    result.assigned = !adapters.empty();
    result.resolved = !adapters.empty() && all;
  }
  return all && (!wants_one || !adapters.empty());
}

/// The sizes of the partitions that the VM may be given must be at least its `minVram`.
std::optional<std::string> too_small(const Plan& plan, const Step& step, const Host& host) {
  const std::uint64_t wanted = plan.vms[step.vm].min_vram;
  if (wanted == 0) {
    return std::nullopt;
  }
  for (const Gpu& gpu : host.gpus) {
    const bool candidate =
        step.gpu == kNone ? gpu.status == GpuStatus::kPartitioned : same_name(gpu.name, plan.gpus[step.gpu].name);
    if (candidate && !gpu.partition_vram) {
      return fmt::format("the size of a partition of {} is not known, minVram is {}", short_gpu_name(gpu.name),
                         human_size(wanted));
    }
    if (candidate && *gpu.partition_vram < wanted) {
      return fmt::format("a partition of {} has {}, minVram is {}", short_gpu_name(gpu.name),
                         human_size(*gpu.partition_vram), human_size(wanted));
    }
  }
  return std::nullopt;
}

Look before_vm(const Plan& plan, const Step& step, const Host& host, const Vm& vm, const Held& held,
               StepResult& result) {
  const Strangers found = strangers(host, vm, expected(plan, step.vm, held));
  switch (step.op) {
    case Op::kStopVm:
      if (vm.state == VmState::kOff) {
        return {Before::kAlready, {}};
      }
      break;
    case Op::kUnassignPartition: {
      const auto adapters = host.adapters_of(vm);
      if (std::none_of(adapters.begin(), adapters.end(),
                       [&](const Adapter& adapter) { return same_name(adapter.id, plan.adapters[step.adapter].id); })) {
        return {Before::kAlready, {}};
      }
      break;
    }
    case Op::kAssignPartition:
      if (found.more.size() == 1 && !found.missing && fits_wish(plan, step, *found.more.front())) {
        result.assigned = true;
        note(*found.more.front(), result);
        return {Before::kAlready, {}};
      }
      break;
    case Op::kStartVm:
      if (vm.state == VmState::kRunning && note_started(plan, step, host, vm, result)) {
        return {Before::kAlready, {}};
      }
      break;
    case Op::kSetOfflineAction: {
      const std::uint32_t is = vm.offline_action ? static_cast<std::uint32_t>(*vm.offline_action) : kNone;
      if (is == step.to) {
        return {Before::kAlready, {}};
      }
      if (is != step.from) {
        return broken(
            fmt::format("offlineAction was {}, is {}", offline_action_words(step.from), offline_action_words(is)));
      }
      return {};  // it asks nothing else of the VM
    }
    case Op::kSetPartitionCount:
      return {};
  }
  const VmState wanted = step.op == Op::kStopVm ? VmState::kRunning : VmState::kOff;
  if (vm.state != wanted) {
    return broken(fmt::format("the virtual machine must be {}, it is {}", wanted == VmState::kOff ? "Off" : "Running",
                              vm.state_name));
  }
  if (found.missing || !found.more.empty()) {
    return broken("what the virtual machine holds has changed since the plan was made");
  }
  if (step.op == Op::kAssignPartition) {
    if (std::optional<std::string> small = too_small(plan, step, host)) {
      return broken(std::move(*small));
    }
  }
  return {};
}

Look before_gpu(const Plan& plan, const Step& step, const Host& host, StepResult& result) {
  const Gpu* const gpu = find_gpu(host, plan.gpus[step.gpu].name);
  if (gpu == nullptr) {
    return broken("the GPU is gone");
  }
  if (gpu->status != GpuStatus::kPartitioned) {
    return broken(fmt::format("the GPU must be partitioned, it is {}", to_string(gpu->status)));
  }
  const std::uint32_t count = gpu->partition_count.value_or(kNone);
  if (count == step.to) {
    result.vram = gpu->partition_vram;
    return {Before::kAlready, {}};
  }
  if (count != step.from) {
    return broken(
        fmt::format("partitionCount was {}, is {}", step.from, count == kNone ? "not known" : std::to_string(count)));
  }
  for (const Vm& vm : host.vms) {
    for (const Adapter& adapter : host.adapters_of(vm)) {
      if (adapter.gpu_name.empty() || same_name(adapter.gpu_name, gpu->name)) {
        return broken(fmt::format("the GPU is in use: {} holds {}", vm.name,
                                  adapter.gpu_name.empty() ? "a partition that is not resolved" : "a partition of it"));
      }
    }
  }
  return {};
}

bool missing(StepResult& result, std::string message) {
  result.message = std::move(message);
  return false;
}

bool after_assign(const Plan& plan, const Step& step, const Host& host, const Vm& vm, const Held& held,
                  StepResult& result) {
  const Strangers found = strangers(host, vm, expected(plan, step.vm, held));
  result.assigned = found.more.size() == 1 && !found.missing && fits_wish(plan, step, *found.more.front());
  if (*result.assigned) {
    note(*found.more.front(), result);
    return true;
  }
  if (found.more.empty()) {
    return missing(result, "the adapter is not there");
  }
  return missing(result, found.more.size() > 1 ? fmt::format("{} adapters were added", found.more.size())
                                               : std::string("the adapter is on another GPU"));
}

bool after_start(const Plan& plan, const Step& step, const Host& host, const Vm& vm, StepResult& result) {
  const bool resolved = note_started(plan, step, host, vm, result);
  if (vm.state != VmState::kRunning) {
    result.resolved = result.resolved ? std::optional(false) : std::nullopt;
    return missing(result, fmt::format("the virtual machine is {}", vm.state_name));
  }
  if (const Adapter* const elsewhere = misplaced(plan, step, host, vm)) {
    return missing(result,
                   fmt::format("it runs, but the host gave it a partition of {}, which no line of the file manages",
                               short_gpu_name(elsewhere->gpu_name)));
  }
  return resolved || missing(result, "it runs, but what it was assigned is not resolved to a partition");
}

}  // namespace

Look before_step(const Plan& plan, const Step& step, const Host& host, const Held& held, StepResult& result) {
  if (step.op == Op::kSetPartitionCount) {
    return before_gpu(plan, step, host, result);
  }
  const Vm* const vm = find_vm(host, plan.vms[step.vm].id);
  return vm == nullptr ? Look{Before::kMissing, {}} : before_vm(plan, step, host, *vm, held, result);
}

bool after_step(const Plan& plan, const Step& step, const Host& host, const Held& held, StepResult& result) {
  if (step.op == Op::kSetPartitionCount) {
    const Gpu* const gpu = find_gpu(host, plan.gpus[step.gpu].name);
    const std::uint32_t count = gpu == nullptr ? kNone : gpu->partition_count.value_or(kNone);
    result.vram = gpu == nullptr ? std::nullopt : gpu->partition_vram;
    return count == step.to || missing(result, count == kNone ? std::string("the partition count is not known")
                                                              : fmt::format("the GPU has {} partitions", count));
  }
  const Vm* const vm = find_vm(host, plan.vms[step.vm].id);
  if (vm == nullptr) {
    return missing(result, "the virtual machine is not on the host any more");
  }
  switch (step.op) {
    case Op::kStopVm:
      return vm->state == VmState::kOff || missing(result, fmt::format("the virtual machine is {}", vm->state_name));
    case Op::kUnassignPartition: {
      const auto adapters = host.adapters_of(*vm);
      return std::none_of(
                 adapters.begin(), adapters.end(),
                 [&](const Adapter& adapter) { return same_name(adapter.id, plan.adapters[step.adapter].id); }) ||
             missing(result, "the adapter is still there");
    }
    case Op::kAssignPartition:
      return after_assign(plan, step, host, *vm, held, result);
    case Op::kSetOfflineAction: {
      const std::uint32_t is = vm->offline_action ? static_cast<std::uint32_t>(*vm->offline_action) : kNone;
      return is == step.to || missing(result, fmt::format("offlineAction is {}", offline_action_words(is)));
    }
    case Op::kStartVm:
      return after_start(plan, step, host, *vm, result);
    case Op::kSetPartitionCount:
      break;
  }
  return false;
}

}  // namespace gpup
