#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostics.h"
#include "plan/durations.h"
#include "plan/plan.h"

namespace gpup {

/// When each step of a run begins and ends, in milliseconds since the first one.
struct Timeline {
  struct Span {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };
  std::vector<Span> spans;            ///< by step
  std::vector<std::uint32_t> causes;  ///< by step: the one whose end let it begin; kNone: it began at once
};

/// A run in thought: every step takes as long as it is expected to. On a host stops and starts go side by side, all
/// other ops take turns.
class ThoughtRun {
 public:
  /// `time`: which of a step's times it takes.
  ThoughtRun(const Plan& plan, const StepTimes& times, std::uint32_t StepTime::*time);

  void begin(std::uint32_t step);
  /// The step that ends next, once its end has come; nothing where none is under way.
  std::optional<std::uint32_t> end_next();

  /// Begins what `schedule` gives (`take()`, as execute's Schedule has), tells it what has ended (`ended(step)`).
  template <class Schedule>
  Timeline go(Schedule schedule) && {
    do {
      while (const std::optional<std::uint32_t> step = schedule.take()) {
        begin(*step);
      }
      if (const std::optional<std::uint32_t> step = end_next()) {
        schedule.ended(*step);
      } else {
        return std::move(timeline_);
      }
    } while (true);
  }

 private:
  struct Turn {
    std::uint64_t free_at = 0;
    std::uint32_t last = kNone;
  };

  const Plan& plan_;
  const StepTimes& times_;
  std::uint32_t StepTime::*time_;
  std::uint64_t now_ = 0;
  std::uint32_t ended_ = kNone;
  std::vector<Turn> turns_;  // by host
  std::priority_queue<std::pair<std::uint64_t, std::uint32_t>, std::vector<std::pair<std::uint64_t, std::uint32_t>>,
                      std::greater<>>
      under_way_;  // ends
  Timeline timeline_;
};

/// What a plan costs before it is performed: who is down for how long, and how long partition counts differ. Times in
/// milliseconds; a `p95` is what comes of it where each step takes its 95th percentile.
struct Outage {
  /// A VM that is stopped: from the begin of its stop to the end of its start.
  struct OfVm {
    std::uint32_t vm = kNone;
    std::uint32_t stop = kNone;
    std::uint32_t start = kNone;  ///< kNone: it stays off, as the file wants; no time is told
    std::uint64_t median = 0;
    std::uint64_t p95 = 0;

    bool comes_back() const { return start != kNone; }
  };
  /// A while in which the managed GPUs of one model, of a cluster or of a host outside one, have different counts.
  struct Mixed {
    std::uint32_t host = kNone;  ///< kNone: the plan's cluster
    std::string_view model;
    std::uint32_t from = kNone;  ///< the step that makes them differ; kNone: they do before the first
    std::uint32_t to = kNone;    ///< the step that makes them equal; kNone: none does, and there is no time to tell
    std::uint64_t median = 0;
    std::uint64_t p95 = 0;  ///< where the steps before `to` take their 95th percentile, those before `from` do not
  };
  /// The VMs that are down while a step runs.
  struct Down {
    static constexpr std::size_t kNamed = 3;
    std::uint32_t count = 0;
    std::array<std::uint32_t, kNamed> first{};  ///< so many of them, as `count` says
  };

  StepTimes times;
  Timeline expected;       ///< with medians
  std::vector<OfVm> vms;   ///< in the order of their stops
  std::vector<Down> down;  ///< by step
  std::vector<Mixed> mixed;
  std::uint64_t sum = 0;  ///< over `vms`
  std::uint64_t sum_p95 = 0;
  std::uint32_t longest = kNone;  ///< of `vms`; kNone where none comes back
};

Outage gather_outage(const Plan& plan, StepTimes times, Timeline expected, const Timeline& slow);

/// `make_schedule()` gives a new schedule of the plan's steps, twice.
template <class MakeSchedule>
Outage expect_outage(const Plan& plan, const Durations& durations, const MakeSchedule& make_schedule) {
  StepTimes times(plan, durations);
  Timeline expected = ThoughtRun(plan, times, &StepTime::median).go(make_schedule());
  const Timeline slow = ThoughtRun(plan, times, &StepTime::p95).go(make_schedule());
  return gather_outage(plan, std::move(times), std::move(expected), slow);
}

/// Why a VM is down for so long: steps each of which waits for the one before. The last is its start, the first its own
/// stop, or what goes on at that moment.
struct OutageChain {
  std::vector<std::uint32_t> steps;  ///< none where the VM stays off
  bool whole = true;                 ///< false: there were more than asked for, these are the last ones
};
OutageChain chain_of(const Outage& outage, const Outage::OfVm& vm, std::size_t most = 12);

/// `4 stop-vm 1 min, 5 assign-partition 2 s, 7 start-vm 30 s`.
std::string chain_words(const Plan& plan, const Outage& outage, const OutageChain& chain);

/// Where the times of these steps are from: `default`, `measured`, `partly default`.
std::string_view origin_words(const Outage& outage, const OutageChain& chain);

/// An error for each VM that is expected (median) to be down for longer than `most`, the longest first.
Diagnostics longer_than(const Plan& plan, const Outage& outage, std::chrono::milliseconds most);

}  // namespace gpup
