#include "render/export.h"

#include <random>
#include <string>

#include <doctest/doctest.h>

#include "base/sink.h"
#include "desired/read_desired.h"
#include "plan/make_plan.h"
#include "render/snapshot_json.h"
#include "render/state_of.h"

namespace gpup {

namespace {

std::string exported(const ObservedState& observed) {
  ExportOptions options;
  options.snapshot = "lab.json";
  Result<std::string> text = export_desired(observed, options);
  if (!text) {
    FAIL(render_diagnostics(text.error().diagnostics));
  }
  return *std::move(text);
}

/// What stands between an exported file and an empty plan; "" if nothing does.
std::string trouble_with(const ObservedState& observed, const std::string& file) {
  Sources sources;
  sources.add("exported.yaml", file);
  const ReadDesired desired = read_desired(sources);
  if (!desired.diagnostics.empty()) {
    return render_diagnostics(desired.diagnostics);
  }
  const Planned planned = make_plan(desired.state, observed, sources);
  if (planned.refused()) {
    return render_diagnostics(planned.diagnostics);
  }
  return planned.plan.steps.empty() && planned.plan.differences.empty() ? "" : "the plan is not empty";
}

void check_plans_to_nothing(const ObservedState& observed) {
  const std::string file = exported(observed);
  const std::string trouble = trouble_with(observed, file);
  if (!trouble.empty()) {
    StringSink snapshot;
    write_snapshot(observed, snapshot);
    CAPTURE(snapshot.text);
    CAPTURE(file);
    CHECK_EQ(trouble, "");
  }
}

std::string guid(std::mt19937& random) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  for (char& c : out) {
    c = c == 'x' ? kHex[random() % 16] : c;
  }
  return out;
}

/// A world as hosts could tell of, likely or not.
ObservedState random_world(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&random](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const auto often = [&](std::uint32_t of_ten) { return below(10) < of_ten; };
  constexpr std::string_view kModels[] = {"NVIDIA A2",       "NVIDIA A16", "NVIDIA T4",
                                          "My \"card\": #1", "",           "bad\x01model"};
  constexpr std::string_view kDevices[] = {"10de:25b6", "10de:25b6", "10de:1eb8",
                                           "1234:5678", "10de:25b6", "9999:0001"};
  constexpr std::string_view kNames[] = {"vdi-1",       "no",           "123",  "a b",   "*",    "[x]",  "it's \"q\"",
                                         "B\xc3\xbcro", "- dash",       "a: b", "~",     "null", "NULL", "#c",
                                         "x\x07y",      "\xef\xbf\xbe", "true", "vdi-2", "1e3",  "0x1f", " lead",
                                         "{",           "\xe2\x80\xa8"};
  constexpr std::uint32_t kBuilds[] = {20349, 25398, 26100, 20348, 1};
  auto pool = std::make_shared<TextPool>();
  ObservedState world;
  const bool clustered = often(5);
  world.cluster = clustered ? "HCI-EAST" : "";
  const std::uint32_t hosts = 1 + below(3);
  const std::uint32_t build = kBuilds[below(5)];
  const std::uint32_t models = often(5) ? 1 : 6;
  const std::uint32_t first_model = below(6);
  const bool tidy = often(5);
  for (std::uint32_t h = 0; h < hosts; ++h) {
    Host host;
    host.name = pool->keep("hv-" + std::to_string(h));
    host.reachable = !often(1);
    if (host.reachable) {
      host.build = often(9) ? std::optional(build) : std::nullopt;
      host.edition = often(9) ? std::optional(static_cast<Edition>(below(4))) : std::nullopt;
      const std::uint32_t gpus = below(4);
      for (std::uint32_t g = 0; g < gpus; ++g) {
        Gpu gpu;
        gpu.name = pool->keep("gpu-" + std::to_string(g));
        const std::uint32_t m = (first_model + below(models)) % 6;
        gpu.model = kModels[m];
        gpu.device = often(9) ? kDevices[m] : "";
        gpu.status = tidy || often(8) ? GpuStatus::kPartitioned : static_cast<GpuStatus>(below(4));
        gpu.valid_partition_counts = {16, 8, 4, 2, 1};
        gpu.partition_count =
            gpu.status == GpuStatus::kPartitioned ? std::optional(tidy ? 4U : below(5)) : std::nullopt;
        gpu.total_vram = 16000000000U;
        host.gpus.push_back(gpu);
      }
      const std::uint32_t vms = below(7);
      for (std::uint32_t v = 0; v < vms; ++v) {
        Vm vm;
        vm.name = kNames[often(7) ? below(23) : 0];
        vm.id = pool->keep(often(9) ? guid(random) : "vm-" + std::to_string(v));
        vm.state = static_cast<VmState>(below(3));
        vm.state_name = vm.state == VmState::kRunning ? "Running" : vm.state == VmState::kOff ? "Off" : "Saved";
        vm.clustered = clustered && often(7);
        vm.generation = static_cast<std::uint8_t>(1 + below(2));
        if (vm.clustered && often(8)) {
          vm.offline_action = static_cast<OfflineAction>(below(4));
        }
        vm.dynamic_memory = often(5);
        vm.automatic_checkpoints = often(5);
        vm.first_adapter = static_cast<std::uint32_t>(host.adapters.size());
        vm.adapter_count = often(7) ? 1 : below(3);
        for (std::uint32_t a = 0; a < vm.adapter_count; ++a) {
          Adapter adapter;
          adapter.id = pool->keep("adapter-" + std::to_string(host.adapters.size()));
          if (often(6) && !host.gpus.empty()) {
            adapter.gpu = static_cast<std::int32_t>(below(static_cast<std::uint32_t>(host.gpus.size())));
            adapter.gpu_name = host.gpus[static_cast<std::size_t>(adapter.gpu)].name;
          } else if (often(1)) {
            adapter.gpu = Adapter::kUnknownGpu;
            adapter.gpu_name = "gone";
          }
          host.adapters.push_back(adapter);
        }
        host.vms.push_back(vm);
      }
    }
    world.hosts.push_back(std::move(host));
  }
  world.texts.push_back(pool);
  return world;
}

constexpr std::string_view kTwoNodes =
    R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "takenAt": "2026-11-22T08:41:00Z",
 "cluster": "HCI-EAST", "hosts": [
  {"name": "hv-e1", "build": 20349, "edition": "azure-stack-hci", "gpus": [
    {"name": "g1", "model": "NVIDIA A2", "device": "10de:25b6", "status": "partitioned", "validPartitionCounts": [16, 4], "partitionCount": 16},
    {"name": "g2", "model": "NVIDIA A2", "device": "10de:25b6", "status": "partitioned", "validPartitionCounts": [16, 4], "partitionCount": 4}],
   "vms": [
    {"name": "vdi-01", "id": "711cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Running", "clustered": true, "offlineAction": "save",
     "partitions": [{"id": "a", "gpu": "g1"}]},
    {"name": "no", "id": "811cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Off", "clustered": true, "offlineAction": "force-shutdown",
     "partitions": [{"id": "b"}]},
    {"name": "two", "id": "911cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Off", "clustered": true, "partitions": [{"id": "c"}, {"id": "d"}]},
    {"name": "none", "id": "a11cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Off", "partitions": []}]},
  {"name": "hv-e2", "build": 20349, "edition": "azure-stack-hci", "gpus": [
    {"name": "g1", "model": "NVIDIA A2", "device": "10de:25b6", "status": "partitioned", "validPartitionCounts": [16, 4], "partitionCount": 4},
    {"name": "g2", "model": "NVIDIA T4", "device": "10de:1eb8", "status": "ready-for-dda"}],
   "vms": [
    {"name": "vdi-01", "id": "b11cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Running", "clustered": true, "partitions": [{"id": "a", "gpu": "g1"}]}]},
  {"name": "hv-e3", "reachable": false, "error": "no route\nto host"}]})";

}  // namespace

