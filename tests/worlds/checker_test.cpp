#include "worlds/checker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "worlds/plan_text.h"

using namespace worlds;
using Json = nlohmann::json;

namespace {

Vm vm(std::string name, std::string state, std::vector<Adapter> adapters) {
  Vm result;
  result.name = std::move(name);
  result.state = std::move(state);
  result.adapters = std::move(adapters);
  return result;
}

Line listed(std::string name, std::string power = "") {
  Line result;
  result.vm = std::move(name);
  result.power = std::move(power);
  return result;
}

// Two cards, the first from 4 to 2 partitions. `a` is on it, `b` is unlisted on the second, `c` is off and wants to
// run, `d` is on the second already and need not change.
World two_cards() {
  World world;
  Host host;
  host.name = "hv1";
  host.gpus = {{"NVIDIA A2", "partitioned", {4, 2, 1}, 4}, {"NVIDIA A2", "partitioned", {4, 2, 1}, 2}};
  host.vms = {vm("a", "Running", {{0}}), vm("b", "Running", {{1}}), vm("c", "Off", {}), vm("d", "Running", {{1}})};
  world.hosts = {host};
  GpuLine line;
  line.count = 2;
  world.gpu_lines = {line};
  world.lines = {listed("a"), listed("c", "running"), listed("d")};
  return world;
}

Json two_cards_plan(const World& world) {
  PlanText plan(world);
  const int stop_a = plan.stop(0, 0);
  const int drop_a = plan.unassign(0, 0, 0, {stop_a});
  const int stop_b = plan.stop(0, 1);
  const int drop_b = plan.unassign(0, 1, 0, {stop_b});
  const int count = plan.set_count(0, 0, 4, 2, {drop_a, drop_b});
  const int give_a = plan.assign(0, 0, kUnresolved, {count});
  const int give_c = plan.assign(0, 2, kUnresolved, {count});
  plan.start(0, 0, {give_a});
  plan.start(0, 1, {drop_b});
  plan.start(0, 2, {give_c});
  plan.warn("b is stopped");
  return plan.json();
}

// As `two_cards`, of two models; a clustered VM on the second sets its OfflineAction.
World two_models() {
  World world = two_cards();
  world.cluster = world.snapshot_cluster = "C";
  world.homogeneous = "warn";
  world.hosts[0].gpus[1].model = "NVIDIA A10";
  world.hosts[0].vms[3].clustered = true;
  world.hosts[0].vms[3].offline = "save";
  GpuLine line;
  line.text = "NVIDIA A10";
  world.gpu_lines.push_back(line);
  world.lines = {listed("a"), listed("c", "running"), listed("d", "off")};
  world.lines[0].gpu = world.lines[1].gpu = "NVIDIA A2";
  world.lines[2].gpu = "NVIDIA A10";
  return world;
}

Json two_models_plan(const World& world) {
  PlanText plan(world);
  const int stop_a = plan.stop(0, 0);                              // 1
  const int drop_a = plan.unassign(0, 0, 0, {stop_a});             // 2
  const int stop_b = plan.stop(0, 1);                              // 3
  const int drop_b = plan.unassign(0, 1, 0, {stop_b});             // 4
  const int count = plan.set_count(0, 0, 4, 2, {drop_a, drop_b});  // 5
  const int stop_d = plan.stop(0, 3, {count});                     // 6
  const int give_a = plan.assign(0, 0, 0, {count});                // 7
  const int give_c = plan.assign(0, 2, 0, {count});                // 8
  plan.set_offline(0, 3, "save", "force-shutdown", {stop_d});      // 9
  plan.start(0, 0, {give_a});                                      // 10
  plan.start(0, 1, {drop_b});                                      // 11
  plan.start(0, 2, {give_c});                                      // 12
  plan.warn("b is stopped");
  return plan.json();
}

Json& step(Json& plan, int id) { return plan["steps"][static_cast<std::size_t>(id) - 1]; }

/// The plan without a step, numbered anew.
void drop(Json& plan, int id) {
  const Json gone = step(plan, id)["after"];
  const auto op = step(plan, id)["op"].get<std::string>();
  plan["steps"].erase(static_cast<std::size_t>(id) - 1);
  plan["summary"][op] = plan["summary"][op].get<int>() - 1;
  for (Json& other : plan["steps"]) {
    if (other["id"] > id) {
      other["id"] = other["id"].get<int>() - 1;
    }
    Json after = Json::array();
    for (const Json& before : other["after"]) {
      if (before != id) {
        after.push_back(before > id ? before.get<int>() - 1 : before.get<int>());
      } else {
        after.insert(after.end(), gone.begin(), gone.end());
      }
    }
    other["after"] = after;
  }
}

void append(Json& plan, Json step) {
  step["id"] = plan["steps"].size() + 1;
  Json& sum = plan["summary"][step["op"].get<std::string>()];
  sum = sum.is_null() ? 1 : sum.get<int>() + 1;
  plan["steps"].push_back(std::move(step));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

struct Case {
  std::string name;
  std::string caught_by;
  std::function<void(World&)> world;
  std::function<void(Json&)> plan;
};

void each(const std::vector<Case>& cases, World (*make)(), Json (*plan_of)(const World&)) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    World world = make();
    if (c.world) {
      c.world(world);
    }
    Json plan = plan_of(world);
    if (c.plan) {
      c.plan(plan);
    }
    const auto violations = check(world, plan);
    CAPTURE(joined(violations));
    CHECK(std::any_of(violations.begin(), violations.end(),
                      [&](const std::string& v) { return v.find(c.caught_by) != std::string::npos; }));
  }
}

}  // namespace

