#include "observed/read_host_facts.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace std::string_literals;

namespace gpup {

namespace {

constexpr std::string_view kWhole =
    R"({"host": {"computer": "HV-E1", "build": 26100, "ubr": 1742, "edition": "datacenter",
  "product": "Windows Server 2025 Datacenter", "elevated": true, "iovSupport": false,
  "iovSupportReasons": ["no ACS", "", "old firmware"], "virtualization": true, "requireSecureDeviceAssignment": null,
  "requireSupportedDeviceAssignment": -1, "arcManaged": false, "clock": "2026-11-25T22:00:00.2500000Z",
  "modules": {"Hyper-V": "2.0.0.0", "FailoverClusters": null}, "cmdlets": {"Hyper-V\\Get-VM": true, "Hyper-V\\X": false}},
 "pnp": [{"instanceId": "PCI\\VEN_10DE", "friendlyName": "NVIDIA A2", "status": "Error", "problem": 28, "present": true,
          "class": null}],
 "gpus": [{"name": "\\\\?\\PCI#VEN_10DE", "model": null, "device": "10DE:25B6", "status": "partitioned",
           "partitionCount": 4, "totalVram": 18446744073709551615, "supportsIncomingLiveMigration": null}],
 "assignable": [{"instanceId": "PCI\\VEN_10DE", "locationPath": null}],
 "vms": [{"name": "vdi-01", "id": "711CEE18", "state": "Running", "generation": 2, "clustered": true,
          "checkpointType": 2, "automaticStopAction": 3, "parentSnapshotId": null, "shutdownService": true,
          "highMemoryMappedIoSpace": 536870912, "offlineAction": "save", "adapters": 1, "staleAdapterSuspected": null}],
 "cluster": {"name": "HCI-EAST", "nodes": [{"name": "HV-E1", "state": 0}, {"name": "HV-E2", "state": -1}],
             "groups": [{"name": "vdi-01", "vm": null, "ownerNode": "HV-E1", "state": 0}]},
 "errors": {"vms": "Zugriff verweigert"}, "later": {"any": [1, {}]}})";

/// The first line that a person reads, or "" where the answer is fine.
std::string first_line(std::string text, std::uint64_t most = kLargestReply) {
  const Result<HostFacts> read = read_host_facts(std::move(text), "hv-e1", most);
  if (read) {
    return "";
  }
  CHECK_EQ(read.error().code, ErrorCode::kBadContent);
  const std::string rendered = render_diagnostics(read.error().diagnostics);
  return rendered.substr(0, rendered.find('\n'));
}

}  // namespace

TEST_CASE("what a host tells when it is examined is read whole") {
  const Result<HostFacts> read = read_host_facts(std::string(kWhole), "hv-e1");
  REQUIRE(read);
  CHECK_EQ(read->computer, "HV-E1");
  CHECK_EQ(read->build, 26100U);
  CHECK(read->edition == Edition::kDatacenter);
  CHECK_EQ(read->sr_iov, false);
  CHECK_EQ(read->sr_iov_reasons, std::vector{"no ACS"s, "old firmware"s});
  CHECK_EQ(read->require_secure_assignment, 0U);
  CHECK_EQ(read->require_supported_assignment, 0xffffffffU);
  REQUIRE(read->clock);
  CHECK_EQ(read->clock->time_since_epoch().count(), 1795644000250);
  CHECK_EQ(read->modules.at("FailoverClusters"), "");
  CHECK(read->cmdlets.at("Hyper-V\\Get-VM"));
  CHECK_FALSE(read->cmdlets.at("Hyper-V\\X"));
  REQUIRE(read->devices);
  CHECK_EQ(read->devices->at(0).problem, 28U);
  REQUIRE(read->gpus);
  CHECK_EQ(read->gpus->at(0).device, "10de:25b6");
  CHECK_EQ(read->gpus->at(0).total_vram, 18446744073709551615U);
  CHECK_FALSE(read->gpus->at(0).incoming_live_migration.has_value());
  REQUIRE(read->assignable);
  CHECK_EQ(read->assignable->at(0), "PCI\\VEN_10DE");
  REQUIRE(read->vms);
  const VmFacts& vm = read->vms->at(0);
  CHECK_EQ(vm.id, "711cee18");
  CHECK(vm.clustered);
  CHECK_EQ(vm.has_checkpoint, false);
  CHECK(vm.offline_action == OfflineAction::kSave);
  CHECK_FALSE(vm.dynamic_memory.has_value());
  CHECK_FALSE(vm.stale_adapter.has_value());
  REQUIRE(read->cluster);
  CHECK_EQ(read->cluster->nodes.at(1).state, -1);
  CHECK_EQ(read->errors.at("vms"), "Zugriff verweigert");
}

