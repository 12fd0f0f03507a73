#include "plan/disruption.h"

#include <doctest/doctest.h>

#include "plan/small_world.h"

using gpup::DesiredDisruption;
using gpup::DownLimit;
using gpup::Power;
using gpup::tests::SmallWorld;

namespace {

DesiredDisruption at_most(DownLimit limit, std::initializer_list<const char*> order = {}) {
  DesiredDisruption wanted;
  wanted.max_unavailable = limit;
  for (const char* const name : order) {
    wanted.order.push_back({name, {}});
  }
  return wanted;
}

DesiredDisruption per_host(std::uint32_t most) {
  DesiredDisruption wanted;
  wanted.per_host = most;
  return wanted;
}

DesiredDisruption group(const char* pattern, std::uint32_t most) {
  DesiredDisruption wanted;
  wanted.groups.push_back({pattern, {most, false}, {}});
  return wanted;
}

/// Three machines that run and are to get a partition.
SmallWorld three_new() {
  return SmallWorld()
      .gpu("X", 4)
      .vm("a", "Running")
      .vm("b", "Running")
      .vm("c", "Running")
      .manage("NVIDIA A2", 4)
      .list("a")
      .list("b")
      .list("c");
}

/// Two machines on a card whose count changes.
SmallWorld two_on_a_card() {
  return SmallWorld()
      .gpu("X", 16)
      .vm("a", "Running", {"X"})
      .vm("b", "Running", {"X"})
      .manage("NVIDIA A2", 4)
      .list("a")
      .list("b");
}

/// The same on two hosts.
SmallWorld two_hosts() {
  return SmallWorld()
      .gpu("X", 16)
      .vm("a", "Running", {"X"})
      .host("hv2")
      .gpu("Y", 16)
      .vm("b", "Running", {"Y"})
      .manage("NVIDIA A2", 4)
      .list("a")
      .list("b");
}

}  // namespace