TEST_CASE("the checker accepts plans that keep every rule") {
  const World cards = two_cards();
  CHECK_EQ(joined(check(cards, two_cards_plan(cards))), "");
  const World models = two_models();
  CHECK_EQ(joined(check(models, two_models_plan(models))), "");
}

TEST_CASE("the checker catches each broken rule on two cards of one model") {
  const std::vector<Case> cases = {
      {"no stop before an adapter goes", "rule 6: a is not stopped", nullptr, [](Json& p) { drop(p, 1); }},
      {"an adapter goes before the stop", "rule 1: an adapter is removed from a VM that is not off", nullptr,
       [](Json& p) { step(p, 2)["after"] = Json::array(); }},
      {"not started again", "rule 1: a is not started again", nullptr, [](Json& p) { drop(p, 8); }},
      {"power: running forgotten", "rule 1: c is not started again", nullptr, [](Json& p) { drop(p, 10); }},
      {"started, and nobody asked", "rule 1: c is started and was not running",
       [](World& w) { w.lines[1].power = "keep"; }, nullptr},
      {"started twice", "rule 1: a is stopped or started more than once", nullptr,
       [](Json& p) {
         Json again = step(p, 8);
         again["after"] = {8};
         append(p, again);
       }},
      {"started before its adapter is there", "rule 5: 8 start-vm a need not wait for 6 assign-partition a", nullptr,
       [](Json& p) { step(p, 8)["after"] = {2}; }},
      {"a VM that need not change is stopped", "rule 1: d is stopped and need not be", nullptr,
       [](Json& p) {
         Json stop = step(p, 1);
         stop["vm"] = "d";
         stop["vmId"] = id_of(0, 3);
         append(p, stop);
         Json start = step(p, 8);
         start["vm"] = "d";
         start["vmId"] = id_of(0, 3);
         start["after"] = {11};
         append(p, start);
       }},
      {"a count set too early", "rule 2: an adapter refers to the GPU", nullptr,
       [](Json& p) { step(p, 5)["after"] = Json::array(); }},
      {"a count set beside an unresolved adapter", "rule 2: an unresolved adapter is left",
       [](World& w) { w.hosts[0].vms[0].adapters = {{kUnresolved}}; },
       [](Json& p) { step(p, 5)["after"] = Json::array(); }},
      {"a count set while a VM that is off may have forgotten its GPU", "rule 2: 5 set-partition-count may come while",
       nullptr, [](Json& p) { step(p, 5)["after"] = {2}; }},
      {"a count that is not valid", "rule 2: a count that the GPU does not accept",
       [](World& w) {
         w.hosts[0].gpus[0].valid = {4, 1};
       },
       nullptr},
      {"another count", "rule 2: a count that no line wants", nullptr, [](Json& p) { step(p, 5)["to"] = 1; }},
      {"a count forgotten", "rule 2: the count of GPU 0 is set 0 times", nullptr, [](Json& p) { drop(p, 5); }},
      {"a count from what it is not", "rule 2: from is not the count", nullptr,
       [](Json& p) { step(p, 5)["from"] = 1; }},
      {"more than fit in the end", "rule 3: more adapters of NVIDIA A2 than partitions",
       [](World& w) {
         w.gpu_lines[0].count = 1;
         w.hosts[0].gpus[1].count = 1;
       },
       [](Json& p) { step(p, 5)["to"] = 1; }},
      {"no adapter in the end", "rule 4: c ends with 0 adapters", nullptr, [](Json& p) { drop(p, 7); }},
      {"two adapters in the end", "rule 4: c ends with 2 adapters", nullptr,
       [](Json& p) {
         Json again = step(p, 7);
         append(p, again);
         step(p, 10)["after"] = {7};
         // The start stands before it; let the second one hang on nothing that is off.
         std::swap(p["steps"][9], p["steps"][10]);
         step(p, 10)["id"] = 10;
         step(p, 11)["id"] = 11;
         step(p, 11)["after"] = {7, 10};
       }},
      {"waits for a stranger while down", "rule 6: 3 stop-vm b is down longer than needed", nullptr,
       [](Json& p) {
         step(p, 9)["after"] = {4, 8};
       }},
      {"an unlisted VM waits for a count", "rule 6: 3 stop-vm b is down longer than needed", nullptr,
       [](Json& p) {
         step(p, 9)["after"] = {4, 5};
       }},
      {"an unlisted VM keeps its adapter", "rule 7: b is not listed and ends with 1 adapters", nullptr,
       [](Json& p) { drop(p, 4); }},
      {"a kept unlisted VM loses its adapter", "rule 7: the adapters of b are changed",
       [](World& w) {
         w.unlisted = "keep";
         w.gpu_lines[0].count = 2;
       },
       nullptr},
      {"an unlisted VM is stopped without a word", "rule 7: b is not listed, is stopped, and no words", nullptr,
       [](Json& p) { p["diagnostics"] = Json::array(); }},
      {"pinned on a host of one model", "pin: a is pinned on a host of one model", nullptr,
       [](Json& p) { step(p, 6)["gpu"] = step(p, 5)["gpu"]; }},
      {"an OfflineAction that nobody has", "offline: the OfflineAction of a is set 1 times", nullptr,
       [](Json& p) {
         Json set = step(p, 8);
         set["op"] = "set-offline-action";
         set["from"] = nullptr;
         set["to"] = "save";
         append(p, set);
       }},
      {"ids with a gap", "form: ids are not consecutive", nullptr, [](Json& p) { step(p, 10)["id"] = 12; }},
      {"after a later step", "form: after names a step that is not earlier", nullptr,
       [](Json& p) { step(p, 2)["after"] = {3}; }},
      {"a wrong sum", "form: summary of stop-vm", nullptr, [](Json& p) { p["summary"]["stop-vm"] = 3; }},
      {"a VM that is not there", "form: a VM that the host does not have", nullptr,
       [](Json& p) { step(p, 1)["vmId"] = id_of(0, 7); }},
      {"a step on a host that was not read", "form: a step on a host that was not read",
       [](World& w) { w.hosts[0].reachable = false; }, nullptr},
      {"a count without a difference", "form: a count is set and no difference", nullptr,
       [](Json& p) {
         p["differences"] = Json::array({{{"property", "x"}}});
       }},
      {"a host that could not be read, unsaid", "form: notChecked",
       [](World& w) {
         w.hosts.push_back({});
         w.hosts[1].name = "hv2";
         w.hosts[1].reachable = false;
       },
       [](Json& p) { p["notChecked"] = Json::array(); }},
  };
  each(cases, two_cards, two_cards_plan);
}

