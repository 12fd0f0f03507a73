#include "execute/execute.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "adapters/journal_file.h"
#include "execute/east.h"

using namespace gpup;
using namespace gpup::test;

namespace {

/// The fault at the first step of that op on hv-1, and all that must hold then.
void goes_wrong(std::uint32_t at_once, const char* op, const char* kind, bool performed) {
  CAPTURE(at_once);
  CAPTURE(op);
  CAPTURE(kind);
  CAPTURE(performed);
  East east;
  east.limits.hosts = at_once;
  const Plan plan = east.plan();
  east.fault(0,
             {{"op", op}, {"kind", kind}, {"performed", performed}, {"to", "hv-2"}, {"ms", 1}, {"message", "told so"}});
  const Report report = east.apply(plan);
  const int code = exit_code(plan, report);
  const bool harmless = std::string(kind) == "delay" || std::string(kind) == "lose-reply-after";
  CHECK_EQ(code, harmless ? 0 : 7);
  CHECK(east.runs("two"));
  // A machine that comes over with its partition keeps the GPU of hv-2 in use.
  CHECK((east.runs("three") || std::string(kind) == "move-to"));
  if (!east.runs("one")) {
    REQUIRE_EQ(report.left_off.size(), 1);
    CHECK_EQ(report.left_off[0].vm, "one");
    CHECK_EQ(report.left_off[0].command, "Get-VM -Id " + guid(1) + " | Start-VM");
    const std::string known = report.left_off[0].code == Code::kStepUnknown ? ") may be off: " : ") is left off: ";
    CHECK(says(messages(report.diagnostics), "VM one (" + guid(1) + known));
  } else {
    CHECK(east.converges());
    CHECK_EQ(east.machine("one")["partitions"].size(), 1);
  }
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(east.folder.path()), {}), 1);
}

}  // namespace

TEST_CASE("no machine is stopped outside the plan's window") {
  East east;
  Plan plan = east.plan();
  plan.window = Window{Window::kEveryDay, 60, 120, "UTC"};
  const json before = east.machine("one");
  const Report refused = east.apply(plan);
  CHECK_EQ(exit_code(plan, refused), 6);
  CHECK_EQ(messages(refused.diagnostics),
           "VMs may be stopped every day 01:00 to 02:00 UTC only, and it is 1970-01-01T00:00:00.001Z\n");
  CHECK(refused.steps.empty());
  CHECK_EQ(east.machine("one"), before);

  plan.window = Window{Window::kEveryDay, 60, 120, "Europe/Atlantis"};
  CHECK_EQ(codes(east.apply(plan).diagnostics), "GP204");

  east.ignore_window = true;
  CHECK_EQ(exit_code(plan, east.apply(plan)), 0);
  CHECK(east.converges());
}

TEST_CASE("once the window is over no further machine is stopped, and those that were are started again") {
  East east;
  Plan plan = east.plan();
  east.limits.hosts = 1;
  east.tick_length = std::chrono::minutes(1);
  std::size_t stops = 0;
  for (const Step& step : plan.steps) {
    stops += step.op == Op::kStopVm ? 1 : 0;
  }
  REQUIRE(stops > 1);
  std::size_t cut = 0;
  for (std::uint16_t length = 2; length < 60; ++length) {
    CAPTURE(length);
    East again;
    again.limits.hosts = 1;
    again.tick_length = std::chrono::minutes(1);
    plan = again.plan();
    plan.window = Window{Window::kEveryDay, 0, length, "UTC"};
    const Report report = again.apply(plan);
    std::size_t stopped = 0;
    for (const StepResult& result : report.steps) {
      if (plan.steps[result.step].op == Op::kStopVm) {
        stopped += result.outcome == Outcome::kDone ? 1 : 0;
        CHECK((result.outcome == Outcome::kDone || says(result.message, "VMs may be stopped")));
      }
    }
    CHECK_EQ(exit_code(plan, report), stopped == stops ? 0 : 7);
    CHECK_EQ(codes(report.diagnostics), stopped == stops ? "" : "GP204");
    cut += stopped < stops ? 1 : 0;
    CHECK(report.left_off.empty());
    CHECK(again.runs("one"));
    CHECK(again.runs("two"));
  }
  CHECK_GT(cut, 1);
}

