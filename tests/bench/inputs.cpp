#include "bench/inputs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include <fmt/format.h>

namespace gpup::bench {

namespace {

constexpr std::uint32_t kGpus = 4;
constexpr std::uint32_t kWanted = 8;  // partitions a GPU, in the end
constexpr std::uint32_t kVmsOfHost = kGpus * kWanted;
constexpr std::uint32_t kAssignmentsOfFile = 50000;  // about 5 MB
constexpr std::uint64_t kSeed = 20261124;

class Guids {
 public:
  std::string next() {
    const std::uint64_t a = random_();
    const std::uint64_t b = random_();
    return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32U, a >> 16U & 0xffffU, a & 0xfffU,
                       b >> 48U & 0xfffU, b & 0xffffffffffffU);
  }

 private:
  std::mt19937_64 random_{kSeed};
};

std::uint32_t hosts_of(const World& world) { return (world.assignments + kVmsOfHost - 1) / kVmsOfHost; }

// As a string of JSON.
std::string gpu_name(std::uint32_t host, std::uint32_t gpu) {
  return fmt::format(
      R"(\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&{:08x}&0&{:04x}#{{064092b3-625e-43bf-9eb5-dc845897dd59}})",
      0x18416dc3U + host, gpu * 8);
}

std::string header(bool first, const World& world) {
  std::string text = "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata:\n  name: bench\n";
  if (!first) {
    return text;
  }
  text += "cluster: BENCH\nhosts:\n";
  for (std::uint32_t h = 0; h < hosts_of(world); ++h) {
    text += fmt::format("  - name: hv-{:05}\n    connect: {{ transport: simulated, file: bench.lab.json }}\n", h);
  }
  text += fmt::format("gpus:\n  - model: NVIDIA A2\n    partitionCount: {}\n", kWanted);
  return text;
}

std::vector<std::string> write_desired(const World& world, const std::string& folder) {
  std::vector<std::string> paths;
  for (std::uint32_t first = 0; first < world.assignments; first += kAssignmentsOfFile) {
    paths.push_back(fmt::format("{}/desired-{}.yaml", folder, paths.size()));
    std::ofstream out(paths.back(), std::ios::binary);
    out << header(first == 0, world) << "assignments:\n";
    const std::uint32_t end = std::min(world.assignments, first + kAssignmentsOfFile);
    for (std::uint32_t vm = first; vm < end; ++vm) {
      out << (world.flow
                  ? fmt::format(
                        "  - {{ vm: vdi-{:06}, gpu: NVIDIA A2, offlineAction: force-shutdown, power: running }}\n", vm)
                  : fmt::format("  - vm: vdi-{:06}\n    gpu: NVIDIA A2\n    offlineAction: force-shutdown\n    power: "
                                "running\n",
                                vm));
    }
  }
  return paths;
}

std::string gpu_row(const World& world, std::uint32_t host, std::uint32_t gpu) {
  return fmt::format(
      R"({{"name": "{}", "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned", )"
      R"("validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": {}, "totalVram": 15918030848, )"
      R"("availableVram": 15918030848, "partitionVram": {}, "partitionEncode": 2, "partitionDecode": 1, )"
      R"("partitionCompute": 128}})",
      gpu_name(host, gpu), world.changes ? 16 : kWanted, world.changes ? 939524096 : 1946157056);
}

std::string vm_row(const World& world, std::uint32_t host, std::uint32_t vm, Guids& guids) {
  const std::uint32_t gpu = vm % kGpus;
  std::string text =
      fmt::format(R"({{"name": "vdi-{:06}", "id": "{}", "state": "Running", "clustered": true, "generation": 2, )"
                  R"("offlineAction": "{}", "partitions": [)",
                  vm, guids.next(), world.changes ? "save" : "force-shutdown");
  // Where all changes, every sixteenth VM has an adapter too many: 6 steps instead of 5.
  const std::uint32_t adapters = world.changes && vm % 16 == 0 ? 2 : 1;
  for (std::uint32_t a = 0; a < adapters; ++a) {
    text += fmt::format(R"({}{{"id": "{}", "gpu": "{}", "partitionId": {}, "vram": {}}})", a == 0 ? "" : ", ",
                        guids.next(), gpu_name(host, gpu), vm % kWanted, world.changes ? 939524096 : 1946157056);
  }
  return text + "]}";
}

std::string write_snapshot(const World& world, const std::string& folder) {
  const std::string path = folder + "/snapshot.json";
  std::ofstream out(path, std::ios::binary);
  Guids guids;
  out << R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "takenAt": "2026-11-22T08:41:00Z", "cluster": "BENCH",)"
      << "\n \"hosts\": [";
  for (std::uint32_t h = 0; h < hosts_of(world); ++h) {
    out << (h == 0 ? "\n" : ",\n")
        << fmt::format(R"({{"name": "hv-{:05}", "build": 20349, "edition": "azure-stack-hci", "reachable": true,)", h)
        << "\n \"gpus\": [";
    for (std::uint32_t g = 0; g < kGpus; ++g) {
      out << (g == 0 ? "\n" : ",\n") << gpu_row(world, h, g);
    }
    out << "],\n \"vms\": [";
    const std::uint32_t end = std::min(world.assignments, (h + 1) * kVmsOfHost);
    for (std::uint32_t vm = h * kVmsOfHost; vm < end; ++vm) {
      out << (vm == h * kVmsOfHost ? "\n" : ",\n") << vm_row(world, h, vm, guids);
    }
    out << "]}";
  }
  out << "]}\n";
  return path;
}

}  // namespace

Inputs write_inputs(const World& world, const std::string& folder) {
  std::filesystem::create_directories(folder);
  return {write_desired(world, folder), write_snapshot(world, folder)};
}

}  // namespace gpup::bench
