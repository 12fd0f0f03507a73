#include "execute/take_up.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "execute/step_check.h"

namespace gpup {

namespace {

constexpr auto kOff = static_cast<std::uint32_t>(VmState::kOff);
constexpr auto kRunning = static_cast<std::uint32_t>(VmState::kRunning);

/// The steps of one VM: indexes into Plan::steps.
struct Chain {
  std::uint32_t stop = kNone;
  std::uint32_t start = kNone;
  std::uint32_t assign = kNone;
  std::uint32_t action = kNone;
  bool adapters_left = false;  ///< an unassign or assign is not done
  bool left = false;           ///< any step is
};

class Left {
 public:
  Left(const Plan& plan, const RecordedRun& run, const ObservedState& observed)
      : plan_(plan),
        run_(run),
        left_(plan),
        held_(plan),
        noted_(plan.steps.size()),
        done_(plan.steps.size()),
        chains_(plan.vms.size()),
        host_left_(plan.hosts.size()) {
    for (const HostTarget& target : plan.hosts) {
      const Host* const host = find_host(observed, target.name);
      hosts_.push_back(host != nullptr && host->reachable ? host : nullptr);
    }
    for (const RecordedStep& step : run.steps) {
      if (step.step < noted_.size()) {
        noted_[step.step] = &step;
      }
    }
  }

  Plan plan() {
    settle();
    list_chains();
    settle_power();
    mark_left();
    write_vms();
    write_facts();
    write_differences();
    write_steps();
    owe_hooks();
    // What the plan was warned of was told when it was approved, and may not be so any more; what it leaves out or
    // breaks on purpose is.
    std::erase_if(left_.diagnostics, [](const Diagnostic& told) {
      return told.code != Code::kNotForRoutine && told.code != Code::kOverridden;
    });
    left_.id.clear();
    return std::move(left_);
  }

 private:
  bool sent(std::uint32_t step) const {
    return step != kNone && noted_[step] != nullptr && (noted_[step]->intended || noted_[step]->outcome.has_value());
  }

  // In the order of the plan: what was done before a step is held when it is judged.
  void settle() {
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      const RecordedStep* const noted = noted_[i];
      if (noted == nullptr) {
        continue;
      }
      std::string adapter = noted->adapter;
      done_[i] = noted->outcome && ended_well(*noted->outcome) && !noted->undone;
      const Host* const host = hosts_[host_of(plan_, step)];
      if (!done_[i] && noted->intended && host != nullptr) {
        StepResult found;
        done_[i] = after_step(plan_, step, *host, held_, found);
        adapter = found.adapter;
      }
      if (done_[i] && step.op == Op::kUnassignPartition) {
        held_.gone[step.adapter] = 1;
      } else if (done_[i] && step.op == Op::kAssignPartition) {
        held_.added[step.vm] = adapter;
      }
    }
  }

  void list_chains() {
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (step.vm == kNone) {
        continue;
      }
      Chain& chain = chains_[step.vm];
      switch (step.op) {
        case Op::kStopVm:
          chain.stop = i;
          break;
        case Op::kStartVm:
          chain.start = i;
          break;
        case Op::kAssignPartition:
          chain.assign = i;
          chain.adapters_left = chain.adapters_left || !done_[i];
          break;
        case Op::kUnassignPartition:
          chain.adapters_left = chain.adapters_left || !done_[i];
          break;
        case Op::kSetOfflineAction:
          chain.action = i;
          break;
        case Op::kSetPartitionCount:
          break;
      }
    }
  }

  const Vm* vm_now(std::uint32_t vm) const {
    const Host* const host = hosts_[plan_.vms[vm].host];
    return host == nullptr ? nullptr : find_vm(*host, plan_.vms[vm].id);
  }

  /// True where the run stopped it and was to start it again: both states may be its own doing.
  bool was_cycled(const Chain& chain) const { return chain.start != kNone && sent(chain.stop); }

  void settle_power() {
    for (std::uint32_t v = 0; v < chains_.size(); ++v) {
      const Chain& chain = chains_[v];
      const Vm* const now = was_cycled(chain) ? vm_now(v) : nullptr;
      if (now == nullptr || now->state == VmState::kOther) {
        continue;
      }
      if (now->state == VmState::kOff) {
        done_[chain.stop] = true;
        done_[chain.start] = false;
      } else {
        done_[chain.stop] = done_[chain.start] = !chain.adapters_left;
      }
    }
  }

