#include "plan/roll_back.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/findings.h"
#include "plan/goal.h"
#include "plan/overrides.h"

namespace gpup {

namespace {

/// What a run may have changed of a VM or GPU.
struct Changed {
  bool adapters = false;
  bool power = false;
  bool owed = false;  ///< it was off and owed a start: that it runs now is as it should be
  std::uint32_t action_step = kNone;
  std::uint32_t count_step = kNone;

  bool any() const { return adapters || power || action_step != kNone || count_step != kNone; }
};

class RollBack {
 public:
  RollBack(const Plan& run, const std::vector<bool>& sent, const KnownAdapters& adapters, const ObservedState& observed)
      : run_(run),
        adapters_(adapters),
        observed_(observed),
        findings_(nowhere_),
        gpus_(run.gpus.size()),
        vms_(run.vms.size()) {
    for (const HostTarget& target : run.hosts) {
      wish_.hosts.emplace_back().target = target;
    }
    note_changes(sent);
  }

  Planned plan() {
    Goal goal = pair_hosts(wish_, observed_);
    for (HostGoal& on : goal.hosts) {
      goal.sizes.learn(*on.host);
      find_lines(on);
      want_counts(on);
      find_overfull(on);
    }
    for (std::uint32_t row = 0; row < run_.vms.size(); ++row) {
      if (vms_[row].any()) {
        want_vm(goal, row);
      }
    }
    for (const HostGoal& on : goal.hosts) {
      look_for_others(on);
      look_for_room(on);
    }
    look_at_cluster(goal);
    Planned planned;
    planned.plan.not_checked = goal.not_checked;
    if (!has_error(findings_.list)) {
      write(goal, planned.plan);
    }
    planned.diagnostics = std::move(findings_.list);
    return planned;
  }

 private:
  void note_changes(const std::vector<bool>& sent) {
    std::vector<bool> stops(run_.vms.size());
    for (const Step& step : run_.steps) {
      if (step.op == Op::kStopVm) {
        stops[step.vm] = true;
      }
    }
    for (std::uint32_t i = 0; i < run_.steps.size(); ++i) {
      const Step& step = run_.steps[i];
      if (step.op == Op::kStartVm && !stops[step.vm]) {
        vms_[step.vm].owed = step.reason == Reason::kStartOwed;
      }
      if (!sent[i]) {
        continue;
      }
      switch (step.op) {
        case Op::kStopVm:
        case Op::kStartVm:
          vms_[step.vm].power = true;
          break;
        case Op::kUnassignPartition:
        case Op::kAssignPartition:
          vms_[step.vm].adapters = true;
          break;
        case Op::kSetOfflineAction:
          vms_[step.vm].action_step = i;
          break;
        case Op::kSetPartitionCount:
          gpus_[step.gpu].count_step = i;
          break;
      }
    }
  }

  // A line for each model, as if the file managed all GPUs of the host.
  void find_lines(HostGoal& on) {
    for (std::size_t g = 0; g < on.gpus.size(); ++g) {
      const Gpu& gpu = on.host->gpus[g];
      on.gpus[g].count = gpu.partition_count.value_or(0);
      if (gpu.status != GpuStatus::kPartitioned) {
        continue;
      }
      const auto known = std::find_if(wish_.gpus.begin(), wish_.gpus.end(),
                                      [&](const DesiredGpu& line) { return line.model == gpu.model; });
      on.gpus[g].line = static_cast<std::uint32_t>(known - wish_.gpus.begin());
      on.managed = true;
      if (known == wish_.gpus.end()) {
        wish_.gpus.emplace_back().model = gpu.model;
      }
    }
  }

  void want_counts(HostGoal& on) {
    for (std::uint32_t row = 0; row < run_.gpus.size(); ++row) {
      if (run_.gpus[row].host != on.desired || gpus_[row].count_step == kNone) {
        continue;
      }
      const Step& step = run_.steps[gpus_[row].count_step];
      const About about{on.host->name, "gpu", run_.gpus[row].name};
      const std::uint32_t g = find(on, run_.gpus[row].name);
      if (g == kNone || !on.gpus[g].managed()) {
        tell(about, fmt::format("GPU {} on {} is {}: its partition count is not brought back",
                                short_gpu_name(run_.gpus[row].name), on.host->name,
                                g == kNone ? "gone" : "not partitioned any more"));
        continue;
      }
      const std::vector<std::uint32_t>& valid = on.host->gpus[g].valid_partition_counts;
      if (step.from == kNone || (!valid.empty() && std::find(valid.begin(), valid.end(), step.from) == valid.end())) {
        tell(about, fmt::format("the partition count that GPU {} on {} had is not one that it can be given",
                                short_gpu_name(run_.gpus[row].name), on.host->name));
        continue;
      }
      const std::uint32_t now = on.host->gpus[g].partition_count.value_or(kNone);
      if (now != step.from && now != step.to) {
        refuse(about,
               fmt::format("the run set the partition count of GPU {} on {} to {}, and somebody has changed it since",
                           short_gpu_name(run_.gpus[row].name), on.host->name, step.to),
               kLaterFirst);
        continue;
      }
      on.gpus[g].count = step.from;
      on.gpus[g].changes = on.host->gpus[g].partition_count != step.from;
      on.counts_change = on.counts_change || on.gpus[g].changes;
    }
  }

