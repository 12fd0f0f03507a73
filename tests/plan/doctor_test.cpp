#include "plan/doctor.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "desired/read_desired.h"
#include "observed/read_host_facts.h"

namespace gpup {

namespace {

using nlohmann::json;

/// A host with nothing to complain of.
json healthy(std::string_view name) {
  const std::string id = name == "hv-2" ? "4&2F0C5AD1&0&0008" : "4&18416DC3&0&0000";
  const std::string device = "VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1";
  json host = {{"computer", name},
               {"build", 26100},
               {"ubr", 1742},
               {"edition", "datacenter"},
               {"elevated", true},
               {"iovSupport", true},
               {"iovSupportReasons", json::array()},
               {"virtualization", true},
               {"requireSecureDeviceAssignment", nullptr},
               {"requireSupportedDeviceAssignment", nullptr},
               {"arcManaged", false},
               {"clock", "2026-11-25T22:00:00.0000000Z"},
               {"modules", {{"Hyper-V", "2.0"}, {"FailoverClusters", "2.0"}, {"PnpDevice", "1.0"}}},
               {"cmdlets", {{"Hyper-V\\Get-VM", true}, {"Hyper-V\\Get-VMHostPartitionableGpu", true}}}};
  json vm = {{"name", "vdi-01"},
             {"id", "711cee18-60db-43b4-be7e-cedce5e25dd0"},
             {"state", "Running"},
             {"generation", 2},
             {"clustered", true},
             {"dynamicMemoryEnabled", false},
             {"automaticCheckpointsEnabled", false},
             {"checkpointType", 2},
             {"automaticStopAction", 4},
             {"parentSnapshotId", nullptr},
             {"shutdownService", true},
             {"guestControlledCacheTypes", false},
             {"highMemoryMappedIoSpace", 536870912},
             {"offlineAction", "force-shutdown"},
             {"adapters", 1},
             {"staleAdapterSuspected", nullptr}};
  return {
      {"host", host},
      {"pnp",
       {{{"instanceId", "PCI\\" + device + "\\" + id},
         {"friendlyName", "NVIDIA A2"},
         {"status", "OK"},
         {"problem", 0},
         {"present", true},
         {"class", "Display"}}}},
      {"gpus",
       {{{"name", "\\\\?\\PCI#" + device + "#" + id + "#{064092b3-625e-43bf-9eb5-dc845897dd59}"},
         {"model", "NVIDIA A2"},
         {"device", "10de:25b6"},
         {"subsystem", "157e10de"},
         {"status", "partitioned"},
         {"partitionCount", 4},
         {"totalVram", 15918030848},
         {"supportsIncomingLiveMigration", true}}}},
      {"assignable", json::array()},
      {"vms", name == "hv-2" ? json::array() : json::array({vm})},
      {"cluster", {{"name", "HCI"}, {"nodes", {{{"name", "HV-1"}, {"state", 0}}, {{"name", "HV-2"}, {"state", 0}}}}}},
      {"errors", json::object()}};
}

constexpr std::string_view kDesired = R"(apiVersion: gpup/v1
kind: GpuPartitioning
metadata: { name: lab }
cluster: HCI
hosts:
  - { name: hv-1, connect: { transport: local } }
  - { name: hv-2, connect: { transport: local } }
gpus:
  - { model: NVIDIA A2, partitionCount: 4 }
assignments:
  - vm: vdi-01
)";

/// The lab of two nodes after a JSON patch to the first host's facts.
struct Lab {
  json first = healthy("hv-1");
  json second = healthy("hv-2");
  std::string desired = std::string(kDesired);
  Transport transport = Transport::kLocal;
  std::optional<Error> trouble;  ///< why the second host does not answer
  bool with_file = true;
};

Checkup look(const Lab& lab) {
  Sources sources;
  sources.add("desired.yaml", lab.desired);
  const ReadDesired read = read_desired(sources);
  CAPTURE(render_diagnostics(read.diagnostics));
  REQUIRE_FALSE(has_error(read.diagnostics));
  std::vector<Examined> hosts(2);
  for (std::size_t i = 0; i < 2; ++i) {
    hosts[i].target.name = i == 0 ? "hv-1" : "hv-2";
    hosts[i].target.connect.transport = lab.transport;
    hosts[i].asked = hosts[i].answered = ClockTime(std::chrono::milliseconds(1795644000000));
    if (i == 1 && lab.trouble) {
      hosts[i].error = *lab.trouble;
      continue;
    }
    auto facts = read_host_facts((i == 0 ? lab.first : lab.second).dump(), "facts");
    REQUIRE(facts);
    hosts[i].facts = *std::move(facts);
  }
  return check_up(lab.with_file ? &read.state : nullptr, hosts);
}

/// What is not a pass, a line each: `warn R08 vdi-01: save`.
std::string findings(const Checkup& checkup) {
  std::string all;
  for (const CheckResult& result : checkup.results) {
    if (result.verdict != Verdict::kPass) {
      all += fmt::format("{} {} {}: {}\n", to_string(result.verdict), result.check.id,
                         result.check.object == CheckObject::kHost  ? result.host
                         : result.check.object == CheckObject::kGpu ? result.model
                                                                    : result.name,
                         result.seen);
      CHECK_FALSE(result.mend.empty());
    }
  }
  return all;
}

json vm(std::string_view member, json value) {
  json patched = healthy("hv-1");
  patched["vms"][0][std::string(member)] = std::move(value);
  return patched;
}
json gpu(std::string_view member, json value) {
  json patched = healthy("hv-1");
  patched["gpus"][0][std::string(member)] = std::move(value);
  return patched;
}
json with(std::string_view pointer, json value) {
  json patched = healthy("hv-1");
  patched[json::json_pointer(std::string(pointer))] = std::move(value);
  return patched;
}

}  // namespace

