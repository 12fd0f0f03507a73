#include "execute/back_off.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "execute/east.h"
#include "execute/execute.h"

using namespace gpup;
using namespace gpup::test;

namespace {

Error called(ErrorCode kind, Code code) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = "told so";
  return {kind, diagnostic.message, {diagnostic}};
}

}  // namespace

TEST_CASE("pauses double until the next try would come too late") {
  std::int64_t slept = 0;
  Patience patience;
  patience.most = std::chrono::seconds(10);
  patience.now = [&] { return std::chrono::steady_clock::time_point(std::chrono::milliseconds(slept)); };
  patience.sleep = [&](std::chrono::milliseconds time) { slept += time.count(); };
  Loop loop(0);
  int tries = 0;
  const auto waiter = [&]() -> Task<> {
    BackOff back_off(patience);
    for (bool goes_on = true; goes_on; ++tries) {
      goes_on = co_await back_off.wait(loop);
    }
    --tries;
  };
  loop.begin(0, waiter());
  loop.run();
  CHECK_EQ(tries, 5);
  CHECK_EQ(slept, 250 + 500 + 1000 + 2000 + 4000);
}

TEST_CASE("a step that fails for a cause that may pass is sent again, others are not") {
  const char* const ops[] = {"stop-vm", "unassign-partition", "set-partition-count", "assign-partition", "start-vm"};
  struct Case {
    const char* kind;
    const char* code;  ///< empty: it has none
    bool passes;
    bool of_assign;  ///< whether it does for assign-partition
  };
  const Case cases[] = {
      {"fail", "GP187", true, true},
      {"fail", "GP185", false, false},
      {"fail", "", false, false},
      {"lose-reply-before", "GP183", true, false},  // who knows what the host still does
      {"lose-reply-before", "GP182", true, false},
      {"lose-reply-before", "", false, false},
      {"lose-reply-after", "GP182", true, true},  // it is read
  };
  for (const char* const op : ops) {
    for (const Case& c : cases) {
      CAPTURE(op);
      CAPTURE(c.kind);
      CAPTURE(c.code);
      East east;
      const Plan plan = east.plan();
      json fault = {{"op", op}, {"kind", c.kind}, {"count", 2}, {"message", "told so"}};
      if (*c.code != '\0') {
        fault["code"] = c.code;
      }
      east.fault(0, fault);
      const Report report = east.apply(plan);
      const bool passes = std::string(op) == "assign-partition" ? c.of_assign : c.passes;
      CHECK_EQ(exit_code(plan, report), passes ? 0 : 7);
      CHECK_EQ(east.machine("one")["partitions"].size(), passes || std::string(op) == "stop-vm" ||
                                                                 std::string(op) == "unassign-partition" ||
                                                                 std::string(op) == "start-vm"
                                                             ? 1
                                                             : 0);
      const bool waits = c.passes && std::string(c.kind) != "lose-reply-after";
      const bool is_read_on = std::string(c.code) == "GP183";  // what its host is still at
      CHECK_EQ(east.slept > 0, waits && (passes || is_read_on || std::string(op) != "assign-partition"));
    }
  }
}

TEST_CASE("trouble that does not pass ends the waiting, and what was stopped is started or named") {
  East east;
  const Plan plan = east.plan();
  east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}, {"code", "GP187"}, {"count", 1000}});
  const Report report = east.apply(plan);
  CHECK_EQ(exit_code(plan, report), 7);
  CHECK_EQ(codes(report.diagnostics), "GP187");
  CHECK(east.runs("one"));
  CHECK_LE(east.slept, 30000);
  CHECK_GT(east.slept, 10000);
}

