#include "plan/scope.h"

#include <doctest/doctest.h>

#include "plan/small_world.h"

using gpup::Power;
using gpup::Unlisted;
using gpup::tests::SmallWorld;

namespace {

/// Two hosts, whose cards get another count and whose machines hold a partition of them.
SmallWorld two_hosts_off() {
  return SmallWorld()
      .gpu("X", 16)
      .vm("a", "Off", {"X"})
      .host("hv2")
      .gpu("Y", 16)
      .vm("b", "Off", {"Y"})
      .vm("new", "Off")
      .manage("NVIDIA A2", 4)
      .list("a")
      .list("b")
      .list("new");
}

}  // namespace

TEST_CASE("an address is a host, or a machine on it") {
  CHECK_EQ(to_string(gpup::parse_address("hv-e1").value()), "hv-e1");
  CHECK_EQ(gpup::parse_address("hv-e1/vm/vdi/vm/01").value(), gpup::Address{"hv-e1", "vdi/vm/01"});
  CHECK_EQ(to_string(gpup::parse_address("hv-e1/vm/vdi/vm/01").value()), "hv-e1/vm/vdi/vm/01");
  for (const char* const wrong : {"", "/vm/a", "hv-e1/", "hv-e1/vm", "hv-e1/vm/", "hv-e1/gpu/x", "hv-e1/vdi-01"}) {
    CAPTURE(wrong);
    CHECK_FALSE(gpup::parse_address(wrong).has_value());
  }
}

TEST_CASE("a plan with a scope leaves the rest as it is") {
  struct Case {
    const char* name;
    SmallWorld world;
    const char* steps;
  };
  const char* const first = "1 unassign a-0 of a; 2 set X 16->4 <1; 3 assign a <2";
  const char* const second = "1 unassign b-0 of b; 2 set Y 16->4 <1; 3 assign b <2; 4 assign new <2";
  const Case cases[] = {
      {"a host alone", two_hosts_off().target("hv1"), first},
      {"host names have no case", two_hosts_off().target("HV1"), first},
      {"all but a host", two_hosts_off().exclude("hv1"), second},
      {"a host, and not that host", two_hosts_off().target("hv1").exclude("hv1"), ""},
      {"a machine alone: the count of its host stays", two_hosts_off().target("hv2/vm/new"), "1 assign new"},
      {"a machine by its id", two_hosts_off().target("hv2/vm/00000000-0000-0000-0000-000000000003"), "1 assign new"},
      {"all but a machine", two_hosts_off().exclude("hv1").exclude("hv2/vm/new"),
       "1 unassign b-0 of b; 2 set Y 16->4 <1; 3 assign b <2"},
      {"a machine that is left out, with a partition of the card whose count would change",
       two_hosts_off().exclude("hv1/vm/a"), "refused: GP197"},
      {"one that is left out, with an adapter that has no GPU yet",
       SmallWorld().gpu("X", 16).vm("a", "Off", {"?"}).manage("NVIDIA A2", 4).exclude("hv1/vm/a"), "refused: GP197"},
      {"one that is not in the file is left out as well",
       SmallWorld().gpu("X", 4).vm("a", "Off", {"X"}).vm("b", "Off", {"X"}).manage("NVIDIA A2", 4).exclude("hv1/vm/a"),
       "1 unassign b-1 of b"},
      {"and is no reason to refuse",
       SmallWorld()
           .gpu("X", 4)
           .vm("a", "Off", {"X"})
           .manage("NVIDIA A2", 4)
           .unlisted(Unlisted::kRefuse)
           .exclude("hv1/vm/a"),
       ""},
      {"what is left out counts: there is no room beside it",
       SmallWorld()
           .gpu("X", 1)
           .vm("a", "Off", {"X"})
           .vm("b", "Off")
           .manage("NVIDIA A2", 1)
           .list("b")
           .exclude("hv1/vm/a"),
       "refused: GP121"},
      {"a saved machine that is left out is no reason to refuse",
       SmallWorld()
           .gpu("X", 4)
           .vm("a", "Saved")
           .vm("b", "Off")
           .manage("NVIDIA A2", 4)
           .list("a")
           .list("b")
           .exclude("hv1/vm/a"),
       "1 assign b"},
      {"nor is a host that is left out and cannot have what the file wants",
       SmallWorld()
           .gpu("X", 4)
           .vm("a", "Off")
           .host("hv2")
           .gpu("Y", 4)
           .vm("b", "Off")
           .manage("NVIDIA A2", 3)
           .list("a")
           .list("b")
           .target("hv1/vm/a"),
       "1 assign a"},
      {"homogeneity looks at what would result", two_hosts_off().cluster("C").target("hv1"), "refused: GP126"},
      {"but a host that is left out counts only where the plan sets a count",
       SmallWorld()
           .cluster("C")
           .gpu("X", 4)
           .vm("a", "Off")
           .host("hv2")
           .gpu("Y", 16)
           .manage("NVIDIA A2", 4)
           .list("a")
           .exclude("hv2"),
       "1 assign a"},
      {"no such host", two_hosts_off().target("hv3"), "refused: GP196"},
      {"no such machine on that host", two_hosts_off().target("hv1/vm/b"), "refused: GP196"},
      {"names of machines have case", two_hosts_off().exclude("hv2/vm/NEW"), "refused: GP196"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(c.world.steps(), c.steps);
  }
}

TEST_CASE("a plan with a scope says so, one without does not") {
  CHECK(covers_all(two_hosts_off().plan().plan));
  const gpup::Planned planned = two_hosts_off().target("hv1").exclude("hv1/vm/a").plan();
  CHECK_EQ(SmallWorld::codes(planned.diagnostics, true), "GP195 GP197 GP140");
  const gpup::Planned whole = two_hosts_off().target("hv1").target("hv2").plan();
  REQUIRE_FALSE(whole.refused());
  CHECK_FALSE(covers_all(whole.plan));
  CHECK_EQ(whole.plan.diagnostics.front().message,
           "this covers only hv1, hv2: the rest stays as it is and was not compared");
}

TEST_CASE("drift is told although a host that is left out has another count") {
  SmallWorld world = two_hosts_off().cluster("C").exclude("hv2");
  CHECK_EQ(world.steps(), "refused: GP126");
  world.scope.compares = true;
  const gpup::Planned planned = world.plan();
  CHECK_FALSE(planned.refused());
  CHECK_EQ(planned.plan.differences.size(), 1);
}

TEST_CASE("a machine on a host that could not be read may be a target") {
  SmallWorld world = two_hosts_off().target("hv2/vm/b").target("hv1");
  world.observed.hosts.back().reachable = false;
  world.observed.hosts.back().vms.clear();
  CHECK_EQ(world.steps(), "1 unassign a-0 of a; 2 set X 16->4 <1; 3 assign a <2");
}