TEST_CASE("everything may be absent or null, which is not known") {
  for (const std::string_view text :
       {"{}",
        R"({"host": null, "pnp": null, "gpus": null, "assignable": null, "vms": null, "cluster": null, "errors": {}})",
        R"({"host": {"build": null, "modules": null, "cmdlets": null, "iovSupportReasons": null, "clock": null}})"}) {
    CAPTURE(text);
    const Result<HostFacts> read = read_host_facts(std::string(text), "h");
    REQUIRE(read);
    CHECK_FALSE(read->build.has_value());
    CHECK_FALSE(read->gpus.has_value());
    CHECK_FALSE(read->vms.has_value());
    CHECK_FALSE(read->cluster.has_value());
    CHECK_FALSE(read->require_secure_assignment.has_value());
  }
}

TEST_CASE("an answer that is wrong is refused with its place") {
  struct Case {
    std::string_view text;
    std::string_view line;
  };
  const Case cases[] = {
      {"", "hv-e1:1:1: error[GP060]: it is empty; expected a JSON object"},
      {"[]", "hv-e1:1:1: error[GP061]: the host's answer must be an object, not a list"},
      {R"({"host": {"build": "x"}})", "hv-e1:1:20: error[GP061]: 'host.build' must be a whole number, not a string"},
      {R"({"host": {"edition": "home"}})",
       "hv-e1:1:22: error[GP062]: 'host.edition' must be azure-stack-hci, datacenter, standard or other, not 'home'"},
      {R"({"host": {"clock": "yesterday"}})",
       "hv-e1:1:20: error[GP062]: 'host.clock' must be a time such as 2026-11-25T22:00:00.000Z, not 'yesterday'"},
      {R"({"host": {"clock": "2026-02-30T22:00:00Z"}})",
       "hv-e1:1:20: error[GP062]: 'host.clock' must be a time such as 2026-11-25T22:00:00.000Z, not"
       " '2026-02-30T22:00:00Z'"},
      {R"({"errors": {"vms": "a", "vms": "b"}})",
       "hv-e1:1:25: error[GP063]: the member 'vms' stands twice in 'errors'"},
      {R"({"vms": [], "vms": []})", "hv-e1:1:13: error[GP063]: the member 'vms' stands twice in the host's answer"},
      {R"({"vms": [{"offlineAction": "unmanaged"}]})",
       "hv-e1:1:28: error[GP062]: 'vms[0].offlineAction' must be turn-off, save, shutdown or force-shutdown, not"
       " 'unmanaged'"},
      {R"({"vms": [{}]} {})", "hv-e1:1:15: error[GP060]: nothing may follow the end of the object, found '{'"},
      {R"({"host": {"modules": {"Hyper-V": "2")",
       "hv-e1:1:37: error[GP060]: the text ends here, expected ',' or '}' after a member; was the file cut off?"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK_EQ(first_line(std::string(c.text)), c.line);
  }
  CHECK_EQ(first_line("{ }", 2), "hv-e1: error[GP065]: it has 3 bytes; at most 2 B are read");
}

}  // namespace gpup
