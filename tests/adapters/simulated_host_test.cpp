#include "adapters/simulated_host.h"

#include <doctest/doctest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/lab_bench.h"

using namespace gpup;
using namespace gpup::lab_bench;

TEST_CASE("a lab adds and removes adapters only while the machine is off, and adding twice adds twice") {
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Running", {adapter(11)}), vm(2, "Off"), vm(3, "Saved")}));
  const std::string before = read_text(bench.file());
  CHECK(says(bench.assign(1), "InvalidState"));
  CHECK(says(bench.unassign(1, 11), "InvalidState"));
  CHECK(says(bench.assign(3), "InvalidState"));
  CHECK(says(bench.unassign(2, 11), "ObjectNotFound"));
  CHECK(says(bench.assign(9), "ObjectNotFound"));
  CHECK(says(bench.assign(2, "no such GPU"), "ObjectNotFound"));
  CHECK_EQ(read_text(bench.file()), before);
  CHECK_EQ(bench.assign(2), "");
  CHECK_EQ(bench.assign(2), "");
  const json held = bench.machine(1)["partitions"];
  REQUIRE_EQ(held.size(), 2);
  CHECK_NE(held[0]["id"], held[1]["id"]);
  CHECK(held[0]["gpu"].is_null());
  CHECK_EQ(bench.stop(1), "");
  CHECK_EQ(bench.unassign(1, 11), "");
  CHECK(bench.machine(0)["partitions"].empty());
}

TEST_CASE("a lab refuses a count that is not valid, and any count of a GPU in use") {
  json other = a2(kGpu1, 4);
  other["status"] = "ready-for-dda";
  Bench bench(lab({a2(kGpu0, 16), other}, {vm(1, "Off", {adapter(11, kGpu0)})}));
  CHECK(says(bench.set_count(kGpu0, 4), "in use"));
  CHECK(says(bench.set_count(kGpu1, 4), "ready-for-dda"));
  CHECK_EQ(bench.unassign(1, 11), "");
  CHECK(says(bench.set_count(kGpu0, 3), "does not accept 3"));
  CHECK(says(bench.set_count(kGpu0, 0), "does not accept 0"));
  CHECK_EQ(bench.assign(1), "");
  CHECK(says(bench.set_count(kGpu0, 4), "not resolved"));
}

TEST_CASE("an A2 at 16 partitions becomes one at 4 as on a real host, and back") {
  Bench bench(lab({a2(kGpu0, 16)}, json::array()));
  CHECK_EQ(bench.set_count(kGpu0, 4), "");
  CHECK_EQ(bench.gpu(0)["partitionVram"], 3825205248);
  CHECK_EQ(bench.gpu(0)["partitionEncode"], 9);
  CHECK_EQ(bench.gpu(0)["partitionDecode"], 6);
  CHECK_EQ(bench.gpu(0)["partitionCompute"], 512);
  CHECK_EQ(bench.set_count(kGpu0, 16), "");
  CHECK_EQ(bench.gpu(0)["partitionVram"], 939524096);
  CHECK_EQ(bench.gpu(0)["partitionEncode"], 2);
  CHECK_EQ(bench.state()["hosts"][0]["keepMe"], json({1, 2.5, "x"}));
}

TEST_CASE(
    "without a profile a partition gets its share, VRAM in steps of 64 MiB, and a profile of the lab comes first") {
  json gpu = a2(kGpu0, 4);
  gpu["model"] = "NVIDIA L4";
  gpu["device"] = "10de:27b8";
  gpu["subsystem"] = nullptr;
  gpu["validPartitionCounts"] = {5, 4, 3, 2};
  json simulate = {{"profiles", {{{"model", "NVIDIA L4"}, {"counts", {{{"count", 2}, {"vram", 77}, {"encode", 5}}}}}}}};
  Bench bench(lab({gpu}, json::array(), simulate));
  CHECK_EQ(bench.set_count(kGpu0, 5), "");
  CHECK_EQ(bench.gpu(0)["partitionVram"], 15918030848 / 5 / (64 << 20) * (64 << 20));
  CHECK_EQ(bench.gpu(0)["partitionEncode"], 7);
  CHECK_EQ(bench.set_count(kGpu0, 4), "");
  CHECK_EQ(bench.gpu(0)["partitionEncode"], 9);  // nothing is lost on the way
  CHECK_EQ(bench.set_count(kGpu0, 2), "");
  CHECK_EQ(bench.gpu(0)["partitionVram"], 77);
  CHECK_EQ(bench.gpu(0)["partitionEncode"], 5);
  CHECK_EQ(bench.gpu(0)["partitionDecode"], 12);
}

