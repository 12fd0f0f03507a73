#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/counted.h"
#include "plan/goal.h"
#include "plan/mutant.h"

namespace gpup {

namespace {

// Room on one host, as it will be in the end. VMs that are off count: their adapter can be started at any time.
class HostRoom {
 public:
  HostRoom(const DesiredState& desired, HostGoal& on, Findings& findings)
      : desired_(desired), on_(on), findings_(findings), load_(on.gpus.size(), 0) {}

  void find() {
    count_stays();
    if (on_.one_model) {
      check_one_model();
      check_running();
      return;
    }
    pin_all();
    if (GPUP_MUTANT(7)) {
      return;
    }
    for (auto& [model, room] : models_) {
      if (room.managed && !room.told && room.load > room.partitions) {
        room.told = true;
        tell(model, kNone, room.load, room.partitions);
      }
    }
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      const ModelRoom& room = models_[on_.host->gpus[g].model];
      if (on_.gpus[g].managed() && load_[g] > on_.gpus[g].count && !room.told) {
        tell(on_.host->gpus[g].model, g, load_[g], on_.gpus[g].count);
      }
    }
  }

 private:
  struct ModelRoom {
    std::uint64_t partitions = 0;
    std::uint64_t load = 0;
    bool managed = false;
    bool told = false;
  };

  const Gpu& gpu(std::uint32_t g) const { return on_.host->gpus[g]; }