TEST_CASE("hosts that are fit pass every check") {
  const Checkup checkup = look({});
  CHECK_EQ(findings(checkup), "");
  const std::string_view wmi = "Hyper-V's cmdlets tell nothing of it";
  CHECK_EQ(checkup.left_out, std::vector<LeftOut>{{"hibernation", wmi}, {"guest", wmi}});
  // Each check that applies to such hosts was made.
  std::set<std::string_view> made;
  for (const CheckResult& result : checkup.results) {
    made.insert(result.check.id);
  }
  for (const Check& check : doctor_checks()) {
    CAPTURE(check.id);
    const bool elsewhere = check.id == "R11" || check.id == "guest" || check.id == "hibernation";
    CHECK_EQ(made.contains(check.id), !elsewhere);
  }
}

TEST_CASE("checks that are platform rules are the rules' own rows") {
  for (const Check& check : doctor_checks()) {
    CAPTURE(check.id);
    const PlatformRule* rule = find_rule(check.id);
    CHECK_EQ(check.is_rule, rule != nullptr);
    CHECK_FALSE(check.title.empty());
    CHECK_FALSE(check.document.empty());
    if (rule != nullptr) {
      CHECK_EQ(check.statement, rule->statement);
      CHECK_EQ(check.document, rule->document);
      CHECK(check.certainty == rule->certainty);
    }
  }
}

