#include "plan/outage.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.h"
#include "execute/schedule.h"
#include "plan/small_world.h"

using namespace gpup;
using gpup::tests::a2;
using gpup::tests::SmallWorld;

namespace {

Plan planned(const SmallWorld& world) {
  Planned planned = world.plan();
  REQUIRE_MESSAGE(!planned.refused(), SmallWorld::codes(planned.diagnostics));
  return std::move(planned.plan);
}

Outage outage_of(const Plan& plan, const Durations& durations = {}, const Limits& limits = {}) {
  return expect_outage(plan, durations, [&] { return Schedule(plan, limits); });
}

/// `a 69 s: 1 stop-vm 1 min, ...; b stays off`.
std::string told(const Plan& plan, const Outage& outage) {
  std::string out;
  for (const Outage::OfVm& vm : outage.vms) {
    out += fmt::format("{}{} ", out.empty() ? "" : "; ", plan.vms[vm.vm].name);
    out += vm.comes_back()
               ? fmt::format("{}: {}", human_time(vm.median), chain_words(plan, outage, chain_of(outage, vm)))
               : std::string("stays off");
  }
  return out;
}

/// `NVIDIA A2 on hv1 <2 >4 2 s`: from step 2 to step 4, for two seconds.
std::string mixed_told(const Plan& plan, const Outage& outage) {
  std::string out;
  for (const Outage::Mixed& mixed : outage.mixed) {
    out += fmt::format("{}{} {}{}{}", out.empty() ? "" : "; ", mixed.model,
                       mixed.host == kNone ? "in " + plan.cluster.name : "on " + plan.hosts[mixed.host].name,
                       mixed.from == kNone ? "" : fmt::format(" from {}", mixed.from + 1),
                       mixed.to == kNone ? "" : fmt::format(" to {} {}", mixed.to + 1, human_time(mixed.median)));
  }
  return out;
}

/// The names of the VMs that are down while a step runs, as found by looking at every pair.
std::uint32_t down_by_hand(const Outage& outage, std::uint32_t step) {
  const Timeline::Span span = outage.expected.spans[step];
  return static_cast<std::uint32_t>(std::count_if(outage.vms.begin(), outage.vms.end(), [&](const Outage::OfVm& vm) {
    const std::uint64_t from = outage.expected.spans[vm.stop].from;
    const std::uint64_t to = vm.comes_back() ? outage.expected.spans[vm.start].to : ~std::uint64_t{0};
    return from < span.to && to > span.from;
  }));
}

}  // namespace

TEST_CASE("an outage goes from the begin of a stop to the end of the start, along the chain that makes it") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* outage;
  };
  const Case cases[] = {
      {"nothing is stopped", a2(4).vm("a", "Off").manage("NVIDIA A2", 4).list("a"), ""},
      {"a partition is added", a2(4).vm("a", "Running").manage("NVIDIA A2", 4).list("a"),
       "a 1 min 32 s: 1 stop-vm 1 min, 2 assign-partition 2 s, 3 start-vm 30 s"},
      {"a count changes", a2(16).vm("a", "Running", {"X"}).manage("NVIDIA A2", 4).list("a"),
       "a 1 min 39 s: 1 stop-vm 1 min, 2 unassign-partition 2 s, 3 set-partition-count 5 s, 4 assign-partition 2 s, "
       "5 start-vm 30 s"},
      {"stops go side by side, other steps of a host take turns",
       a2(4).vm("a", "Running").vm("b", "Running").manage("NVIDIA A2", 4).list("a").list("b"),
       "a 1 min 32 s: 1 stop-vm 1 min, 2 assign-partition 2 s, 3 start-vm 30 s; "
       "b 1 min 34 s: 4 stop-vm 1 min, 2 assign-partition 2 s, 5 assign-partition 2 s, 6 start-vm 30 s"},
      {"hosts do not wait for each other",
       a2(4).vm("a", "Running").host("hv2").gpu("Y", 4).vm("b", "Running").manage("NVIDIA A2", 4).list("a").list("b"),
       "a 1 min 32 s: 1 stop-vm 1 min, 2 assign-partition 2 s, 3 start-vm 30 s; "
       "b 1 min 32 s: 4 stop-vm 1 min, 5 assign-partition 2 s, 6 start-vm 30 s"},
      {"a machine that is to be off has no outage",
       a2(4).vm("a", "Running", {"X"}).manage("NVIDIA A2", 4).list("a", Power::kOff), "a stays off"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Plan plan = planned(c.world);
    CHECK_EQ(told(plan, outage_of(plan)), c.outage);
  }
}

