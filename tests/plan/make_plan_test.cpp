#include "plan/make_plan.h"

#include <doctest/doctest.h>

#include "plan/small_world.h"

using gpup::Code;
using gpup::Power;
using gpup::Unlisted;
using gpup::tests::a2;
using gpup::tests::SmallWorld;

TEST_CASE("a plan stops only the machines that stand in the way") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* steps;
  };
  const Case cases[] = {
      {"already right", a2(4).vm("a", "Running", {"X"}).manage("NVIDIA A2", 4).list("a"), ""},
      {"a machine that is off is not started", a2(4).vm("a", "Off").manage("NVIDIA A2", 4).list("a"), "1 assign a"},
      {"a running machine gets a partition", a2(4).vm("a", "Running").manage("NVIDIA A2", 4).list("a"),
       "1 stop a; 2 assign a <1; 3 start a <2"},
      {"the count changes under a machine", a2(16).vm("a", "Running", {"X"}).manage("NVIDIA A2", 4).list("a"),
       "1 stop a; 2 unassign a-0 of a <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4"},
      {"of two cards one changes: only its machines stop",
       SmallWorld()
           .gpu("X", 16)
           .gpu("Y", 4)
           .vm("a", "Running", {"X"})
           .vm("b", "Running", {"Y"})
           .manage("NVIDIA A2", 4)
           .list("a")
           .list("b"),
       "1 stop a; 2 unassign a-0 of a <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4"},
      {"an unresolved adapter stands in the way of every count",
       SmallWorld().gpu("X", 16).gpu("Y", 4).vm("a", "Off", {"?"}).manage("NVIDIA A2", 4).list("a"),
       "1 unassign a-0 of a; 2 set X 16->4 <1; 3 assign a <2"},
      {"a new machine is stopped only once the count is set",
       a2(16).vm("a", "Running", {"X"}).vm("b", "Running").manage("NVIDIA A2", 4).list("a").list("b"),
       "1 stop a; 2 unassign a-0 of a <1; 3 set X 16->4 <2; 4 assign a <3; 5 start a <4; 6 stop b <3; 7 assign b <6; "
       "8 start b <7"},
      {"a machine that gives its place up goes first",
       a2(1).vm("a", "Running", {"X"}).vm("b", "Running").manage("NVIDIA A2", 1).list("b"),
       "1 stop a; 2 unassign a-0 of a <1; 3 start a <2; 4 stop b <2; 5 assign b <4; 6 start b <5"},
      {"several adapters of a machine that is off: one that fits stays",
       a2(4).vm("a", "Off", {"X", "X"}).manage("NVIDIA A2", 4).list("a"), "1 unassign a-1 of a"},
      {"a running machine with several adapters gets a new one: what it kept could come back elsewhere",
       a2(4).vm("a", "Running", {"X", "X"}).manage("NVIDIA A2", 4).list("a"),
       "1 stop a; 2 unassign a-0 of a <1; 3 unassign a-1 of a <1; 4 assign a <2 <3; 5 start a <4"},
      {"power off and running",
       a2(4)
           .vm("a", "Running", {"X"})
           .vm("b", "Off", {"X"})
           .manage("NVIDIA A2", 4)
           .list("a", Power::kOff)
           .list("b", Power::kRunning),
       "1 start b; 2 stop a"},
      {"a start waits for the machine that has its place",
       a2(1)
           .vm("a", "Running", {"X"})
           .gpu("Y", 1)
           .vm("b", "Off", {"X"})
           .manage("NVIDIA A2", 1)
           .list("a", Power::kOff)
           .list("b", Power::kRunning),
       "1 stop a; 2 start b <1"},
      {"power off waits for a count: what it keeps may become unresolved",
       SmallWorld().gpu("X", 16).gpu("Y", 4).vm("a", "Running", {"Y"}).manage("NVIDIA A2", 4).list("a", Power::kOff),
       "1 set X 16->4; 2 stop a <1"},
      {"a kept machine outside the file stays",
       a2(4).vm("a", "Running", {"X"}).manage("NVIDIA A2", 4).unlisted(Unlisted::kKeep), ""},
      {"the starts of machines with a GPU come before those that could take its place",
       a2(1)
           .gpu("Y", 1)
           .vm("a", "Off", {"X"})
           .vm("b", "Running")
           .manage("NVIDIA A2", 1)
           .list("a", Power::kRunning)
           .list("b"),
       "1 start a; 2 stop b; 3 assign b <2; 4 start b <1 <3"},
      {"several models: a new adapter is pinned",
       SmallWorld()
           .gpu("X", 4)
           .gpu("Z", 4, "NVIDIA A10")
           .vm("a", "Off")
           .manage("NVIDIA A2", 4)
           .manage("NVIDIA A10", 0)
           .list("a", Power::kKeep, "NVIDIA A10"),
       "1 assign a on Z"},
      {"two machines change places between models",
       SmallWorld()
           .gpu("X", 1)
           .gpu("Z", 1, "NVIDIA A10")
           .vm("a", "Running", {"X"})
           .vm("b", "Running", {"Z"})
           .manage("NVIDIA A2", 1)
           .manage("NVIDIA A10", 1)
           .list("a", Power::kKeep, "NVIDIA A10")
           .list("b", Power::kKeep, "NVIDIA A2"),
       "1 stop a; 2 unassign a-0 of a <1; 3 stop b; 4 unassign b-1 of b <3; 5 assign a on Z <2 <4; 6 start a <5; "
       "7 assign b on X <2 <4; 8 start b <7"},
      {"an overfull host is not made fuller",
       a2(1).vm("a", "Off", {"?"}).vm("b", "Off", {"?"}).vm("c", "Off").manage("NVIDIA A2", 1).list("c"),
       "1 unassign a-0 of a; 2 unassign b-1 of b; 3 assign c <1 <2"},
      {"a partition of a GPU that is gone does not fit", a2(1).vm("a", "Off", {"!"}).manage("NVIDIA A2", 1).list("a"),
       "1 unassign a-0 of a; 2 assign a <1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(c.world.steps(), c.steps);
  }
}