TEST_CASE("doctor names what is wrong with a host, a GPU, a VM") {
  struct Case {
    json first;
    std::string_view found;
  };
  const Case cases[] = {
      {with("/host/build", 20348), "warn R11 hv-1: Windows Server 2022\n"},
      {with("/host/build", 99999), "warn release hv-1: build 99999.1742 is no release that gpup knows\n"},
      {with("/host/build", nullptr), "not-checked release hv-1: the host did not tell\n"},
      {with("/host/edition", "standard"), "fail R04 hv-1: Windows Server 2025 Standard in a failover cluster\n"},
      {with("/host/elevated", false), "fail elevated hv-1: the session is not elevated\n"},
      {with("/host/elevated", nullptr), "not-checked elevated hv-1: the host did not tell\n"},
      {with("/host/modules/Hyper-V", nullptr), "fail modules hv-1: the host lacks Hyper-V\n"},
      {with("/host/modules/PnpDevice", nullptr), "warn modules hv-1: the host lacks PnpDevice\n"},
      {with("/host/cmdlets", {{"Hyper-V\\Get-VM", false}}), "fail cmdlets hv-1: the host lacks Hyper-V\\Get-VM\n"},
      {with("/host/cmdlets",
            {{"Hyper-V\\Get-VMHostPartitionableGpu", false}, {"Hyper-V\\Get-VMPartitionableGpu", true}}),
       ""},
      {with("/host/virtualization", false), "fail virtualization hv-1: Hyper-V does not run\n"},
      {with("/host/requireSecureDeviceAssignment", 1), "warn device-policy hv-1: RequireSecureDeviceAssignment = 1\n"},
      {with("/errors/host.requireSupportedDeviceAssignment", "no access"),
       "not-checked device-policy hv-1: no access\n"},
      {with("/host/arcManaged", true), "warn other-writers hv-1: the host is managed through Azure Arc\n"},
      {with("/host/clock", "2026-11-25T22:02:05Z"), "warn clock hv-1: 2 min 5 s ahead of this machine's\n"},
      {with("/host/clock", "2026-11-25T21:50:00Z"), "fail clock hv-1: 10 min 0 s behind this machine's\n"},
      {with("/pnp/0/problem", 43), "fail driver NVIDIA A2: NVIDIA A2: its driver stopped it (problem 43)\n"},
      {with("/pnp", json::array()), "fail driver NVIDIA A2: Plug and Play does not know it\n"},
      {with("/pnp/0/status", "Unknown"), "fail driver NVIDIA A2: NVIDIA A2, status Unknown\n"},
      {gpu("subsystem", "14a910de"),
       "fail subsystem NVIDIA A2: the driver calls it NVIDIA A2, and subsystem 14a910de is NVIDIA A16\n"},
      {gpu("supportsIncomingLiveMigration", false),
       "warn live-migration NVIDIA A2: VMs cannot be live migrated to it: they are restarted on another node\n"},
      {with("/assignable", {{{"instanceId", "pci\\ven_10de&dev_25b6&subsys_157e10de&rev_a1\\4&18416dc3&0&0000"}}}),
       "fail R06 NVIDIA A2: it is partitioned, and in the pool of DDA devices as well\n"},
      {vm("generation", 1), "fail R03 vdi-01: generation 1\n"},
      {vm("adapters", 2), "fail R02 vdi-01: it holds 2 partitions\n"},
      {vm("automaticCheckpointsEnabled", true), "fail R09 vdi-01: automatic checkpoints are on\n"},
      {vm("dynamicMemoryEnabled", true), "fail R10 vdi-01: dynamic memory is on\n"},
      {vm("checkpointType", 3), "warn checkpoint-type vdi-01: checkpoints may be made, and fail\n"},
      {vm("parentSnapshotId", "a"), "warn checkpoints vdi-01: it has a checkpoint\n"},
      {vm("automaticStopAction", 3), "warn stop-action vdi-01: the VM is saved when its host shuts down\n"},
      {vm("shutdownService", false),
       "fail shutdown-service vdi-01: disabled: gpup and the cluster cannot shut the guest down\n"},
      {vm("offlineAction", "save"), "warn R08 vdi-01: save\n"},
      {vm("state", "Saved"), "warn state vdi-01: Saved\n"},
      {vm("state", "Hibernated"), "warn state vdi-01: Hibernated\nfail hibernation vdi-01: it is hibernated\n"},
      {vm("hibernationEnabled", true), "warn hibernation vdi-01: its guest may hibernate\n"},
      {vm("guestOs", "Debian 12"),
       "warn guest vdi-01: Debian 12 is not on the list for Windows Server 2025 Datacenter\n"},
      {vm("guestOs", "Windows 11 Enterprise"), ""},
      {vm("staleAdapterSuspected", true),
       "fail stale-adapter vdi-01: the record of an adapter on a GPU that is gone is left behind\n"},
      {with("/cluster/nodes/1/state", 1), "fail nodes HCI: HV-2 is down\n"},
      {with("/cluster/nodes/2", {{"name", "HV-3"}, {"state", 0}}), "fail nodes HCI: the file does not list HV-3\n"},
      {with("/cluster/name", "OTHER"), "fail cluster HCI: hv-1 is in cluster OTHER\n"},
      {gpu("partitionCount", 16),
       "warn R07 HCI: 1 x NVIDIA A2 (15918030848 B) at 4 on hv-2; 1 x NVIDIA A2 (15918030848 B) at 16 on hv-1\n"},
  };
  for (const Case& c : cases) {
    Lab lab;
    lab.first = c.first;
    CAPTURE(c.found);
    CHECK_EQ(findings(look(lab)), c.found);
  }
}