  void mark_left() {
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      if (!done_[i]) {
        host_left_[host_of(plan_, plan_.steps[i])] = true;
        if (plan_.steps[i].vm != kNone) {
          chains_[plan_.steps[i].vm].left = true;
        }
      }
    }
  }

  // What each VM holds now, as far as the run is the cause.
  void write_vms() {
    left_.adapters.clear();
    for (std::uint32_t v = 0; v < plan_.vms.size(); ++v) {
      const PlanVm& was = plan_.vms[v];
      PlanVm& vm = left_.vms[v];
      vm.first_adapter = static_cast<std::uint32_t>(left_.adapters.size());
      for (std::uint32_t a = was.first_adapter; a < was.first_adapter + was.adapter_count; ++a) {
        first_left_.push_back(static_cast<std::uint32_t>(left_.adapters.size()));
        if (held_.gone[a] == 0) {
          PlanAdapter adapter = plan_.adapters[a];
          if (sent(chains_[v].stop)) {
            adapter.gpu = gpu_now(v, adapter.id, adapter.gpu);  // a host may forget it while the VM is off (inferred)
          }
          left_.adapters.push_back(adapter);
        }
      }
      if (!held_.added[v].empty()) {
        const std::string_view id = keep(held_.added[v]);
        left_.adapters.push_back({id, gpu_now(v, id, {}), false});
        vm.new_gpu = kNone;
        vm.min_vram = 0;
      }
      vm.adapter_count = static_cast<std::uint32_t>(left_.adapters.size()) - vm.first_adapter;
      vm.was_running = state_now(v, was.was_running ? kRunning : kOff) == kRunning;
    }
  }

  std::string_view gpu_now(std::uint32_t v, std::string_view id, std::string_view otherwise) {
    const Vm* const vm = vm_now(v);
    if (vm != nullptr) {
      for (const Adapter& adapter : hosts_[plan_.vms[v].host]->adapters_of(*vm)) {
        if (same_name(adapter.id, id)) {
          return keep(adapter.gpu_name);
        }
      }
    }
    return otherwise;
  }

  std::string_view keep(std::string_view text) { return texts_->keep(text); }

  /// The state that the run should have left it in; `before` where it was not touched.
  std::uint32_t state_now(std::uint32_t v, std::uint32_t before) const {
    const Chain& chain = chains_[v];
    if (was_cycled(chain)) {
      const Vm* const now = vm_now(v);
      return now != nullptr && now->state == VmState::kOff ? kOff : kRunning;
    }
    if (chain.stop != kNone && done_[chain.stop]) {
      return kOff;
    }
    return chain.start != kNone && done_[chain.start] ? kRunning : before;
  }

  void write_facts() {
    left_.facts.clear();
    for (Fact fact : plan_.facts) {
      switch (fact.subject) {
        case Subject::kHost:
          if (!host_left_[fact.index]) {
            continue;
          }
          fact.value = assigned_now(fact.index, {}, fact.value);
          break;
        case Subject::kGpu: {
          const PlanGpu& gpu = plan_.gpus[fact.index];
          if (!host_left_[gpu.host]) {
            continue;
          }
          if (fact.property == Property::kAssigned) {
            fact.value = assigned_now(gpu.host, gpu.name, fact.value);
          } else if (fact.property == Property::kPartitionCount) {
            fact.value = count_now(fact.index, fact.value);
          }
          break;
        }
        case Subject::kVm: {
          const Chain& chain = chains_[fact.index];
          if (!chain.left) {
            continue;
          }
          if (fact.property == Property::kState) {
            fact.value = state_now(fact.index, fact.value);
          } else if (fact.property == Property::kOfflineAction && chain.action != kNone && done_[chain.action]) {
            fact.value = plan_.steps[chain.action].to;
          }
          break;
        }
      }
      left_.facts.push_back(fact);
    }
  }

  std::uint32_t count_now(std::uint32_t gpu, std::uint32_t before) const {
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      if (plan_.steps[i].op == Op::kSetPartitionCount && plan_.steps[i].gpu == gpu && done_[i]) {
        return plan_.steps[i].to;
      }
    }
    return before;
  }

  /// How many adapters name the GPU (without a name: how many are unresolved) if nobody but the VMs of the plan has
  /// changed anything: what those of the plan hold now takes the place of what they held.
  std::uint32_t assigned_now(std::uint32_t host_index, std::string_view gpu, std::uint32_t before) const {
    const Host* const host = hosts_[host_index];
    if (host == nullptr) {
      return before;
    }
    std::uint32_t held = 0;
    std::uint32_t holds = 0;
    for (std::uint32_t v = 0; v < plan_.vms.size(); ++v) {
      if (plan_.vms[v].host != host_index) {
        continue;
      }
      for (const PlanAdapter& adapter : plan_.adapters_of(plan_.vms[v])) {
        held += same_name(adapter.gpu, gpu) ? 1U : 0U;
      }
      if (const Vm* const now = vm_now(v)) {
        for (const Adapter& adapter : host->adapters_of(*now)) {
          holds += same_name(adapter.gpu_name, gpu) ? 1U : 0U;
        }
      }
    }
    return before >= held ? before - held + holds : before;
  }

  bool is_left(std::uint32_t step) const { return step != kNone && !done_[step]; }

  void write_differences() {
    std::erase_if(left_.differences, [&](const Difference& difference) {
      if (difference.subject != Subject::kVm) {
        return count_now(difference.index, kNone) != kNone;
      }
      const Chain& chain = chains_[difference.index];
      switch (difference.property) {
        case Property::kPartitions:
          return !chain.adapters_left;
        case Property::kOfflineAction:
          return !is_left(chain.action);
        case Property::kState:
          return !is_left(chain.stop) && !is_left(chain.start);
        case Property::kPartitionCount:
        case Property::kStatus:
        case Property::kAssigned:
          break;
      }
      return false;
    });
  }

  void write_steps() {
    std::vector<std::uint32_t> place(plan_.steps.size(), kNone);
    std::vector<std::vector<std::uint32_t>> behind(
        plan_.steps.size());  // of a step that is done: what it waits for still
    left_.steps.clear();
    left_.after.clear();
    left_.reasons.clear();
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      std::vector<std::uint32_t> waits;
      for (const std::uint32_t before : plan_.after_of(plan_.steps[i])) {
        if (done_[before]) {
          waits.insert(waits.end(), behind[before].begin(), behind[before].end());
        } else {
          waits.push_back(place[before]);
        }
      }
      std::sort(waits.begin(), waits.end());
      waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
      if (done_[i]) {
        behind[i] = std::move(waits);
        continue;
      }
      place[i] = static_cast<std::uint32_t>(left_.steps.size());
      Step step = plan_.steps[i];
      step.first_after = static_cast<std::uint32_t>(left_.after.size());
      step.after_count = static_cast<std::uint32_t>(waits.size());
      left_.after.insert(left_.after.end(), waits.begin(), waits.end());
      if (step.adapter != kNone) {
        step.adapter = first_left_[step.adapter];
      }
      if (step.op == Op::kStartVm && chains_[step.vm].stop != kNone && done_[chains_[step.vm].stop]) {
        step.reason = Reason::kStartOwed;
      }
      left_.steps.push_back(step);
      left_.reasons.push_back(i < plan_.reasons.size() ? plan_.reasons[i] : std::string_view());
    }
    left_.texts.push_back(texts_);
  }

  /// VMs that run, that were started, and for which the hook after that has not ended well.
  void owe_hooks() {
    left_.after_owed.clear();
    if (plan_.hooks.after.empty()) {
      return;
    }
    std::vector<bool> owed(plan_.vms.size());
    for (const std::uint32_t vm : plan_.after_owed) {
      owed[vm] = true;
    }
    for (std::uint32_t v = 0; v < owed.size(); ++v) {
      const Vm* const now = vm_now(v);
      const bool started = chains_[v].start != kNone && done_[chains_[v].start];
      if ((owed[v] || started) && now != nullptr && now->state == VmState::kRunning && !is_opened(plan_.vms[v])) {
        left_.after_owed.push_back(v);
      }
    }
  }

  bool is_opened(const PlanVm& vm) const {
    return std::any_of(run_.hooks.begin(), run_.hooks.end(), [&](const RecordedHook& hook) {
      return hook.kind == to_string(HookKind::kAfter) && same_name(hook.vm_id, vm.id) && hook.ended_well();
    });
  }

  const Plan& plan_;
  const RecordedRun& run_;
  Plan left_;
  Held held_;
  std::vector<const Host*> hosts_;  // by Plan::hosts; nullptr where it was not read
  std::vector<const RecordedStep*> noted_;
  std::vector<bool> done_;
  std::vector<Chain> chains_;  // by VM
  std::vector<bool> host_left_;
  std::vector<std::uint32_t> first_left_;  // by Plan::adapters of the run: its row among those that are left
  std::shared_ptr<TextPool> texts_ = std::make_shared<TextPool>();
};

}  // namespace

Plan what_is_left(const Plan& plan, const RecordedRun& run, const ObservedState& observed) {
  return Left(plan, run, observed).plan();
}

std::vector<LeftOff> stopped_by_run(const Plan& left, const ObservedState& observed) {
  std::vector<LeftOff> off;
  for (const Step& step : left.steps) {
    if (step.op != Op::kStartVm || step.reason != Reason::kStartOwed) {
      continue;
    }
    const PlanVm& vm = left.vms[step.vm];
    for (const Host& host : observed.hosts) {  // it may have moved
      const Vm* const now = find_vm(host, vm.id);
      if (now != nullptr && now->state == VmState::kOff) {
        off.push_back({std::string(host.name), std::string(vm.name), std::string(vm.id), "the run stopped it",
                       start_command(vm.id)});
      }
    }
  }
  return off;
}

}  // namespace gpup