TEST_CASE("a plan is performed, verified, and leaves nothing to do") {
  East east;
  const Plan plan = east.plan();
  const Report report = east.apply(plan);
  CHECK_EQ(messages(report.diagnostics), "");
  CHECK_EQ(exit_code(plan, report), 0);
  for (const char* const name : {"one", "two", "three"}) {
    CAPTURE(name);
    const StepResult* const start = find(plan, report, Op::kStartVm, name);
    REQUIRE(start != nullptr);
    CHECK_EQ(start->outcome, Outcome::kDone);
    CHECK_EQ(start->resolved, true);
    CHECK_EQ(start->vram, 3825205248);
    CHECK(east.runs(name));
  }
  CHECK(east.plan().steps.empty());
  const std::string before = read_text(east.file());
  east.journal.lines.clear();
  const Plan nothing = east.plan();
  CHECK_EQ(exit_code(nothing, east.apply(nothing)), 0);
  CHECK_EQ(read_text(east.file()), before);
  CHECK(east.journal.lines.empty());
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(east.folder.path()), {}), 1);
}

TEST_CASE("an intent is noted before each step that is sent, its outcome after") {
  East east;
  const Plan plan = east.plan();
  east.limits.hosts = 1;
  east.apply(plan);
  const auto& lines = east.journal.lines;
  REQUIRE_EQ(lines.size(), 2 * plan.steps.size() + 2);
  CHECK_EQ(lines.front(), "begin");
  CHECK_EQ(lines.back(), "end");
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    CHECK(lines[1 + 2 * i].starts_with("intent "));
    CHECK_EQ(lines[2 + 2 * i], "outcome done");
  }
}

TEST_CASE(
    "whatever goes wrong at whichever step, what ran runs again or is named, and the next run ends in the same place") {
  const char* const ops[] = {"stop-vm", "unassign-partition", "set-partition-count", "assign-partition", "start-vm"};
  const char* const kinds[] = {"fail",  "claim-success", "lose-reply-before", "lose-reply-after", "drop-session",
                               "delay", "move-to"};
  for (const std::uint32_t at_once : {1U, 10U}) {
    for (const char* const op : ops) {
      for (const char* const kind : kinds) {
        for (const bool performed : {false, true}) {
          if (!performed || std::string(kind) == "drop-session") {
            goes_wrong(at_once, op, kind, performed);
          }
        }
      }
    }
  }
}

TEST_CASE("a machine that moves while it is to be started is started where it is now, once that host is locked") {
  for (const std::uint32_t at_once : {1U, 10U}) {
    for (const bool again : {false, true}) {  // in its own step; when it is brought back
      CAPTURE(at_once);
      CAPTURE(again);
      East east;
      east.limits.hosts = at_once;
      const Plan plan = east.plan();
      if (again) {
        east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}, {"message", "told so"}});
      }
      east.fault(0, {{"op", "start-vm"}, {"kind", "move-to"}, {"to", "hv-2"}});
      const Report report = east.apply(plan);
      CHECK_EQ(exit_code(plan, report), 7);
      CAPTURE(messages(report.diagnostics));
      const auto one = std::find_if(report.restored.begin(), report.restored.end(),
                                    [](const Restored& vm) { return vm.vm == "one"; });
      REQUIRE_NE(one, report.restored.end());
      CHECK_EQ(one->host, "hv-2");
      CHECK_EQ(one->outcome, Outcome::kDone);
      CHECK(east.runs("one"));
      CHECK(report.left_off.empty());
      CHECK_FALSE(east.state()["hosts"][0].contains("startsOwed"));
    }
  }
}