TEST_CASE("a start resolves the adapter and takes its VRAM, a stop gives it back") {
  for (const bool forgets : {false, true}) {
    CAPTURE(forgets);
    Bench bench(lab({a2(kGpu0, 4), a2(kGpu1, 4)}, {vm(1, "Off"), vm(2, "Off")}, {{"forgetsGpu", forgets}}));
    CHECK_EQ(bench.assign(1), "");
    CHECK_EQ(bench.assign(2, kGpu1), "");
    CHECK_EQ(bench.start(1), "");
    CHECK_EQ(bench.start(2), "");
    json held = bench.machine(0)["partitions"][0];
    CHECK_EQ(held["gpu"], kGpu0);
    CHECK_EQ(held["partitionId"], 0);
    CHECK_EQ(held["vram"], 3825205248);
    CHECK_EQ(bench.gpu(0)["availableVram"], 15918030848 - 3825205248);
    CHECK_EQ(bench.stop(1), "");
    CHECK_EQ(bench.stop(2), "");
    CHECK_EQ(bench.gpu(0)["availableVram"], 15918030848);
    held = bench.machine(0)["partitions"][0];
    CHECK_EQ(held["gpu"], forgets ? json() : json(kGpu0));
    CHECK(held["partitionId"].is_null());
    CHECK(held["vram"].is_null());
    CHECK_EQ(bench.machine(1)["partitions"][0]["gpu"], kGpu1);  // pinned: it is not forgotten
  }
}

TEST_CASE("that a start is owed is kept until the machine runs, and forgotten by who locks the host where it does") {
  Bench bench(lab(a2("GPU-1", 4), {vm(1, "Running"), vm(2, "Running"), vm(3, "Running")}));
  for (const int number : {1, 2, 3}) {
    REQUIRE(bench.hosts->stop_vm(bench.target(), guid(number), {}, true).get());
  }
  const auto owed = [&] {
    const auto observed = bench.hosts->observe(bench.target()).get();
    REQUIRE(observed);
    std::string names;
    for (const Vm& machine : observed->hosts.front().vms) {
      names += machine.start_owed ? std::string(machine.name) + " " : "";
    }
    return names;
  };
  CHECK_EQ(owed(), "vm-1 vm-2 vm-3 ");
  REQUIRE(bench.hosts->start_vm(bench.target(), guid(1)).get());
  CHECK_EQ(owed(), "vm-2 vm-3 ");
  json state = json::parse(read_text(bench.file()));
  state["hosts"][0]["vms"][1]["state"] = "Running";  // by hand
  spill(bench.file(), state.dump(1));
  REQUIRE(bench.hosts->lock(bench.target()));
  CHECK_EQ(owed(), "vm-3 ");
  CHECK_FALSE(json::parse(read_text(bench.file()))["hosts"][0]["vms"][1].contains("startOwed"));
}