TEST_CASE("in the order of the plan, one step at a time, a machine is down for no step of another") {
  const Plan plan = planned(a2(4).vm("a", "Running").vm("b", "Running").manage("NVIDIA A2", 4).list("a").list("b"));
  const Outage outage = outage_of(plan, {}, Limits{1, 1});
  CHECK_EQ(told(plan, outage),
           "a 1 min 32 s: 1 stop-vm 1 min, 2 assign-partition 2 s, 3 start-vm 30 s; "
           "b 1 min 32 s: 4 stop-vm 1 min, 5 assign-partition 2 s, 6 start-vm 30 s");
  CHECK_EQ(outage.sum, 184'000);
  CHECK_EQ(outage.expected.spans[5].to, 184'000);
}

TEST_CASE("what this site measured counts before defaults, and each is told as what it is") {
  const Plan plan = planned(a2(4).vm("a", "Running").manage("NVIDIA A2", 4).list("a"));
  Durations durations;
  const bool simulated = plan.hosts.front().connect.transport == Transport::kSimulated;
  durations.measured[{Op::kStopVm, "NVIDIA A2", simulated}] = {12'000, 20'000, 7, 2};
  durations.measured[{Op::kStartVm, "NVIDIA A16", simulated}] = {1, 1, 9, 9};
  durations.measured[{Op::kStartVm, "NVIDIA A2", !simulated}] = {1, 1, 9, 9};
  Outage outage = outage_of(plan, durations);
  CHECK_EQ(told(plan, outage), "a 44 s: 1 stop-vm 12 s, 2 assign-partition 2 s, 3 start-vm 30 s");
  CHECK_EQ(origin_words(outage, chain_of(outage, outage.vms.front())), "partly default");
  CHECK_EQ(outage.times.of(0).samples, 7);
  CHECK_EQ(outage.vms.front().p95, 20'000 + 6'000 + 90'000);
  durations.measured[{Op::kAssignPartition, "NVIDIA A2", simulated}] = {1'000, 1'000, 1, 1};
  durations.measured[{Op::kStartVm, "NVIDIA A2", simulated}] = {7'000, 8'000, 1, 1};
  outage = outage_of(plan, durations);
  CHECK_EQ(told(plan, outage), "a 20 s: 1 stop-vm 12 s, 2 assign-partition 1 s, 3 start-vm 7 s");
  CHECK_EQ(origin_words(outage, chain_of(outage, outage.vms.front())), "measured");
}

TEST_CASE("a stop takes no longer than the policy lets it") {
  SmallWorld world = a2(4).vm("a", "Running").manage("NVIDIA A2", 4).list("a");
  world.desired.policy.stop = {StopMode::kShutdown, std::chrono::seconds(90)};
  CHECK_EQ(StepTimes(planned(world), {}).of(0), StepTime{60'000, 90'000, 0, 0});
  world.desired.policy.stop = {StopMode::kShutdown, std::chrono::seconds(20)};
  CHECK_EQ(StepTimes(planned(world), {}).of(0), StepTime{20'000, 20'000, 0, 0});
  world.desired.policy.stop = {StopMode::kTurnOff, std::chrono::seconds(300)};
  CHECK_EQ(StepTimes(planned(world), {}).of(0), StepTime{5'000, 15'000, 0, 0});
}

TEST_CASE("a step is about the model that its machine's partition is of") {
  SmallWorld world;
  world.gpu("X", 4, "NVIDIA A2").gpu("Y", 4, "NVIDIA A16").vm("a", "Running", {"Y"}).vm("b", "Running").vm("c", "Off");
  world.manage("NVIDIA A2", 0).manage("NVIDIA A16", 0).list("b", Power::kKeep, "NVIDIA A2");
  const Plan plan = planned(world);
  const StepTimes times(plan, {});
  std::string models;
  for (const StepTimes::Row& row : times.rows()) {
    models += fmt::format("{} {}; ", to_string(row.kind.op), row.kind.model);
  }
  CHECK_EQ(models,
           "stop-vm NVIDIA A16; stop-vm NVIDIA A2; unassign-partition NVIDIA A16; assign-partition NVIDIA A2; "
           "start-vm NVIDIA A16; start-vm NVIDIA A2; ");
}

TEST_CASE("counts are mixed from the step that makes them differ to the one that makes them equal") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* mixed;
  };
  const auto two_nodes = [](std::uint32_t first, std::uint32_t second) {
    return SmallWorld().cluster("C").gpu("X", first).host("hv2").gpu("Y", second).manage("NVIDIA A2", 4);
  };
  const Case cases[] = {
      {"one card", a2(16).manage("NVIDIA A2", 4), ""},
      {"no count changes", a2(4).gpu("Y", 8).vm("a", "Off").manage("NVIDIA A2", 0).list("a"), ""},
      {"two cards of a host in turn", a2(16).gpu("Y", 16).manage("NVIDIA A2", 4), "NVIDIA A2 on hv1 from 1 to 2 5 s"},
      {"they differ already", a2(16).gpu("Y", 4).manage("NVIDIA A2", 4), "NVIDIA A2 on hv1 to 1 5 s"},
      {"hosts that are in no cluster are not compared", a2(16).host("hv2").gpu("Y", 16).manage("NVIDIA A2", 4), ""},
      {"nodes of a cluster are", two_nodes(16, 16), "NVIDIA A2 in C from 1 to 2 0 s"},
      {"also with one on which nothing is to do", two_nodes(16, 4), "NVIDIA A2 in C to 1 5 s"},
      {"models apart", a2(16).gpu("Y", 16, "NVIDIA A16").manage("NVIDIA A2", 4).manage("NVIDIA A16", 4), ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Plan plan = planned(c.world);
    CHECK_EQ(mixed_told(plan, outage_of(plan)), c.mixed);
  }
  SmallWorld apart = a2(16).gpu("Y", 16);
  apart.manage("NVIDIA A2", 4).desired.gpus.front().model.clear();
  apart.desired.gpus.front().device = "10de:25b6";
  apart.observed.hosts.front().gpus.back().device = "10de:25b7";
  apart.manage("NVIDIA A2", 0).desired.gpus.back().model.clear();
  apart.desired.gpus.back().device = "10de:25b7";
  const Plan plan = planned(apart);
  CHECK_EQ(mixed_told(plan, outage_of(plan)), "NVIDIA A2 on hv1 from 1");
}

TEST_CASE("of each step it is known who is down meanwhile") {
  SmallWorld world = a2(16);
  for (int i = 0; i < 5; ++i) {
    world.vm(fmt::format("vm-{}", i), "Running", {"X"})
        .list(fmt::format("vm-{}", i), i == 4 ? Power::kOff : Power::kKeep);
  }
  world.gpu("Y", 8).vm("late", "Running").list("late").manage("NVIDIA A2", 8);
  const Plan plan = planned(world);
  const Outage outage = outage_of(plan);
  std::size_t checked = 0;
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    CAPTURE(i);
    CHECK_EQ(outage.down[i].count, down_by_hand(outage, i));
    checked += plan.steps[i].op == Op::kSetPartitionCount ? 1U : 0U;
    if (plan.steps[i].op == Op::kSetPartitionCount) {
      CHECK_GE(outage.down[i].count, 4);
      CHECK_EQ(plan.vms[outage.down[i].first[0]].name, "vm-0");
      CHECK_EQ(plan.vms[outage.down[i].first[2]].name, "vm-2");
    }
  }
  CHECK_EQ(checked, 1);
}

TEST_CASE("a plan of a hundred thousand machines that are all down at once is gone through in no more than n log n") {
  Plan plan;
  plan.hosts = {{"hv1", {}}};
  constexpr std::uint32_t kVms = 100'000;
  plan.vms.resize(kVms);
  const auto add = [&](Op op, std::uint32_t vm, std::uint32_t after) {
    Step step;
    step.op = op;
    step.vm = vm;
    step.first_after = static_cast<std::uint32_t>(plan.after.size());
    if (after != kNone) {
      plan.after.push_back(after);
      step.after_count = 1;
    }
    plan.steps.push_back(step);
  };
  for (std::uint32_t v = 0; v < kVms; ++v) {
    plan.vms[v].host = 0;
    add(Op::kStopVm, v, kNone);
    add(Op::kAssignPartition, v, 3 * v);
    add(Op::kStartVm, v, 3 * v + 1);
  }
  const Outage outage = outage_of(plan, {}, Limits{10, kVms});
  CHECK_EQ(outage.down[0].count, kVms);
  CHECK_EQ(outage.vms.back().median, 60'000 + 2'000ULL * kVms + 30'000);
  const OutageChain chain = chain_of(outage, outage.vms.back(), 100);
  CHECK_EQ(chain.steps.size(), 100);
  CHECK_FALSE(chain.whole);
}

TEST_CASE("a machine that would be down for longer than allowed refuses the plan, with its chain") {
  const Plan plan = planned(a2(4)
                                .vm("a", "Running")
                                .vm("b", "Running")
                                .vm("c", "Running", {"X"})
                                .manage("NVIDIA A2", 4)
                                .list("a")
                                .list("b")
                                .list("c", Power::kOff));
  const Outage outage = outage_of(plan);
  CHECK(longer_than(plan, outage, std::chrono::minutes(2)).empty());
  CHECK(longer_than(plan, outage, std::chrono::seconds(94)).empty());
  const Diagnostics one = longer_than(plan, outage, std::chrono::seconds(93));
  REQUIRE_EQ(one.size(), 1);
  CHECK_EQ(one.front().code, Code::kOutageTooLong);
  CHECK_EQ(one.front().message,
           "VM 'b' on hv1 is expected to be down for 1 min 34 s (median, default), longer than 1 min 33 s: "
           "4 stop-vm 1 min, 2 assign-partition 2 s, 5 assign-partition 2 s, 6 start-vm 30 s");
  const Diagnostics both = longer_than(plan, outage, std::chrono::seconds(1));
  REQUIRE_EQ(both.size(), 2);
  CHECK_EQ(both.front().name, "b");
  CHECK_EQ(both.back().name, "a");
}