  void count_stays() {
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (gpu(g).status == GpuStatus::kPartitioned) {
        ModelRoom& room = models_[gpu(g).model];
        room.partitions += on_.gpus[g].count;
        room.managed = room.managed || on_.gpus[g].managed();
      }
    }
    std::uint64_t unresolved = 0;
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const Vm& vm = on_.host->vms[v];
      for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
        const Adapter& adapter = on_.host->adapters[a];
        if (on_.removed(on_.vms[v], a)) {
          continue;
        }
        if (adapter.gpu == Adapter::kUnresolved) {
          ++unresolved;
        } else if (adapter.gpu >= 0) {
          const auto g = static_cast<std::uint32_t>(adapter.gpu);
          ++load_[g];
          if (gpu(g).status == GpuStatus::kPartitioned) {
            ++models_[gpu(g).model].load;
          }
        }
      }
    }
    // An unresolved adapter may take a partition of any model of its host.
    for (auto& [model, room] : models_) {
      room.load += unresolved;
    }
  }

  void check_one_model() {
    std::uint64_t added = 0;
    for (const VmGoal& goal : on_.vms) {
      added += goal.new_gpu == PlanVm::kHostChooses ? 1 : 0;
    }
    for (auto& [model, room] : models_) {
      if (room.managed && room.load + added > room.partitions && !GPUP_MUTANT(6)) {
        room.told = true;
        tell(model, kNone, room.load + added, room.partitions);
      }
    }
  }

  // Where the host chooses GPUs, two VMs may well have been given one GPU in turn while the other was off. That is no
  // trouble until both are to run.
  void check_running() {
    std::vector<std::uint64_t> running(on_.gpus.size(), 0);
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      const Vm& vm = on_.host->vms[v];
      for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
        if (on_.host->adapters[a].gpu >= 0 && !on_.removed(on_.vms[v], a) && on_.will_run(v)) {
          ++running[static_cast<std::size_t>(on_.host->adapters[a].gpu)];
        }
      }
    }
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (on_.gpus[g].managed() && running[g] > on_.gpus[g].count && !models_[gpu(g).model].told) {
        tell(gpu(g).model, g, running[g], on_.gpus[g].count);
      }
    }
  }

  // On a host with several models each new adapter is pinned: to a GPU of its line, of the named model first.
  void pin_all() {
    std::vector<std::uint32_t> waiting;
    for (std::uint32_t v = 0; v < on_.vms.size(); ++v) {
      if (on_.vms[v].new_gpu == PlanVm::kHostChooses && !pin_where_it_was(v)) {
        waiting.push_back(v);
      }
    }
    for (const std::uint32_t v : waiting) {
      const std::uint32_t g = roomiest(on_.vms[v]);
      if (g == kNone) {
        tell_no_room(on_.vms[v]);
      } else {
        pin(v, g);
      }
    }
  }

  bool has_room(std::uint32_t g) const {
    const ModelRoom& room = models_.at(gpu(g).model);
    return GPUP_MUTANT(7) || (load_[g] < on_.gpus[g].count && room.load < room.partitions);
  }

  void pin(std::uint32_t v, std::uint32_t g) {
    on_.vms[v].new_gpu = g;
    ++load_[g];
    ++models_[gpu(g).model].load;
  }

  bool pin_where_it_was(std::uint32_t v) {
    const Vm& vm = on_.host->vms[v];
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      const std::int32_t was = on_.host->adapters[a].gpu;
      if (was >= 0 && on_.gpus[static_cast<std::size_t>(was)].line == on_.vms[v].gpu_line &&
          has_room(static_cast<std::uint32_t>(was))) {
        pin(v, static_cast<std::uint32_t>(was));
        return true;
      }
    }
    return false;
  }

  std::uint32_t roomiest(const VmGoal& goal) const {
    const std::string_view wanted = desired_.assignments[goal.line].gpu;
    std::uint32_t best = kNone;
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if ((on_.gpus[g].line != goal.gpu_line && !GPUP_MUTANT(8)) || !has_room(g)) {
        continue;
      }
      if (best == kNone || better(g, best, wanted)) {
        best = g;
      }
    }
    return best;
  }

  bool better(std::uint32_t a, std::uint32_t b, std::string_view wanted) const {
    const bool a_named = wanted.empty() || gpu(a).model == wanted;
    const bool b_named = wanted.empty() || gpu(b).model == wanted;
    return a_named != b_named ? a_named : on_.gpus[a].count - load_[a] > on_.gpus[b].count - load_[b];
  }

  void tell_no_room(const VmGoal& unplaced) {
    const std::string_view model = model_of_line(unplaced);
    ModelRoom& room = models_[model];
    if (room.told) {
      return;
    }
    room.told = true;
    std::uint64_t partitions = 0;
    std::uint64_t wanted = 0;
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      partitions += on_.gpus[g].line == unplaced.gpu_line ? on_.gpus[g].count : 0;
      wanted += on_.gpus[g].line == unplaced.gpu_line ? load_[g] : 0;
    }
    for (const VmGoal& goal : on_.vms) {
      wanted += goal.new_gpu == PlanVm::kHostChooses && goal.gpu_line == unplaced.gpu_line ? 1 : 0;
    }
    tell(model, kNone, std::max(wanted, partitions + 1), partitions);
  }

  std::string_view model_of_line(const VmGoal& goal) const {
    const std::string_view wanted = desired_.assignments[goal.line].gpu;
    for (std::uint32_t g = 0; g < on_.gpus.size(); ++g) {
      if (on_.gpus[g].line == goal.gpu_line && (wanted.empty() || gpu(g).model == wanted)) {
        return gpu(g).model;
      }
    }
    return wanted;
  }

  // Names every VM that holds, or would get, a partition of the model (of one GPU of it, where `only` says which).
  void tell(std::string_view model, std::uint32_t only, std::uint64_t needed, std::uint64_t partitions) {
    std::vector<std::string_view> names;
    Place place;
    for (std::size_t v = 0; v < on_.vms.size(); ++v) {
      if (wants(v, model, only)) {
        names.push_back(on_.host->vms[v].name);
        if (on_.vms[v].listed()) {
          place = desired_.assignments[on_.vms[v].line].place;  // the last one: the first that is too many
        }
      }
    }
    const bool one_gpu = only != kNone;
    findings_.error(Code::kTooManyVms, place,
                    {on_.host->name, one_gpu ? "gpu" : "host", one_gpu ? gpu(only).name : on_.host->name},
                    fmt::format("{} of {} {} needed on {}, which has {}: by {}", counted(needed, "partition"),
                                one_gpu ? fmt::format("one {} ({})", model, gpu(only).name) : std::string(model),
                                needed == 1 ? "is" : "are", on_.host->name, partitions, some_names(names, 20)),
                    "raise the partition count, take VMs off the list, or move VMs to another host");
  }

  bool wants(std::size_t v, std::string_view model, std::uint32_t only) const {
    const Vm& vm = on_.host->vms[v];
    const VmGoal& goal = on_.vms[v];
    for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
      const Adapter& adapter = on_.host->adapters[a];
      if (!on_.removed(goal, a) &&
          (adapter.gpu >= 0 ? only == kNone ? gpu(static_cast<std::uint32_t>(adapter.gpu)).model == model
                                            : static_cast<std::uint32_t>(adapter.gpu) == only
                            : adapter.gpu == Adapter::kUnresolved && only == kNone)) {
        return true;
      }
    }
    if (goal.new_gpu == kNone) {
      return false;
    }
    return goal.new_gpu != PlanVm::kHostChooses
               ? only == kNone ? gpu(goal.new_gpu).model == model : goal.new_gpu == only
           : only != kNone ? false
                           : on_.one_model || model_of_line(goal) == model;
  }

  const DesiredState& desired_;
  HostGoal& on_;
  Findings& findings_;
  std::vector<std::uint64_t> load_;  // by GPU: adapters that stay or are pinned to it
  std::map<std::string_view, ModelRoom> models_;
};

}  // namespace

void find_room(const DesiredState& desired, Goal& goal, Findings& findings) {
  for (HostGoal& host : goal.hosts) {
    if (host.managed && !host.left_out) {
      HostRoom(desired, host, findings).find();
    }
  }
}

}  // namespace gpup
