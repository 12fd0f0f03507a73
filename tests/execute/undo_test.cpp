#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "execute/east.h"
#include "execute/execute.h"
#include "execute/take_up.h"

using namespace gpup;
using namespace gpup::test;

namespace {

/// Machines of others that take every partition of hv-1's card.
void take_all(const East& east) {
  east.change([](json& all) {
    for (int i = 0; i < 4; ++i) {
      all[0]["vms"].push_back(
          vm(("other-" + std::to_string(i)).c_str(), 20 + i, "Running",
             {{{"id", guid(30 + i)}, {"gpu", all[0]["gpus"][0]["name"]}, {"partitionId", i}, {"vram", 3825205248}}}));
    }
  });
}

/// They come when `one` is about to be started for the first time.
Watched crowded(const East& east) {
  Watched hosts;
  hosts.on_write = [&east, came = false](Op op, const std::string& host, const std::string&) mutable -> Watched::Told {
    if (op == Op::kStartVm && host == "hv-1" && !came) {
      came = true;
      take_all(east);
    }
    return std::nullopt;
  };
  return hosts;
}

std::size_t held(const East& east) { return east.machine("one")["partitions"].size(); }

}  // namespace

TEST_CASE("where no partition is free for a machine that was assigned one, that is taken back and the machine runs") {
  East east;
  east.limits.hosts = 1;
  const Plan plan = east.plan();
  Watched hosts = crowded(east);
  const Report report = east.apply(plan, east.progress, hosts);
  CHECK_EQ(exit_code(plan, report), 7);
  CHECK(east.runs("one"));
  CHECK_EQ(held(east), 0);
  CHECK(report.left_off.empty());
  const StepResult* const assign = find(plan, report, Op::kAssignPartition, "one");
  const StepResult* const start = find(plan, report, Op::kStartVm, "one");
  const std::string number = std::to_string(assign->step + 1);
  CHECK_EQ(start->outcome, Outcome::kFailed);
  CHECK(start->message.starts_with("what step " + number + " assigned is not to be had: "));
  REQUIRE_EQ(report.restored.size(), 1);
  CHECK_EQ(report.restored[0].outcome, Outcome::kDone);
  CHECK_EQ(report.restored[0].undone, assign->step);
  CHECK_EQ(assign->assigned, false);
  CHECK_EQ(report.restored[0].message, "without what step " + number + " assigned, for which no partition was free");
  CHECK_EQ(codes(report.diagnostics), "GP188");
  const auto& lines = east.journal.lines;
  const auto undo = std::find(lines.begin(), lines.end(), "undo");
  REQUIRE(undo != lines.end());
  CHECK_NE(std::find(undo, lines.end(), "restored one"), lines.end());
}

TEST_CASE("what was there before the run is never taken back") {
  East east;
  east.limits.hosts = 1;
  const Plan plan = east.plan();
  east.fault(0, {{"op", "start-vm"}, {"kind", "fail"}, {"message", "0x800705AA"}, {"count", 9}});
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
    if (op == Op::kSetPartitionCount && host == "hv-1") {
      // Somebody gives the machine its partition meanwhile: the step finds it.
      east.change([](json& all) {
        all[0]["gpus"][0]["partitionCount"] = 4;
        all[0]["vms"][0]["partitions"].push_back({{"id", guid(77)}, {"gpu", nullptr}});
      });
      return Result<Done>(Done{});
    }
    return std::nullopt;
  };
  const Report report = east.apply(plan, east.progress, hosts);
  CHECK_EQ(find(plan, report, Op::kAssignPartition, "one")->outcome, Outcome::kAlready);
  CHECK_EQ(held(east), 1);
  REQUIRE_EQ(report.left_off.size(), 1);
  CHECK_EQ(report.left_off[0].vm, "one");
}

TEST_CASE("an assignment that cannot be taken back, or noted, leaves its machine named") {
  for (const bool noted : {true, false}) {
    CAPTURE(noted);
    East east;
    east.limits.hosts = 1;
    const Plan plan = east.plan();
    Watched hosts = crowded(east);
    if (noted) {
      east.fault(0, {{"op", "unassign-partition"}, {"kind", "fail"}, {"after", 1}});
    } else {
      east.journal.refuses = "undo";
    }
    const Report report = east.apply(plan, east.progress, hosts);
    CHECK_EQ(exit_code(plan, report), 7);
    CHECK_EQ(held(east), 1);
    REQUIRE_EQ(report.left_off.size(), 1);
    CHECK_EQ(report.left_off[0].vm, "one");
    CHECK_EQ(says(report.left_off[0].message, "could not be taken back"), noted);
  }
}

TEST_CASE("a run whose assignment was taken back, or may have been, is taken up from what is there") {
  for (const bool taken : {true, false}) {
    CAPTURE(taken);
    East east;
    east.limits.hosts = 1;
    const Plan plan = east.plan();
    Watched hosts = crowded(east);
    if (!taken) {
      east.fault(0, {{"op", "unassign-partition"}, {"kind", "fail"}, {"after", 1}});
    }
    const Report report = east.apply(plan, east.progress, hosts);
    RecordedRun run;
    run.begun = true;
    run.plan_steps = plan.steps.size();
    for (const StepResult& result : report.steps) {
      RecordedStep step;
      step.step = result.step;
      step.intended = result.sent;
      step.outcome = result.outcome;
      step.adapter = result.adapter;
      step.undone = &result == find(plan, report, Op::kAssignPartition, "one");
      run.steps.push_back(step);
    }
    east.change([](json& all) { all[0]["vms"].erase(all[0]["vms"].begin() + 1, all[0]["vms"].end()); });
    const auto reader = make_simulated_hosts();
    std::vector<ObservedState> states;
    for (const HostTarget& target : plan.hosts) {
      states.push_back(reader->observe(target).get().value());
    }
    const Plan left = what_is_left(plan, run, merge(std::move(states)).value());
    CHECK(left.diagnostics.empty());
    std::string ops;
    for (const Step& step : left.steps) {
      ops += std::string(to_string(step.op)) + " ";
    }
    CHECK_EQ(ops, taken ? "stop-vm assign-partition start-vm " : "start-vm ");
    CHECK_EQ(exit_code(left, east.apply(left)), 0);
    CHECK(east.runs("one"));
    CHECK_EQ(held(east), 1);
    CHECK(east.plan().steps.empty());
  }
}