TEST_CASE("an SR-IOV refusal comes with the host's reasons, unless a partitioned GPU proves it wrong") {
  Lab lab;
  lab.first["host"]["iovSupport"] = false;
  lab.first["host"]["iovSupportReasons"] = {"No ACS.", "Update the firmware."};
  CHECK_EQ(findings(look(lab)), "warn sr-iov hv-1: the host says: No ACS. Update the firmware.\n");
  lab.first["gpus"] = json::array();
  const std::string found = findings(look(lab));
  CHECK_NE(found.find("fail sr-iov hv-1: the host says: No ACS. Update the firmware.\n"), std::string::npos);
  CHECK_NE(found.find("fail gpus hv-1: none can be partitioned\n"), std::string::npos);
  CHECK_NE(found.find("fail R07 HCI: hv-1 has no partitioned GPU\n"), std::string::npos);
}

TEST_CASE("a GPU that cannot be partitioned fails where the file asks for it, and says why") {
  struct Case {
    std::string_view status;
    std::string_view seen;
  };
  for (const Case& c :
       {Case{"paravirtualization", "it is paravirtual: SR-IOV is off, or it is a client's card"},
        Case{"ready-for-dda", "it is dismounted for DDA"}, Case{"not-assignable", "it cannot be partitioned"}}) {
    Lab lab;
    lab.first["gpus"][0]["status"] = c.status;
    CAPTURE(c.status);
    CHECK_NE(findings(look(lab)).find(fmt::format("fail partitionable NVIDIA A2: {}\n", c.seen)), std::string::npos);
  }
  Lab lab;
  json spare = lab.first["gpus"][0];
  spare["name"] = "other";
  spare["model"] = "NVIDIA T4";
  spare["device"] = "10de:1eb8";
  spare["status"] = "ready-for-dda";
  lab.first["gpus"].push_back(spare);
  CHECK_EQ(findings(look(lab)), "");  // nobody asks for it
  lab.with_file = false;
  CHECK_EQ(findings(look(lab)), "warn partitionable NVIDIA T4: it is dismounted for DDA\n");
}

TEST_CASE("a broken rule that the file overrides is a warning with the reason") {
  Lab lab;
  lab.first["vms"][0]["dynamicMemoryEnabled"] = true;
  lab.desired += "policy:\n  override:\n    - { rule: R10, reason: a trial }\n";
  CHECK_EQ(findings(look(lab)), "warn R10 vdi-01: dynamic memory is on; overridden: a trial\n");
}

TEST_CASE("VMs that hold nothing and that no line lists are not looked at") {
  Lab lab;
  json other = lab.first["vms"][0];
  other["name"] = "print-01";
  other["id"] = "2";
  other["generation"] = 1;
  other["adapters"] = 0;
  lab.first["vms"].push_back(other);
  CHECK_EQ(findings(look(lab)), "");
  lab.first["vms"][1]["adapters"] = 1;
  CHECK_EQ(findings(look(lab)), "fail R03 print-01: generation 1\n");
}