TEST_CASE("clustered machines get OfflineAction force-shutdown, before they start again") {
  SmallWorld world;
  world.cluster("HCI").gpu("X", 4).vm("a", "Running");
  world.last_vm().offline_action = gpup::OfflineAction::kSave;
  world.vm("b", "Running", {"X"});
  world.last_vm().offline_action = std::nullopt;
  world.manage("NVIDIA A2", 4).list("a").list("b");
  CHECK_EQ(world.steps(),
           "1 offline b force-shutdown; 2 stop a; 3 assign a <2; 4 offline a force-shutdown <3; 5 start a <4");
  world.desired.assignments[1].offline_action = gpup::OfflineAction::kUnmanaged;
  CHECK_EQ(world.steps(), "1 stop a; 2 assign a <1; 3 offline a force-shutdown <2; 4 start a <3");
}

TEST_CASE("what cannot be done is refused, with a code for each reason") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* steps;
  };
  SmallWorld several = SmallWorld().cluster("HCI").gpu("X", 4).gpu("Z", 4, "NVIDIA A10");
  several.desired.policy.homogeneous = gpup::Homogeneous::kWarn;
  const Case cases[] = {
      {"a count that the GPU does not accept", a2(4).manage("NVIDIA A2", 3), "refused: GP120"},
      {"more machines than partitions", a2(1).vm("a", "Off").vm("b", "Off").manage("NVIDIA A2", 1).list("a").list("b"),
       "refused: GP121"},
      {"two machines that are to run on one partition",
       SmallWorld()
           .gpu("X", 1)
           .gpu("Y", 1)
           .vm("a", "Off", {"X"})
           .vm("b", "Off", {"X"})
           .manage("NVIDIA A2", 1)
           .list("a", Power::kRunning)
           .list("b", Power::kRunning),
       "refused: GP121"},
      {"two machines that are off and were given one partition in turn",
       SmallWorld()
           .gpu("X", 1)
           .gpu("Y", 1)
           .vm("a", "Off", {"X"})
           .vm("b", "Off", {"X"})
           .manage("NVIDIA A2", 1)
           .list("a")
           .list("b"),
       ""},
      {"a machine that is saved", a2(4).vm("a", "Saved").manage("NVIDIA A2", 4).list("a"), "refused: GP122"},
      {"a wish for the power of a saved machine",
       a2(4).vm("a", "Saved", {"X"}).manage("NVIDIA A2", 4).list("a", Power::kOff), "refused: GP122"},
      {"a saved machine that need not change", a2(4).vm("a", "Saved", {"X"}).manage("NVIDIA A2", 4).list("a"), ""},
      {"unlisted and refused", a2(4).vm("a", "Off", {"X"}).manage("NVIDIA A2", 4).unlisted(Unlisted::kRefuse),
       "refused: GP123"},
      {"unlisted, kept, in the way", a2(8).vm("a", "Off", {"X"}).manage("NVIDIA A2", 4).unlisted(Unlisted::kKeep),
       "refused: GP124"},
      {"a clustered machine on a host of several models",
       SmallWorld(several).vm("a", "Off").manage("NVIDIA A2", 4).list("a"), "refused: GP125"},
      {"a machine that is not there", a2(4).manage("NVIDIA A2", 4).list("a"), "refused: GP100"},
      {"two of one name", a2(4).vm("a", "Off").vm("a", "Off").manage("NVIDIA A2", 4).list("a"), "refused: GP101"},
      {"a match that finds too few", a2(4).vm("a", "Off").manage("NVIDIA A2", 4).match("a.*", 2), "refused: GP103"},
      {"a match that finds too many", a2(4).vm("a1", "Off").vm("a2", "Off").manage("NVIDIA A2", 4).match("a.*", 1),
       "refused: GP103"},
      {"no such model", a2(4).manage("NVIDIA A40", 4), "refused: GP104"},
      {"all reasons at once", a2(4).vm("a", "Saved").manage("NVIDIA A2", 3).list("a").list("b"),
       "refused: GP120 GP100 GP122"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(c.world.steps(), c.steps);
  }
}