TEST_CASE("machines go down one after another where the file limits how many may be down") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* steps;
  };
  const char* const one_host_after_another =
      "1 stop a; 2 unassign a-0 of a <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4; 6 stop b <5; 7 unassign b-0 of "
      "b "
      "<6; 8 set Y 16->4 <7; 9 assign b <8; 10 start b <9";
  const Case cases[] = {
      {"no limit", three_new(),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 stop b; 5 assign b <4; 6 start b <5; 7 stop c; 8 assign c <7; 9 start "
       "c "
       "<8"},
      {"one at a time", three_new().disruption(at_most({1, false})),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 stop b <3; 5 assign b <4; 6 start b <5; 7 stop c <6; 8 assign c <7; 9 "
       "start c <8"},
      {"two at a time: the third takes the first one's turn", three_new().disruption(at_most({2, false})),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 stop b; 5 assign b <4; 6 start b <5; 7 stop c <3; 8 assign c <7; 9 "
       "start "
       "c <8"},
      {"a percentage is rounded down", three_new().disruption(at_most({99, true})),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 stop b; 5 assign b <4; 6 start b <5; 7 stop c <3; 8 assign c <7; 9 "
       "start "
       "c <8"},
      {"and is at least one", three_new().disruption(at_most({10, true})),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 stop b <3; 5 assign b <4; 6 start b <5; 7 stop c <6; 8 assign c <7; 9 "
       "start c <8"},
      {"those that the order names go first", three_new().disruption(at_most({1, false}, {"c", "[ab]"})),
       "1 stop c; 2 assign c <1; 3 start c <2; 4 stop a <3; 5 assign a <4; 6 start a <5; 7 stop b <6; 8 assign b <7; 9 "
       "start b <8"},
      {"a limit of some", three_new().disruption(group("[bc]", 1)),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 stop b; 5 assign b <4; 6 start b <5; 7 stop c <6; 8 assign c <7; 9 "
       "start "
       "c <8"},
      {"all machines of a card are down together", two_on_a_card().disruption(at_most({2, false})),
       "1 stop a; 2 unassign a-0 of a <1; 3 stop b; 4 unassign b-1 of b <3; 5 set X 16->4 <2 <4; 6 assign a <5; 7 "
       "start a "
       "<6; 8 assign b <5; 9 start b <8"},
      {"more than may be", two_on_a_card().disruption(at_most({1, false})), "refused: GP200"},
      {"more than may be on a host", two_on_a_card().disruption(per_host(1)), "refused: GP200"},
      {"more of a group than may be", two_on_a_card().disruption(group(".", 1)), "refused: GP200"},
      {"a group that only one is in", two_on_a_card().disruption(group("a", 1)),
       "1 stop a; 2 unassign a-0 of a <1; 3 stop b; 4 unassign b-1 of b <3; 5 set X 16->4 <2 <4; 6 assign a <5; 7 "
       "start a "
       "<6; 8 assign b <5; 9 start b <8"},
      {"one host after another", two_hosts().disruption(at_most({1, false})), one_host_after_another},
      {"hosts side by side", two_hosts().disruption(per_host(1)),
       "1 stop a; 2 unassign a-0 of a <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4; 6 stop b; 7 unassign b-0 of b "
       "<6; 8 set Y 16->4 <7; 9 assign b <8; 10 start b <9"},
      {"the second host first", two_hosts().disruption(at_most({1, false}, {"b"})),
       "1 stop b; 2 unassign b-0 of b <1; 3 set Y 16->4 <2; 4 assign b <3; 5 start b <4; 6 stop a <5; 7 unassign a-0 "
       "of a "
       "<6; 8 set X 16->4 <7; 9 assign a <8; 10 start a <9"},
      {"a machine that was off, and one that stays off, are not counted",
       SmallWorld()
           .gpu("X", 4)
           .vm("a", "Running")
           .vm("b", "Off")
           .vm("c", "Running")
           .manage("NVIDIA A2", 4)
           .list("a", Power::kOff)
           .list("b", Power::kRunning)
           .list("c")
           .disruption(at_most({1, false})),
       "1 assign b; 2 start b <1; 3 stop a; 4 assign a <3; 5 stop c; 6 assign c <5; 7 start c <6"},
      {"cards of two models, one after the other",
       SmallWorld()
           .gpu("X", 16)
           .gpu("Y", 16, "NVIDIA A10")
           .vm("a", "Running", {"X"})
           .vm("b", "Running", {"Y"})
           .manage("NVIDIA A2", 4)
           .manage("NVIDIA A10", 4)
           .list("a", Power::kKeep, "NVIDIA A2")
           .list("b", Power::kKeep, "NVIDIA A10")
           .disruption(at_most({1, false})),
       "1 stop a; 2 unassign a-0 of a <1; 3 set X 16->4 <2; 4 assign a on X <3; 5 start a <4; 6 stop b <3 <5; 7 "
       "unassign "
       "b-1 of b <6; 8 set Y 16->4 <2 <7; 9 assign b on Y <8; 10 start b <9"},
      {"a card that has more adapters than partitions gives its places up before others of its model are taken",
       SmallWorld()
           .gpu("X", 1)
           .gpu("Y", 1)
           .gpu("Z", 4, "NVIDIA A10")
           .vm("a", "Running", {"Y"})
           .vm("b", "Running", {"Y"})
           .vm("c", "Off")
           .manage("NVIDIA A2", 4)
           .list("a", Power::kKeep, "NVIDIA A2")
           .list("b", Power::kKeep, "NVIDIA A2")
           .list("c", Power::kKeep, "NVIDIA A2")
           .disruption(at_most({2, false})),
       "1 stop a; 2 unassign a-0 of a <1; 3 stop b; 4 unassign b-1 of b <3; 5 set X 1->4 <2 <4; 6 assign c on X <5; 7 "
       "set Y 1->4 <2 <4; 8 assign a on Y <7; 9 start a <8; 10 assign b on Y <7; 11 start b <10"},
      {"machines that wait for each other",
       SmallWorld()
           .gpu("X", 2)
           .vm("a", "Running", {"X", "X"})
           .vm("b", "Running", {"X", "X"})
           .manage("NVIDIA A2", 2)
           .list("a")
           .list("b")
           .disruption(at_most({1, false})),
       "refused: GP201"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(c.world.steps(), c.steps);
  }
}