  static constexpr const char* kLaterFirst = "roll back the later run first ('gpup history'), or plan from a file";

  static std::uint32_t find(const HostGoal& on, std::string_view gpu) {
    for (std::uint32_t g = 0; g < on.host->gpus.size(); ++g) {
      if (same_name(on.host->gpus[g].name, gpu)) {
        return g;
      }
    }
    return kNone;
  }

  void tell(About about, std::string message) {
    findings_.warn(Code::kNotRestored, {}, about, std::move(message), "bring it back by hand where it matters");
  }
  void refuse(About about, std::string message, std::string hint = {}) {
    findings_.error(Code::kCannotRollBack, {}, about, std::move(message), std::move(hint));
  }

  void want_vm(Goal& goal, std::uint32_t row) {
    const PlanVm& was = run_.vms[row];
    HostGoal* elsewhere = nullptr;
    bool read = false;
    for (HostGoal& on : goal.hosts) {
      read = read || on.desired == was.host;
      for (std::uint32_t v = 0; v < on.vms.size(); ++v) {
        if (!same_name(on.host->vms[v].id, was.id)) {
          continue;
        }
        if (on.desired == was.host) {
          want(on, v, row);
          return;
        }
        elsewhere = &on;
      }
    }
    if (read || elsewhere != nullptr) {
      const std::string& host = run_.hosts[was.host].name;
      tell({host, "vm", was.name}, elsewhere != nullptr
                                       ? fmt::format("VM '{}' was on {}, is on {} now: it is left as it is", was.name,
                                                     host, elsewhere->host->name)
                                       : fmt::format("VM '{}' is gone from {}", was.name, host));
    }
  }

  void want(HostGoal& on, std::uint32_t v, std::uint32_t row) {
    const Vm& vm = on.host->vms[v];
    VmGoal& goal = on.vms[v];
    const Changed& changed = vms_[row];
    goal.line = static_cast<std::uint32_t>(wish_.assignments.size());
    DesiredAssignment& line = wish_.assignments.emplace_back();
    line.id = vm.id;
    const bool runs = vm.state == VmState::kRunning;
    const bool to_run = changed.power ? run_.vms[row].was_running || changed.owed : runs;
    if (changed.adapters) {
      want_adapters(on, vm, goal, row, to_run);
    }
    if (!goal.adapters_change && !to_run) {
      tell_resolved(on, vm, row);
    }
    want_action(on, vm, goal, changed);
    goal.stops = runs && (goal.adapters_change || !to_run);
    goal.starts = to_run && (goal.stops || vm.state == VmState::kOff);
    if (goal.starts && !goal.stops) {
      line.power = Power::kRunning;
    }
    if (vm.state == VmState::kOther && goal.touched()) {
      refuse({on.host->name, "vm", vm.name},
             fmt::format("VM '{}' on {} is {}: only VMs that are Running or Off can be changed", vm.name, on.host->name,
                         vm.state_name),
             "look at it and bring it to Running or Off first");
    }
  }

  // An adapter that stays, and that was given its GPU when the run started its VM, keeps it.
  void tell_resolved(const HostGoal& on, const Vm& vm, std::uint32_t row) {
    for (const PlanAdapter& before : run_.adapters_of(run_.vms[row])) {
      for (const Adapter& now : on.host->adapters_of(vm)) {
        if (before.gpu.empty() && !now.gpu_name.empty() && same_name(now.id, before.id)) {
          tell({on.host->name, "vm", vm.name},
               fmt::format("VM '{}' on {} held a partition that was not resolved yet: it is one of {} now", vm.name,
                           on.host->name, short_gpu_name(now.gpu_name)));
        }
      }
    }
  }