TEST_CASE(
    "an outcome that is not known is read again until it is, or until the patience ends and the machine is named") {
  for (const int unread : {3, 1000}) {
    CAPTURE(unread);
    East east;
    const Plan plan = east.plan();
    int left = 0;
    Watched hosts;
    hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
      if (op != Op::kUnassignPartition || host != "hv-1") {
        return std::nullopt;
      }
      left = unread;
      return Result<Done>(tl::unexpected<Error>(called(ErrorCode::kInterrupted, Code::kSessionEnded)));
    };
    hosts.on_observe = [&](const std::string& host) -> std::optional<Error> {
      return host == "hv-1" && left-- > 0 ? std::optional(called(ErrorCode::kUnreachable, Code::kNoConnection))
                                          : std::nullopt;
    };
    east.limits.hosts = 1;
    const Report report = east.apply(plan, east.progress, hosts);
    const StepResult* const unassign = find(plan, report, Op::kUnassignPartition, "one");
    CHECK_GT(east.slept, 0);
    if (unread == 3) {
      CHECK_EQ(unassign->outcome, Outcome::kFailed);  // it never happens here
      CHECK(east.runs("one"));
    } else {
      CHECK_EQ(unassign->outcome, Outcome::kUnknown);
      REQUIRE_EQ(report.left_off.size(), 1);
      CHECK_EQ(report.left_off[0].vm, "one");
      CHECK_LE(east.slept, 60000);  // nobody waits a second time for a host that is gone
    }
  }
}

TEST_CASE("an adapter that its host is still adding is read until it is there, and is not known before") {
  for (const int reads : {3, 1000}) {
    CAPTURE(reads);
    East east;
    const Plan plan = east.plan();
    int left = 0;
    Watched hosts;
    hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
      if (op != Op::kAssignPartition || host != "hv-1") {
        return std::nullopt;
      }
      left = reads;
      return Result<Done>(tl::unexpected<Error>(called(ErrorCode::kInterrupted, Code::kNoAnswer)));
    };
    hosts.on_observe = [&](const std::string& host) -> std::optional<Error> {
      if (host == "hv-1" && left > 0 && --left == 0) {
        east.change([](json& all) { all[0]["vms"][0]["partitions"] = {{{"id", guid(9)}, {"gpu", nullptr}}}; });
      }
      return std::nullopt;
    };
    east.limits.hosts = 1;
    const Report report = east.apply(plan, east.progress, hosts);
    const StepResult* const assign = find(plan, report, Op::kAssignPartition, "one");
    CHECK_GT(east.slept, 0);
    CHECK(east.runs("one"));
    if (reads == 3) {
      CHECK_EQ(assign->outcome, Outcome::kDone);
      CHECK_EQ(assign->adapter, guid(9));
      CHECK_EQ(exit_code(plan, report), 0);
    } else {
      CHECK_EQ(assign->outcome, Outcome::kUnknown);
      CHECK_EQ(assign->message, "told so, and the adapter is not there");
      CHECK_EQ(exit_code(plan, report), 7);
    }
  }
}

TEST_CASE("a start in the end is tried again where its trouble may pass") {
  East east;
  const Plan plan = east.plan();
  east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
  east.fault(0, {{"op", "start-vm"}, {"kind", "fail"}, {"code", "GP187"}, {"count", 3}});
  const Report report = east.apply(plan);
  REQUIRE_EQ(report.restored.size(), 1);
  CHECK_EQ(report.restored[0].outcome, Outcome::kDone);
  CHECK(east.runs("one"));
}

TEST_CASE("a machine that is still on its way up in the end is not said to be off") {
  East east;
  const Plan plan = east.plan();
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
    if (op != Op::kStartVm || host != "hv-1") {
      return std::nullopt;
    }
    east.change([](json& all) { all[0]["vms"][0]["state"] = "Starting"; });
    return Done{};
  };
  east.limits.hosts = 1;
  const Report report = east.apply(plan, east.progress, hosts);
  CHECK_EQ(exit_code(plan, report), 7);
  REQUIRE_EQ(report.left_off.size(), 1);
  CHECK_EQ(report.left_off[0].vm, "one");
  CHECK_EQ(report.left_off[0].message, "the host said that it is done, but the virtual machine is Starting");
  CHECK_EQ(to_string(*report.left_off[0].code), to_string(Code::kStepUnknown));
}

TEST_CASE("a run that is asked to end sends nothing again") {
  East east;
  east.limits.hosts = 1;
  const Plan plan = east.plan();
  int tries = 0;
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
    if (op != Op::kSetPartitionCount || host != "hv-1") {
      return std::nullopt;
    }
    east.cancelled = true;
    ++tries;
    return Result<Done>(tl::unexpected<Error>(called(ErrorCode::kRefused, Code::kClusterAway)));
  };
  const Report report = east.apply(plan, east.progress, hosts);
  CHECK_EQ(tries, 1);
  CHECK_EQ(exit_code(plan, report), 8);
  CHECK(east.runs("one"));
}