TEST_CASE("a line of its own takes a machine out of every match") {
  CHECK_EQ(a2(4).vm("a1", "Off").vm("a2", "Off").manage("NVIDIA A2", 4).match("a.*", 1).list("a2").steps(),
           "1 assign a1; 2 assign a2");
}

TEST_CASE("what could not be read is not checked, and never missing") {
  SmallWorld world = a2(4).manage("NVIDIA A2", 4).list("a");
  world.host("hv2");
  world.observed.hosts.back().reachable = false;
  world.observed.hosts.back().error = "no route";
  const gpup::Planned planned = world.plan();
  CHECK(!planned.refused());
  CHECK_EQ(SmallWorld::codes(planned.diagnostics, true), "GP145");
  REQUIRE_EQ(planned.plan.not_checked.size(), 1);
  CHECK_EQ(planned.plan.not_checked[0].host, "hv2");
  CHECK_EQ(planned.plan.not_checked[0].error, "no route");

  world.desired.assignments[0].host = 0;  // on the host that was read, it is missing
  CHECK_EQ(world.steps(), "refused: GP100");
}

TEST_CASE("the vendor's two cards: 16 becomes 4, and the partition's size is read from the other card") {
  SmallWorld world;
  world.gpu("X", 16);
  world.last_gpu().total_vram = 15918030848;
  world.last_gpu().partition_vram = 939524096;
  world.gpu("Y", 4);
  world.last_gpu().total_vram = 15918030848;
  world.last_gpu().partition_vram = 3825205248;
  world.manage("NVIDIA A2", 4);
  const gpup::Planned planned = world.plan();
  REQUIRE_EQ(planned.plan.differences.size(), 1);
  CHECK_EQ(planned.plan.differences[0].before, 16);
  CHECK_EQ(planned.plan.differences[0].after, 4);
  CHECK_EQ(planned.plan.gpus[0].vram_before, 939524096);
  CHECK_EQ(planned.plan.gpus[0].vram_after, 3825205248);
}

