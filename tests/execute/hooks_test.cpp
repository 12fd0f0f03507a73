#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "execute/east.h"
#include "execute/execute.h"
#include "execute/open_ends.h"
#include "execute/take_up.h"

using namespace gpup;
using namespace gpup::test;

namespace {

using Environment = std::map<std::string, std::string>;

/// Notes what it is asked to run; each ends well unless `on_run` says otherwise.
class Asked : public Hooks {
 public:
  std::function<std::optional<Error>(const std::string& call)> on_run;
  std::vector<std::string> calls;  ///< `before one`; `on-failure, exit code 7`
  std::vector<Environment> environments;

  Result<Done> look_for(const std::vector<std::string>&) const override { return Done{}; }
  Result<Done> run(const HookCall& call, const std::function<void(std::string_view)>& said) override {
    Environment told(call.environment.begin(), call.environment.end());
    std::string words = told["GPUP_HOOK"];
    words += told["GPUP_VM"].empty() ? ", exit code " + told["GPUP_EXIT_CODE"] : " " + told["GPUP_VM"];
    {
      const std::lock_guard guard(mutex_);
      calls.push_back(words);
      environments.push_back(std::move(told));
    }
    said("it runs");
    const std::optional<Error> error = on_run ? on_run(words) : std::nullopt;
    return error ? Result<Done>(tl::unexpected<Error>(*error)) : Done{};
  }

  bool has(const std::string& call) const { return std::count(calls.begin(), calls.end(), call) == 1; }

 private:
  std::mutex mutex_;
};

Error trouble(const char* message) { return {ErrorCode::kRefused, message, {}}; }

/// The two hosts, with a plan that has all three hooks, and one step at a time.
struct Hooked : East {
  Hooked() : planned(plan()) {
    planned.hooks = {{"drain"}, {"open"}, {"call"}, std::chrono::seconds(60)};
    planned.id = "sha256:00";
    limits.hosts = 1;
    hooks = &asked;
  }
  Report perform() { return apply(planned); }
  /// The hook fails for one call.
  void fails(const std::string& call, const char* message = "exited with 3") {
    asked.on_run = [call, message](const std::string& words) {
      return words == call ? std::optional(trouble(message)) : std::nullopt;
    };
  }

