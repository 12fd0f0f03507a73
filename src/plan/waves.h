#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// Lists of numbers, one after another in one vector.
class Lists {
 public:
  /// `pairs(emit)` calls `emit(list, number)` for each entry, the same ones both times that it is called.
  template <class Pairs>
  Lists(std::size_t lists, const Pairs& pairs) : first_(lists + 1, 0) {
    pairs([&](std::uint32_t list, std::uint32_t) { ++first_[list + 1]; });
    for (std::size_t i = 0; i < lists; ++i) {
      first_[i + 1] += first_[i];
    }
    numbers_.resize(first_.back());
    std::vector<std::uint32_t> at(first_.begin(), first_.end() - 1);
    pairs([&](std::uint32_t list, std::uint32_t number) { numbers_[at[list]++] = number; });
  }

  std::span<const std::uint32_t> of(std::uint32_t list) const {
    return std::span(numbers_).subspan(first_[list], first_[list + 1] - first_[list]);
  }

 private:
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> numbers_;
};

/// Who must be down at the same time as whom, whatever the order of the steps. Two VMs that are stopped and started
/// again are in one wave where each one's start waits for the other's stop, by way of third ones, too.
struct Waves {
  explicit Waves(const Plan& plan);

  std::vector<std::uint32_t> stop_of;   ///< by VM; kNone where it is not stopped and started again
  std::vector<std::uint32_t> start_of;  ///< by VM; the same
  Lists followers;                      ///< by step: those that wait for it
  /// By step, its group: the steps of a wave with all that lies between its stops and its starts, or the step alone.
  /// A step's group is never larger than those of the steps that it waits for.
  std::vector<std::uint32_t> group;
  Lists members;  ///< by group: its steps, in the plan's order

  bool comes_back(std::uint32_t vm) const { return vm != kNone && stop_of[vm] != kNone; }
};

}  // namespace gpup