TEST_CASE("the checker catches each broken rule on two models") {
  const std::vector<Case> cases = {
      {"an unlisted VM waits for a count", "rule 6: 3 stop-vm b is down longer than needed", nullptr,
       [](Json& p) {
         step(p, 11)["after"] = {4, 5};
       }},
      {"not pinned", "pin: a is not pinned on a host of several models", nullptr,
       [](Json& p) { step(p, 7)["gpu"] = nullptr; }},
      {"a clustered VM is pinned", "pin: a is clustered and pinned",
       [](World& w) { w.hosts[0].vms[0].clustered = true; }, nullptr},
      {"pinned to a GPU of another line", "rule 4: a GPU that is not of the VM's line", nullptr,
       [](Json& p) { step(p, 7)["gpu"] = gpu_name(two_models(), 0, 1); }},
      {"pinned to a full GPU", "rule 3: the GPU has no partition for the pinned adapter",
       [](World& w) {
         w.hosts[0].gpus.push_back({"NVIDIA A2", "partitioned", {4, 2, 1}, 1});
         w.hosts[0].vms.push_back(vm("e", "Running", {{2}}));
         w.gpu_lines[0].hosts = {};
         w.lines.push_back(listed("e"));
         w.lines[3].gpu = "NVIDIA A2";
       },
       [](Json& p) {
         World w = two_models();
         w.hosts[0].gpus.push_back({"NVIDIA A2", "partitioned", {4, 2, 1}, 1});
         step(p, 8)["gpu"] = gpu_name(w, 0, 2);
       }},
      {"stopped before the count, keeps its adapter", "rule 2: an unresolved adapter is left on the host", nullptr,
       [](Json& p) { step(p, 6)["after"] = Json::array(); }},
      {"power: off forgotten", "rule 6: d is not stopped", nullptr, [](Json& p) { drop(p, 6); }},
      {"OfflineAction before the stop", "rule 5: 9 set-offline-action d need not wait for 6 stop-vm d", nullptr,
       [](Json& p) { step(p, 9)["after"] = Json::array(); }},
      {"OfflineAction forgotten", "offline: the OfflineAction of d is set 0 times", nullptr,
       [](Json& p) { drop(p, 9); }},
      {"another OfflineAction", "offline: to is not what is wanted", nullptr,
       [](Json& p) { step(p, 9)["to"] = "turn-off"; }},
      {"OfflineAction from what it is not", "offline: from is not what was seen", nullptr,
       [](Json& p) { step(p, 9)["from"] = "shutdown"; }},
  };
  each(cases, two_models, two_models_plan);
}