TEST_CASE("minVram is refused by what is read, warned about where nothing shows it") {
  SmallWorld world = a2(16).vm("a", "Off").manage("NVIDIA A2", 4).list("a");
  world.desired.assignments[0].min_vram = 5ULL << 30U;  // total / count is 4 GiB
  CHECK_EQ(world.steps(), "refused: GP127");
  world.desired.assignments[0].min_vram = 4ULL << 30U;  // it may just be, nobody has the count yet
  CHECK_EQ(SmallWorld::codes(world.plan().diagnostics, true), "GP141");
  world.gpu("Y", 4);  // shows 3.75 GiB at 4
  CHECK_EQ(world.steps(), "refused: GP127");
}

TEST_CASE("a cluster must stay homogeneous, unless that is overridden with a reason") {
  SmallWorld world;
  world.cluster("HCI").gpu("X", 4).host("hv2").gpu("Y", 8).manage("NVIDIA A2", 0);
  CHECK_EQ(world.steps(), "refused: GP126");
  world.desired.policy.overrides.push_back({"R07", "migration week", {}});
  CHECK_EQ(world.steps(), "");
  CHECK_EQ(SmallWorld::codes(world.plan().diagnostics, true), "GP143");
  world.desired.policy.overrides.clear();
  world.desired.policy.homogeneous = gpup::Homogeneous::kWarn;
  CHECK_EQ(SmallWorld::codes(world.plan().diagnostics, true), "GP126");
}

TEST_CASE("platform rules refuse by release, and a rule that allows it can be overridden") {
  SmallWorld world = SmallWorld().gpu("X", 4, "NVIDIA T4").manage("NVIDIA T4", 4);
  CHECK_EQ(world.steps(), "refused: GP128");
  world.desired.policy.overrides.push_back({"R01", "a bench", {}});
  CHECK_EQ(world.steps(), "");
  world.desired.policy.overrides.push_back({"R06", "never", {}});
  CHECK_EQ(world.steps(), "refused: GP129");

  SmallWorld generation = a2(4).vm("a", "Off").manage("NVIDIA A2", 4).list("a");
  generation.last_vm().generation = 1;
  CHECK_EQ(generation.steps(), "1 assign a");  // 22H2 does not ask for generation 2
  generation.observed.hosts[0].build = 25398;
  CHECK_EQ(generation.steps(), "refused: GP128");

  SmallWorld standard;
  standard.cluster("HCI").gpu("X", 4).manage("NVIDIA A2", 4);
  standard.observed.hosts[0].build = 26100;
  standard.observed.hosts[0].edition = gpup::Edition::kStandard;
  CHECK_EQ(standard.steps(), "refused: GP128");
  standard.observed.hosts[0].edition = gpup::Edition::kDatacenter;
  CHECK_EQ(standard.steps(), "");
}

TEST_CASE("a machine that an earlier run stopped and still owes a start is started, unless the file wants it off") {
  SmallWorld world = a2(4).vm("a", "Off", {"X"}).manage("NVIDIA A2", 4).list("a");
  CHECK_EQ(world.steps(), "");
  world.last_vm().start_owed = true;
  CHECK_EQ(world.steps(), "1 start a");
  CHECK_EQ(world.plan().plan.differences.size(), 1);
  REQUIRE_EQ(world.plan().plan.diagnostics.size(), 1);
  CHECK_EQ(world.plan().plan.diagnostics[0].code, Code::kStartOwed);
  world.desired.assignments[0].power = Power::kOff;
  CHECK_EQ(world.steps(), "");
  CHECK(world.plan().plan.diagnostics.empty());

  SmallWorld outside = a2(4).vm("b", "Off").manage("NVIDIA A2", 4);
  outside.last_vm().start_owed = true;
  CHECK_EQ(outside.steps(), "1 start b");
}

