#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "execute/east.h"
#include "execute/execute.h"
#include "execute/open_ends.h"

using namespace gpup;
using namespace gpup::test;

TEST_CASE("wherever the disk of the journal is full, nothing is sent from then on but to start what was stopped") {
  std::size_t whole = 0;
  {
    East east;
    east.limits.hosts = 1;
    east.apply(east.plan());
    whole = east.journal.lines.size();
  }
  for (std::size_t most = 1; most < whole; ++most) {
    CAPTURE(most);
    East east;
    east.limits.hosts = 1;
    east.journal.most = most;
    const Plan plan = east.plan();
    std::set<std::string> stopped;
    std::vector<std::string> wrong;
    Watched hosts;
    hosts.on_write = [&](Op op, const std::string&, const std::string& vm_id) -> Watched::Told {
      if (op == Op::kStopVm) {
        stopped.insert(vm_id);
      }
      if (east.journal.refused && (op != Op::kStartVm || !stopped.contains(vm_id))) {
        wrong.emplace_back(to_string(op));
      }
      return std::nullopt;
    };
    const Report report = east.apply(plan, east.progress, hosts);
    CHECK(wrong.empty());
    CHECK(east.runs("one"));
    CHECK(east.runs("two"));
    CHECK(report.left_off.empty());
    REQUIRE_FALSE(report.diagnostics.empty());
    CHECK_EQ(to_string(report.diagnostics.front().code), "GP192");
    CHECK(says(report.diagnostics.front().message, "the journal cannot be written: no space is left"));
    const bool stopped_by_it = exit_code(plan, report) != 0;
    CHECK_EQ(report.diagnostics.front().severity == Severity::kError, stopped_by_it);
    CHECK((stopped_by_it || most >= whole - 2));  // only the last outcome and the end are not missed
  }
}

TEST_CASE(
    "what a run has open is told at any instant: steps under way, and machines that are off, with their commands") {
  const std::string start = "start it on hv-1: Get-VM -Id " + guid(1) + " | Start-VM";
  const std::string off = "VM one (" + guid(1) + ") is left off\n";
  const std::string open = ": it was under way, and nobody has read what came of it\n";
  const std::vector<std::pair<Op, std::string>> cases = {
      {Op::kStopVm, ", stop-vm" + open + "VM one (" + guid(1) + ") may be off: what came of its stop is not known\n"},
      {Op::kUnassignPartition, ", unassign-partition" + open + off},
      {Op::kSetPartitionCount, ", set-partition-count" + open + off},
      {Op::kAssignPartition, ", assign-partition" + open + off},
      {Op::kStartVm, ", start-vm" + open + "VM one (" + guid(1) +
                         ") may be off: its start was sent, and what came of it is not known\n"},
  };
  East east;
  east.limits.hosts = 1;
  const Plan plan = east.plan();
  OpenEnds open_ends(plan);
  CHECK(open_ends.told().empty());
  std::size_t seen = 0;
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
    if (host == "hv-1") {
      const Diagnostics told = open_ends.told();
      const std::string words = messages(told);
      CAPTURE(words);
      const auto wanted = std::find_if(cases.begin(), cases.end(), [&](const auto& one) { return one.first == op; });
      REQUIRE(wanted != cases.end());
      CHECK(words.starts_with("step "));
      CHECK(words.ends_with(wanted->second));
      CHECK_EQ(codes(told), "GP173 GP174");
      CHECK_EQ(told.back().hint, start);
      ++seen;
    }
    return std::nullopt;
  };
  CHECK_EQ(exit_code(plan, east.apply(plan, open_ends, hosts)), 0);
  CHECK_EQ(seen, cases.size());
  CHECK(open_ends.told().empty());
}

TEST_CASE("a machine that is being brought back is not told as left off: what came of its start is not known") {
  East east;
  const Plan plan = east.plan();
  east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
  OpenEnds open(plan);
  std::string told;
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string&) -> Watched::Told {
    if (op == Op::kStartVm && host == "hv-1") {
      told = messages(open.told());
    }
    return std::nullopt;
  };
  east.apply(plan, open, hosts);
  CHECK_NE(told.find("VM one (" + guid(1) + ") may be off: its start was sent, and what came of it is not known\n"),
           std::string::npos);
  CHECK_EQ(told.find("left off"), std::string::npos);
}

TEST_CASE("a machine that is started in the end is not told as off any more, one that does not start is") {
  for (const bool starts : {true, false}) {
    CAPTURE(starts);
    East east;
    const Plan plan = east.plan();
    east.fault(0, {{"op", "set-partition-count"}, {"kind", "fail"}});
    if (!starts) {
      east.fault(0, {{"op", "start-vm"}, {"kind", "fail"}});
    }
    OpenEnds open(plan);
    east.apply(plan, open);
    CHECK_EQ(codes(open.told()), starts ? "" : "GP174");
  }
}