TEST_CASE("a VM that a line lists is looked at, also while it holds nothing") {
  for (const std::string_view line :
       {"vm: vdi-01", "id: 711CEE18-60db-43b4-be7e-cedce5e25dd0", "match: 'vdi-[0-9]+'\n    expect: 1"}) {
    Lab lab;
    lab.desired.replace(lab.desired.find("vm: vdi-01"), 10, line);
    lab.first["vms"][0]["adapters"] = 0;
    lab.first["vms"][0]["generation"] = 1;
    CAPTURE(line);
    CHECK_EQ(findings(look(lab)), "fail R03 vdi-01: generation 1\n");
  }
  Lab lab;
  lab.desired.replace(lab.desired.find("vdi-01"), 6, "VDI-01");
  lab.first["vms"][0]["adapters"] = 0;
  lab.first["vms"][0]["generation"] = 1;
  CHECK_EQ(findings(look(lab)), "");
}

TEST_CASE("a VM without a visible adapter that is prepared for one may have a stale one") {
  Lab lab;
  lab.first["vms"][0]["adapters"] = 0;
  lab.first["vms"][0]["state"] = "Off";
  CHECK_EQ(findings(look(lab)), "");
  lab.first["vms"][0]["guestControlledCacheTypes"] = true;
  CHECK_EQ(findings(look(lab)), "warn stale-adapter vdi-01: it is prepared for a GPU and shows no adapter\n");
}

TEST_CASE("what could not be read is not checked, with the host's own reason") {
  Lab lab;
  lab.first["gpus"] = nullptr;
  lab.first["vms"] = nullptr;
  lab.first["errors"] = {{"gpus", "AccessDenied"}, {"vms", "AccessDenied"}};
  CHECK_EQ(findings(look(lab)),
           "not-checked R07 HCI: AccessDenied\n"
           "not-checked gpus hv-1: AccessDenied\n"
           "not-checked vms hv-1: AccessDenied\n");
}

TEST_CASE("a host that does not answer fails with its code and remedy, and the others are checked") {
  Lab lab;
  Diagnostic why;
  why.code = Code::kCannotRead;
  why.message = "no way there";
  why.hint = "find one";
  lab.trouble = Error{ErrorCode::kUnreachable, why.message, {why}};
  const Checkup checkup = look(lab);
  CHECK_EQ(findings(checkup), "not-checked R07 HCI: hv-2 did not answer\nfail reachable hv-2: no way there\n");
  CHECK(checkup.results.back().code == Code::kCannotRead);
  CHECK_EQ(checkup.results.back().mend, "find one");
  lab.trouble = Error{ErrorCode::kUnreachable, "gone", {}};
  CHECK(look(lab).results.back().code == Code::kHostUnreadable);
}

TEST_CASE("without a file every host of the cluster must be asked") {
  Lab lab;
  lab.with_file = false;
  CHECK_EQ(findings(look(lab)), "");
  lab.first["cluster"]["nodes"].push_back({{"name", "HV-3"}, {"state", 0}});
  CHECK_EQ(findings(look(lab)), "not-checked nodes HCI: HV-3 was not asked\n");
}

TEST_CASE("a simulated host is spared what its lab tells nothing of, and that is said") {
  Lab lab;
  lab.transport = Transport::kSimulated;
  for (json* host : {&lab.first, &lab.second}) {
    (*host)["host"] = {{"computer", (*host)["host"]["computer"]}, {"build", 26100}, {"edition", "datacenter"}};
    (*host)["pnp"] = nullptr;
  }
  lab.first["errors"] = {{"host.elevated", "it would not say"}};
  const Checkup checkup = look(lab);
  CHECK_EQ(findings(checkup), "not-checked elevated hv-1: it would not say\n");
  std::set<std::string_view> spared;
  for (const LeftOut& each : checkup.left_out) {
    if (each.why == "a simulated host tells nothing of it") {
      spared.insert(each.check);
    }
  }
  CHECK_EQ(spared, std::set<std::string_view>{"modules", "cmdlets", "virtualization", "sr-iov", "device-policy",
                                              "other-writers", "clock", "driver", "elevated"});
}

}  // namespace gpup