TEST_CASE("the observed state is a desired-state file that says what is") {
  const ObservedState observed = state_of(kTwoNodes);
  CHECK_EQ(exported(observed),
           R"(# The observed state of 2026-11-22T08:41:00Z, exported by gpup: planning it shows nothing to do.
# Not listed, since it holds several partitions: two on hv-e1
# Not managed, since not all GPUs of the model are partitioned: NVIDIA T4 on hv-e2
apiVersion: gpup/v1
kind: GpuPartitioning
metadata:
  name: exported
cluster: HCI-EAST
hosts:
  - name: hv-e1
    connect: { transport: simulated, file: lab.json }
  - name: hv-e2
    connect: { transport: simulated, file: lab.json }
  # not read: no route\u{a}to host
  - name: hv-e3
    connect: { transport: simulated, file: lab.json }
gpus:
  - model: NVIDIA A2
    hosts: [hv-e1]
  - model: NVIDIA A2
    partitionCount: 4
    hosts: [hv-e2]
assignments:
  - vm: vdi-01
    id: "711cee18-60db-43b4-be7e-cedce5e25dd0"
    offlineAction: save
  - vm: "no"
  - vm: vdi-01
    id: "b11cee18-60db-43b4-be7e-cedce5e25dd0"
    offlineAction: unmanaged
policy:
  unlisted: keep
  homogeneous: warn
)");
  check_plans_to_nothing(observed);
}

TEST_CASE("an exported file says how its hosts were reached") {
  const ObservedState observed =
      state_of(R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "hosts": [{"name": "a", "gpus": [], "vms": []},)"
               R"({"name": "b", "gpus": [], "vms": []}, {"name": "c", "gpus": [], "vms": []}]})");
  ExportOptions options;
  options.name = "my lab: 1";
  options.snapshot = "labs/s.json";
  options.folder = "labs";
  HostTarget ssh{"A", {}};
  ssh.connect.transport = Transport::kSsh;
  ssh.connect.address = "10.1.0.12";
  ssh.connect.port = 2222;
  ssh.connect.user = "CONTOSO\\svc-gpup";
  ssh.connect.known_hosts = "labs/known_hosts";
  HostTarget local{"b", {}};
  options.targets = {ssh, local};
  const Result<std::string> text = export_desired(observed, options);
  REQUIRE(text);
  CHECK_NE(text->find(R"(  name: "my lab: 1"
hosts:
  - name: a
    connect: { transport: ssh, address: "10.1.0.12", port: 2222, user: "CONTOSO\\svc-gpup", knownHosts: known_hosts }
  - name: b
    connect: { transport: local }
  - name: c
    connect: { transport: simulated, file: s.json }
)"),
           std::string::npos);
  CHECK_EQ(trouble_with(observed, *text), "");
}

TEST_CASE("what cannot stand in a file at all is refused") {
  ExportOptions options;
  CHECK_FALSE(export_desired({}, options));
  ObservedState observed = state_of(kTwoNodes);
  observed.cluster = "HCI\x07";
  CHECK_FALSE(export_desired(observed, options));
  observed.cluster = "HCI";
  observed.hosts[1].name = "a\nb";
  const Result<std::string> text = export_desired(observed, options);
  REQUIRE_FALSE(text);
  CHECK_EQ(text.error().code, ErrorCode::kBadContent);
  CHECK_EQ(text.error().diagnostics.at(0).code, Code::kCannotExport);
}

TEST_CASE("planning an exported file shows nothing to do, whatever the world") {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    check_plans_to_nothing(random_world(seed));
  }
}

}  // namespace gpup
