#include "execute/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "execute/perform_all.h"

using namespace gpup;

namespace {

/// A plan of bare steps: only what a schedule looks at.
class Steps {
 public:
  explicit Steps(std::uint32_t hosts, std::uint32_t vms_a_host) {
    for (std::uint32_t host = 0; host < hosts; ++host) {
      plan.hosts.push_back({"hv-" + std::to_string(host), {}});
      PlanGpu gpu;
      gpu.host = host;
      plan.gpus.push_back(gpu);
      for (std::uint32_t vm = 0; vm < vms_a_host; ++vm) {
        PlanVm row;
        row.host = host;
        plan.vms.push_back(row);
      }
    }
  }

  std::uint32_t add(Op op, std::uint32_t vm_or_gpu, const std::vector<std::uint32_t>& after = {}) {
    Step step;
    step.op = op;
    (op == Op::kSetPartitionCount ? step.gpu : step.vm) = vm_or_gpu;
    step.first_after = static_cast<std::uint32_t>(plan.after.size());
    step.after_count = static_cast<std::uint32_t>(after.size());
    plan.after.insert(plan.after.end(), after.begin(), after.end());
    plan.steps.push_back(step);
    return static_cast<std::uint32_t>(plan.steps.size() - 1);
  }

  Plan plan;
};

/// All that may begin now, in the order in which it does.
std::vector<std::uint32_t> take_all(Schedule& schedule) {
  constexpr std::size_t kMore = 100;  // than any of these plans has
  std::vector<std::uint32_t> taken;
  while (const auto step = schedule.take()) {
    taken.push_back(*step);
    REQUIRE_LT(taken.size(), kMore);
  }
  CHECK_FALSE(schedule.take());
  return taken;
}

using Numbers = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("with one host at a time steps go one by one, in the order of the plan") {
  Steps steps(2, 2);
  steps.add(Op::kStopVm, 0);
  steps.add(Op::kStopVm, 2);
  steps.add(Op::kUnassignPartition, 2, {1});
  steps.add(Op::kStopVm, 1);
  steps.add(Op::kUnassignPartition, 0, {0});
  Schedule schedule(steps.plan, {1, 32});
  for (std::uint32_t i = 0; i < steps.plan.steps.size(); ++i) {
    CHECK_EQ(take_all(schedule), Numbers{i});
    CHECK_FALSE(schedule.done());
    schedule.ended(i);
  }
  CHECK(schedule.done());
}

TEST_CASE(
    "on one host steps of different machines go side by side, stops and starts up to a bound, all else up to another") {
  Steps steps(1, 7);
  for (std::uint32_t vm = 0; vm < 3; ++vm) {
    steps.add(vm % 2 == 0 ? Op::kStopVm : Op::kStartVm, vm);
  }
  steps.add(Op::kSetOfflineAction, 3);
  steps.add(Op::kSetPartitionCount, 0);
  steps.add(Op::kUnassignPartition, 4);
  steps.add(Op::kAssignPartition, 5);
  Schedule schedule(steps.plan, {10, 2});
  CHECK_EQ(take_all(schedule), Numbers{0, 1, 3, 4});
  schedule.ended(1);
  CHECK_EQ(take_all(schedule), Numbers{2});
  schedule.ended(0);
  CHECK_EQ(take_all(schedule), Numbers{});
  schedule.ended(4);
  CHECK_EQ(take_all(schedule), Numbers{5});
  schedule.ended(3);
  CHECK_EQ(take_all(schedule), Numbers{6});
}

TEST_CASE("the step with the longest chain behind it is next, then the lowest number") {
  Steps steps(1, 6);
  steps.add(Op::kSetOfflineAction, 0);
  steps.add(Op::kUnassignPartition, 1);
  steps.add(Op::kUnassignPartition, 2);
  steps.add(Op::kAssignPartition, 2, {2});
  steps.add(Op::kStartVm, 2, {3});
  steps.add(Op::kAssignPartition, 1, {1});
  steps.add(Op::kUnassignPartition, 3);
  steps.add(Op::kAssignPartition, 3, {6});
  Schedule schedule(steps.plan, {10, 1});
  Numbers order;
  for (std::size_t over = 0; !schedule.done(); ++over) {
    const Numbers taken = take_all(schedule);
    order.insert(order.end(), taken.begin(), taken.end());
    REQUIRE_LT(over, order.size());
    schedule.ended(order[over]);
  }
  CHECK_EQ(order, Numbers{2, 1, 3, 6, 4, 0, 5, 7});
}

TEST_CASE("what a machine waits for that was stopped goes before longer chains of machines that are off anyway") {
  Steps steps(1, 8);
  const std::uint32_t stop = steps.add(Op::kStopVm, 0);
  const std::uint32_t count = steps.add(Op::kSetPartitionCount, 0, {stop});
  Numbers assigns;
  for (std::uint32_t vm = 1; vm < 8; ++vm) {
    assigns.push_back(steps.add(Op::kAssignPartition, vm, {count}));
    const std::uint32_t action = steps.add(Op::kSetOfflineAction, vm, {assigns.back()});
    steps.add(Op::kStartVm, vm, {action});
  }
  const std::uint32_t ours = steps.add(Op::kAssignPartition, 0, {count});
  const std::uint32_t start = steps.add(Op::kStartVm, 0, {ours});
  Schedule schedule(steps.plan, {10, 32});
  CHECK_EQ(take_all(schedule), Numbers{stop});
  schedule.ended(stop);
  CHECK_EQ(take_all(schedule), Numbers{count});
  schedule.ended(count);
  // Its own write first; of the others' no more than would keep it waiting for a moment.
  CHECK_EQ(take_all(schedule), Numbers{ours, assigns[0], assigns[1], assigns[2]});
  schedule.ended(ours);
  CHECK_EQ(take_all(schedule), Numbers{start, assigns[3]});
}

TEST_CASE("hosts take turns: none waits until all machines of another have been asked to stop") {
  Steps steps(2, 3);
  for (std::uint32_t vm = 0; vm < 6; ++vm) {
    steps.add(Op::kStopVm, vm);
  }
  Schedule schedule(steps.plan, {10, 32});
  CHECK_EQ(take_all(schedule), Numbers{0, 3, 1, 4, 2, 5});
}

TEST_CASE("no more hosts are worked on than allowed, and one that is begun is brought to its end first") {
  Steps steps(3, 1);
  for (std::uint32_t host = 0; host < 2; ++host) {
    steps.add(Op::kStopVm, host);
    steps.add(Op::kStartVm, host, {2 * host});
  }
  steps.add(Op::kStopVm, 2);  // 4
  steps.add(Op::kUnassignPartition, 2, {4});
  steps.add(Op::kStartVm, 2, {5});
  Schedule schedule(steps.plan, {2, 32});
  CHECK_EQ(take_all(schedule), Numbers{4, 0});
  schedule.ended(0);
  CHECK_EQ(take_all(schedule), Numbers{1});
  schedule.ended(1);
  CHECK_EQ(take_all(schedule), Numbers{2});
}

TEST_CASE("a machine never has two steps under way, whatever the plan lets go side by side") {
  Steps steps(1, 1);
  steps.add(Op::kStopVm, 0);
  steps.add(Op::kSetOfflineAction, 0);
  steps.add(Op::kSetPartitionCount, 0);
  Schedule schedule(steps.plan, {10, 32});
  CHECK_EQ(take_all(schedule), Numbers{0, 2});
  schedule.ended(2);
  CHECK_EQ(take_all(schedule), Numbers{});
  schedule.ended(0);
  CHECK_EQ(take_all(schedule), Numbers{1});
  schedule.ended(1);
  CHECK(schedule.done());
}

TEST_CASE("a schedule of some steps takes them as they are, the lowest number first") {
  Steps steps(2, 2);
  for (std::uint32_t vm = 0; vm < 4; ++vm) {
    const std::uint32_t stop = steps.add(Op::kStopVm, vm);
    steps.add(Op::kStartVm, vm, {stop});
  }
  const Numbers starts = {1, 5, 7};
  Schedule schedule(steps.plan, {10, 32}, starts);
  CHECK_EQ(take_all(schedule), starts);
  for (const std::uint32_t step : starts) {
    schedule.ended(step);
  }
  CHECK(schedule.done());
  CHECK(Schedule(steps.plan, {10, 32}, Numbers{}).done());
}

TEST_CASE("whatever waits for whatever, also on other hosts, every limit holds and every step comes") {
  constexpr Op kOpsOfVms[] = {Op::kStopVm, Op::kUnassignPartition, Op::kAssignPartition, Op::kSetOfflineAction,
                              Op::kStartVm};
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t most) { return static_cast<std::uint32_t>(random() % most); };
    Steps steps(1 + below(5), 1 + below(5));
    for (std::uint32_t i = 0, all = below(60); i < all; ++i) {
      Numbers after;
      for (std::uint32_t before = 0; before < i; ++before) {
        if (below(12) == 0) {
          after.push_back(before);
        }
      }
      const bool set = below(6) == 0;
      steps.add(set ? Op::kSetPartitionCount : kOpsOfVms[below(std::size(kOpsOfVms))],
                below(set ? steps.plan.gpus.size() : steps.plan.vms.size()), after);
    }
    const Limits limits{1 + below(4), 1 + below(3)};
    Schedule schedule(steps.plan, limits);
    std::vector<bool> ended(steps.plan.steps.size());
    Numbers under_way;
    while (!schedule.done()) {
      while (const auto step = schedule.take()) {
        for (const std::uint32_t before : steps.plan.after_of(steps.plan.steps[*step])) {
          CHECK(ended[before]);
        }
        under_way.push_back(*step);
      }
      REQUIRE_FALSE(under_way.empty());
      CHECK_LE(under_way.size(), limits.most());
      Numbers hosts;
      Numbers vms;
      for (std::uint32_t host = 0; host < steps.plan.hosts.size(); ++host) {
        std::size_t powering = 0;
        std::size_t others = 0;
        for (const std::uint32_t step : under_way) {
          const Op op = steps.plan.steps[step].op;
          const bool here = host_of(steps.plan, steps.plan.steps[step]) == host;
          powering += here && is_power(op) ? 1U : 0U;
          others += here && !is_power(op) ? 1U : 0U;
        }
        CHECK_LE(powering, limits.a_host);
        CHECK_LE(others, limits.a_host);
        if (powering + others > 0) {
          hosts.push_back(host);
        }
      }
      CHECK_LE(hosts.size(), limits.hosts);
      for (const std::uint32_t step : under_way) {
        if (const std::uint32_t vm = steps.plan.steps[step].vm; vm != kNone) {
          CHECK_EQ(std::count(vms.begin(), vms.end(), vm), 0);
          vms.push_back(vm);
        }
      }
      const std::uint32_t one = below(under_way.size());
      ended[under_way[one]] = true;
      schedule.ended(under_way[one]);
      under_way.erase(under_way.begin() + one);
    }
    CHECK_EQ(std::count(ended.begin(), ended.end(), false), 0);
  }
}

