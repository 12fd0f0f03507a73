#include "plan/host_steps.h"
#include "plan/mutant.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <map>
#include <queue>
#include <span>
#include <string_view>
#include <utility>

namespace gpup {

namespace {

// The steps of one VM, by their index among the host's unordered steps.
struct Chain {
  std::uint32_t vm = kNone;
  std::uint32_t stop = kNone;
  std::uint32_t first_removal = 0;
  std::uint32_t removals = 0;
  std::uint32_t assign = kNone;
  std::uint32_t offline_action = kNone;
  std::uint32_t start = kNone;
};

// Places for adapters: of one GPU, or of all GPUs of one model. Counted from the moment when every step that all
// its takers wait for is done.
struct Places {
  std::int64_t free = 0;
  std::vector<std::uint32_t> suppliers;  // removals that free a place which their own VM does not take again
  std::size_t taken = 0;                 // of the suppliers
  std::vector<std::uint32_t> debt;       // removals that everyone waits for: it was overfull to begin with

  std::span<std::uint32_t> untaken() { return std::span(suppliers).subspan(taken); }
  bool has(std::uint32_t removal) {
    const auto rest = untaken();
    return std::find(rest.begin(), rest.end(), removal) != rest.end();
  }
  // The removal that a taker has to wait for, kNone where a place is free.
  std::uint32_t take() {
    if (free > 0) {
      --free;
      return kNone;
    }
    return taken < suppliers.size() ? suppliers[taken++] : kNone;
  }
  // The place that this removal frees.
  void take(std::uint32_t removal) {
    const auto rest = untaken();
    const auto found = std::find(rest.begin(), rest.end(), removal);
    std::rotate(rest.begin(), found, std::next(found));
    ++taken;
  }
  void settle() {
    while (free < 0 && taken < suppliers.size()) {
      debt.push_back(suppliers[taken++]);
      ++free;
    }
  }
};

constexpr std::array kSteps = {&Chain::stop, &Chain::assign, &Chain::start};

class Orderer {
 public:
  Orderer(const DesiredState& desired, const HostGoal& on) : desired_(desired), on_(on), host_(*on.host) {}

  HostSteps order() {
    list_steps();
    count_adapters();
    one_by_one_ = sets_one_by_one();
    for (const Chain& chain : chains_) {
      link_chain(chain);
    }
    link_counts();
    find_places();
    for (const bool blocking : {true, false}) {  // those that are down anyway choose their places first
      for (const Chain& chain : chains_) {
        if (chain.assign != kNone && goal(chain).blocks == blocking) {
          link_assign(chain);
        }
      }
    }
    for (const Chain& chain : chains_) {
      link_bare_start(chain);
    }
    link_starts();
    return sorted();
  }

 private:
  const VmGoal& goal(const Chain& chain) const { return on_.vms[chain.vm]; }
  const Vm& vm(const Chain& chain) const { return host_.vms[chain.vm]; }
  const Adapter& removed_adapter(std::uint32_t step) const { return host_.adapters[steps_[step].adapter]; }

  std::uint32_t add(Op op, Reason reason, std::uint32_t vm, std::uint32_t gpu = kNone, std::uint32_t adapter = kNone) {
    steps_.push_back({op, reason, vm, gpu, adapter, 0, 0});
    return static_cast<std::uint32_t>(steps_.size() - 1);
  }
  void edge(std::uint32_t before, std::uint32_t after) { edges_.emplace_back(after, before); }

  void list_steps() {
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (on_.gpus[g].changes) {
        sets_.push_back(add(Op::kSetPartitionCount, Reason::kWantedCount, kNone, g));
      }
    }
    for (std::uint32_t v = 0; v < on_.vms.size(); ++v) {
      if (on_.vms[v].touched()) {
        list_vm(v);
      }
    }
  }

  void list_vm(std::uint32_t v) {
    const VmGoal& goal = on_.vms[v];
    const Vm& vm = host_.vms[v];
    Chain chain;
    chain.vm = v;
    if (goal.stops && !GPUP_MUTANT(1)) {
      chain.stop = add(Op::kStopVm, goal.adapters_change ? goal.reason : Reason::kPowerOff, v);
    }
    chain.first_removal = static_cast<std::uint32_t>(steps_.size());
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      if (on_.removed(goal, a)) {
        add(Op::kUnassignPartition, goal.reason, v, kNone, a);
        ++chain.removals;
      }
    }
    if (goal.new_gpu != kNone) {
      chain.assign =
          add(Op::kAssignPartition, goal.reason, v, goal.new_gpu == PlanVm::kHostChooses ? kNone : goal.new_gpu);
    }
    if (goal.offline_action) {
      chain.offline_action = add(Op::kSetOfflineAction, Reason::kOfflineAction, v);
    }
    if (goal.starts && GPUP_MUTANT(10)) {
      add(Op::kStartVm, Reason::kWasRunning, v);
    }
    if (goal.starts) {
      const Reason reason = goal.stops      ? Reason::kWasRunning
                            : vm.start_owed ? Reason::kStartOwed
                                            : Reason::kPowerRunning;
      chain.start = add(Op::kStartVm, reason, v);
    }
    chains_.push_back(chain);
  }