TEST_CASE("that a start is owed stays on the host that the machine leaves, until it runs where it is") {
  json two = lab(a2("GPU-1", 4), {vm(1, "Running"), vm(2, "Running")});
  json other = two["hosts"][0];
  other["name"] = "hv-2";
  other["vms"] = json::array();
  two["hosts"].push_back(other);
  Bench bench(two);
  json state;
  const auto with_state = [&](const auto& change) {
    state = json::parse(read_text(bench.file()));
    change(state["hosts"]);
    spill(bench.file(), state.dump(1));
  };
  for (const int number : {1, 2}) {
    REQUIRE(bench.hosts->stop_vm(bench.target(), guid(number), {}, true).get());
  }
  with_state([](json& hosts) {
    hosts[0]["simulate"]["faults"] = list({{"op", "start-vm"}, {"kind", "move-to"}, {"to", "hv-2"}, {"count", 2}});
  });
  CHECK_FALSE(bench.hosts->start_vm(bench.target(), guid(1)).get());
  CHECK_FALSE(bench.hosts->start_vm(bench.target(), guid(2)).get());
  const auto owed = [&](const char* name) {
    const auto observed = bench.hosts->observe(bench.target(name)).get();
    REQUIRE(observed);
    std::string found;
    for (const Vm& machine : observed->hosts.front().vms) {
      found += machine.start_owed ? std::string(machine.name) + " " : "";
    }
    for (const std::string_view id : observed->hosts.front().starts_owed) {
      found += std::string(id.substr(id.size() - 1)) + " ";
    }
    return found;
  };
  CHECK_EQ(owed("hv-1"), "1 2 ");
  CHECK_EQ(owed("hv-2"), "");
  REQUIRE(bench.hosts->lock(bench.target()));
  CHECK_EQ(owed("hv-1"), "1 2 ");
  bench.hosts->unlock(bench.target());
  with_state([](json& hosts) { hosts[1]["vms"][0]["state"] = "Running"; });  // by hand
  REQUIRE(bench.hosts->lock(bench.target()));
  CHECK_EQ(owed("hv-1"), "2 ");
  REQUIRE(bench.hosts->forget_owed_start(bench.target(), guid(2)).get());
  CHECK_EQ(owed("hv-1"), "");
}

TEST_CASE("a start without a free partition is refused as on a real host") {
  json small = a2(kGpu0, 4);
  small["validPartitionCounts"] = {1};
  small["partitionCount"] = 1;
  Bench bench(
      lab({small}, {vm(1, "Off", {adapter(11)}), vm(2, "Off", {adapter(12)}), vm(3, "Off", {adapter(13, "gone")})}));
  CHECK_EQ(bench.start(1), "");
  CHECK(says(bench.start(2), "0x800705AA"));
  CHECK(says(bench.start(3), "0x800705AA"));
  CHECK_EQ(bench.machine(1)["state"], "Off");
  CHECK_EQ(bench.stop(1), "");
  CHECK_EQ(bench.start(2), "");
}

TEST_CASE("the host chooses a GPU as the lab says") {
  struct Case {
    const char* placement;
    std::vector<const char*> chosen;
  };
  for (const Case& c : {Case{"first", {kGpu0, kGpu0, kGpu0}}, Case{"last", {kGpu1, kGpu1, kGpu1}},
                        Case{"spread", {kGpu0, kGpu1, kGpu0}}}) {
    CAPTURE(c.placement);
    Bench bench(lab({a2(kGpu0, 4), a2(kGpu1, 4)},
                    {vm(1, "Off", {adapter(11)}), vm(2, "Off", {adapter(12)}), vm(3, "Off", {adapter(13)})},
                    {{"placement", c.placement}}));
    for (int i = 0; i < 3; ++i) {
      CHECK_EQ(bench.start(i + 1), "");
      CHECK_EQ(bench.machine(static_cast<std::size_t>(i))["partitions"][0]["gpu"],
               c.chosen[static_cast<std::size_t>(i)]);
    }
  }
}

TEST_CASE("only a clustered machine has an OfflineAction") {
  json clustered = vm(2, "Running");
  clustered["clustered"] = true;
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Running"), clustered}));
  CHECK_FALSE(bench.hosts->set_offline_action(bench.target(), guid(1), OfflineAction::kShutdown).get());
  CHECK(bench.hosts->set_offline_action(bench.target(), guid(2), OfflineAction::kForceShutdown).get());
  CHECK_EQ(bench.machine(1)["offlineAction"], "force-shutdown");
}

TEST_CASE("reading a lab leaves its folder as it was") {
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Running")},
                  {{"faults", {{{"op", "observe"}, {"kind", "fail"}, {"message", "asleep"}}}}}));
  const std::string before = read_text(bench.file());
  const auto failed = bench.hosts->observe(bench.target()).get();
  REQUIRE_FALSE(failed);
  CHECK_EQ(failed.error().code, ErrorCode::kUnreachable);
  CHECK_EQ(failed.error().message, "asleep");
  const auto observed = bench.hosts->observe(bench.target("HV-1")).get();
  REQUIRE(observed);
  CHECK_EQ(observed->hosts.size(), 1);
  CHECK_EQ(bench.start(1), "");  // it runs already: nothing to write either
  CHECK_EQ(read_text(bench.file()), before);
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(bench.folder.path()), {}), 1);
}

