#include "observed/read_snapshot.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "base/text.h"

using namespace std::string_literals;
using namespace std::string_view_literals;

namespace gpup {

namespace {

constexpr std::string_view kGpuName =
    R"(\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59})";

constexpr std::string_view kWhole = R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "takenAt": "2026-11-22T08:41:00Z",
 "cluster": "HCI-EAST",
 "hosts": [{"name": "hv-e1", "build": 20349, "edition": "azure-stack-hci", "reachable": true,
  "gpus": [{"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
            "model": "NVIDIA A2", "device": "10DE:25B6", "subsystem": "157e10de", "status": "partitioned",
            "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 16,
            "totalVram": 15918030848, "availableVram": 15918030848, "partitionVram": 939524096,
            "partitionEncode": 18446744073709551615, "partitionDecode": 1, "partitionCompute": 128}],
  "vms": [{"name": "vdi-01", "id": "711cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Running", "clustered": true,
           "generation": 2, "offlineAction": "save", "dynamicMemory": false, "automaticCheckpoints": true,
           "partitions": [{"id": "a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b", "gpu": null, "partitionId": null, "vram": null},
                          {"id": "b", "gpu": "\\\\?\\pci#ven_10de&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}", "partitionId": 7, "vram": 939524096, "encode": 2, "decode": 1},
                          {"id": "c", "gpu": "gone"}]},
          {"name": "B\u00fcro \ud83d\ude00", "id": "2", "state": "OffCritical", "partitions": []}]},
  {"name": "hv-e2", "reachable": false, "error": "no route to host"}]})";

std::string replace(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

/// The first line that a person reads, or "" where the snapshot is fine.
std::string first_line(std::string text, std::uint64_t max_bytes = kLargestSnapshot) {
  const Result<ObservedState> read = read_snapshot(std::move(text), "s.json", max_bytes);
  if (read) {
    return "";
  }
  CHECK_EQ(read.error().code, ErrorCode::kBadContent);
  const std::string rendered = render_diagnostics(read.error().diagnostics);
  return rendered.substr(0, rendered.find('\n'));
}

std::string in_hosts(std::string_view hosts) {
  return R"({"apiVersion":"gpup/v1","kind":"Snapshot","hosts":[)" + std::string(hosts) + "]}";
}
std::string in_vms(std::string_view vms) {
  return in_hosts(R"({"name":"h","gpus":[],"vms":[)" + std::string(vms) + "]}");
}
std::string in_gpus(std::string_view gpus) {
  return in_hosts(R"({"name":"h","vms":[],"gpus":[)" + std::string(gpus) + "]}");
}
/// A member that this version does not know.
std::string unknown(std::string_view value) {
  return R"({"apiVersion":"gpup/v1","kind":"Snapshot","hosts":[],"x":)" + std::string(value) + "}";
}
std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string utf16(std::string_view ascii, bool big_endian) {
  std::string out = big_endian ? "\xfe\xff" : "\xff\xfe";
  for (const char c : ascii) {
    out += big_endian ? '\0' : c;
    out += big_endian ? c : '\0';
  }
  return out;
}

}  // namespace

