#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kill/plans.h"
#include "kill/trial.h"
#include "worlds/environment.h"
#include "worlds/world.h"

using namespace gpup;
using namespace gpup::kill;

namespace {

/// In the short form a few points of each plan, in the long form all of them; the ways on take turns. GPUP_KILL_PLANS:
/// another number of plans.
void try_all(End end, std::uint32_t seed, const char* what) {
  const bool is_long = worlds::long_form();
  const std::uint64_t plans = worlds::number("GPUP_KILL_PLANS", is_long ? 1000 : 100);
  constexpr std::uint64_t kFew = 5;
  Tally tally;
  for_plans(seed, [&](const worlds::World& world, Trial& trial, std::mt19937& random) {
    const std::uint64_t stride = is_long ? 1 : std::max<std::uint64_t>(1, trial.points() / kFew);
    for (std::uint64_t at = 1 + random() % stride; at <= trial.points(); at += stride) {
      const auto way = static_cast<Way>((tally.points + tally.plans) % kWays);
      tally.add(trial.run(end, at, way), [&](const std::string& all) {
        FAIL_CHECK("at point " << at << ":\n" << all << worlds::show(world));
      });
    }
    tally.runs += trial.runs();
    return ++tally.plans >= plans;
  });
  tally.print(what);
  CHECK_EQ(tally.violations, 0);
}

}  // namespace

TEST_CASE("after a kill -9 at any point the goal is reached, or power is restored, and nothing happens twice") {
  try_all(End::kKill, 20261126, "gpup is killed");
}

TEST_CASE(
    "after a host's session is lost at any point the goal is reached, or power is restored, and nothing happens "
    "twice") {
  try_all(End::kSession, 20261127, "a session is lost");
}

TEST_CASE("what must not be is noticed") {
  struct Case {
    const char* name;
    Mutant mutant;
    End end;
    Way way;
    const char* said;
  };
  const Case cases[] = {
      {"an intent that is forgotten", Mutant::kForgetsIntents, End::kKill, Way::kResume, "resume: exit code 5"},
      {"a stop that no host knows of", Mutant::kOwesNothing, End::kKill, Way::kRestorePower,
       "its host does not know that a start is owed"},
      {"an assign that is repeated", Mutant::kRepeatsAssigns, End::kSession, Way::kApply, "has a second adapter"},
  };
  constexpr int kMostPlans = 40;
  for (const Case& c : cases) {
    CAPTURE(c.name);
    bool noticed = false;
    int plans = 0;
    for_plans(20261128, [&](const worlds::World&, Trial& trial, std::mt19937&) {
      for (std::uint64_t at = 1; at <= trial.points() && !noticed; ++at) {
        for (const std::string& one : trial.run(c.end, at, c.way, c.mutant)) {
          noticed = noticed || one.find(c.said) != std::string::npos;
        }
      }
      return noticed || ++plans == kMostPlans;
    });
    CHECK(noticed);
  }
}