TEST_CASE("a host that the lab lacks, or that cannot be reached, is not read and not written") {
  json state = lab({a2(kGpu0, 16)}, {vm(1, "Running")});
  state["hosts"][0]["reachable"] = false;
  state["hosts"][0]["error"] = "no route to host";
  Bench bench(state);
  for (const char* const name : {"hv-1", "hv-9"}) {
    const auto observed = bench.hosts->observe(bench.target(name)).get();
    REQUIRE_FALSE(observed);
    CHECK_EQ(observed.error().code, ErrorCode::kUnreachable);
    const auto stopped = bench.hosts->stop_vm(bench.target(name), guid(1), {}, false).get();
    REQUIRE_FALSE(stopped);
    CHECK_EQ(stopped.error().code, ErrorCode::kUnreachable);
  }
  CHECK_EQ(bench.hosts->observe(bench.target()).get().error().message, "no route to host");
  HostTarget nowhere = bench.target();
  nowhere.connect.file = bench.folder / "none.json";
  CHECK_EQ(bench.hosts->observe(nowhere).get().error().code, ErrorCode::kUnreachable);
  CHECK_EQ(bench.hosts->lock(nowhere).error().code, ErrorCode::kUnreachable);
}

TEST_CASE("a fault happens as often as it is told, across commands, and to whom it is told") {
  Bench bench(
      lab({a2(kGpu0, 16)}, {vm(1, "Off"), vm(2, "Off")},
          {{"faults",
            {{{"op", "start-vm"}, {"vm", "vm-1"}, {"kind", "fail"}, {"count", 2}, {"after", 1}, {"message", "no"}}}}}));
  const auto again = [&] {
    bench.hosts = make_simulated_hosts();  // another command
    const std::string said = bench.start(1);
    bench.stop(1);
    return said;
  };
  CHECK_EQ(bench.start(2), "");
  CHECK_EQ(again(), "");
  CHECK_EQ(again(), "no");
  CHECK_EQ(again(), "no");
  CHECK_EQ(again(), "");
}

TEST_CASE("each kind of fault leaves the machine where it says") {
  struct Case {
    json fault;
    std::optional<ErrorCode> code;
    const char* state;
    bool reachable;
  };
  const Case cases[] = {
      {{{"kind", "fail"}}, ErrorCode::kRefused, "Running", true},
      {{{"kind", "fail"}, {"performed", true}}, ErrorCode::kRefused, "Off", true},
      {{{"kind", "claim-success"}}, std::nullopt, "Running", true},
      {{{"kind", "lose-reply-before"}}, ErrorCode::kInterrupted, "Running", true},
      {{{"kind", "lose-reply-after"}}, ErrorCode::kInterrupted, "Off", true},
      {{{"kind", "drop-session"}}, ErrorCode::kInterrupted, "Running", false},
      {{{"kind", "drop-session"}, {"performed", true}}, ErrorCode::kInterrupted, "Off", false},
      {{{"kind", "delay"}, {"ms", 1}}, std::nullopt, "Off", true},
  };
  for (Case c : cases) {
    CAPTURE(c.fault.dump());
    c.fault["op"] = "stop-vm";
    Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Running")}, {{"faults", list(c.fault)}, {"latency", {{"stop-vm", 1}}}}));
    const auto stopped = bench.hosts->stop_vm(bench.target(), guid(1), {}, false).get();
    CHECK_EQ(stopped.has_value(), !c.code.has_value());
    if (!stopped) {
      CHECK_EQ(stopped.error().code, *c.code);
    }
    CHECK_EQ(bench.machine(0)["state"], c.state);
    CHECK_EQ(bench.hosts->observe(bench.target()).get().has_value(), c.reachable);
  }
}

TEST_CASE("a machine can move to another host of the lab") {
  json state = lab({a2(kGpu0, 4)}, {vm(1, "Running", {adapter(11)})},
                   {{"faults", {{{"op", "stop-vm"}, {"kind", "move-to"}, {"to", "hv-2"}}}}});
  json second = state["hosts"][0];
  second["name"] = "hv-2";
  second["vms"] = json::array();
  second.erase("simulate");
  state["hosts"].push_back(second);
  Bench bench(state);
  CHECK(says(bench.stop(1), "not on this host"));
  CHECK(bench.state()["hosts"][0]["vms"].empty());
  const json moved = bench.state()["hosts"][1]["vms"][0];
  CHECK_EQ(moved["state"], "Running");
  CHECK_EQ(moved["partitions"][0]["gpu"], kGpu0);
}

