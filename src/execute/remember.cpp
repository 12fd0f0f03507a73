#include "execute/remember.h"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "plan/scope.h"

namespace gpup {

namespace {

/// Goes through a run's steps in their order: what came later counts.
class Memory {
 public:
  Memory(const Plan& kept, const RecordedRun& run, PastRuns& past)
      : kept_(kept), run_(run), past_(past), number_(static_cast<std::uint32_t>(past.runs.size())) {}

  void fill() {
    past_.runs.push_back({run_.run, file_digests(kept_)});
    for (const RecordedStep& recorded : run_.steps) {
      if (recorded.step < kept_.steps.size() && (recorded.outcome || recorded.intended)) {
        take(recorded, kept_.steps[recorded.step]);
      }
    }
    for (const RecordedVm& vm : run_.restored) {
      PastRuns::Left left = fresh(vm.outcome);
      left.value = static_cast<std::uint32_t>(VmState::kRunning);
      left_[{vm.host, vm.vm_id, Property::kState}] = std::move(left);
    }
    for (auto& [key, left] : left_) {
      past_.left(key.host, key.object, key.property, std::move(left));
    }
    if (run_.ended_well() && run_.rolls_back.empty() && !kept_.files.empty() && covers_all(kept_)) {
      for (const HostTarget& host : kept_.hosts) {
        if (std::none_of(kept_.not_checked.begin(), kept_.not_checked.end(),
                         [&](const NotChecked& other) { return same_name(other.host, host.name); })) {
          past_.was_compared(host.name, number_);
        }
      }
    }
  }

 private:
  struct Key {
    std::string_view host;
    std::string_view object;
    Property property;
    auto operator<=>(const Key&) const = default;
  };

  PastRuns::Left fresh(std::optional<Outcome> outcome) const {
    PastRuns::Left left;
    left.run = number_;
    left.known = outcome && ended_well(*outcome);
    return left;
  }

  void take(const RecordedStep& recorded, const Step& step) {
    const std::string_view host = kept_.hosts[host_of(kept_, step)].name;
    PastRuns::Left left = fresh(recorded.outcome);
    if (step.op == Op::kSetPartitionCount) {
      left.value = step.to;
      left_[{host, kept_.gpus[step.gpu].name, Property::kPartitionCount}] = std::move(left);
      return;
    }
    const std::string_view id = kept_.vms[step.vm].id;
    if (step.op == Op::kSetOfflineAction) {
      left.value = step.to;
      left_[{host, id, Property::kOfflineAction}] = std::move(left);
    } else if (is_power(step.op)) {
      left.value = static_cast<std::uint32_t>(step.op == Op::kStartVm ? VmState::kRunning : VmState::kOff);
      left_[{host, id, Property::kState}] = std::move(left);
    } else {
      take_partition(recorded, step, host, id);
    }
  }

  void take_partition(const RecordedStep& recorded, const Step& step, std::string_view host, std::string_view id) {
    const auto [found, is_new] = left_.try_emplace(Key{host, id, Property::kPartitions});
    PastRuns::Left& left = found->second;
    if (is_new) {
      left = fresh(Outcome::kDone);
      left.adapters = adapter_ids(kept_, kept_.vms[step.vm]);
    }
    const bool adds = step.op != Op::kUnassignPartition;
    if (!recorded.outcome || !ended_well(*recorded.outcome) || recorded.undone || (adds && recorded.adapter.empty())) {
      left.known = false;
    } else if (!adds) {
      std::erase(left.adapters, fold_case(kept_.adapters[step.adapter].id));
    } else {
      left.adapters.push_back(fold_case(recorded.adapter));
      std::sort(left.adapters.begin(), left.adapters.end());
    }
  }

  const Plan& kept_;
  const RecordedRun& run_;
  PastRuns& past_;
  std::uint32_t number_;
  std::map<Key, PastRuns::Left> left_;
};

}  // namespace

void remember(const Plan& kept, const RecordedRun& run, PastRuns& past) { Memory(kept, run, past).fill(); }

}  // namespace gpup
