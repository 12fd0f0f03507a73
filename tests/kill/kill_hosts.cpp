// Random plans whose runs end early, on real hosts: kill_hosts FOLDER PLANS SEED
// FOLDER is that of an EngineStage, with hosts hv-1 and hv-2. Exits with 1 where something is wrong.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "adapters/temporary_folder.h"
#include "kill/engine_stage.h"
#include "kill/plans.h"
#include "kill/trial.h"

namespace gpup::kill {

namespace {

/// Small enough that a session for each host can be had for each run, and nothing of it out of reach.
bool is_small(const worlds::World& world) {
  return world.hosts.size() <= 2 &&
         std::all_of(world.hosts.begin(), world.hosts.end(), [](const worlds::Host& host) { return host.read(); });
}

std::uint64_t try_all(const std::string& folder, std::uint64_t plans, std::uint32_t seed) {
  constexpr int kPointsAPlan = 2;
  const TemporaryFolder room(in_memory());
  const auto simulated = make_simulated_stage(room / "lab.json");
  EngineStage stage(folder, {"hv-1", "hv-2"}, seed);
  std::mt19937 random(seed);
  Tally tally;
  for_worlds(random, [&](const worlds::World& world, const Limits& limits) {
    if (!is_small(world) || !Trial(world, room.path(), *simulated, limits).is_worth_it()) {
      return false;
    }
    const auto show = [&](const std::string& where) {
      return [&world, where](const std::string& all) {
        std::printf("%s:\n%s%s\n", where.c_str(), all.c_str(), worlds::show(world).c_str());
        std::fflush(stdout);  // it may take long to the end
      };
    };
    Trial trial(world, folder, stage, limits);
    if (!trial.is_worth_it()) {
      std::vector<std::string> wrong = {"the goal is not reached without trouble"};
      wrong.insert(wrong.end(), trial.why_not().begin(), trial.why_not().end());
      tally.add(wrong, show("on real hosts"));
    }
    for (int i = 0; i < kPointsAPlan && trial.is_worth_it(); ++i) {
      constexpr End kEnds[] = {End::kKill, End::kSession, End::kKill, End::kBreak};
      const End end = kEnds[tally.points % std::size(kEnds)];
      const auto way = static_cast<Way>((tally.points + tally.plans) % kWays);
      const std::uint64_t at = 1 + random() % trial.points();
      tally.add(trial.run(end, at, way), show("end " + std::to_string(static_cast<int>(end)) + " at point " +
                                              std::to_string(at) + ", way " + std::to_string(static_cast<int>(way))));
    }
    tally.runs += trial.runs();
    return ++tally.plans == plans;
  });
  tally.print("through PowerShell");
  return tally.violations;
}

}  // namespace

}  // namespace gpup::kill

int main(int argc, char** argv) {
  if (argc != 4) {
    return 64;
  }
  std::signal(SIGPIPE, SIG_IGN);
  return gpup::kill::try_all(argv[1], std::stoull(argv[2]), static_cast<std::uint32_t>(std::stoul(argv[3]))) == 0 ? 0
                                                                                                                  : 1;
}
