#include "plan/roll_back.h"

#include <doctest/doctest.h>

#include "plan/small_world.h"

using gpup::KnownAdapters;
using gpup::Plan;
using gpup::Planned;
using gpup::tests::SmallWorld;

namespace {

constexpr const char* kA = "00000000-0000-0000-0000-000000000001";

SmallWorld cluster(std::uint32_t x, std::uint32_t y) {
  SmallWorld world;
  world.cluster("C").gpu("X", x).host("hv2").gpu("Y", y).manage("NVIDIA A2", 4);
  return world;
}

/// A machine that is off, with these adapters.
SmallWorld one_machine(const std::vector<std::string>& on) {
  return SmallWorld().gpu("X", 4).vm("a", "Off", on).manage("NVIDIA A2", 4).list("a");
}

std::string told(const Planned& planned) {
  return planned.refused() ? "refused: " + SmallWorld::codes(planned.diagnostics)
                           : fmt::format("{} steps", planned.plan.steps.size());
}

}  // namespace

TEST_CASE("a roll back that would leave a cluster with differing counts is refused") {
  const Plan run = cluster(16, 16).plan().plan;
  REQUIRE_EQ(run.steps.size(), 2);
  const auto now = cluster(4, 4);
  CHECK_EQ(told(make_roll_back(run, {true, true}, {}, now.observed)), "2 steps");
  CHECK_EQ(told(make_roll_back(run, {true, false}, {}, now.observed)), "refused: GP126");
  CHECK_EQ(told(make_roll_back(run, {false, false}, {}, cluster(16, 4).observed)), "0 steps");

  const Plan mends = cluster(16, 4).plan().plan;
  REQUIRE_EQ(mends.steps.size(), 1);
  CHECK_EQ(told(make_roll_back(mends, {true}, {}, now.observed)), "1 steps");

  SmallWorld accepted = cluster(16, 2);
  accepted.desired.policy.homogeneous = gpup::Homogeneous::kWarn;
  accepted.desired.gpus[0].hosts = {0};
  const Plan warned = accepted.plan().plan;
  REQUIRE_EQ(warned.steps.size(), 1);
  CHECK_EQ(told(make_roll_back(warned, {true}, {}, cluster(4, 2).observed)), "1 steps");
}

TEST_CASE("of a clustered machine that holds what the host chose again it is told that it may be another card") {
  const auto world = [](std::uint32_t count, const std::string& on) {
    SmallWorld made;
    made.cluster("C").gpu("X", count).gpu("Y", count).vm("a", "Off", {on}).manage("NVIDIA A2", 4).list("a");
    return made;
  };
  const Plan run = world(16, "X").plan().plan;
  std::vector<bool> sent(run.steps.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i] = run.steps[i].op != gpup::Op::kSetPartitionCount;
  }
  KnownAdapters given;
  given.given(kA, "a-0");
  SmallWorld now = world(16, "?");
  now.observed.hosts[0].adapters[0].id = "another";
  given.given(kA, "another");
  const Planned planned = make_roll_back(run, sent, given, now.observed);
  CHECK_EQ(told(planned), "0 steps");
  CHECK_EQ(SmallWorld::codes(planned.plan.diagnostics, true), "GP213");
}

TEST_CASE("a roll back is refused where somebody has changed what its machines hold since") {
  const Plan run = one_machine({}).plan().plan;
  REQUIRE_EQ(run.steps.size(), 1);
  KnownAdapters named;
  named.given(kA, "A-0");
  KnownAdapters other;
  other.given(kA, "another");
  KnownAdapters nameless;
  nameless.given(kA, "");
  KnownAdapters rolled_back = named;
  rolled_back.taken("a-0");
  struct Case {
    const char* name;
    std::vector<std::string> on;
    const KnownAdapters& adapters;
    const char* told;
  };
  const Case cases[] = {
      {"what the run gave is still there", {"X"}, named, "1 steps"},
      {"somebody replaced it", {"X"}, other, "refused: GP214"},
      {"the run ended before it was known what it gave", {"X"}, nameless, "1 steps"},
      {"somebody added another one", {"X", "X"}, named, "refused: GP214"},
      {"and beside one that is not known", {"X", "X"}, nameless, "refused: GP214"},
      {"it is gone: that is how it was", {}, named, "0 steps"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(told(make_roll_back(run, {true}, c.adapters, one_machine(c.on).observed)), c.told);
  }

  SmallWorld unlisted = one_machine({"X"});
  unlisted.desired.assignments.clear();
  const Plan took = unlisted.plan().plan;
  REQUIRE_EQ(took.steps.size(), 1);
  KnownAdapters taken;
  taken.taken("a-0");
  CHECK_EQ(told(make_roll_back(took, {true}, taken, one_machine({}).observed)), "1 steps");
  CHECK_EQ(told(make_roll_back(took, {true}, taken, one_machine({"X", "X"}).observed)), "refused: GP214");

  SmallWorld twice = one_machine({"X", "X"});
  const Plan kept_one = twice.plan().plan;
  REQUIRE_EQ(kept_one.steps.size(), 1);
  CHECK_EQ(told(make_roll_back(kept_one, {true}, {}, one_machine({}).observed)), "refused: GP214");
}