/// Somebody starts a VM once a step of that op ended.
class StartsIt : public NoProgress {
 public:
  StartsIt(const East& east, Op op) : east_(east), op_(op) {}
  void finished(const Plan& plan, const StepResult& result) override {
    const Step& step = plan.steps[result.step];
    if (step.op == op_ && step.vm != kNone && plan.vms[step.vm].name == "one") {
      east_.change([](json& hosts) {
        json& one = hosts[0]["vms"][0];
        one["state"] = "Running";
        for (json& held : one["partitions"]) {
          held["gpu"] = hosts[0]["gpus"][0]["name"];
          held["partitionId"] = 0;
          held["vram"] = 939524096;
        }
      });
    }
  }

 private:
  const East& east_;
  Op op_;
};

TEST_CASE("a machine that somebody else has started during the run is owed no start any more") {
  for (const bool again : {false, true}) {  // in its own step; when it is brought back
    CAPTURE(again);
    East east;
    east.limits.hosts = 1;
    const Plan plan = east.plan();
    if (again) {
      east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}, {"message", "told so"}});
    }
    StartsIt somebody(east, again ? Op::kUnassignPartition : Op::kAssignPartition);
    const Report report = east.apply(plan, somebody);
    CAPTURE(messages(report.diagnostics));
    CHECK_EQ(exit_code(plan, report), again ? 7 : 0);
    REQUIRE(east.runs("one"));
    CHECK_FALSE(east.machine("one").contains("startOwed"));
  }
}

TEST_CASE("an assignment whose reply was lost is read, never repeated") {
  East east;
  const Plan plan = east.plan();
  east.fault(0, {{"op", "assign-partition"}, {"kind", "lose-reply-after"}});
  const Report report = east.apply(plan);
  CHECK_EQ(exit_code(plan, report), 0);
  CHECK_EQ(east.machine("one")["partitions"].size(), 1);
}