  Asked asked;
  Plan planned;
};

std::vector<std::string> hooks_in(const std::vector<std::string>& lines) {
  std::vector<std::string> found;
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(found),
               [](const std::string& line) { return line.starts_with("hook "); });
  return found;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("hooks are run around each stop and start, and noted before and after") {
  Hooked east;
  const Report report = east.perform();
  CHECK_EQ(exit_code(east.planned, report), 0);
  CHECK(report.diagnostics.empty());
  CHECK_EQ(report.hooks.size(), 5);
  for (const std::string call : {"before one", "after one", "before two", "after two", "after three"}) {
    CAPTURE(call);
    CHECK(east.asked.has(call));
  }
  const Words& lines = east.journal.lines;
  for (const std::string vm : {"one", "two"}) {
    CAPTURE(vm);
    const auto before = std::find(lines.begin(), lines.end(), "hook before " + vm);
    REQUIRE(lines.end() - before > 3);
    CHECK_EQ(before[1], "hook before " + vm + " done");
    CHECK_EQ(before[2], "intent stop-vm");
    const auto after = std::find(before, lines.end(), "hook after " + vm);
    REQUIRE(lines.end() - after > 2);
    CHECK_EQ(after[-1], "outcome done");
    CHECK_EQ(after[1], "hook after " + vm + " done");
  }
  const Environment& told = east.asked.environments.front();
  const StepResult* const stop = find(east.planned, report, Op::kStopVm, told.at("GPUP_VM"));
  REQUIRE(stop != nullptr);
  CHECK_EQ(told.at("GPUP_RUN"), "run-1");
  CHECK_EQ(told.at("GPUP_PLAN"), "sha256:00");
  CHECK_EQ(told.at("GPUP_NAME"), "east");
  CHECK_EQ(told.at("GPUP_HOST"), told.at("GPUP_VM") == "one" ? "hv-1" : "hv-2");
  CHECK_EQ(told.at("GPUP_VM_ID"), guid(told.at("GPUP_VM") == "one" ? 1 : 2));
  CHECK_EQ(told.at("GPUP_STEP"), std::to_string(stop->step + 1));
  CHECK_EQ(told.at("GPUP_EXIT_CODE"), "");
  CHECK(east.converges());
}

TEST_CASE("a machine whose hook before its stop fails keeps running, and that is told") {
  Hooked east;
  east.fails("before one");
  const json before = east.machine("one");
  const Report report = east.perform();
  CHECK_EQ(exit_code(east.planned, report), 7);
  CHECK_EQ(codes(report.diagnostics), "GP207");
  CHECK_EQ(east.machine("one"), before);
  const StepResult* const stop = find(east.planned, report, Op::kStopVm, "one");
  CHECK_EQ(stop->outcome, Outcome::kFailed);
  CHECK_EQ(stop->message, "the hook before it exited with 3; the VM was not stopped");
  CHECK_FALSE(stop->sent);
  CHECK_EQ(find(east.planned, report, Op::kStartVm, "one")->outcome, Outcome::kSkipped);
  CHECK_EQ(find(east.planned, report, Op::kStartVm, "two")->outcome, Outcome::kDone);
  CHECK_FALSE(east.asked.has("after one"));
  CHECK(east.asked.has("after two"));
  CHECK(east.asked.has("on-failure one"));
  CHECK_FALSE(east.asked.has("on-failure two"));
  CHECK_EQ(east.asked.calls.back(), "on-failure, exit code 7");
  CHECK_EQ(east.journal.lines.back(), "end");
}

TEST_CASE("a hook after a start that fails leaves the step done and the run partly applied") {
  Hooked east;
  east.fails("after one");
  const Report report = east.perform();
  CHECK_EQ(exit_code(east.planned, report), 7);
  CHECK_EQ(messages(report.diagnostics), "the hook after of VM one (" + guid(1) + ") exited with 3\n");
  CHECK_EQ(codes(report.diagnostics), "GP208");
  CHECK_EQ(find(east.planned, report, Op::kStartVm, "one")->outcome, Outcome::kDone);
  CHECK(east.asked.has("on-failure one"));
  CHECK(east.asked.has("on-failure, exit code 7"));
}

TEST_CASE("a hook on failure that fails is a warning, and changes no exit code") {
  Hooked east;
  east.asked.on_run = [](const std::string& words) {
    return words == "after two" ? std::nullopt : std::optional(trouble("exited with 1"));
  };
  const Report report = east.perform();
  CHECK_EQ(exit_code(east.planned, report), 7);
  CHECK(says(codes(report.diagnostics), "GP208"));
  CHECK_EQ(report.diagnostics.back().severity, Severity::kWarning);
  CHECK_EQ(report.diagnostics.back().message, "the hook on-failure of the run exited with 1");
}

TEST_CASE("a machine that is started in the end gets its hook, too, and the run is told of") {
  Hooked east;
  east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
  const Report report = east.perform();
  CHECK_EQ(exit_code(east.planned, report), 7);
  CHECK_EQ(report.restored.size(), 1);
  CHECK(east.runs("one"));
  CHECK(east.asked.has("after one"));
  CHECK_FALSE(east.asked.has("on-failure one"));
  CHECK_EQ(east.asked.calls.back(), "on-failure, exit code 7");
}

TEST_CASE("a machine that does not come back is told to the hook on failure") {
  Hooked east;
  east.fault(0, {{"op", "start-vm"}, {"kind", "fail"}, {"count", 99}});
  const Report report = east.perform();
  CHECK_EQ(exit_code(east.planned, report), 7);
  CHECK_EQ(report.left_off.size(), 1);
  CHECK_FALSE(east.asked.has("after one"));
  CHECK(east.asked.has("on-failure one"));
  const StepResult* const start = find(east.planned, report, Op::kStartVm, "one");
  const auto told = std::find_if(
      east.asked.environments.begin(), east.asked.environments.end(),
      [](const Environment& one) { return one.at("GPUP_HOOK") == "on-failure" && one.at("GPUP_VM") == "one"; });
  REQUIRE(told != east.asked.environments.end());
  CHECK_EQ(told->at("GPUP_STEP"), std::to_string(start->step + 1));
}

TEST_CASE("a run that is refused tells the hook on failure, and nothing else runs") {
  struct Case {
    const char* name;
    int code;
    std::function<void(Hooked&, Watched&)> make;
  };
  const Case cases[] = {
      {"a broken fact", 5,
       [](Hooked& east, Watched&) { east.change([](json& all) { all[0]["gpus"][0]["partitionCount"] = 8; }); }},
      {"a lock that is held", 6,
       [](Hooked&, Watched& hosts) {
         hosts.on_lock = [](const std::string&) { return std::optional(Error{ErrorCode::kHeld, "held", {}}); };
       }},
      {"outside the window", 6,
       [](Hooked& east, Watched&) {
         east.planned.window = Window{Window::kEveryDay, 60, 120, "UTC"};
       }},
      {"no journal", 1, [](Hooked& east, Watched&) { east.journal.most = 0; }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Hooked east;
    Watched hosts;
    c.make(east, hosts);
    const Report report = east.apply(east.planned, east.progress, hosts);
    CHECK_EQ(exit_code(east.planned, report), c.code);
    CHECK(east.asked.calls == Words{"on-failure, exit code " + std::to_string(c.code)});
    CHECK(east.journal.lines.empty());
    CHECK_EQ(report.hooks.size(), 1);
  }
}

TEST_CASE("where the run is cancelled during a hook before a stop, the machine is not stopped") {
  for (const bool ends_well : {true, false}) {
    CAPTURE(ends_well);
    Hooked east;
    east.asked.on_run = [&](const std::string& words) {
      east.cancelled = east.cancelled || words.starts_with("before");
      return words.starts_with("before") && !ends_well
                 ? std::optional(Error{ErrorCode::kInterrupted, "was told to end, as the run was cancelled", {}})
                 : std::nullopt;
    };
    const Report report = east.perform();
    CHECK_EQ(exit_code(east.planned, report), 8);
    CHECK(report.diagnostics.empty());
    CHECK(east.runs("one"));
    CHECK(east.runs("two"));
    CHECK_EQ(std::count_if(report.steps.begin(), report.steps.end(), [](const StepResult& step) { return step.sent; }),
             0);
    const std::string vm = east.asked.environments.front().at("GPUP_VM");
    CHECK(east.asked.calls == Words{"before " + vm, "on-failure " + vm, "on-failure, exit code 8"});
  }
}

TEST_CASE("a window that closes during a hook keeps the machine from being stopped") {
  std::size_t closed = 0;
  for (std::uint16_t length = 2; length < 60; ++length) {
    CAPTURE(length);
    Hooked east;
    east.tick_length = std::chrono::minutes(1);
    east.planned.window = Window{Window::kEveryDay, 0, length, "UTC"};
    const Report report = east.perform();
    for (const std::string vm : {"one", "two"}) {
      const StepResult* const stop = find(east.planned, report, Op::kStopVm, vm);
      CHECK((stop->outcome == Outcome::kDone || says(stop->message, "VMs may be stopped")));
      const bool let_go = stop->outcome == Outcome::kSkipped && east.asked.has("before " + vm);
      closed += let_go ? 1 : 0;
      CHECK_EQ(east.asked.has("on-failure " + vm), let_go);
      CHECK(east.runs(vm));
    }
    CHECK_EQ(says(codes(report.diagnostics), "GP204"), exit_code(east.planned, report) == 7);
  }
  CHECK_GT(closed, 0);
}

TEST_CASE("wherever the disk of the journal is full, no machine is stopped, and the hook on failure is run") {
  std::size_t whole = 0;
  {
    Hooked east;
    east.perform();
    whole = east.journal.lines.size();
  }
  for (std::size_t most = 1; most < whole; ++most) {
    CAPTURE(most);
    Hooked east;
    east.journal.most = most;
    std::vector<std::string> wrong;
    east.asked.on_run = [&](const std::string& words) -> std::optional<Error> {
      if (east.journal.refused && words.starts_with("before")) {
        wrong.push_back(words);
      }
      return std::nullopt;
    };
    const Report report = east.perform();
    const int code = exit_code(east.planned, report);
    CHECK(wrong.empty());
    CHECK(east.runs("one"));
    CHECK(east.runs("two"));
    CHECK_EQ(east.asked.has("on-failure, exit code 7"), code == 7);
    CHECK((code == 7 || most + 4 >= whole));
    // Each that was drained was opened again, or is named.
    for (const std::string vm : {"one", "two"}) {
      CHECK_EQ(east.asked.has("before " + vm), east.asked.has("after " + vm) || east.asked.has("on-failure " + vm));
    }
  }
}

TEST_CASE("a machine that its hook shuts down is started again, also where the run goes wrong") {
  for (const bool goes_wrong : {false, true}) {
    CAPTURE(goes_wrong);
    Hooked east;
    if (goes_wrong) {
      east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
    }
    east.asked.on_run = [&](const std::string& words) -> std::optional<Error> {
      if (words == "before one") {
        east.change([](json& all) { all[0]["vms"][0]["state"] = "Off"; });
      }
      return std::nullopt;
    };
    const Report report = east.perform();
    CHECK_EQ(find(east.planned, report, Op::kStopVm, "one")->outcome, Outcome::kAlready);
    CHECK_EQ(exit_code(east.planned, report), goes_wrong ? 7 : 0);
    CHECK(east.runs("one"));
    CHECK(east.asked.has("after one"));
  }
}

TEST_CASE("what is left of a run owes the hook after a start to machines that run and had none") {
  Hooked east;
  east.hooks = nullptr;  // as if the run had been killed before any
  const Report first = east.perform();
  REQUIRE_EQ(exit_code(east.planned, first), 0);
  RecordedRun run;
  for (std::uint32_t i = 0; i < east.planned.steps.size(); ++i) {
    const StepResult& result = first.steps[i];
    RecordedStep step;
    step.step = i;
    step.intended = true;
    step.outcome = result.outcome;
    step.adapter = result.adapter;
    run.steps.push_back(step);
  }
  run.hooks.push_back({"before", "hv-1", "one", guid(1), Outcome::kDone, {}, {}});
  run.hooks.push_back({"after", "hv-1", "one", guid(1), std::nullopt, {}, {}});
  run.hooks.push_back({"after", "hv-2", "two", guid(2), Outcome::kDone, {}, {}});
  run.hooks.push_back({"after", "hv-2", "three", guid(3), Outcome::kFailed, {}, {}});

  const auto reader = make_simulated_hosts();
  std::vector<ObservedState> states;
  for (const HostTarget& target : east.planned.hosts) {
    states.push_back(reader->observe(target).get().value());
  }
  const ObservedState observed = merge(std::move(states)).value();
  const Plan left = what_is_left(east.planned, run, observed);
  CHECK(left.steps.empty());
  CHECK(left.acts());
  east.hooks = &east.asked;
  const Report report = east.apply(left);
  CHECK_EQ(exit_code(left, report), 0);
  Words calls = east.asked.calls;
  std::sort(calls.begin(), calls.end());
  CHECK(calls == Words{"after one", "after three"});
  CHECK_EQ(hooks_in(east.journal.lines).size(), 4);

  // And so on, where that one is killed, too.
  RecordedRun second;
  second.hooks.push_back({"after", "hv-1", "one", guid(1), Outcome::kDone, {}, {}});
  const Plan rest = what_is_left(left, second, observed);
  REQUIRE_EQ(rest.after_owed.size(), 1);
  CHECK_EQ(rest.vms[rest.after_owed[0]].name, "three");
}

TEST_CASE("a hook that is under way is told where a run is left at once") {
  Hooked east;
  OpenEnds open(east.planned);
  std::string told;
  east.asked.on_run = [&](const std::string& words) -> std::optional<Error> {
    if (words == "before one") {
      told = messages(open.told());
    }
    return std::nullopt;
  };
  east.apply(east.planned, open);
  CHECK(says(told, "the hook before of VM one (" + guid(1) + ") was under way, and nobody waits for its end\n"));
  CHECK(open.told().empty());
}

TEST_CASE("without hooks of its own a plan runs none") {
  Hooked east;
  east.planned.hooks = {};
  east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
  CHECK_EQ(exit_code(east.planned, east.perform()), 7);
  CHECK(east.asked.calls.empty());
}