  void count_adapters() {
    named_.assign(on_.gpus.size(), 0);
    for (const Adapter& adapter : host_.adapters) {
      if (adapter.gpu >= 0) {
        ++named_[static_cast<std::size_t>(adapter.gpu)];
      } else if (adapter.gpu == Adapter::kUnresolved) {
        ++unresolved_;
      }
    }
    any_overfull_ = std::any_of(on_.gpus.begin(), on_.gpus.end(), [](const GpuGoal& g) { return g.overfull; });
  }

  // True where the removal comes before a count of this host is set. While its VM is off an adapter may be unresolved
  // (inferred), so a VM that is stopped for one count has lost all that it loses before any count is set.
  bool before_sets(const Chain& chain, std::uint32_t removal) const {
    const Adapter& adapter = removed_adapter(removal);
    return on_.counts_change &&
           (on_.in_the_way(adapter) || on_overfull(adapter) || (goal(chain).blocks && chain.stop != kNone));
  }
  bool before_set(const Chain& chain, std::uint32_t removal, std::uint32_t set) const {
    if (stops_after(chain, set)) {
      return false;
    }
    const Adapter& adapter = removed_adapter(removal);
    const bool of_another = adapter.gpu >= 0 && on_.gpus[static_cast<std::size_t>(adapter.gpu)].changes &&
                            static_cast<std::uint32_t>(adapter.gpu) != steps_[set].gpu;
    return before_sets(chain, removal) && !(of_another && chain.stop == kNone && !any_overfull_);
  }
  // Where listed VMs may not all be down at once, the counts of a host on which adapters are pinned are set one after
  // another: a VM is stopped only after those that come before the counts which it stands in the way of. Not where a
  // GPU has more adapters than partitions until its turn: others of its model would have to wait for it.
  bool sets_one_by_one() const {
    return desired_.policy.disruption.limits() && !on_.one_model && !any_overfull_ && !any_crowded() &&
           std::none_of(chains_.begin(), chains_.end(), [&](const Chain& chain) { return starts_before_sets(chain); });
  }
  bool any_crowded() const {
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (too_many_until_set(g) > 0) {
        return true;
      }
    }
    return false;
  }
  // How many adapters more than partitions a GPU has whose count changes.
  std::int64_t too_many_until_set(std::uint32_t g) const {
    const auto now = static_cast<std::int64_t>(host_.gpus[g].partition_count.value_or(0));
    return on_.gpus[g].changes ? std::max<std::int64_t>(0, named_[g] - now) : 0;
  }
  bool stops_after(const Chain& chain, std::uint32_t set) const {
    if (!one_by_one_ || chain.stop == kNone || !goal(chain).blocks) {
      return false;
    }
    const auto adapters = host_.adapters_of(vm(chain));
    return std::none_of(adapters.begin(), adapters.end(), [&](const Adapter& adapter) {
      return on_.in_the_way(adapter) && adapter.gpu <= static_cast<std::int32_t>(steps_[set].gpu);
    });
  }
  bool on_overfull(const Adapter& adapter) const {
    return adapter.gpu >= 0 && on_.gpus[static_cast<std::size_t>(adapter.gpu)].overfull;
  }
  bool leaves_adapters(const Chain& chain) const { return vm(chain).adapter_count > chain.removals; }
  static bool is_own(const Chain& chain, std::uint32_t removal) {
    return removal >= chain.first_removal && removal < chain.first_removal + chain.removals;
  }

  // The edges between a VM's own steps, and between them and the counts.
  void link_chain(const Chain& chain) {
    for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
      if (chain.stop != kNone && !GPUP_MUTANT(2)) {
        edge(chain.stop, r);
      }
      for (const std::uint32_t set : sets_) {
        if (before_set(chain, r, set) && !GPUP_MUTANT(3)) {
          edge(r, set);
        }
      }
    }
    for (const std::uint32_t set : sets_) {
      if (stops_after(chain, set)) {
        edge(set, chain.stop);
      }
    }
    if (starts_before_sets(chain)) {
      for (const std::uint32_t set : sets_) {
        edge(chain.start, set);
      }
    }
    if (chain.stop != kNone && !goal(chain).blocks && stops_after_sets(chain) && !GPUP_MUTANT(14)) {
      for (const std::uint32_t set : sets_) {
        edge(set, chain.stop);
      }
    }
    if (GPUP_MUTANT(18) && chain.start != kNone && !leaves_adapters(chain)) {
      for (const std::uint32_t set : sets_) {
        edge(set, chain.start);
      }
    }
    if (chain.offline_action != kNone && !GPUP_MUTANT(25)) {
      link_to_last(chain, chain.offline_action, /*without_offline_action=*/true);
    }
    if (chain.start != kNone && !GPUP_MUTANT(5)) {
      link_to_last(chain, chain.start, false);
    }
  }

  // What it keeps may be unresolved while it is off (inferred): the counts wait until it runs again.
  bool starts_before_sets(const Chain& chain) const {
    return goal(chain).blocks && chain.stop != kNone && chain.start != kNone && leaves_adapters(chain);
  }

  // A VM that is down with an adapter, or gets one that the host is to resolve, could stand in the way of a count
  // with it: it is stopped after the counts.
  bool stops_after_sets(const Chain& chain) const {
    return vm(chain).adapter_count != 0 || goal(chain).new_gpu == PlanVm::kHostChooses;
  }

  bool grows(std::uint32_t set) const {
    const std::uint32_t gpu = steps_[set].gpu;
    return on_.gpus[gpu].count > host_.gpus[gpu].partition_count.value_or(0);
  }

  // Beside an overfull GPU no count is lowered before the others are raised.
  void link_counts() {
    for (const std::uint32_t up : sets_) {
      for (const std::uint32_t down : sets_) {
        if (any_overfull_ && grows(up) && !grows(down)) {
          edge(up, down);
        }
      }
    }
  }

  // A step waits for the end of what its VM's chain has before it.
  void link_to_last(const Chain& chain, std::uint32_t step, bool without_offline_action) {
    if (!without_offline_action && chain.offline_action != kNone) {
      edge(chain.offline_action, step);
    } else if (chain.assign != kNone) {
      edge(chain.assign, step);
    } else if (chain.removals != 0) {
      for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
        edge(r, step);
      }
    } else if (chain.stop != kNone) {
      edge(chain.stop, step);
    }
  }

  // True where the adapter may not be added before all counts of the host are set: it would be unresolved.
  bool waits_for_all_sets(const VmGoal& goal) const {
    return on_.counts_change && goal.new_gpu == PlanVm::kHostChooses;
  }
  // Models are counted beside GPUs only where adapters without a GPU can take either, or too many are there. Where
  // counts change as well, such adapters all go first: see wait_for_strays.
  bool counts_models() const { return on_.one_model || (!on_.counts_change && (unresolved_ != 0 || any_overfull_)); }

  std::string_view model_of(std::uint32_t gpu) const { return host_.gpus[gpu].model; }

  // True where the adapter takes, or may take, a partition of the model.
  bool takes_place_of(const Adapter& adapter, std::string_view model) const {
    if (adapter.gpu < 0) {
      return adapter.gpu == Adapter::kUnresolved;
    }
    const Gpu& gpu = host_.gpus[static_cast<std::size_t>(adapter.gpu)];
    return gpu.status == GpuStatus::kPartitioned && gpu.model == model;
  }

  void find_places() {
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (host_.gpus[g].status != GpuStatus::kPartitioned) {
        continue;
      }
      gpu_places_[g].free = static_cast<std::int64_t>(on_.gpus[g].count) - (on_.gpus[g].changes ? 0 : named_[g]);
      Places& model = model_places_.try_emplace(model_of(g), Places{-unresolved_, {}, 0, {}}).first->second;
      model.free += static_cast<std::int64_t>(on_.gpus[g].count) - named_[g];
    }
    for (const Chain& chain : chains_) {
      for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
        supply(chain, r);
      }
    }
    for (auto& [g, places] : gpu_places_) {
      places.settle();
    }
    for (auto& [model, places] : model_places_) {
      // First what others wait for anyway, since their GPU is overfull, then what frees a place of no GPU in
      // particular.
      auto first = std::stable_partition(places.suppliers.begin(), places.suppliers.end(), [&](std::uint32_t r) {
        const auto gpu = gpu_places_.find(static_cast<std::uint32_t>(removed_adapter(r).gpu));
        return gpu != gpu_places_.end() &&
               std::find(gpu->second.debt.begin(), gpu->second.debt.end(), r) != gpu->second.debt.end();
      });
      std::stable_partition(first, places.suppliers.end(), [&](std::uint32_t r) { return removed_adapter(r).gpu < 0; });
      places.settle();
    }
  }

  // Where the removal frees a place. A VM that takes a place of the same kind again takes its own.
  void supply(const Chain& chain, std::uint32_t removal) {
    const Adapter& adapter = removed_adapter(removal);
    const bool implied = before_sets(chain, removal);
    if (adapter.gpu >= 0) {
      const auto g = static_cast<std::uint32_t>(adapter.gpu);
      const auto places = gpu_places_.find(g);
      if (places != gpu_places_.end() && !on_.gpus[g].changes && own_gpu_removal(chain) != removal) {
        places->second.suppliers.push_back(removal);
      }
    }
    for (auto& [model, places] : model_places_) {
      if (!takes_place_of(adapter, model)) {
        continue;
      }
      if (implied) {
        ++places.free;
      } else if (own_model_removal(chain, model) != removal) {
        places.suppliers.push_back(removal);
      }
    }
  }

  // The VM's own removal from the GPU that it is pinned to again.
  std::uint32_t own_gpu_removal(const Chain& chain) const {
    if (chain.assign == kNone || steps_[chain.assign].gpu == kNone) {
      return kNone;
    }
    for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
      if (removed_adapter(r).gpu == static_cast<std::int32_t>(steps_[chain.assign].gpu)) {
        return r;
      }
    }
    return kNone;
  }

  // The VM's own removal of the model that it gets again, unless the counts come after it.
  std::uint32_t own_model_removal(const Chain& chain, std::string_view model) const {
    if (chain.assign == kNone || wanted_model(chain) != model) {
      return kNone;
    }
    for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
      if (takes_place_of(removed_adapter(r), model) && !before_sets(chain, r)) {
        return r;
      }
    }
    return kNone;
  }

  std::string_view wanted_model(const Chain& chain) const {
    const std::uint32_t pinned = steps_[chain.assign].gpu;
    if (pinned != kNone) {
      return model_of(pinned);
    }
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (on_.gpus[g].line == goal(chain).gpu_line) {
        return model_of(g);
      }
    }
    return {};
  }

  void link_assign(const Chain& chain) {
    const std::uint32_t pinned = steps_[chain.assign].gpu;
    waits_.clear();
    const bool stops_late = chain.stop != kNone && !goal(chain).blocks && on_.counts_change && stops_after_sets(chain);
    if (waits_for_all_sets(goal(chain))) {
      if (!stops_late) {
        waits_ = sets_;
      }
    } else if (pinned != kNone && on_.gpus[pinned].changes) {
      waits_.push_back(set_of(pinned));
    }
    take_places(chain, pinned);

    // A VM that loses nothing is stopped only once its place is free.
    const bool on_stop = chain.stop != kNone && chain.removals == 0;
    // One that loses something which no count waits for is stopped once the counts that it waits for are set.
    const bool sets_on_stop = on_stop || (chain.stop != kNone && !goal(chain).blocks);
    for (const std::uint32_t wait : waits_) {
      const bool is_set = steps_[wait].op == Op::kSetPartitionCount;
      edge(wait, on_stop || (is_set && sets_on_stop) ? chain.stop : chain.assign);
    }
    if (chain.removals == 0) {
      if (chain.stop != kNone) {
        edge(chain.stop, chain.assign);
      }
      return;
    }
    for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
      if (!implied_by_waits(chain, r) && !GPUP_MUTANT(4)) {
        edge(r, chain.assign);
      }
    }
  }

  std::uint32_t set_of(std::uint32_t gpu) const {
    for (const std::uint32_t set : sets_) {
      if (steps_[set].gpu == gpu) {
        return set;
      }
    }
    return kNone;
  }

  // True where the assign waits for a count that waits for this removal.
  bool implied_by_waits(const Chain& chain, std::uint32_t removal) const {
    return std::any_of(waits_.begin(), waits_.end(), [&](std::uint32_t wait) {
      return steps_[wait].op == Op::kSetPartitionCount && before_set(chain, removal, wait);
    });
  }

  void take_places(const Chain& chain, std::uint32_t pinned) {
    Places* const gpu = pinned != kNone ? &gpu_places_[pinned] : nullptr;
    const std::string_view wanted = wanted_model(chain);
    Places* const model = counts_models() ? &model_places_[wanted] : nullptr;
    const bool of_gpu = gpu != nullptr && own_gpu_removal(chain) == kNone;
    const bool of_model = model != nullptr && own_model_removal(chain, wanted) == kNone;
    // One removal for both, where either is needed.
    std::uint32_t both = kNone;
    if (of_gpu && of_model && (gpu->free <= 0 || model->free <= 0)) {
      const auto untaken = gpu->untaken();
      const auto found = std::find_if(untaken.begin(), untaken.end(), [&](std::uint32_t r) { return model->has(r); });
      both = found != untaken.end() ? *found : kNone;
    }
    if (gpu != nullptr) {
      take(*gpu, chain, of_gpu, both);
    }
    if (model != nullptr) {
      take(*model, chain, of_model, both);
    }
    if (model == nullptr && on_.counts_change && pinned != kNone) {
      wait_for_strays(chain, model_of(pinned));
    }
  }

  // Adapters without a GPU count against every model, and those of an overfull GPU, also one whose count changes, are
  // too many of its own: an adapter is pinned beside them only where there is room for all of them at any moment.
  void wait_for_strays(const Chain& chain, std::string_view model) {
    const std::int64_t slack = least_slack(model);
    const bool room_for_unresolved = unresolved_ <= slack;
    std::int64_t too_many = overfull_by_[model];
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      too_many += model_of(g) == model ? too_many_until_set(g) : 0;
    }
    const bool room_for_too_many = too_many + (room_for_unresolved ? unresolved_ : 0) <= slack;
    for (const Chain& other : chains_) {
      for (std::uint32_t r = other.first_removal; other.vm != chain.vm && r < other.first_removal + other.removals;
           ++r) {
        const Adapter& adapter = removed_adapter(r);
        const bool of_too_many =
            !room_for_too_many &&
            (on_overfull(adapter) ||
             (adapter.gpu >= 0 && too_many_until_set(static_cast<std::uint32_t>(adapter.gpu)) > 0 &&
              !implied_by_waits(other, r)));
        if (adapter.gpu == Adapter::kUnresolved ? !room_for_unresolved
                                                : of_too_many && takes_place_of(adapter, model)) {
          waits_.push_back(r);
        }
      }
    }
  }

  // Partitions of the model that no adapter with a GPU takes at any moment of the plan.
  std::int64_t least_slack(std::string_view model) {
    const auto known = slack_.find(model);
    if (known != slack_.end()) {
      return known->second;
    }
    std::vector<std::int64_t> stays(on_.gpus.size(), 0);
    std::vector<std::int64_t> added(on_.gpus.size(), 0);
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const Vm& vm = host_.vms[v];
      for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
        if (host_.adapters[a].gpu >= 0 && !on_.removed(on_.vms[v], a)) {
          ++stays[static_cast<std::size_t>(host_.adapters[a].gpu)];
        }
      }
      if (on_.vms[v].new_gpu < PlanVm::kHostChooses) {
        ++added[on_.vms[v].new_gpu];
      }
    }
    std::int64_t slack = 0;
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (host_.gpus[g].status == GpuStatus::kPartitioned && model_of(g) == model) {
        const std::int64_t partitions = std::min(on_.gpus[g].count, host_.gpus[g].partition_count.value_or(0));
        // Where the count stays, adapters may be added before others of the GPU have gone.
        const std::int64_t most = on_.gpus[g].changes ? std::max(named_[g], stays[g] + added[g]) : named_[g] + added[g];
        slack += std::max<std::int64_t>(0, partitions - most);
        overfull_by_[model] += on_.gpus[g].overfull ? std::max<std::int64_t>(0, most - partitions) : 0;
      }
    }
    slack_.emplace(model, slack);
    return slack;
  }

  // What the VM waits for: `more` than the place that it takes again, that which the removal `given` frees where one is
  // given.
  void take(Places& places, const Chain& chain, bool more, std::uint32_t given) {
    wait_for_debt(places, chain, more);
    if (!more) {
      return;
    }
    std::uint32_t removal = given;
    if (removal == kNone && places.free <= 0) {  // one that it waits for already, if there is such a one
      const auto known = std::find_if(waits_.begin(), waits_.end(), [&](std::uint32_t r) { return places.has(r); });
      removal = known != waits_.end() ? *known : kNone;
    }
    if (removal != kNone) {
      places.take(removal);
    } else {
      removal = places.take();
    }
    if (removal != kNone && !GPUP_MUTANT(13)) {
      wait(removal);
    }
  }
  void wait(std::uint32_t removal) {
    if (std::find(waits_.begin(), waits_.end(), removal) == waits_.end()) {
      waits_.push_back(removal);
    }
  }

  // One that only takes its own place again waits for so much less as it gives up besides, or waits for anyway.
  void wait_for_debt(const Places& places, const Chain& chain, bool more) {
    const auto known = [&](std::uint32_t removal) {
      return is_own(chain, removal) || std::find(waits_.begin(), waits_.end(), removal) != waits_.end();
    };
    auto wanted = static_cast<std::ptrdiff_t>(places.debt.size());
    if (!more && wanted > 0 && !GPUP_MUTANT(30)) {
      wanted -= std::count_if(places.suppliers.begin(), places.suppliers.end(), known);
    }
    for (auto debt = places.debt.begin(); debt != places.debt.end() && wanted > 0; ++debt) {
      if (more || !known(*debt)) {
        wait(*debt);
        --wanted;
      }
    }
  }

  // A VM that is off, keeps its adapter and is started.
  bool starts_bare(const Chain& chain) const {
    return chain.start != kNone && chain.stop == kNone && goal(chain).new_gpu == kNone;
  }

  // Such a start waits for the place of its adapter where others have it now: on an overfull GPU or host, or one where
  // as many VMs run as there are partitions.
  void link_bare_start(const Chain& chain) {
    if (!starts_bare(chain)) {
      return;
    }
    for (const Adapter& adapter : host_.adapters_of(vm(chain))) {
      if (adapter.gpu >= 0) {
        if (is_crowded(static_cast<std::uint32_t>(adapter.gpu))) {
          for_removals([&](const Adapter& other) { return other.gpu == adapter.gpu; }, chain.start);
          for_stays_off(adapter.gpu, chain.start);
        }
      } else if (std::any_of(model_places_.begin(), model_places_.end(),
                             [](const auto& entry) { return !entry.second.debt.empty(); })) {
        for_removals([](const Adapter&) { return true; }, chain.start);
      }
    }
  }

  // True where the GPU has not a free partition now for each VM that is started on it.
  bool is_crowded(std::uint32_t gpu) {
    if (running_.empty()) {
      running_.assign(on_.gpus.size(), 0);
      for (const Vm& vm : host_.vms) {
        for (const Adapter& adapter : host_.adapters_of(vm)) {
          running_if(vm.state == VmState::kRunning, adapter);
        }
      }
      for (const Chain& chain : chains_) {
        for (const Adapter& adapter : host_.adapters_of(vm(chain))) {
          running_if(starts_bare(chain), adapter);
        }
      }
    }
    return on_.gpus[gpu].overfull || running_[gpu] > on_.gpus[gpu].count;
  }
  void running_if(bool runs, const Adapter& adapter) {
    if (runs && adapter.gpu >= 0) {
      ++running_[static_cast<std::size_t>(adapter.gpu)];
    }
  }

  // A start waits for the stops of VMs that keep an adapter of the GPU and stay off.
  void for_stays_off(std::int32_t gpu, std::uint32_t start) {
    for (const Chain& chain : chains_) {
      if (chain.stop == kNone || chain.start != kNone) {
        continue;
      }
      const auto adapters = host_.adapters_of(vm(chain));
      if (std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& a) { return a.gpu == gpu; })) {
        edge(chain.stop, start);
      }
    }
  }

  template <class Matches>
  void for_removals(Matches matches, std::uint32_t step) {
    for (const Chain& chain : chains_) {
      for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
        if (matches(removed_adapter(r)) && steps_[step].vm != chain.vm) {
          edge(r, step);
        }
      }
    }
  }

  // What stands on one GPU, apart from adapters that may come to stand on any.
  struct Standing {
    std::int64_t hold = 0;              // adapters that have it in the end
    std::int64_t run = 0;               // of those, the ones of VMs that run now or in the end
    std::vector<std::uint32_t> leaves;  // removals, but for those in whose place one of `hold` comes
    std::vector<std::uint32_t> stops;   // removals from running VMs, but for those in whose place one of `run` comes
  };

  // A VM that keeps adapters over a stop and a start: what was not pinned may lose its GPU meanwhile (inferred), and
  // the host then chooses one anew.
  bool may_move(const Chain& chain) const {
    return chain.stop != kNone && chain.start != kNone && !GPUP_MUTANT(28) &&
           kept(chain, [](const Adapter& a) { return a.gpu >= 0; }) != 0;
  }
  template <class Matches>
  std::int64_t kept(const Chain& chain, Matches matches) const {
    std::int64_t count = 0;
    for (std::uint32_t a = vm(chain).first_adapter; a < vm(chain).first_adapter + vm(chain).adapter_count; ++a) {
      count += !on_.removed(goal(chain), a) && matches(host_.adapters[a]) ? 1 : 0;
    }
    return count;
  }
  // How many partitions its start takes of GPUs that the host chooses, or may choose.
  std::int64_t chosen_at_start(const Chain& chain) const {
    const bool moves = may_move(chain);
    return chain.start == kNone ? 0 : kept(chain, [&](const Adapter& a) {
                                        return a.gpu == Adapter::kUnresolved || (moves && a.gpu >= 0);
                                      }) + (goal(chain).new_gpu == PlanVm::kHostChooses ? 1 : 0);
  }
  // The GPUs that a VM holds places on when it starts, or is assigned one; none where the host may choose one of them.
  std::vector<std::uint32_t> fixed_gpus(const Chain& chain) const {
    std::vector<std::uint32_t> gpus;
    if (chosen_at_start(chain) != 0 || (chain.start == kNone && chain.assign == kNone)) {
      return gpus;
    }
    if (goal(chain).new_gpu < PlanVm::kHostChooses) {
      gpus.push_back(goal(chain).new_gpu);
    }
    for (std::uint32_t a = vm(chain).first_adapter; a < vm(chain).first_adapter + vm(chain).adapter_count; ++a) {
      if (chain.start != kNone && host_.adapters[a].gpu >= 0 && !on_.removed(goal(chain), a)) {
        gpus.push_back(static_cast<std::uint32_t>(host_.adapters[a].gpu));
      }
    }
    return gpus;
  }

  // True where one of the chain's steps waits for this one, of the edges up to now.
  bool waits_for(const Chain& chain, std::uint32_t before) const {
    const auto end = edges_.begin() + static_cast<std::ptrdiff_t>(sorted_edges_);
    return std::any_of(kSteps.begin(), kSteps.end(), [&](std::uint32_t Chain::*step) {
      return chain.*step != kNone && std::binary_search(edges_.begin(), end, std::pair(chain.*step, before));
    });
  }

  std::vector<Standing> standing(const std::vector<std::vector<std::uint32_t>>& fixed) const {
    std::vector<Standing> all(on_.gpus.size());
    std::vector<char> moves(on_.vms.size(), 0);
    std::vector<std::uint32_t> chain_of(on_.vms.size(), kNone);
    for (std::uint32_t c = 0; c < chains_.size(); ++c) {
      moves[chains_[c].vm] = may_move(chains_[c]) ? 1 : 0;
      chain_of[chains_[c].vm] = c;
    }
    // One that waits for a removal has the place only after it.
    std::vector<char> instead(steps_.size(), 0);
    std::vector<char> has_one(chains_.size(), 0);
    for (const auto& [after, before] : edges_) {
      if (steps_[before].op == Op::kUnassignPartition && steps_[after].vm != kNone) {
        const std::uint32_t c = chain_of[steps_[after].vm];
        const auto gpu = static_cast<std::uint32_t>(removed_adapter(before).gpu);
        if (has_one[c] == 0 && instead[before] == 0 &&
            std::find(fixed[c].begin(), fixed[c].end(), gpu) != fixed[c].end()) {
          has_one[c] = 1;
          instead[before] = chains_[c].start != kNone ? 2 : 1;
        }
      }
    }
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const Vm& vm = host_.vms[v];
      const bool runs = vm.state != VmState::kOff || on_.will_run(v);
      for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
        if (host_.adapters[a].gpu >= 0 && !on_.removed(on_.vms[v], a) && moves[v] == 0) {
          Standing& on = all[static_cast<std::size_t>(host_.adapters[a].gpu)];
          ++on.hold;
          on.run += runs ? 1 : 0;
        }
      }
      if (on_.vms[v].new_gpu < PlanVm::kHostChooses) {
        ++all[on_.vms[v].new_gpu].hold;
        all[on_.vms[v].new_gpu].run += on_.will_run(v) ? 1 : 0;
      }
    }
    for (const Chain& chain : chains_) {
      for (std::uint32_t r = chain.first_removal; r < chain.first_removal + chain.removals; ++r) {
        const std::int32_t gpu = removed_adapter(r).gpu;
        if (gpu < 0 || on_.gpus[static_cast<std::size_t>(gpu)].changes) {
          continue;  // of a GPU whose count changes they go before anybody comes
        }
        Standing& on = all[static_cast<std::size_t>(gpu)];
        if (instead[r] == 0) {
          on.leaves.push_back(r);
        }
        if (instead[r] != 2 && vm(chain).state != VmState::kOff) {
          on.stops.push_back(r);
        }
      }
    }
    return all;
  }

  // Starts of VMs whose adapter has a GPU come before those that let the host choose and could take its place.
  void link_starts() {
    std::vector<const Chain*> coming;  // VMs that take a partition of a GPU that the host chooses
    std::int64_t comers = 0;           // and how many they take
    std::vector<const Chain*> hidden;  // running VMs with a partition of a GPU that nobody can tell, which are stopped
    for (const Chain& chain : chains_) {
      const std::int64_t chosen = chosen_at_start(chain);
      comers += chosen;
      if (chosen != 0) {
        coming.push_back(&chain);
      }
      const auto adapters = host_.adapters_of(vm(chain));
      if (chain.stop != kNone && std::any_of(adapters.begin(), adapters.end(),
                                             [](const Adapter& a) { return a.gpu == Adapter::kUnresolved; })) {
        hidden.push_back(&chain);
      }
    }
    if (coming.empty() && hidden.empty()) {
      return;
    }
    std::sort(edges_.begin(), edges_.end());
    sorted_edges_ = edges_.size();
    std::vector<std::vector<std::uint32_t>> fixed;
    for (const Chain& chain : chains_) {
      fixed.push_back(fixed_gpus(chain));
    }
    const std::vector<Standing> on = standing(fixed);
    for (std::uint32_t c = 0; c < chains_.size(); ++c) {
      for (const std::uint32_t g : fixed[c]) {
        const std::int64_t still_hidden = link_hidden(chains_[c], g, on[g], hidden);
        if (!GPUP_MUTANT(12)) {
          link_coming(chains_[c], g, on[g], coming, comers + still_hidden);
        }
      }
    }
  }

  // A running VM whose adapter is unresolved holds a partition of some GPU until it is stopped: a start waits for as
  // many of their stops as it needs places. Gives how many such partitions are still held when it comes.
  std::int64_t link_hidden(const Chain& chain, std::uint32_t g, const Standing& on,
                           const std::vector<const Chain*>& hidden) {
    if (hidden.empty() || chain.start == kNone || on_.gpus[g].changes || GPUP_MUTANT(29)) {
      return 0;
    }
    std::int64_t held = 0;
    const auto unresolved = [](const Adapter& a) { return a.gpu == Adapter::kUnresolved; };
    const auto waited_for = [&](const Chain& other) {
      if (other.vm == chain.vm) {
        return true;
      }
      for (std::uint32_t r = other.first_removal; r < other.first_removal + other.removals; ++r) {
        if (waits_for(chain, r)) {
          return true;
        }
      }
      return waits_for(chain, other.stop);
    };
    std::vector<const Chain*> open;
    for (const Chain* other : hidden) {
      if (!waited_for(*other)) {
        open.push_back(other);
        const auto adapters = host_.adapters_of(vm(*other));
        held += std::count_if(adapters.begin(), adapters.end(), unresolved);
      }
    }
    const std::int64_t free = std::max<std::int64_t>(
        0, static_cast<std::int64_t>(on_.gpus[g].count) - on.run - beside(on.stops, chain, nullptr));
    const bool is_hidden = std::find(hidden.begin(), hidden.end(), &chain) != hidden.end();
    const bool on_stop = chain.stop != kNone && !goal(chain).blocks && !is_hidden;
    for (const Chain* other : open) {
      if (held <= free) {
        break;
      }
      const auto adapters = host_.adapters_of(vm(*other));
      held -= std::count_if(adapters.begin(), adapters.end(), unresolved);
      edge(other->stop, on_stop ? chain.stop : chain.start);
    }
    return held;
  }

  // Removals that may come after what these VMs have the GPU for.
  std::int64_t beside(const std::vector<std::uint32_t>& removals, const Chain& chain, const Chain* comer) const {
    return std::count_if(removals.begin(), removals.end(), [&](std::uint32_t r) {
      return !is_own(chain, r) && !waits_for(chain, r) &&
             (comer == nullptr || (!is_own(*comer, r) && !waits_for(*comer, r)));
    });
  }

  // `others`: partitions of this GPU that may be taken by anyone meanwhile.
  void link_coming(const Chain& chain, std::uint32_t g, const Standing& on, const std::vector<const Chain*>& coming,
                   std::int64_t others) {
    const std::int64_t room = static_cast<std::int64_t>(on_.gpus[g].count) - others;
    if (on.run + beside(on.stops, chain, nullptr) <= room && on.hold + beside(on.leaves, chain, nullptr) <= room) {
      return;
    }
    for (const Chain* comer : coming) {
      if (chain.start != kNone && on.run + beside(on.stops, chain, comer) > room) {
        edge(chain.start, comer->start);
      } else if (chain.assign != kNone && on.hold + beside(on.leaves, chain, comer) > room) {
        edge(chain.assign, comer->start);
      }
    }
  }

  // Smallest first: what brings a VM back, then counts, then the next VM to stop, those that counts wait for first.
  std::uint64_t rank(std::uint32_t s) const {
    const HostSteps::Row& step = steps_[s];
    std::uint64_t kind = 0;
    switch (step.op) {
      case Op::kStartVm:
        kind = 0;
        break;
      case Op::kSetOfflineAction:
        kind = 1;
        break;
      case Op::kAssignPartition:
        kind = 2;
        break;
      case Op::kUnassignPartition:
        kind = 3;
        break;
      case Op::kSetPartitionCount:
        kind = 4;
        break;
      case Op::kStopVm:
        kind = 5;
        break;
    }
    std::uint64_t first_gpu = 0xffff;
    if (step.op == Op::kStopVm && on_.vms[step.vm].blocks) {
      for (const Adapter& adapter : host_.adapters_of(host_.vms[step.vm])) {
        first_gpu = std::min(first_gpu, adapter.gpu < 0
                                            ? std::uint64_t{0}
                                            : std::min(std::uint64_t{0xfffe}, static_cast<std::uint64_t>(adapter.gpu)));
      }
    }
    return kind << 56 | first_gpu << 32 | s;
  }

  HostSteps sorted() {
    std::sort(edges_.begin(), edges_.end());
    edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
    std::vector<std::uint32_t> waiting(steps_.size(), 0);
    std::vector<std::uint32_t> first_next(steps_.size() + 1, 0);
    std::vector<std::uint32_t> next(edges_.size());
    for (const auto& [after, before] : edges_) {
      ++waiting[after];
      ++first_next[before + 1];
    }
    for (std::size_t i = 1; i < first_next.size(); ++i) {
      first_next[i] += first_next[i - 1];
    }
    std::vector<std::uint32_t> fill(first_next.begin(), first_next.end() - 1);
    for (const auto& [after, before] : edges_) {
      next[fill[before]++] = after;
    }

    HostSteps out;
    out.rows.reserve(steps_.size());
    out.after.reserve(edges_.size());
    std::vector<std::uint32_t> position(steps_.size(), kNone);
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> ready;
    for (std::uint32_t s = 0; s < steps_.size(); ++s) {
      if (waiting[s] == 0) {
        ready.push(rank(s));
      }
    }
    while (!ready.empty()) {
      const auto s = static_cast<std::uint32_t>(ready.top());
      ready.pop();
      position[s] = static_cast<std::uint32_t>(out.rows.size());
      HostSteps::Row row = steps_[s];
      row.first_after = static_cast<std::uint32_t>(out.after.size());
      for (auto e = std::lower_bound(edges_.begin(), edges_.end(), std::pair(s, 0U));
           e != edges_.end() && e->first == s; ++e) {
        out.after.push_back(position[e->second]);
      }
      row.after_count = static_cast<std::uint32_t>(out.after.size()) - row.first_after;
      std::sort(out.after.begin() + row.first_after, out.after.end());
      out.rows.push_back(row);
      for (std::uint32_t n = first_next[s]; n < first_next[s + 1]; ++n) {
        if (--waiting[next[n]] == 0) {
          ready.push(rank(next[n]));
        }
      }
    }
    assert(out.rows.size() == steps_.size());
    return out;
  }

  const DesiredState& desired_;
  const HostGoal& on_;
  const Host& host_;
  std::vector<HostSteps::Row> steps_;                           // unordered
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges_;  // (after, before)
  std::vector<std::uint32_t> sets_;
  std::vector<Chain> chains_;
  std::vector<std::int64_t> named_;  // by GPU: adapters that name it now
  std::int64_t unresolved_ = 0;      // adapters without a GPU now
  bool any_overfull_ = false;
  bool one_by_one_ = false;
  std::map<std::uint32_t, Places> gpu_places_;
  std::map<std::string_view, Places> model_places_;
  std::map<std::string_view, std::int64_t> slack_;
  std::map<std::string_view, std::int64_t> overfull_by_;
  std::vector<std::uint32_t> running_;  // by GPU: VMs that run now or are started as they are
  std::vector<std::uint32_t> waits_;    // of the assign at hand
  std::size_t sorted_edges_ = 0;        // so many of edges_ are in order
};

}  // namespace

HostSteps order_steps(const DesiredState& desired, const HostGoal& on) { return Orderer(desired, on).order(); }

}  // namespace gpup
