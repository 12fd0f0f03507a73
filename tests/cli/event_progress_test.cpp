#include "cli/event_progress.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace gpup::test {

namespace {

class Kept : public LineSink {
 public:
  void put(std::string line) override {
    largest = std::max(largest, line.size());
    REQUIRE(line.ends_with('\n'));
    CHECK_EQ(line.find('\n'), line.size() - 1);
    lines.push_back(nlohmann::json::parse(line));
  }
  Result<Done> finish() override { return Done{}; }

  std::vector<nlohmann::json> lines;
  std::size_t largest = 0;
};

/// A machine of that name is stopped and started.
Plan a_plan(std::string_view vm, const std::string& host = "hv-1") {
  Plan plan;
  plan.name = "lab";
  plan.hosts.push_back({host, {}});
  PlanVm row;
  row.name = vm;
  row.id = "711cee18-60db-43b4-be7e-cedce5e25dd0";
  row.host = 0;
  plan.vms.push_back(row);
  for (const Op op : {Op::kStopVm, Op::kStartVm}) {
    Step step;
    step.op = op;
    step.vm = 0;
    plan.steps.push_back(step);
  }
  return plan;
}

}  // namespace

TEST_CASE("a step that takes long is told every 15 seconds, with how long it has been, and no longer than it does") {
  const Plan plan = a_plan("vdi-01");
  Kept lines;
  Time now{};
  EventProgress events(lines, plan, [&] { return now; });
  const auto wait = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now += std::chrono::seconds(1);
      events.beat();
    }
  };
  events.started(plan, 0);
  wait(47);
  StepResult result;
  result.outcome = Outcome::kDone;
  result.ended = now;
  events.finished(plan, result);
  wait(60);
  Restored restored{"hv-1", "vdi-01", "711cee18", Outcome::kDone, {}, now, {}};
  events.restoring(plan, restored);
  wait(16);
  restored.ended = now;
  events.restored(plan, restored);
  wait(60);
  std::string told;
  for (const nlohmann::json& line : lines.lines) {
    told += line.value("event", "head") + (line.contains("elapsedMs") ? " " + line["elapsedMs"].dump() : "") + "\n";
  }
  CHECK_EQ(told,
           "head\nstep_started\nheartbeat 15000\nheartbeat 30000\nheartbeat 45000\nstep_finished 47000\n"
           "step_started\nheartbeat 15000\nstep_finished 16000\n");
  CHECK_EQ(lines.lines[1]["step"], 1);
  CHECK_EQ(lines.lines[1]["op"], "stop-vm");
  CHECK(lines.lines[6]["step"].is_null());
  CHECK_EQ(lines.lines[6]["op"], "start-vm");
}

TEST_CASE("a hook is told when it begins and ends, and while it takes long") {
  const Plan plan = a_plan("vdi-01");
  Kept lines;
  Time now{};
  EventProgress events(lines, plan, [&] { return now; });
  HookResult hook;
  hook.kind = HookKind::kAfter;
  hook.host = "hv-1";
  hook.vm = "vdi-01";
  hook.step = 1;
  events.hook_started(hook);
  events.hook_said(hook, "this is for people");
  now += std::chrono::seconds(15);
  events.beat();
  hook.ended = now;
  hook.code = Code::kHookFailed;
  hook.message = "exited with 3";
  events.hook_ended(hook);
  now += std::chrono::seconds(60);
  events.beat();
  REQUIRE_EQ(lines.lines.size(), 4);
  CHECK_EQ(lines.lines[1]["event"], "hook_started");
  CHECK_EQ(lines.lines[2]["event"], "heartbeat");
  CHECK_EQ(lines.lines[3]["event"], "hook_finished");
  for (std::size_t i = 1; i <= 3; ++i) {
    CHECK_EQ(lines.lines[i]["hook"], "after");
    CHECK_EQ(lines.lines[i]["step"], 2);
    CHECK(lines.lines[i]["op"].is_null());
    CHECK_EQ(lines.lines[i]["vm"], "vdi-01");
  }
  CHECK_EQ(lines.lines[3]["outcome"], "failed");
  CHECK_EQ(lines.lines[3]["code"], "GP208");
}

TEST_CASE("what hosts and files say is cut and escaped in events") {
  std::string name;
  for (int i = 0; i < 1000; ++i) {
    name += "\x1b[31m\u00e9";
  }
  const Plan plan = a_plan(name, std::string(100000, '\x07'));
  Kept lines;
  EventProgress events(lines, plan, [] { return Time{}; });
  events.started(plan, 0);
  StepResult result;
  result.outcome = Outcome::kFailed;
  result.message = std::string(100000, '\x9b');
  result.hint = std::string(100000, '\x01');
  events.finished(plan, result);
  Report report;
  report.diagnostics.push_back({});
  report.diagnostics.back().message = std::string(100000, '\n');
  report.diagnostics.back().hint = std::string(100000, '\r');
  events.ended(report);
  CHECK_EQ(lines.lines.size(), 5);
  CHECK_LE(lines.largest, std::size_t{64} * 1024);
  CHECK_EQ(lines.lines[1]["vm"].get<std::string>().substr(0, 7), "\x1b[31m\u00e9");
}

}  // namespace gpup::test
