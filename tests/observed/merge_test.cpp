#include "observed/merge.h"

#include <doctest/doctest.h>

#include "observed/read_snapshot.h"

namespace gpup {

namespace {

ObservedState host(const std::string& name, const std::string& cluster, const std::string& taken_at) {
  Result<ObservedState> read =
      read_snapshot(R"({"apiVersion":"gpup/v1","kind":"Snapshot","takenAt":")" + taken_at + R"(","cluster":")" +
                        cluster + R"(","hosts":[{"name":")" + name + R"(","gpus":[],"vms":[]}]})",
                    "s.json");
  REQUIRE(read);
  return *std::move(read);
}

std::vector<ObservedState> states(std::initializer_list<ObservedState> list) { return list; }

}  // namespace

TEST_CASE("what hosts say of themselves is joined in the given order") {
  const Result<ObservedState> whole =
      merge(states({host("hv-2", "", "2026-11-22T08:41:01Z"), not_read("hv-3", "no route"),
                    host("hv-1", "HCI", "2026-11-22T08:41:00Z"), host("hv-4", "hci", "")}));
  REQUIRE(whole);
  REQUIRE_EQ(whole->hosts.size(), 4);
  CHECK_EQ(whole->hosts[0].name, "hv-2");
  CHECK_EQ(whole->hosts[1].name, "hv-3");
  CHECK_FALSE(whole->hosts[1].reachable);
  CHECK_EQ(whole->hosts[1].error, "no route");
  CHECK_EQ(whole->hosts[3].name, "hv-4");
  CHECK_EQ(whole->cluster, "HCI");
  CHECK_EQ(whole->taken_at, "2026-11-22T08:41:00Z");
  CHECK_EQ(whole->texts.size(), 4);
  const Result<ObservedState> nothing = merge({});
  REQUIRE(nothing);
  CHECK(nothing->hosts.empty());
}

TEST_CASE("a start is owed where the machine is now, whichever host has it recorded, and to none that runs") {
  const auto read = [](const std::string& hosts) {
    Result<ObservedState> state =
        read_snapshot(R"({"apiVersion":"gpup/v1","kind":"Snapshot","hosts":[)" + hosts + "]}", "s.json");
    REQUIRE(state);
    return *std::move(state);
  };
  const auto vm = [](const std::string& id, const std::string& state, const std::string& more = "") {
    return R"({"name":"vm","id":")" + id + R"(","state":")" + state + R"(","partitions":[])" + more + "}";
  };
  const std::string here = ",\"startOwed\":true";
  const Result<ObservedState> whole =
      merge(states({read(R"({"name":"hv-1","gpus":[],"startsOwed":["C","e","gone"],"vms":[)" + vm("a", "Off", here) +
                         "," + vm("b", "Running", here) + "]}"),
                    read(R"({"name":"hv-2","gpus":[],"vms":[)" + vm("c", "Off") + "," + vm("d", "Off") + "," +
                         vm("e", "Running") + "]}"),
                    read(R"({"name":"hv-3","reachable":false,"startsOwed":["d"]})")}));
  REQUIRE(whole);
  std::string owed;
  for (const Host& one : whole->hosts) {
    for (const Vm& found : one.vms) {
      owed += found.start_owed ? std::string(found.id) : "";
    }
  }
  CHECK_EQ(owed, "ac");
}

TEST_CASE("hosts of two clusters, or one host twice, are not joined") {
  const Result<ObservedState> two = merge(states({host("a", "EAST", ""), host("b", "WEST", "")}));
  REQUIRE_FALSE(two);
  CHECK_EQ(two.error().code, ErrorCode::kBadContent);
  CHECK_EQ(two.error().diagnostics.at(0).message,
           "the hosts are in two clusters: 'a' in 'EAST', 'b' in 'WEST'; expected one");
  const Result<ObservedState> twice = merge(states({host("a", "", ""), not_read("A", "")}));
  REQUIRE_FALSE(twice);
  CHECK_EQ(twice.error().diagnostics.at(0).message, "the host 'A' was read twice");
}

}  // namespace gpup
