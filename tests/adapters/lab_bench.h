#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "adapters/files.h"
#include "adapters/simulated_host.h"
#include "adapters/temporary_folder.h"

/// A lab in a file, and what its tests say to it.
namespace gpup::lab_bench {

using nlohmann::json;

inline constexpr const char* kGpu0 =
    "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#0#{064092b3-625e-43bf-9eb5-dc845897dd59}";
inline constexpr const char* kGpu1 =
    "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#1#{064092b3-625e-43bf-9eb5-dc845897dd59}";

inline std::string guid(int number) {
  std::string digits = std::to_string(number);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

/// Braces around one value are a list of it to one compiler and the value itself to another.
inline json list(json values) { return values.is_array() ? std::move(values) : json::array({std::move(values)}); }

inline json a2(const char* name, int count) {
  return {{"name", name},
          {"model", "NVIDIA A2"},
          {"device", "10de:25b6"},
          {"subsystem", "157e10de"},
          {"status", "partitioned"},
          {"validPartitionCounts", {16, 8, 4, 2, 1}},
          {"partitionCount", count},
          {"totalVram", 15918030848},
          {"availableVram", 15918030848},
          {"partitionVram", count == 16 ? 939524096 : 3825205248},
          {"partitionEncode", count == 16 ? 2 : 9},
          {"partitionDecode", count == 16 ? 1 : 6},
          {"partitionCompute", count == 16 ? 128 : 512}};
}

inline json vm(int number, const char* state, json partitions = json::array()) {
  return {{"name", "vm-" + std::to_string(number)},
          {"id", guid(number)},
          {"state", state},
          {"clustered", false},
          {"generation", 2},
          {"offlineAction", nullptr},
          {"partitions", list(std::move(partitions))}};
}

inline json adapter(int number, json gpu = nullptr) {
  return {{"id", guid(number)}, {"gpu", std::move(gpu)}, {"partitionId", nullptr}, {"vram", nullptr}};
}

inline json lab(json gpus, json vms, json simulate = nullptr) {
  json host = {{"name", "hv-1"},
               {"build", 20349},
               {"edition", "azure-stack-hci"},
               {"reachable", true},
               {"gpus", list(std::move(gpus))},
               {"vms", list(std::move(vms))},
               {"keepMe", {1, 2.5, "x"}}};
  if (!simulate.is_null()) {
    host["simulate"] = std::move(simulate);
  }
  return {{"apiVersion", "gpup/v1"},
          {"kind", "Snapshot"},
          {"takenAt", "2026-11-22T08:41:00Z"},
          {"cluster", nullptr},
          {"hosts", json::array({std::move(host)})}};
}

/// A lab in a folder of its own, with a host to talk to.
struct Bench {
  explicit Bench(const json& state) { spill(file(), state.dump(1)); }

  std::string file() const { return folder / "lab.json"; }
  HostTarget target(const std::string& name = "hv-1") const {
    HostTarget host{name, {}};
    host.connect.transport = Transport::kSimulated;
    host.connect.file = file();
    return host;
  }
  json state() const { return json::parse(read_file(file(), std::uint64_t{1} << 30U).value()); }
  json gpu(std::size_t i) const { return state()["hosts"][0]["gpus"][i]; }
  json machine(std::size_t i) const { return state()["hosts"][0]["vms"][i]; }
  /// What the host says to a deed: "" or the refusal.
  static std::string said(HostAnswer<Done> answer) {
    const Result<Done> done = answer.get();
    return done ? std::string() : done.error().message;
  }

  std::string stop(int number) { return said(hosts->stop_vm(target(), guid(number), {}, false)); }
  std::string start(int number) { return said(hosts->start_vm(target(), guid(number))); }
  std::string assign(int number, std::optional<std::string> gpu = {}) {
    return said(hosts->assign_partition(target(), guid(number), gpu));
  }
  std::string unassign(int number, int adapter_number) {
    return said(hosts->unassign_partition(target(), guid(number), guid(adapter_number)));
  }
  std::string set_count(const std::string& name, std::uint32_t count) {
    return said(hosts->set_partition_count(target(), name, count));
  }

  TemporaryFolder folder;
  std::unique_ptr<HostWriter> hosts = make_simulated_hosts();
};

inline bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace gpup::lab_bench