TEST_CASE("records of owed starts that no start drops are in the plan, and it acts for them alone") {
  SmallWorld world = a2(4).vm("a", "Off", {"X"}).owed().manage("NVIDIA A2", 4).list("a");
  CHECK(world.plan().plan.owed_starts.empty());
  world.desired.assignments[0].power = Power::kOff;
  const auto off = world.plan().plan;
  CHECK(off.steps.empty());
  CHECK(off.acts());
  REQUIRE_EQ(off.owed_starts.size(), 1);
  CHECK_EQ(off.vms[off.owed_starts[0].vm].name, "a");

  SmallWorld moved = a2(4);
  moved.host("hv2").gpu("Y", 4).vm("b", "Off", {"Y"}).owed().vm("c", "Running").vm("d", "Off");
  moved.observed.hosts[0].starts_owed = {moved.observed.hosts[1].vms[0].id, moved.observed.hosts[1].vms[1].id, "gone"};
  moved.manage("NVIDIA A2", 4).list("b");
  CHECK_EQ(moved.steps(), "1 start b");
  const auto plan = moved.plan().plan;
  REQUIRE_EQ(plan.owed_starts.size(), 1);
  CHECK_EQ(plan.vms[plan.owed_starts[0].vm].name, "b");
  CHECK_EQ(plan.hosts[plan.owed_starts[0].host].name, "hv1");
}

TEST_CASE("a machine that is owed a start gets a new partition where others run in its place") {
  SmallWorld world = a2(2).gpu("Y", 2);
  world.vm("a", "Running", {"X"}).vm("b", "Running", {"X"}).vm("c", "Off", {"X"}).owed();
  world.manage("NVIDIA A2", 0).list("a").list("b").list("c");
  CHECK_EQ(world.steps(), "1 unassign c-2 of c; 2 assign c <1; 3 start c <2");
  world.vm("d", "Off", {"X"}).owed().list("d");
  CHECK_EQ(world.steps(),
           "1 unassign c-2 of c; 2 assign c <1; 3 start c <2; 4 unassign d-3 of d; 5 assign d <4; 6 start d <5");
  world.vm("e", "Off", {"Y"}).owed().list("e");
  CHECK_EQ(world.steps(), "refused: GP121");

  SmallWorld place = a2(2).gpu("Y", 2);
  place.vm("a", "Running", {"X"}).vm("c", "Off", {"X"}).owed();
  place.manage("NVIDIA A2", 0).list("a").list("c");
  CHECK_EQ(place.steps(), "1 start c");
}

TEST_CASE("a machine that is off waits for one whose place it could take, while another still has that place") {
  SmallWorld world = a2(2).gpu("Y", 2);
  world.vm("leaves", "Running", {"X"}).vm("chooses", "Off", {"?"}).vm("keeps", "Off", {"X"});
  world.manage("NVIDIA A2", 0).list("chooses", Power::kRunning).list("keeps", Power::kRunning);
  world.unlisted(Unlisted::kUnassign);
  CHECK_EQ(world.steps(),
           "1 start keeps; 2 start chooses <1; 3 stop leaves; 4 unassign leaves-0 of leaves <3; "
           "5 start leaves <4");
}

TEST_CASE("a place that somebody is sure of is taken before others come who could take it") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* steps;
  };
  const auto two_models = [](std::uint32_t count) {
    return SmallWorld().gpu("X", count).gpu("Y", 1, "NVIDIA A10").manage("NVIDIA A2", 0);
  };
  const Case cases[] = {
      {"a machine that keeps an adapter may come back on any GPU",
       two_models(1).vm("u", "Running", {"Y", "X"}).vm("b", "Off").list("b", Power::kRunning),
       "1 stop u; 2 unassign u-1 of u <1; 3 assign b on X <2; 4 start b <3; 5 start u <2 <4"},
      {"one that stays off gets its partition before",
       two_models(1).vm("u", "Running", {"Y", "X"}).vm("b", "Off").list("b"),
       "1 stop u; 2 unassign u-1 of u <1; 3 assign b on X <2; 4 start u <2 <3"},
      {"where there is room for all nobody waits",
       two_models(4).vm("u", "Running", {"Y", "X"}).vm("b", "Off").list("b", Power::kRunning),
       "1 assign b on X; 2 start b <1; 3 stop u; 4 unassign u-1 of u <3; 5 start u <4"},
      {"a running machine with an unresolved adapter holds a partition of nobody knows which GPU",
       a2(1).vm("a", "Running", {"?"}).vm("b", "Off", {"X"}).manage("NVIDIA A2", 0).list("b", Power::kRunning),
       "1 stop a; 2 start b <1; 3 unassign a-0 of a <1; 4 start a <3"},
      {"and where there is room for it nobody waits",
       a2(2).vm("a", "Running", {"?"}).vm("b", "Off", {"X"}).manage("NVIDIA A2", 0).list("b", Power::kRunning),
       "1 start b; 2 stop a; 3 unassign a-0 of a <2; 4 start a <3"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(c.world.steps(), c.steps);
  }
}