TEST_CASE("a snapshot is read whole") {
  const Result<ObservedState> read = read_snapshot(std::string(kWhole), "s.json");
  REQUIRE(read);
  CHECK_EQ(read->taken_at, "2026-11-22T08:41:00Z");
  CHECK_EQ(read->cluster, "HCI-EAST");
  REQUIRE_EQ(read->hosts.size(), 2);
  const Host& host = read->hosts[0];
  CHECK_EQ(host.name, "hv-e1");
  CHECK(host.reachable);
  CHECK_EQ(host.build, 20349U);
  CHECK(host.edition == Edition::kAzureStackHci);
  REQUIRE_EQ(host.gpus.size(), 1);
  const Gpu& gpu = host.gpus[0];
  CHECK_EQ(gpu.name, kGpuName);
  CHECK_EQ(gpu.model, "NVIDIA A2");
  CHECK_EQ(gpu.device, "10de:25b6");  // ids compare without case
  CHECK_EQ(gpu.subsystem, "157e10de");
  CHECK(gpu.status == GpuStatus::kPartitioned);
  CHECK(gpu.valid_partition_counts == std::vector<std::uint32_t>{16, 8, 4, 2, 1});
  CHECK_EQ(gpu.partition_count, 16U);
  CHECK_EQ(gpu.total_vram, 15918030848U);
  CHECK_EQ(gpu.available_vram, 15918030848U);
  CHECK_EQ(gpu.partition_vram, 939524096U);
  CHECK_EQ(gpu.partition_encode, 18446744073709551615U);
  CHECK_EQ(gpu.partition_decode, 1U);
  CHECK_EQ(gpu.partition_compute, 128U);
  REQUIRE_EQ(host.vms.size(), 2);
  const Vm& vm = host.vms[0];
  CHECK_EQ(vm.name, "vdi-01");
  CHECK_EQ(vm.id, "711cee18-60db-43b4-be7e-cedce5e25dd0");
  CHECK(vm.state == VmState::kRunning);
  CHECK_EQ(vm.state_name, "Running");
  CHECK(vm.clustered);
  CHECK_EQ(static_cast<int>(vm.generation.value_or(0)), 2);
  CHECK(vm.offline_action == OfflineAction::kSave);
  CHECK_EQ(vm.dynamic_memory, false);
  CHECK_EQ(vm.automatic_checkpoints, true);
  REQUIRE_EQ(host.adapters_of(vm).size(), 3);
  CHECK_EQ(host.adapters_of(vm)[0].gpu, Adapter::kUnresolved);
  CHECK_EQ(host.adapters_of(vm)[0].gpu_name, "");
  CHECK_EQ(host.adapters_of(vm)[1].gpu, 0);
  CHECK_EQ(host.adapters_of(vm)[1].partition_id, 7U);
  CHECK_EQ(host.adapters_of(vm)[1].vram, 939524096U);
  CHECK_EQ(host.adapters_of(vm)[1].encode, 2U);
  CHECK_EQ(host.adapters_of(vm)[1].decode, 1U);
  CHECK_EQ(host.adapters_of(vm)[2].gpu, Adapter::kUnknownGpu);
  CHECK_EQ(host.adapters_of(vm)[2].gpu_name, "gone");
  CHECK_EQ(host.vms[1].name, "B\xc3\xbcro \xf0\x9f\x98\x80");
  CHECK(host.vms[1].state == VmState::kOther);
  CHECK_EQ(host.vms[1].state_name, "OffCritical");
  CHECK_FALSE(host.vms[1].clustered);
  CHECK_FALSE(host.vms[1].generation.has_value());
  CHECK_EQ(host.adapters_of(host.vms[1]).size(), 0);
  CHECK_FALSE(read->hosts[1].reachable);
  CHECK_EQ(read->hosts[1].error, "no route to host");
  CHECK(find_host(*read, "HV-E1") == &host);
  CHECK(find_vm(host, "711CEE18-60DB-43B4-BE7E-CEDCE5E25DD0") == &vm);
  CHECK(find_gpu(host, kGpuName) == &gpu);
  CHECK(find_host(*read, "hv-e3") == nullptr);
}

TEST_CASE("what later versions may add, and what may be absent, does no harm") {
  const std::string cases[] = {
      std::string(kWhole),
      "\xef\xbb\xbf" + std::string(kWhole),
      utf16(kWhole, false),
      utf16(kWhole, true),
      "\r\n\t " + std::string(kWhole) + " \r\n",
      replace(std::string(kWhole), "\"takenAt\": \"2026-11-22T08:41:00Z\"", "\"takenAt\": null"),
      replace(std::string(kWhole), "\"cluster\": \"HCI-EAST\"", "\"cluster\": null"),
      replace(std::string(kWhole), "[16, 8, 4, 2, 1]", "null"),
      replace(std::string(kWhole), "\"reachable\": true", "\"simulate\": {\"profiles\": {}, \"forgetsGpu\": true}"),
      R"({"hosts":[],"kind":"Snapshot","apiVersion":"gpup/v1"})",
      R"({"\u0068osts":[],"kind":"Snap\u0073hot","apiVersion":"gpup\/v1"})",
      // Whatever a host that was not read says of itself is not looked at.
      in_hosts(R"({"name":"h","gpus":7,"vms":[{}],"build":-1,"edition":9,"reachable":false})"),
      in_hosts(R"({"reachable":false,"name":"h","error":null,"gpus":[{"name":"a"},{"name":"A"}]})"),
      in_hosts(R"({"name":"h","reachable":null,"gpus":[],"vms":[]})"),
      in_gpus(R"({"name":"g","status":"ready-for-dda","partitionCount":null})"),
      in_vms(R"({"name":"a\nb","id":"1","state":"Off","partitions":[{"id":"x","gpu":""}]})"),
      // The same VM on two hosts, the same adapter id on two VMs.
      in_hosts(R"({"name":"h","gpus":[],"vms":[{"name":"a","id":"1","state":"Off","partitions":[{"id":"x"}]},)"
               R"({"name":"a","id":"2","state":"Off","partitions":[{"id":"x"}]}]},)"
               R"({"name":"i","gpus":[],"vms":[{"name":"a","id":"1","state":"Off","partitions":[]}]})"),
      unknown("[1e3, -0, -0.5E-10, 1E400, 123456789012345678901234567890, true, false, null, {}, [], \"\\u0000\"]"),
      unknown(R"({"a":{"a":[{"a":1},{"a":1}]},"b":{"a":2}})"),
      unknown(nested(63)),
      unknown(R"({"ab":1,"aB":2})"),
  };
  for (const std::string& c : cases) {
    CAPTURE(c);
    CHECK_EQ(first_line(c), "");
  }
}