TEST_CASE("a machine that an earlier run stopped is one of those that may be down, until it is started") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* steps;
  };
  const auto one_new = [] { return SmallWorld().gpu("X", 4).vm("a", "Running").manage("NVIDIA A2", 4).list("a"); };
  const auto halfway = [](const std::vector<std::string>& of_a) {
    return SmallWorld()
        .gpu("X", 16)
        .vm("a", "Off", of_a)
        .owed()
        .vm("b", "Running", {"X"})
        .manage("NVIDIA A2", 4)
        .list("a")
        .list("b");
  };
  const Case cases[] = {
      {"it comes back before another one goes down",
       one_new().vm("o", "Off", {"X"}).owed().list("o").disruption(at_most({1, false})),
       "1 start o; 2 stop a <1; 3 assign a <2; 4 start a <3"},
      {"with all that it needs for that", one_new().vm("o", "Off").owed().list("o").disruption(at_most({1, false})),
       "1 assign o; 2 start o <1; 3 stop a <2; 4 assign a <3; 5 start a <4"},
      {"also where the file wants it running",
       one_new().vm("o", "Off", {"X"}).owed().list("o", Power::kRunning).disruption(at_most({1, false})),
       "1 start o; 2 stop a <1; 3 assign a <2; 4 start a <3"},
      {"also of a host or a group", one_new().vm("o", "Off", {"X"}).owed().list("o").disruption(group("[ao]", 1)),
       "1 start o; 2 stop a <1; 3 assign a <2; 4 start a <3"},
      {"on another host it is no matter of this one",
       one_new().host("hv2").gpu("Y", 4).vm("o", "Off", {"Y"}).owed().list("o").disruption(per_host(1)),
       "1 stop a; 2 assign a <1; 3 start a <2; 4 start o"},
      {"two may be down", one_new().vm("o", "Off", {"X"}).owed().list("o").disruption(at_most({2, false})),
       "1 start o; 2 stop a; 3 assign a <2; 4 start a <3"},
      {"more are down than may be: all but one come back first",
       one_new()
           .vm("o", "Off", {"X"})
           .owed()
           .vm("p", "Off", {"X"})
           .owed()
           .list("o")
           .list("p")
           .disruption(at_most({1, false})),
       "1 start o; 2 start p; 3 stop a <1 <2; 4 assign a <3; 5 start a <4"},
      {"the file wants it off, or does not list it: it is not counted",
       one_new()
           .vm("o", "Off", {"X"})
           .owed()
           .vm("p", "Off")
           .owed()
           .list("o", Power::kOff)
           .disruption(at_most({1, false})),
       "1 start p; 2 stop a; 3 assign a <2; 4 start a <3"},
      {"one that waits for its card holds its place meanwhile", halfway({}).disruption(at_most({2, false})),
       "1 stop b; 2 unassign b-0 of b <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4; 6 assign b <3; 7 start b <6"},
      {"and those that it waits for go before the order of the file",
       halfway({}).host("hv2").gpu("Y", 4).vm("c", "Running").list("c").disruption(at_most({2, false}, {"c"})),
       "1 stop b; 2 unassign b-0 of b <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4; 6 assign b <3; 7 start b <6; "
       "8 stop c <7; 9 assign c <8; 10 start c <9"},
      {"fewer may be down than its card needs", halfway({}).disruption(at_most({1, false})), "refused: GP201"},
      {"the same, while it still holds its partition", halfway({"X"}).disruption(at_most({1, false})),
       "refused: GP200"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(c.world.steps(), c.steps);
  }
  const auto refused = halfway({}).disruption(at_most({1, false})).plan();
  REQUIRE_EQ(refused.diagnostics.size(), 2);
  CHECK_EQ(refused.diagnostics.back().message,
           "policy.disruption.maxUnavailable allows 1, and no order of steps was found that keeps that: 'a' is off and "
           "owed a start, which comes only after 'b' was down as well");
}

TEST_CASE("a limit that cannot be kept is told with the card, its machines and the limit") {
  const auto planned = two_on_a_card().disruption(at_most({50, true})).plan();
  REQUIRE_EQ(planned.diagnostics.size(), 1);
  const gpup::Diagnostic& told = planned.diagnostics.front();
  CHECK_EQ(
      told.message,
      "policy.disruption.maxUnavailable allows 1 (50% of 2), and no order of steps can keep that: 'X' on hv1 gets a "
      "partition count that is set only while 2 listed VMs are down at once: 'a' and 'b'");
  CHECK_EQ(told.object, "gpu");
  CHECK_EQ(told.name, "X");
  CHECK_EQ(told.host, "hv1");
  CHECK(planned.plan.steps.empty());
}

TEST_CASE("the card of a limit that cannot be kept is told without the whole of its path") {
  const char* const path = R"(\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e})";
  const auto planned = SmallWorld()
                           .gpu(path, 16)
                           .vm("a", "Running", {path})
                           .vm("b", "Running", {path})
                           .manage("NVIDIA A2", 4)
                           .list("a")
                           .list("b")
                           .disruption(at_most({1, false}))
                           .plan();
  REQUIRE_EQ(planned.diagnostics.size(), 1);
  CHECK_NE(planned.diagnostics.front().message.find("'4&18416dc3&0&0000' on hv1 gets a partition count"),
           std::string::npos);
  CHECK_EQ(planned.diagnostics.front().message.find("PCI#"), std::string::npos);
  CHECK_EQ(planned.diagnostics.front().name, path);
  CHECK_EQ(gpup::render_diagnostics(planned.diagnostics).find("PCI#"), std::string::npos);
}

TEST_CASE("a pattern that no listed machine matches is warned about, unless a host could not be read") {
  SmallWorld world = three_new().disruption(group("vdi-.*", 1));
  CHECK_EQ(SmallWorld::codes(world.plan().plan.diagnostics, true), "GP202");
  world.host("hv9");
  world.observed.hosts.pop_back();
  CHECK_EQ(SmallWorld::codes(world.plan().plan.diagnostics, true).find("GP202"), std::string::npos);
}