TEST_CASE(
    "a start that the host refuses leaves its machine named with the command that starts it, and the cause apart") {
  struct Case {
    const char* name;
    const char* says;     ///< the host, each time
    bool fails_before;    ///< the count cannot be set: the start is that of the end
    const char* message;  ///< of the machine that is left off
    const char* codes;
    const char* cause;  ///< its code
  };
  const Case cases[] = {
      {"for reasons of its own", "not today", false, "not today", "GP174", "GP172"},
      {"no partition is free, nor without what was assigned", "OperationFailed: 0x800705AA", false,
       "no adapter is to be seen on it, one on a card that is gone may be left in its configuration: the host has no "
       "partition for the virtual machine, or not the resources for it: OperationFailed: 0x800705AA; what step 4 "
       "assigned "
       "was taken back before",
       "GP189 GP174", "GP189"},
      {"nor in the end", "0x800705aa", true,
       "no adapter is to be seen on it, one on a card that is gone may be left in its configuration: the host has no "
       "partition for"
       " the virtual machine, or not the resources for it: 0x800705aa",
       "GP172 GP189 GP174", "GP189"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    East east;
    const Plan plan = east.plan();
    east.fault(0, {{"op", "start-vm"}, {"kind", "fail"}, {"message", c.says}, {"count", 9}});
    if (c.fails_before) {
      east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
    }
    const Report report = east.apply(plan);
    CHECK_EQ(exit_code(plan, report), 7);
    REQUIRE_EQ(report.left_off.size(), 1);
    const LeftOff& off = report.left_off[0];
    CHECK_EQ(off.message, c.message);
    CHECK_EQ(off.host, "hv-1");
    REQUIRE(off.code.has_value());
    CHECK_EQ(to_string(*off.code), c.cause);
    CHECK_EQ(find(plan, report, Op::kStartVm, "two")->outcome, Outcome::kDone);
    CHECK_EQ(codes(report.diagnostics), c.codes);
    CHECK_EQ(report.diagnostics.back().hint, "start it on hv-1: Get-VM -Id " + guid(1) + " | Start-VM");
    if (report.diagnostics.size() > 1) {
      CHECK_EQ(report.diagnostics.back().message, "VM one (" + guid(1) + ") is left off: see " + std::string(c.cause));
      const Diagnostic& cause = report.diagnostics.end()[-2];
      CHECK_EQ(cause.message, "VM one (" + guid(1) + ") does not start: " + std::string(c.message));
      CHECK_EQ(cause.hint, off.hint);
      CHECK_FALSE(cause.hint.empty());
    }
  }
}

TEST_CASE("what a host's error is called, and what mends it, is told of the step") {
  const auto not_permitted = [] {
    Diagnostic diagnostic;
    diagnostic.code = Code::kNotPermitted;
    diagnostic.message = "the host does not permit it";
    diagnostic.hint = "elevate";
    return diagnostic;
  };
  struct Case {
    const char* name;
    ErrorCode kind;
    bool reading_ends;  ///< with the same error, from that step on
    Outcome outcome;
    const char* code;
  };
  const Case cases[] = {
      {"refused", ErrorCode::kRefused, false, Outcome::kFailed, "GP185"},
      {"not sent", ErrorCode::kUnreachable, false, Outcome::kFailed, "GP185"},
      {"nothing happened, nothing can be read", ErrorCode::kRefused, true, Outcome::kFailed, "GP185"},
      {"nobody knows", ErrorCode::kInterrupted, true, Outcome::kUnknown, "GP173"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    East east;
    const Plan plan = east.plan();
    Watched hosts;
    std::atomic<bool> deaf = false;
    hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
      if (op != Op::kSetPartitionCount || host != "hv-1") {
        return std::nullopt;
      }
      deaf = c.reading_ends;
      Error error{c.kind, not_permitted().message, {not_permitted()}};
      return Result<Done>(tl::unexpected<Error>(std::move(error)));
    };
    hosts.on_observe = [&](const std::string& host) -> std::optional<Error> {
      return deaf && host == "hv-1" ? std::optional(Error{ErrorCode::kUnreachable, "asleep", {}}) : std::nullopt;
    };
    const Report report = east.apply(plan, east.progress, hosts);
    const auto failed = std::find_if(report.steps.begin(), report.steps.end(),
                                     [](const StepResult& result) { return result.outcome != Outcome::kDone; });
    REQUIRE(failed != report.steps.end());
    CHECK_EQ(failed->outcome, c.outcome);
    REQUIRE(failed->code.has_value());
    CHECK_EQ(to_string(*failed->code), c.code);
    CHECK_EQ(failed->hint, "elevate");
    REQUIRE_FALSE(report.diagnostics.empty());
    CHECK_EQ(to_string(report.diagnostics.front().code), c.code);
    CHECK_EQ(report.diagnostics.front().hint, "elevate");
    for (const StepResult& result : report.steps) {
      CHECK_EQ(result.code.has_value(), result.outcome == Outcome::kFailed || result.outcome == Outcome::kUnknown);
    }
  }
}

TEST_CASE("a host that cannot be read or locked is told by its error's own code, with what mends it") {
  for (const bool at_lock : {false, true}) {
    CAPTURE(at_lock);
    East east;
    const Plan plan = east.plan();
    Diagnostic diagnostic;
    diagnostic.code = Code::kHostKey;
    diagnostic.message = "the host's key is not known";
    diagnostic.hint = "check it";
    const Error error{ErrorCode::kUnreachable, diagnostic.message, {diagnostic}};
    Watched hosts;
    (at_lock ? hosts.on_lock : hosts.on_observe) = [&](const std::string& host) {
      return host == "hv-1" ? std::optional(error) : std::nullopt;
    };
    const Report report = east.apply(plan, east.progress, hosts);
    CHECK_EQ(report.refusal, Refusal::kFactBroken);
    REQUIRE_FALSE(report.diagnostics.empty());
    CHECK_EQ(codes(report.diagnostics), "GP178");
    CHECK_EQ(report.diagnostics.front().message, "the host cannot be read: the host's key is not known");
    CHECK_EQ(report.diagnostics.front().hint, "check it");
    CHECK_EQ(report.diagnostics.front().host, "hv-1");
  }
}

TEST_CASE("a step that fails skips what depends on it, and its machine is started again") {
  East east;
  const Plan plan = east.plan();
  east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
  const Report report = east.apply(plan);
  CHECK_EQ(exit_code(plan, report), 7);
  CHECK_EQ(find(plan, report, Op::kAssignPartition, "one")->outcome, Outcome::kSkipped);
  REQUIRE_EQ(report.restored.size(), 1);
  CHECK_EQ(report.restored[0].vm, "one");
  CHECK_EQ(report.restored[0].outcome, Outcome::kDone);
  CHECK(east.runs("one"));
  CHECK(report.left_off.empty());
}

TEST_CASE("a cancelled run takes no new step, and starts again what it stopped") {
  for (const Op op : {Op::kStopVm, Op::kUnassignPartition, Op::kSetPartitionCount, Op::kAssignPartition}) {
    East east;
    const Plan plan = east.plan();
    CancelAfter progress(op, east.cancelled);
    const Report report = east.apply(plan, progress);
    CHECK_EQ(exit_code(plan, report), 8);
    CHECK(report.cancelled);
    CHECK(east.runs("one"));
    CHECK(east.runs("two"));
    CHECK(report.left_off.empty());
    CHECK(east.converges());
  }
}

TEST_CASE("each fact that no longer holds is named, and nothing is touched") {
  struct Case {
    const char* name;
    void (*change)(json& hosts);
    const char* words;
  };
  const Case cases[] = {
      {"count", [](json& all) { all[0]["gpus"][0]["partitionCount"] = 8; }, "partitionCount was 16, is 8"},
      {"status", [](json& all) { all[0]["gpus"][0]["status"] = "ready-for-dda"; },
       "status was partitioned, is ready-for-dda"},
      {"state", [](json& all) { all[0]["vms"][0]["state"] = "Off"; }, "state was Running, is Off"},
      {"saved", [](json& all) { all[0]["vms"][0]["state"] = "Saved"; }, "state was Running, is Saved"},
      {"partitions", [](json& all) { all[0]["vms"][0]["partitions"] = json::array(); },
       "what it holds was a partition that is not resolved, is no partition"},
      {"another adapter", [](json& all) { all[0]["vms"][0]["partitions"][0]["id"] = guid(9); }, "is another one"},
      {"unresolved", [](json& all) { all[0]["vms"][0]["partitions"] = json::array(); },
       "number of partitions that are not resolved was 1, is 0"},
      {"moved",
       [](json& all) {
         all[1]["vms"].push_back(all[0]["vms"][0]);
         all[0]["vms"] = json::array();
       },
       "was there, is on hv-2 now"},
      {"gone", [](json& all) { all[0]["vms"] = json::array(); }, "was there, is gone"},
      {"gpu gone", [](json& all) { all[0]["gpus"] = json::array(); }, "was there, is gone"},
      {"unreachable",
       [](json& all) {
         all[0]["reachable"] = false;
         all[0]["error"] = "no route to host";
       },
       "the host cannot be read: no route to host"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    East east;
    const Plan plan = east.plan();
    east.change(c.change);
    const std::string before = read_text(east.file());
    const Report report = east.apply(plan);
    CHECK_EQ(report.refusal, Refusal::kFactBroken);
    CHECK_EQ(exit_code(plan, report), 5);
    CAPTURE(messages(report.diagnostics));
    CHECK(says(messages(report.diagnostics), c.words));
    CHECK_EQ(read_text(east.file()), before);
    CHECK(east.journal.lines.empty());
    CHECK(report.steps.empty());
  }
}

TEST_CASE("a held lock stops a run before it touches anything") {
  East east;
  const Plan plan = east.plan();
  const std::string before = read_text(east.file());
  {
    const auto other = make_simulated_hosts();
    REQUIRE(other->lock(plan.hosts[1]));
    const Report report = east.apply(plan);
    CHECK_EQ(exit_code(plan, report), 6);
    CHECK(says(messages(report.diagnostics), "the host's lock is held by process "));
    CHECK_EQ(read_text(east.file()), before);
  }
  CHECK_EQ(exit_code(plan, east.apply(plan)), 0);
}

TEST_CASE("without a journal nothing is sent, and when it breaks what was stopped is started again") {
  East first;
  const Plan plan = first.plan();
  const std::string before = read_text(first.file());
  first.journal.most = 0;
  const Report refused = first.apply(plan);
  CHECK_EQ(exit_code(plan, refused), 1);
  CHECK_EQ(read_text(first.file()), before);

  East second;
  const Plan again = second.plan();
  second.journal.most = 5;
  const Report report = second.apply(again);
  CHECK_EQ(exit_code(again, report), 7);
  CHECK(second.runs("one"));
  CHECK(second.runs("two"));
}

TEST_CASE("a partition that is smaller than minVram is not assigned") {
  East east;
  std::string desired = kDesired;
  desired.replace(desired.find("- vm: one"), 9, "- vm: one\n    minVram: 3GiB");
  const Plan plan = east.plan(desired.c_str());
  // Behind the planner's back the card turns out to give less than its total would allow.
  east.change([](json& all) {
    all[0]["simulate"]["profiles"] =
        list({{"model", "NVIDIA A2"}, {"counts", list({{"count", 4}, {"vram", 1073741824}})}});
  });
  const Report report = east.apply(plan);
  CHECK_EQ(exit_code(plan, report), 7);
  const StepResult* const assign = find(plan, report, Op::kAssignPartition, "one");
  REQUIRE(assign != nullptr);
  CHECK_EQ(assign->outcome, Outcome::kFailed);
  CHECK(says(assign->message, "has 1 GiB, minVram is 3 GiB"));
  CHECK(east.runs("one"));
}

TEST_CASE("the journal's file is one JSON object a line, made by the first entry") {
  East east;
  const Plan plan = east.plan();
  const auto journal = make_journal_file({east.folder / "state/journal", {}, {}},
                                         [](const Plan&, OutputFile& file) { file.write("the plan"); });
  CHECK_FALSE(std::filesystem::exists(east.folder / "state"));
  const auto hosts = make_simulated_hosts();
  NoProgress progress;
  const Limits in_order{1, 1};
  const Report report = execute(
      plan, *hosts, *journal, progress, east.cancelled, [] { return Time(); }, in_order);
  CHECK_EQ(exit_code(plan, report), 0);
  std::vector<json> entries;
  for (const auto& file : std::filesystem::directory_iterator(east.folder / "state/journal")) {
    if (file.path().extension() == ".json") {
      CHECK_EQ(read_text(file.path().string()), "the plan");
      continue;
    }
    std::istringstream lines(read_text(file.path().string()));
    for (std::string line; std::getline(lines, line);) {
      entries.push_back(json::parse(line));
    }
  }
  REQUIRE_EQ(entries.size(), 2 * plan.steps.size() + 2);
  CHECK_EQ(entries.front()["entry"], "begin");
  CHECK_EQ(entries.front()["hosts"].size(), 2);
  CHECK_EQ(entries[1]["entry"], "intent");
  CHECK_EQ(entries[2]["outcome"], "done");
  CHECK_EQ(entries[1]["stateBefore"].is_null(), !entries[1].contains("vm"));
  CHECK_EQ(entries.back()["exitCode"], 0);
}
