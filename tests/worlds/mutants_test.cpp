#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "worlds/random_worlds.h"
#include "worlds/small_worlds.h"
#include "worlds/trial.h"

namespace {

int at_work = 0;

/// The mistakes of `GPUP_MUTANT(n)` in src/plan, by n - 1.
constexpr std::array kMistakes = {
    "a VM's stop is forgotten",
    "an adapter goes without waiting for the stop",
    "a count is set without waiting for the adapters to go",
    "an adapter is added without waiting for the old one to go",
    "a VM is started without waiting for its other steps",
    "a host of one model takes more VMs than it has partitions",
    "a GPU of a host of several models takes more VMs than it has partitions",
    "a VM is pinned to a GPU of another line",
    "unlisted VMs are kept although they are to be unassigned",
    "a VM is started twice",
    "a count is not compared with those that the GPU accepts",
    "VMs whose adapter has a GPU do not start first",
    "an adapter is added before a place is free",
    "a VM that keeps its adapter is stopped before the count is set",
    "a VM is stopped for its OfflineAction alone",
    "a VM is not started again",
    "a VM that is saved or paused is changed",
    "a VM waits while down for a count that it does not need",
    "a cluster that is not homogeneous passes",
    "the OfflineAction is not set",
    "a partition smaller than minVram passes",
    "a clustered VM is pinned",
    "a count is set under an unlisted VM that is kept",
    "a VM keeps its adapter although its GPU's count changes",
    "the OfflineAction does not wait for the stop",
    "a VM is stopped while those that may be down are down",
    "a VM is stopped while those that an earlier run stopped are down",
    "a VM that keeps an adapter starts before those whose place it may take",
    "a start does not wait for the place of a running VM whose adapter is unresolved",
    "a VM waits while down for a place although it gives up one too many itself",
};

}  // namespace

namespace gpup {

bool mutant(int number) { return number == at_work; }

}  // namespace gpup

namespace {

using namespace worlds;

bool wrong(const World& world, int mistake) {
  Tally tally;
  at_work = mistake;
  const bool found = !trial(world, {2, 7}, tally).empty();
  at_work = 0;
  return found;
}

/// Whether a world shows the mistake: it is judged wrong with it, and right without.
bool caught_by(const World& world, int mistake) { return wrong(world, mistake) && !wrong(world, 0); }

bool caught(int mistake) {
  const OneHost one;
  const TwoNodes two;
  std::mt19937 random(20261124);
  for (int i = 0; i < 4000; ++i) {
    std::vector<std::uint8_t> choices(random() % 260);
    for (std::uint8_t& choice : choices) {
      choice = static_cast<std::uint8_t>(random() >> 8U);
    }
    const auto any = static_cast<std::uint64_t>(random()) << 8U;
    World world = world_of(choices);
    if (i % 2 == 1) {
      world.per_host = 1;
      for (Host& host : world.hosts) {
        for (Vm& vm : host.vms) {
          vm.start_owed = vm.state == "Off" && i % 4 == 1;
        }
      }
    }
    if (caught_by(world, mistake) || caught_by(one.at(any % one.size()), mistake) ||
        caught_by(two.at(any % two.size()), mistake) ||
        caught_by(crowded_world(static_cast<std::uint32_t>(i)), mistake)) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("the worlds catch every mistake that the planner can be told to make") {
  int sum = 0;
  for (int mistake = 1; mistake <= static_cast<int>(kMistakes.size()); ++mistake) {
    const std::string what = kMistakes[static_cast<std::size_t>(mistake) - 1];
    CAPTURE(mistake);
    CAPTURE(what);
    const bool found = caught(mistake);
    CHECK(found);
    sum += found ? 1 : 0;
  }
  std::printf("mutants: %d of %zu caught\n", sum, kMistakes.size());
}
