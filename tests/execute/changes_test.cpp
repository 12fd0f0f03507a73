#include "execute/changes.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "execute/east.h"

using namespace gpup;
using namespace gpup::test;

namespace {

json gpu_of(const East& east, const PlanGpu& gpu, const Plan& plan) {
  const json lab = east.state();
  for (const json& one : lab["hosts"]) {
    if (one["name"] == plan.hosts[gpu.host].name) {
      return one["gpus"][0];
    }
  }
  return {};
}

/// Holds what is said to be known against the lab.
void agrees(const East& east, const Plan& plan, const Difference& difference, const Change& change) {
  const bool wanted = change.state == Change::State::kAsWanted;
  const std::uint32_t value = wanted ? difference.after : difference.before;
  if (difference.subject == Subject::kGpu) {
    CHECK_EQ(gpu_of(east, plan.gpus[difference.index], plan)["partitionCount"], value);
    return;
  }
  const json machine = east.machine(std::string(plan.vms[difference.index].name));
  if (difference.property == Property::kState) {
    CHECK_EQ(machine["state"], value == static_cast<std::uint32_t>(VmState::kRunning) ? "Running" : "Off");
  } else if (difference.property == Property::kPartitions) {
    CHECK_EQ(machine["partitions"].size(), change.gpus.size());
    for (std::size_t i = 0; i < change.gpus.size(); ++i) {
      if (!change.gpus[i].empty()) {
        CHECK_EQ(machine["partitions"][i]["gpu"], change.gpus[i]);
      }
    }
  }
}

}  // namespace

TEST_CASE("after a run without fault every change is as wanted, with the GPUs that were read back") {
  East east;
  const Plan plan = east.plan();
  const Report report = east.apply(plan);
  REQUIRE_EQ(exit_code(plan, report), 0);
  const std::vector<Change> changes = changes_of(plan, report);
  REQUIRE_EQ(changes.size(), plan.differences.size());
  REQUIRE_GT(changes.size(), 2);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    CHECK_EQ(to_string(changes[i].state), "as-wanted");
    agrees(east, plan, plan.differences[i], changes[i]);
    if (plan.differences[i].property == Property::kPartitions) {
      REQUIRE_EQ(changes[i].gpus.size(), 1);
      CHECK_NE(changes[i].gpus.front(), "");
    }
  }
}

TEST_CASE("what a receipt says is known is so in the lab, whatever goes wrong") {
  std::map<std::string, int> states;
  for (const char* op :
       {"stop-vm", "unassign-partition", "set-partition-count", "assign-partition", "set-offline-action", "start-vm"}) {
    for (const char* kind : {"fail", "lose-reply-before", "lose-reply-after", "drop-session"}) {
      for (const std::size_t at : {0U, 1U}) {
        CAPTURE(op);
        CAPTURE(kind);
        CAPTURE(at);
        East east;
        const Plan plan = east.plan();
        east.fault(at, {{"op", op}, {"kind", kind}, {"count", 1}});
        const Report report = east.apply(plan);
        const std::vector<Change> changes = changes_of(plan, report);
        for (std::size_t i = 0; i < changes.size(); ++i) {
          CAPTURE(i);
          ++states[std::string(to_string(changes[i].state))];
          if (changes[i].known()) {
            agrees(east, plan, plan.differences[i], changes[i]);
          }
        }
      }
    }
  }
  CHECK_GT(states["as-wanted"], 0);
  CHECK_GT(states["as-before"], 0);
  CHECK_GT(states["unknown"], 0);
  CHECK_EQ(states["untouched"], 0);
}

TEST_CASE("a run that was cancelled leaves changes as before, or in between") {
  East east;
  east.limits.hosts = 1;
  const Plan plan = east.plan();
  CancelAfter progress(Op::kUnassignPartition, east.cancelled);
  const Report report = east.apply(plan, progress);
  REQUIRE(report.cancelled);
  std::map<std::string, int> states;
  const std::vector<Change> changes = changes_of(plan, report);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    ++states[std::string(to_string(changes[i].state))];
    agrees(east, plan, plan.differences[i], changes[i]);
  }
  CHECK_EQ(states["unknown"], 0);
  CHECK_GT(states["as-before"], 0);
}

TEST_CASE("a run that was refused has changed nothing, and says nothing of what is there now") {
  East east;
  const Plan plan = east.plan();
  east.change([](json& all) { all[0]["gpus"][0]["partitionCount"] = 8; });
  const Report report = east.apply(plan);
  REQUIRE_EQ(exit_code(plan, report), 5);
  for (const Change& change : changes_of(plan, report)) {
    CHECK_EQ(to_string(change.state), "untouched");
    CHECK_FALSE(change.known());
  }
}
