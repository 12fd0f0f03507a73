#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "adapters/temporary_folder.h"
#include "kill/stage.h"
#include "kill/trial.h"
#include "worlds/random_worlds.h"

namespace gpup::kill {

struct Tally {
  std::uint64_t plans = 0;
  std::uint64_t points = 0;
  std::uint64_t runs = 0;
  std::uint64_t violations = 0;

  /// A point, with what is wrong there; the first few are shown.
  template <class Show>
  void add(const std::vector<std::string>& wrong, const Show& show) {
    constexpr std::uint64_t kShown = 5;
    ++points;
    violations += wrong.empty() ? 0 : 1;
    if (!wrong.empty() && violations <= kShown) {
      std::string all;
      for (const std::string& one : wrong) {
        all += one + "\n";
      }
      show(all);
    }
  }
  void print(const char* what) const {
    std::printf("kill: %llu plans, %llu points, %llu runs, %llu violations (%s)\n",
                static_cast<unsigned long long>(plans), static_cast<unsigned long long>(points),
                static_cast<unsigned long long>(runs), static_cast<unsigned long long>(violations), what);
  }
};

/// Random worlds, one after another, until `deed` is content.
template <class Deed>
void for_worlds(std::mt19937& random, const Deed& deed) {
  for (std::uint64_t i = 0;; ++i) {
    std::vector<std::uint8_t> choices(20 + random() % 100);
    std::generate(choices.begin(), choices.end(), [&] { return static_cast<std::uint8_t>(random() % 256); });
    // One step at a time, or side by side.
    if (deed(worlds::world_of(choices), i % 2 == 0 ? Limits{1, 1} : Limits{})) {
      return;
    }
  }
}

/// Many small files are written, and whether they reach a disk does not matter here.
inline std::filesystem::path in_memory() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

/// Random worlds with a plan on simulated hosts, one after another, until `deed` is content.
template <class Deed>
void for_plans(std::uint32_t seed, const Deed& deed) {
  const TemporaryFolder room(in_memory());
  const auto stage = make_simulated_stage(room / "lab.json");
  std::mt19937 random(seed);
  for_worlds(random, [&](const worlds::World& world, const Limits& limits) {
    Trial trial(world, room.path(), *stage, limits);
    return trial.is_worth_it() && deed(world, trial, random);
  });
}

}  // namespace gpup::kill