TEST_CASE("where a step throws no other begins, and once those under way have ended the caller is told") {
  Steps steps(4, 4);
  for (std::uint32_t vm = 0; vm < 16; ++vm) {
    steps.add(Op::kStopVm, vm);
  }
  Schedule schedule(steps.plan, {4, 2});
  Loop loop(0);
  int begun = 0;
  int ended = 0;
  CHECK_THROWS_AS(perform_all(loop, schedule, 8,
                              [&](std::uint32_t step) -> Task<> {
                                ++begun;
                                co_await loop.behind(loop.rank());
                                if (step == 1) {
                                  throw std::runtime_error("out of luck");
                                }
                                ++ended;
                              }),
                  std::runtime_error);
  CHECK_LT(begun, 16);
  CHECK_EQ(ended, begun - 1);
}

TEST_CASE(
    "no more steps are under way than there may be, whatever the schedule lets begin, and the most urgent are next") {
  Steps steps(2, 8);
  for (std::uint32_t vm = 0; vm < 16; ++vm) {
    steps.add(Op::kStopVm, vm);
  }
  for (std::uint32_t vm = 0; vm < 16; ++vm) {
    steps.add(Op::kStartVm, vm, {vm});
  }
  Schedule schedule(steps.plan, {2, 8});
  Loop loop(0);
  int under_way = 0;
  int most = 0;
  std::vector<std::uint32_t> order;
  perform_all(loop, schedule, 3, [&](std::uint32_t step) -> Task<> {
    order.push_back(step);
    most = std::max(most, ++under_way);
    co_await loop.until(Loop::Clock::now() + std::chrono::milliseconds(1));
    --under_way;
  });
  CHECK_EQ(most, 3);
  REQUIRE_EQ(order.size(), 32);
  // The start of a machine that is down goes before the stop of another one.
  CHECK_LT(std::find(order.begin(), order.end(), 16), std::find(order.begin(), order.end(), 7));
}
