#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "worlds/brute_force.h"
#include "worlds/environment.h"
#include "worlds/pipeline.h"
#include "worlds/random_worlds.h"
#include "worlds/small_worlds.h"
#include "worlds/trial.h"

// policy.disruption: never more listed VMs down than allowed, and refused only where no order keeps that.

using namespace worlds;

namespace {

/// The world with limits of policy.disruption, of a kind that the number says.
World with_limits(World world, std::uint32_t number) {
  const auto take = [&](std::uint32_t base) {
    const std::uint32_t digit = number % base;
    number /= base;
    return digit;
  };
  const std::uint32_t kind = take(8) + 1;
  if ((kind & 1U) != 0 || kind == 8) {
    const bool percent = take(3) == 0;
    world.limits.push_back({"", percent ? 20 + 20 * take(4) : 1 + take(3), percent});
  }
  if ((kind & 2U) != 0) {
    world.per_host = 1 + take(3);
  }
  if ((kind & 4U) != 0) {
    world.limits.push_back({take(2) == 0 ? "v.*" : "vm-?[0-9]*[13579]", 1 + take(2), false});
    world.limits.push_back({".*2", 1, false});
  }
  if (take(2) == 0) {
    world.down_order = {"vm-?[24]", "vm2", "vdi.*"};
  }
  return world;
}

/// The world after a run that ended early: of the VMs that are off, some are owed a start.
World with_owed(World world, std::mt19937& random) {
  for (Host& host : world.hosts) {
    for (Vm& vm : host.vms) {
      vm.start_owed = vm.state == "Off" && random() % 2 == 0;
    }
  }
  return world;
}

std::string limited_trials(std::uint64_t worlds, Tally& tally) {
  std::mt19937 random(20261126);
  for (std::uint64_t i = 0; i < worlds; ++i) {
    std::vector<std::uint8_t> choices(random() % 260);
    for (std::uint8_t& choice : choices) {
      choice = static_cast<std::uint8_t>(random() >> 8U);
    }
    World world = with_limits(world_of(choices), static_cast<std::uint32_t>(random()));
    if (i % 3 == 2) {
      world = with_owed(std::move(world), random);
    }
    std::string wrong = trial(world, {3, static_cast<std::uint32_t>(i)}, tally);
    if (!wrong.empty()) {
      return wrong;
    }
  }
  return "";
}

/// Whether a plan is refused for a limit only where a search finds no order that keeps it.
void search_limits(const SmallWorlds& family, std::uint64_t stride, Tally& tally) {
  std::uint64_t kind = 0;
  for (std::uint64_t i = 0; i < family.size(); ++i) {
    if (!family.first_of_its_kind(i) || kind++ % stride != 0) {
      continue;
    }
    for (const unsigned most : {1U, 2U}) {
      World world = family.at(i);
      world.limits.push_back({"", most, false});
      const Reading reading = read(world);
      if (should_refuse(reading) != Verdict::kPlan || reading.stops() == 0) {
        continue;
      }
      CAPTURE(i);
      CAPTURE(most);
      const std::string wrong = trial(world, {1, static_cast<std::uint32_t>(i)}, tally);
      REQUIRE_MESSAGE(wrong.empty(), wrong);
      const bool found = least_stops(world, reading, most) == reading.stops();
      REQUIRE_MESSAGE(answer(world).over_limit != found, show(world));
    }
  }
}

}  // namespace

TEST_CASE("no order that a plan allows has more VMs down than policy.disruption does") {
  Tally tally;
  const std::string wrong = limited_trials(number("GPUP_WORLDS_RANDOM", long_form() ? 200000 : 4000), tally);
  CHECK_MESSAGE(wrong.empty(), wrong);
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "limits: %llu random worlds, %llu planned, %llu refused for a limit, %llu orders executed, %llu violations\n",
      n(tally.worlds), n(tally.planned), n(tally.over_limit), n(tally.orders), n(tally.violations));
  CHECK_GT(tally.over_limit, 0);
}

TEST_CASE("a plan is refused for policy.disruption only where a search finds no order that keeps it") {
  Tally tally;
  const std::uint64_t stride = number("GPUP_WORLDS_STRIDE", long_form() ? 1 : 97);
  search_limits(OneHost(), stride, tally);
  search_limits(TwoNodes(), stride, tally);
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("limits: %llu small worlds searched, %llu refused for a limit, all agree\n", n(tally.worlds),
              n(tally.over_limit));
  CHECK_GT(tally.over_limit, 0);
}