TEST_CASE("a slip in a simulate object is told, not ignored") {
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Off")},
                  {{"faults", {{{"op", "start"}, {"kind", "fial"}, {"cuont", 1}}}}, {"placement", "left"}}));
  const auto observed = bench.hosts->observe(bench.target()).get();
  REQUIRE_FALSE(observed);
  CHECK_EQ(observed.error().code, ErrorCode::kBadContent);
  CHECK_EQ(observed.error().diagnostics.size(), 4);
  CHECK_FALSE(bench.hosts->start_vm(bench.target(), guid(1)).get());
}

TEST_CASE("requests that take time do so side by side: the quick one is not kept waiting by the slow one") {
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Running"), vm(2, "Running")},
                  {{"latency", {{"stop-vm", 1}}},
                   {"faults", list({{"op", "stop-vm"}, {"vm", "vm-1"}, {"kind", "delay"}, {"ms", 1500}})}}));
  std::atomic<bool> slow_ended = false;
  std::thread slow([&] {
    CHECK_EQ(bench.stop(1), "");
    slow_ended = true;
  });
  // The fault is counted in the file when the request comes in.
  while (bench.state()["hosts"][0]["simulate"]["faults"][0].value("seen", 0) == 0) {
    std::this_thread::yield();
  }
  CHECK_EQ(bench.stop(2), "");
  CHECK_FALSE(slow_ended);
  CHECK_EQ(bench.machine(0)["state"], "Running");
  slow.join();
  CHECK_EQ(bench.machine(0)["state"], "Off");
  CHECK_EQ(bench.machine(1)["state"], "Off");
}

TEST_CASE("many requests at once on one lab each do their own deed, and no more") {
  constexpr int kMachines = 12;
  json machines = json::array();
  for (int number = 1; number <= kMachines; ++number) {
    machines.push_back(vm(number, "Running", {adapter(100 + number)}));
  }
  Bench bench(lab({a2(kGpu0, 16)}, machines, {{"latency", {{"stop-vm", 3}, {"start-vm", 2}, {"observe", 1}}}}));
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int number = 1; number <= kMachines; ++number) {
      threads.emplace_back([&, number] {
        const bool well = bench.stop(number).empty() && bench.unassign(number, 100 + number).empty() &&
                          bench.assign(number).empty() && bench.hosts->observe(bench.target()).get() &&
                          bench.start(number).empty();
        refused += well ? 0 : 1;
      });
    }
  }
  CHECK_EQ(refused, 0);
  std::set<int> partitions;
  for (int number = 1; number <= kMachines; ++number) {
    const json machine = bench.machine(static_cast<std::size_t>(number - 1));
    CHECK_EQ(machine["state"], "Running");
    REQUIRE_EQ(machine["partitions"].size(), 1);
    partitions.insert(machine["partitions"][0]["partitionId"].get<int>());
  }
  CHECK_EQ(partitions.size(), kMachines);
}

TEST_CASE("a session that is dropped takes the replies of the requests beside it along") {
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Running"), vm(2, "Running")},
                  {{"faults",
                    {{{"op", "stop-vm"}, {"vm", "vm-1"}, {"kind", "delay"}, {"ms", 500}},
                     {{"op", "stop-vm"}, {"vm", "vm-2"}, {"kind", "drop-session"}}}}}));
  std::thread slow([&] {
    const Result<Done> done = bench.hosts->stop_vm(bench.target(), guid(1), {}, false).get();
    REQUIRE_FALSE(done);
    CHECK_EQ(done.error().code, ErrorCode::kInterrupted);
  });
  while (bench.state()["hosts"][0]["simulate"]["faults"][0].value("seen", 0) == 0) {
    std::this_thread::yield();
  }
  CHECK(says(bench.stop(2), "the reply was lost"));
  slow.join();
  CHECK_FALSE(bench.hosts->observe(bench.target()).get());
  CHECK_EQ(bench.machine(0)["state"], "Off");
  CHECK_EQ(bench.machine(1)["state"], "Running");
}