  void want_action(const HostGoal& on, const Vm& vm, VmGoal& goal, const Changed& changed) {
    if (changed.action_step == kNone) {
      return;
    }
    const std::uint32_t before = run_.steps[changed.action_step].from;
    const std::uint32_t now = vm.offline_action ? static_cast<std::uint32_t>(*vm.offline_action) : kNone;
    if (before == now) {
      return;
    }
    if (now != run_.steps[changed.action_step].to) {
      refuse({on.host->name, "vm", vm.name},
             fmt::format("the run set the OfflineAction of VM '{}' on {}, and somebody has changed it since", vm.name,
                         on.host->name),
             kLaterFirst);
      return;
    }
    if (before == kNone || !vm.clustered) {
      tell({on.host->name, "vm", vm.name},
           fmt::format("VM '{}' on {} had no OfflineAction that could be set", vm.name, on.host->name));
      return;
    }
    goal.offline_action = static_cast<OfflineAction>(before);
  }

  // What a VM held, as one adapter is put back.
  void want_adapters(const HostGoal& on, const Vm& vm, VmGoal& goal, std::uint32_t row, bool to_run) {
    const auto before = run_.adapters_of(run_.vms[row]);
    const auto now = on.host->adapters_of(vm);
    const About about{on.host->name, "vm", vm.name};
    goal.blocks = std::any_of(now.begin(), now.end(), [&](const Adapter& adapter) {
      return on.in_the_way(adapter) ||
             (on.counts_change && adapter.gpu >= 0 && on.gpus[static_cast<std::size_t>(adapter.gpu)].overfull);
    });
    const bool same_ids =
        before.size() == now.size() && std::all_of(before.begin(), before.end(), [&](const auto& one) {
          return std::any_of(now.begin(), now.end(),
                             [&](const Adapter& adapter) { return same_name(adapter.id, one.id); });
        });
    if (same_ids && !goal.blocks) {
      return;
    }
    if (before.empty()) {
      goal.adapters_change = !now.empty();
      goal.reason = Reason::kBefore;
      look_for_later(on, vm, before, now);
      return;
    }
    if (before.size() > 1) {
      tell(about, fmt::format("VM '{}' on {} held {} partitions, and gpup gives it one", vm.name, on.host->name,
                              before.size()));
    }
    const std::optional<std::uint32_t> gpu = wanted_gpu(on, vm, before.front(), to_run);
    if (!gpu) {
      if (goal.blocks) {
        refuse(about, fmt::format("VM '{}' on {} holds a partition that would have to go and cannot be given back",
                                  vm.name, on.host->name));
      }
      return;
    }
    if (now.size() == 1 && !goal.blocks && is_as_before(on, vm, now.front(), before.front(), to_run)) {
      return;
    }
    look_for_later(on, vm, before, now);
    goal.adapters_change = true;
    goal.reason = Reason::kBefore;
    goal.new_gpu = *gpu;
    goal.gpu_line = *gpu == PlanVm::kHostChooses ? line_of(on, before.front()) : on.gpus[*gpu].line;
  }

  void look_for_later(const HostGoal& on, const Vm& vm, std::span<const PlanAdapter> before,
                      std::span<const Adapter> now) {
    std::vector<std::string_view> had;
    std::vector<std::string_view> has;
    std::transform(before.begin(), before.end(), std::back_inserter(had), [](const auto& one) { return one.id; });
    std::transform(now.begin(), now.end(), std::back_inserter(has), [](const auto& one) { return one.id; });
    if (!adapters_.explain(vm.id, had, has)) {
      refuse({on.host->name, "vm", vm.name},
             fmt::format("the run changed what VM '{}' on {} holds, and somebody has changed it since", vm.name,
                         on.host->name),
             kLaterFirst);
    }
  }

  bool is_as_before(const HostGoal& on, const Vm& vm, const Adapter& now, const PlanAdapter& before,
                    bool to_run) const {
    if (same_name(now.gpu_name, before.gpu)) {
      return true;
    }
    if (before.gpu.empty()) {
      return to_run;  // it was given its GPU when it started
    }
    const std::uint32_t was = find(on, before.gpu);
    // The host chose; asked again, it would choose again.
    return vm.clustered && was != kNone && (now.gpu < 0 || on.host->gpus[was].model == model_of(on, now));
  }

  static std::string_view model_of(const HostGoal& on, const Adapter& adapter) {
    return adapter.gpu >= 0 ? on.host->gpus[static_cast<std::size_t>(adapter.gpu)].model : std::string_view();
  }

  std::uint32_t line_of(const HostGoal& on, const PlanAdapter& before) const {
    const std::uint32_t was = before.gpu.empty() ? kNone : find(on, before.gpu);
    for (std::uint32_t g = 0; g < on.gpus.size(); ++g) {
      if (on.gpus[g].managed() && (was == kNone || was == g)) {
        return on.gpus[g].line;
      }
    }
    return kNone;
  }