TEST_CASE("the checker lets the host take the place of a VM whose adapter has a GPU, unless its start comes first") {
  World world = two_cards();
  world.gpu_lines[0].count.reset();
  world.hosts[0].gpus[0].count = world.hosts[0].gpus[1].count = 1;
  world.hosts[0].vms = {vm("a", "Off", {{0}}), vm("b", "Off", {})};
  world.lines = {listed("a", "running"), listed("b", "running")};
  PlanText good(world);
  const int give = good.assign(0, 1, kUnresolved, {});
  const int first = good.start(0, 0, {});
  good.start(0, 1, {give, first});
  CHECK_EQ(joined(check(world, good.json())), "");
  PlanText bad(world);
  const int give_too = bad.assign(0, 1, kUnresolved, {});
  bad.start(0, 0, {});
  bad.start(0, 1, {give_too});
  CHECK_NE(joined(check(world, bad.json())).find("rule 3: started without a free partition on its GPU"),
           std::string::npos);
}

TEST_CASE("the checker allows an overfull host only to become emptier") {
  World world = two_cards();
  world.gpu_lines[0].count.reset();
  world.hosts[0].gpus.pop_back();
  world.hosts[0].gpus[0].count = 1;
  world.hosts[0].vms = {vm("a", "Off", {{0}}), vm("b", "Off", {{0}}), vm("c", "Off", {})};
  world.lines = {listed("c")};
  PlanText good(world);
  const int drop_a = good.unassign(0, 0, 0, {});
  const int drop_b = good.unassign(0, 1, 0, {});
  good.assign(0, 2, kUnresolved, {drop_a, drop_b});
  CHECK_EQ(joined(check(world, good.json())), "");
  PlanText bad(world);
  bad.unassign(0, 0, 0, {});
  bad.unassign(0, 1, 0, {});
  bad.assign(0, 2, kUnresolved, {});
  CHECK_NE(joined(check(world, bad.json())).find("rule 3: more adapters"), std::string::npos);
}

TEST_CASE("the checker counts the most listed VMs that any order lets be down at once") {
  World world;
  Host host;
  host.name = "hv1";
  host.gpus = {{"NVIDIA A2", "partitioned", {4, 2, 1}, 4}};
  host.vms = {vm("a", "Running", {}), vm("b", "Running", {}), vm("c", "Running", {})};
  world.hosts = {host};
  world.gpu_lines = {GpuLine{}};
  world.lines = {listed("a"), listed("b"), listed("c")};
  const auto plan_of = [&](bool c_waits) {
    PlanText plan(world);
    int start_a = 0;
    for (int v = 0; v < 3; ++v) {
      const int stop = plan.stop(0, v, v == 2 && c_waits ? std::vector<int>{start_a} : std::vector<int>{});
      const int start = plan.start(0, v, {plan.assign(0, v, kUnresolved, {stop})});
      start_a = v == 0 ? start : start_a;
    }
    return plan.json();
  };
  struct Case {
    DownLimit limit;
    bool c_waits;
    const char* told;
  };
  const Case cases[] = {
      {{"", 3, false}, false, ""},
      {{"", 2, false}, false, "limit: 3 listed VMs may be down at once, 2 are allowed"},
      {{"", 2, false}, true, ""},
      {{"", 1, false}, true, "limit: 2 listed VMs may be down at once, 1 are allowed"},
      {{"", 67, true}, true, ""},
      {{"", 66, true}, true, "limit: 2 listed VMs may be down at once, 1 are allowed"},
      {{"[ac]", 1, false}, true, ""},
      {{"[bc]", 1, false}, true, "limit: 2 listed VMs may be down at once, 1 are allowed"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.limit.value);
    CAPTURE(c.limit.match);
    world.limits = {c.limit};
    const std::vector<std::string> told = check(world, plan_of(c.c_waits));
    CHECK_EQ(told.empty() ? "" : told.front(), c.told);
  }
}
