#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "adapters/simulated_host.h"
#include "adapters/temporary_folder.h"
#include "desired/read_desired.h"
#include "execute/execute.h"
#include "execute/quiet_journal.h"
#include "observed/merge.h"
#include "plan/make_plan.h"
#include "plan/roll_back.h"
#include "worlds/random_worlds.h"
#include "worlds/world.h"

namespace {

using namespace gpup;

ObservedState observe(const Plan& plan, HostWriter& hosts) {
  std::vector<ObservedState> states;
  for (const HostTarget& target : plan.hosts) {
    auto state = hosts.observe(target).get();
    states.push_back(state ? std::move(*state) : not_read(target.name, state.error().message));
  }
  auto merged = merge(std::move(states));
  REQUIRE(merged);
  return std::move(*merged);
}

/// What a host has, ids aside: a line for each GPU and VM. What a machine that runs was to be given by its host is
/// anything.
std::vector<std::string> picture(const ObservedState& observed, const ObservedState& first) {
  std::vector<std::string> lines;
  for (const Host& host : observed.hosts) {
    for (const Gpu& gpu : host.gpus) {
      lines.push_back(std::string(host.name) + " " + std::string(gpu.name) + " " +
                      std::to_string(gpu.partition_count.value_or(0)));
    }
    const Host* const was = find_host(first, host.name);
    for (const Vm& vm : host.vms) {
      std::string line = std::string(host.name) + " " + std::string(vm.id) + " " + std::string(vm.state_name) + " " +
                         (vm.offline_action ? std::string(to_string(*vm.offline_action)) : "none");
      const Vm* const before = was == nullptr ? nullptr : find_vm(*was, vm.id);
      const bool any = before != nullptr && before->state == VmState::kRunning &&
                       std::any_of(was->adapters_of(*before).begin(), was->adapters_of(*before).end(),
                                   [](const Adapter& adapter) { return adapter.gpu_name.empty(); });
      std::vector<std::string> gpus;
      for (const Adapter& adapter : host.adapters_of(vm)) {
        gpus.push_back(any ? "any" : adapter.gpu_name.empty() ? "unresolved" : std::string(adapter.gpu_name));
      }
      std::sort(gpus.begin(), gpus.end());
      for (const std::string& gpu : gpus) {
        line += " " + gpu;
      }
      lines.push_back(line);
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

struct Counts {
  int worlds = 0;
  int applied = 0;
  int refused = 0;
  int in_part = 0;  ///< where it says that something is not brought back
  int back = 0;
};

std::string diagnostics(const Diagnostics& list) { return render_diagnostics(list); }

void try_world(const worlds::World& world, const std::string& lab, Counts& counts) {
  ++counts.worlds;
  std::ofstream(lab) << worlds::to_snapshot_json(world);
  std::string yaml = worlds::to_yaml(world);
  for (std::size_t at = yaml.find("lab.json"); at != std::string::npos; at = yaml.find("lab.json", at + lab.size())) {
    yaml.replace(at, 8, lab);
  }
  Sources sources;
  sources.add("world.yaml", yaml);
  const ReadDesired desired = read_desired(sources);
  if (has_error(desired.diagnostics)) {
    return;
  }
  Plan hosts_only;
  for (const DesiredHost& host : desired.state.hosts) {
    hosts_only.hosts.push_back(host.target);
  }
  const auto hosts = make_simulated_hosts();
  const ObservedState first = observe(hosts_only, *hosts);
  const Planned planned = make_plan(desired.state, first, sources);
  if (planned.refused() || planned.plan.steps.empty()) {
    return;
  }
  test::QuietJournal journal;
  NoProgress progress;
  const std::atomic<bool> cancelled = false;
  const Clock now = [] { return Time(); };
  const Limits in_order{1, 1};
  const Report report = execute(planned.plan, *hosts, journal, progress, cancelled, now, in_order);
  if (report.refusal != Refusal::kNotRefused) {
    return;
  }
  ++counts.applied;
  std::vector<bool> sent;
  KnownAdapters adapters;
  for (const StepResult& result : report.steps) {
    sent.push_back(result.sent);
    const Step& step = planned.plan.steps[result.step];
    if (result.sent && step.op == Op::kUnassignPartition) {
      adapters.taken(planned.plan.adapters[step.adapter].id);
    } else if (result.sent && step.op == Op::kAssignPartition) {
      adapters.given(planned.plan.vms[step.vm].id, result.adapter);
    }
  }
  for (const Restored& restored : report.restored) {
    if (restored.undone != kNone) {
      adapters.taken(report.steps[restored.undone].adapter);
    }
  }
  CAPTURE(worlds::show(world));
  const Planned back = make_roll_back(planned.plan, sent, adapters, observe(planned.plan, *hosts));
  if (back.refused()) {
    ++counts.refused;
    for (const Diagnostic& diagnostic : back.diagnostics) {
      CHECK((diagnostic.code == Code::kCannotRollBack || diagnostic.code == Code::kNotRestored ||
             diagnostic.code == Code::kNotHomogeneous));
    }
    return;
  }
  const Report undone = execute(back.plan, *hosts, journal, progress, cancelled, now, in_order);
  CAPTURE(diagnostics(undone.diagnostics));
  CHECK_EQ(exit_code(back.plan, undone) == 3 ? 0 : exit_code(back.plan, undone), 0);
  if (std::any_of(back.diagnostics.begin(), back.diagnostics.end(),
                  [](const Diagnostic& told) { return told.code == Code::kNotRestored; })) {
    ++counts.in_part;
    return;
  }
  const ObservedState last = observe(planned.plan, *hosts);
  const std::string wanted = joined(picture(first, first));
  const std::string got = joined(picture(last, first));
  CHECK_EQ(got, wanted);
  ++counts.back;
}

}  // namespace

TEST_CASE("rolling back what was applied brings the first snapshot back, wherever it says that it can") {
  const char* const form = std::getenv("GPUP_WORLDS");
  const int most = form != nullptr && std::string_view(form) == "long" ? 20000 : 600;
  const gpup::TemporaryFolder folder;
  std::mt19937 random(20261126);
  Counts counts;
  for (int i = 0; i < most; ++i) {
    std::vector<std::uint8_t> choices(20 + random() % 240);
    std::generate(choices.begin(), choices.end(), [&] { return static_cast<std::uint8_t>(random() % 256); });
    CAPTURE(i);
    try_world(worlds::world_of(choices), folder / "lab.json", counts);
  }
  CHECK_GT(counts.back, most / 20);
  std::printf("rollback: %d random worlds, %d applied, %d brought back whole, %d in part, %d refused\n", counts.worlds,
              counts.applied, counts.back, counts.in_part, counts.refused);
}