  /// The GPU that the adapter is pinned to, or that the host chooses; nothing, which was told, where neither can be.
  std::optional<std::uint32_t> wanted_gpu(const HostGoal& on, const Vm& vm, const PlanAdapter& before, bool to_run) {
    const About about{on.host->name, "vm", vm.name};
    if (before.gpu.empty()) {
      if (!on.one_model || line_of(on, before) == kNone) {
        tell(about, fmt::format("VM '{}' on {} held a partition that was not resolved yet, which cannot be given to it "
                                "on a host with GPUs of several models",
                                vm.name, on.host->name));
        return std::nullopt;
      }
      return PlanVm::kHostChooses;
    }
    const std::uint32_t g = find(on, before.gpu);
    if (g == kNone || !on.gpus[g].managed()) {
      tell(about, fmt::format("VM '{}' on {} held a partition of {}, which is not there any more", vm.name,
                              on.host->name, short_gpu_name(before.gpu)));
      return std::nullopt;
    }
    if (!vm.clustered) {
      return g;
    }
    if (!on.one_model) {
      tell(about, fmt::format("VM '{}' on {} held a partition of {}: it is clustered, so it cannot be pinned to that",
                              vm.name, on.host->name, short_gpu_name(before.gpu)));
      return std::nullopt;
    }
    const auto cards = std::count_if(on.gpus.begin(), on.gpus.end(), [](const GpuGoal& gpu) { return gpu.managed(); });
    if (cards > 1 || !to_run) {
      tell(about, fmt::format("VM '{}' on {} held a partition of {}: it is clustered, so the host chooses the GPU when "
                              "it starts",
                              vm.name, on.host->name, short_gpu_name(before.gpu)));
    }
    return PlanVm::kHostChooses;
  }

  // VMs that the run did not assign anything to, or take from, and whose adapters stand in the way of a count.
  void look_for_others(const HostGoal& on) {
    for (std::size_t v = 0; v < on.vms.size(); ++v) {
      if (on.vms[v].adapters_change) {
        continue;
      }
      for (const Adapter& adapter : on.host->adapters_of(on.host->vms[v])) {
        if (on.in_the_way(adapter)) {
          refuse({on.host->name, "vm", on.host->vms[v].name},
                 fmt::format("VM '{}' on {} holds a partition of a GPU whose count would be brought back, and the run "
                             "did not give it",
                             on.host->vms[v].name, on.host->name),
                 "take it away first, or plan from a file");
          break;
        }
      }
    }
  }

  void look_for_room(const HostGoal& on) {
    std::vector<std::uint32_t> named(on.gpus.size());
    std::set<std::uint32_t> grows;  // GPUs that get an adapter
    std::size_t choosing = 0;
    bool adds = false;
    for (std::size_t v = 0; v < on.vms.size(); ++v) {
      const Vm& vm = on.host->vms[v];
      for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
        const Adapter& adapter = on.host->adapters[a];
        if (on.removed(on.vms[v], a)) {
          continue;
        }
        if (adapter.gpu >= 0) {
          ++named[static_cast<std::size_t>(adapter.gpu)];
        } else if (adapter.gpu == Adapter::kUnresolved) {
          ++choosing;
        }
      }
      const std::uint32_t gpu = on.vms[v].new_gpu;
      if (gpu == PlanVm::kHostChooses) {
        ++choosing;
        adds = true;
      } else if (gpu != kNone) {
        ++named[gpu];
        grows.insert(gpu);
        adds = true;
      }
    }
    if (!adds) {
      return;
    }
    for (const std::uint32_t gpu : grows) {
      if (named[gpu] > on.gpus[gpu].count) {
        full(on, short_gpu_name(on.host->gpus[gpu].name), named[gpu], on.gpus[gpu].count);
      }
    }
    std::set<std::string_view> models;
    for (std::size_t g = 0; g < on.gpus.size(); ++g) {
      const std::string_view model = on.host->gpus[g].model;
      if (!on.gpus[g].managed() || !models.insert(model).second) {
        continue;
      }
      std::size_t held = choosing;
      std::size_t partitions = 0;
      for (std::size_t other = 0; other < on.gpus.size(); ++other) {
        if (on.gpus[other].managed() && on.host->gpus[other].model == model) {
          held += named[other];
          partitions += on.gpus[other].count;
        }
      }
      if (held > partitions) {
        full(on, model, held, partitions);
      }
    }
  }