TEST_CASE("the GPU of an adapter is found wherever the host lists it") {
  const Result<ObservedState> read = read_snapshot(
      in_hosts(R"({"name":"h","vms":[{"name":"a","id":"1","state":"Off","partitions":[{"id":"x","gpu":"G\u0032"}]}],)"
               R"("gpus":[{"name":"g1","status":"partitioned","partitionCount":1},)"
               R"({"name":"g2","status":"partitioned","partitionCount":1}]})"),
      "s.json");
  REQUIRE(read);
  CHECK_EQ(read->hosts[0].adapters[0].gpu, 1);
  CHECK_EQ(read->hosts[0].adapters[0].gpu_name, "G2");
}

TEST_CASE("a bad snapshot is refused with its place") {
  struct Case {
    std::string text;
    std::string_view line;
  };
  const std::string vm = R"({"name":"a","id":"1","state":"Off","partitions":[]})";
  const std::string gpu = R"({"name":"g","status":"partitioned","partitionCount":4,)";
  const Case cases[] = {
#include "observed/bad_snapshots.inc"
  };
  for (const Case& c : cases) {
    CAPTURE(escape_terminal(c.text.substr(0, 400)));
    CHECK_EQ(first_line(c.text), c.line);
  }
}

TEST_CASE("every mistake of meaning is reported in one run") {
  const Result<ObservedState> read = read_snapshot(in_vms(R"({"name":5,"id":"1","state":"Off","generation":-2},
{"name":"b","id":"1","state":"Off","partitions":[{}]})"),
                                                   "s.json");
  REQUIRE_FALSE(read);
  std::string lines;
  for (const Diagnostic& diagnostic : read.error().diagnostics) {
    lines += std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column) + " " +
             to_string(diagnostic.code) + " " + diagnostic.message + "\n";
  }
  CHECK_EQ(lines,
           "1:81 GP064 'hosts[0].vms[0]' has no 'partitions'; a VM must have one\n"
           "1:89 GP061 'hosts[0].vms[0].name' must be a string, not a number\n"
           "1:127 GP062 'hosts[0].vms[0].generation' must be from 1 to 255, not -2\n"
           "2:18 GP069 the VM id '1' stands twice in 'hosts[0].vms'; letters' case does not tell two apart\n"
           "2:50 GP064 'hosts[0].vms[1].partitions[0]' has no 'id'; a partition must have one\n");
}

TEST_CASE("a snapshot of another version is told so, and nothing else") {
  const Result<ObservedState> read =
      read_snapshot(R"({"hosts":[{"name":1}],"apiVersion":"gpup/v2","kind":"Snapshot"})", "s.json");
  REQUIRE_FALSE(read);
  REQUIRE_EQ(read.error().diagnostics.size(), 1);
  CHECK_EQ(read.error().diagnostics[0].code, Code::kSnapshotVersion);
}

TEST_CASE("a snapshot that is too large is refused before it is looked at") {
  CHECK_EQ(first_line(std::string(2000, '{'), 1024), "s.json: error[GP065]: it has 2000 bytes; at most 1 KiB are read");
  CHECK_EQ(first_line(unknown("1"), unknown("1").size()), "");
}

TEST_CASE("every prefix of a snapshot is refused") {
  const std::string whole(kWhole);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_NE(first_line(whole.substr(0, size)), "");
  }
}

TEST_CASE("large objects and lists of unknown members are searched for repeated names, too") {
  std::string members;
  for (int i = 0; i < 50'000; ++i) {
    members += "\"m" + std::to_string(i) + "\":{\"a\":" + std::to_string(i) + "},";
  }
  CHECK_EQ(first_line(unknown("{" + members + "\"last\":1}")), "");
  const std::string line = first_line(unknown("{" + members + "\"m777\":1}"));
  CHECK(line.ends_with("error[GP063]: the member 'm777' stands twice in 'x'"));
}

TEST_CASE("a hostile snapshot yields a bounded number of messages") {
  std::string vms;
  for (int i = 0; i < 20'000; ++i) {
    vms += i == 0 ? "{}" : ",{}";
  }
  const Result<ObservedState> read = read_snapshot(in_vms(vms), "s.json");
  REQUIRE_FALSE(read);
  CHECK_GE(read.error().diagnostics.size(), 100);
  CHECK_LE(read.error().diagnostics.size(), 1000);
}

}  // namespace gpup