TEST_CASE("a machine waits for no place that it gives up itself, or that it waits for anyway") {
  CHECK_EQ(a2(2).vm("u", "Running", {"X"}).vm("a", "Running", {"X", "X"}).manage("NVIDIA A2", 0).list("a").steps(),
           "1 stop u; 2 unassign u-0 of u <1; 3 start u <2; "
           "4 stop a; 5 unassign a-1 of a <4; 6 unassign a-2 of a <4; 7 assign a <5 <6; 8 start a <7");
  // One more than there are partitions: vm-2 gives that up, and waits for a place on X alone.
  CHECK_EQ(SmallWorld()
               .gpu("X", 2)
               .gpu("Y", 4, "NVIDIA A10")
               .gpu("Z", 1)
               .vm("vm-1", "Running", {"X", "X", "Y"})
               .vm("vm-2", "Running", {"?"})
               .vm("vm-3", "Running", {"Z"})
               .manage("NVIDIA A2", 0)
               .list("vm-1")
               .list("vm-2")
               .steps(),
           "1 stop vm-2; 2 unassign vm-2-3 of vm-2 <1; 3 stop vm-1 <1; 4 unassign vm-1-0 of vm-1 <3; "
           "5 unassign vm-1-1 of vm-1 <3; 6 assign vm-2 on X <2 <5; 7 start vm-2 <6; 8 unassign vm-1-2 of vm-1 <3; "
           "9 assign vm-1 on X <4 <5 <8; 10 start vm-1 <9; 11 stop vm-3; 12 unassign vm-3-4 of vm-3 <11; "
           "13 start vm-3 <12");
}

TEST_CASE("what a machine keeps while it is off may lose its GPU: refused or told where nothing can be done about it") {
  const auto two_models = [] { return SmallWorld().gpu("X", 4).gpu("Y", 4, "NVIDIA A10"); };
  CHECK_EQ(two_models().vm("a", "Running", {"X", "Y"}).manage("NVIDIA A2", 2).steps(), "refused: GP124");
  CHECK_EQ(two_models().vm("a", "Off", {"X", "Y"}).manage("NVIDIA A2", 2).steps(),
           "1 unassign a-0 of a; 2 set X 4->2 <1");
  CHECK_EQ(
      SmallWorld::codes(two_models().vm("a", "Running", {"X", "Y"}).manage("NVIDIA A2", 0).plan().diagnostics, true),
      "GP148 GP142 GP126");

  const auto clustered = [&] {
    SmallWorld world = two_models().cluster("C");
    world.desired.policy.homogeneous = gpup::Homogeneous::kWarn;
    return world;
  };
  const SmallWorld runs = clustered().vm("a", "Running", {"X", "Y"}).manage("NVIDIA A2", 0).list("a");
  CHECK_EQ(runs.steps(), "1 stop a; 2 unassign a-1 of a <1; 3 start a <2");
  CHECK_EQ(SmallWorld::codes(runs.plan().diagnostics, true), "GP148 GP126");
  CHECK_EQ(clustered().vm("a", "Off", {"X", "Y"}).manage("NVIDIA A2", 0).list("a").steps(), "1 unassign a-1 of a");
  const SmallWorld off = clustered().vm("a", "Running", {"X"}).manage("NVIDIA A2", 0).list("a", Power::kOff);
  CHECK_EQ(off.steps(), "1 stop a");
  CHECK_EQ(SmallWorld::codes(off.plan().diagnostics, true), "GP148 GP126");
}