  void full(const HostGoal& on, std::string_view what, std::size_t held, std::size_t partitions) {
    refuse({on.host->name, "host", on.host->name},
           fmt::format("{} would have {} adapters of {} and {} partitions", on.host->name, held, what, partitions),
           "take partitions away first, or plan from a file");
  }

  /// True where the cluster's GPUs differed before the run, or it was performed although they would differ after it.
  /// The policy of its file is not known any more.
  bool may_differ() const {
    std::set<std::pair<std::string_view, std::uint32_t>> before;
    for (const PlanCluster::Others& other : run_.cluster.others) {
      before.emplace(other.model, other.partition_count);
    }
    for (const Fact& fact : run_.facts) {
      if (fact.subject == Subject::kGpu && fact.property == Property::kPartitionCount) {
        before.emplace(run_.gpus[fact.index].model, fact.value);
      }
    }
    return before.size() > 1 ||
           std::any_of(run_.diagnostics.begin(), run_.diagnostics.end(), [](const Diagnostic& told) {
             return told.code == Code::kNotHomogeneous || (told.code == Code::kOverridden && told.object == "cluster");
           });
  }

  void look_at_cluster(const Goal& goal) {
    if (run_.cluster.name.empty()) {
      return;
    }
    wish_.cluster = run_.cluster.name;
    wish_.policy.homogeneous = may_differ() ? Homogeneous::kWarn : Homogeneous::kRequire;
    if (std::any_of(goal.hosts.begin(), goal.hosts.end(), [](const auto& on) { return on.counts_change; })) {
      Overrides none(wish_.policy, findings_);
      check_homogeneous(wish_, {}, goal, none, findings_);
    }
  }

  void write(const Goal& goal, Plan& plan) {
    plan.name = run_.name;
    plan.hosts = run_.hosts;
    plan.stop = run_.stop;
    plan.window = run_.window;
    plan.hooks = run_.hooks;
    write_steps(wish_, goal, plan);
    for (Step& step : plan.steps) {
      step.reason = step.reason == Reason::kWasRunning ? step.reason : Reason::kBefore;
    }
    plan.diagnostics = findings_.list;
    plan.texts = observed_.texts;
  }

  const Plan& run_;
  const KnownAdapters& adapters_;
  const ObservedState& observed_;
  const Sources nowhere_;
  Findings findings_;
  DesiredState wish_;          // what was, in the form of a file
  std::vector<Changed> gpus_;  // by Plan::gpus of the run
  std::vector<Changed> vms_;   // by Plan::vms of the run
};

}  // namespace

void KnownAdapters::given(std::string_view vm_id, std::string_view adapter) {
  Given& given = given_[fold_case(vm_id)];
  if (adapter.empty()) {
    ++given.nameless;
  } else {
    given.ids.insert(fold_case(adapter));
  }
}

void KnownAdapters::taken(std::string_view adapter) { taken_.insert(fold_case(adapter)); }

bool KnownAdapters::explain(std::string_view vm_id, const std::vector<std::string_view>& before,
                            const std::vector<std::string_view>& now) const {
  const auto found = given_.find(fold_case(vm_id));
  Given known = found == given_.end() ? Given() : found->second;
  for (const std::string_view adapter : before) {
    known.ids.insert(fold_case(adapter));
  }
  std::size_t others = 0;
  for (const std::string_view adapter : now) {
    others += known.ids.erase(fold_case(adapter)) == 0 ? 1 : 0;
  }
  return others <= known.nameless &&
         std::all_of(known.ids.begin(), known.ids.end(), [&](const std::string& id) { return taken_.contains(id); });
}

Planned make_roll_back(const Plan& run, const std::vector<bool>& sent, const KnownAdapters& adapters,
                       const ObservedState& observed) {
  return RollBack(run, sent, adapters, observed).plan();
}

void add_sent(const Plan& run, const Plan& taken_up, const std::vector<bool>& also_sent, std::vector<bool>& sent) {
  using Deed = std::tuple<Op, std::string, std::string>;
  const auto deed = [](const Plan& plan, const Step& step) {
    return Deed{step.op, fold_case(plan.hosts[host_of(plan, step)].name),
                fold_case(step.vm != kNone ? plan.vms[step.vm].id : plan.gpus[step.gpu].name)};
  };
  std::set<Deed> deeds;
  for (std::size_t i = 0; i < taken_up.steps.size(); ++i) {
    if (also_sent[i]) {
      deeds.insert(deed(taken_up, taken_up.steps[i]));
    }
  }
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    sent[i] = sent[i] || deeds.contains(deed(run, run.steps[i]));
  }
}

}  // namespace gpup
