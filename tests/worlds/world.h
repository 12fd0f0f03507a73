#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace worlds {

/// `Adapter::gpu` beside indexes into `Host::gpus`.
inline constexpr int kUnresolved = -1;
inline constexpr int kGone = -2;  ///< names a GPU that its host does not list

struct Gpu {
  std::string model = "NVIDIA A2";
  std::string status = "partitioned";
  std::vector<unsigned> valid = {4, 2, 1};
  unsigned count = 1;
};

struct Adapter {
  int gpu = kUnresolved;
};

struct Vm {
  std::string name;
  std::string state = "Running";
  bool clustered = false;
  std::string offline;  ///< empty = null
  std::vector<Adapter> adapters;
  bool start_owed = false;

  /// An earlier run stopped it, and nobody has started it.
  bool owed() const { return start_owed && state == "Off"; }
};

struct Host {
  std::string name;
  bool in_file = true;
  bool in_snapshot = true;
  bool reachable = true;
  std::vector<Gpu> gpus;
  std::vector<Vm> vms;

  bool read() const { return in_file && in_snapshot && reachable; }
};

/// A line under `gpus`.
struct GpuLine {
  std::string by = "model";  ///< model, device or match
  std::string text = "NVIDIA A2";
  std::optional<unsigned> count;
  std::optional<unsigned> expect;
  std::vector<int> hosts;  ///< empty = all

  bool on(int host) const;
  bool matches(const Gpu& gpu) const;
};

/// A line under `assignments`.
struct Line {
  std::string vm;     ///< one of vm, id and match is not empty
  std::string id;     ///< as `id_of` gives it
  std::string match;  ///< also a std::regex
  unsigned expect = 0;
  std::string gpu;
  std::optional<std::uint64_t> min_vram;
  std::string offline;
  std::string power;  ///< empty = left out
  int host = -1;
};

/// `policy.disruption`: how many of the VMs that it is about may be down at once.
struct DownLimit {
  std::string match;  ///< of `groups`, also a std::regex; empty = `maxUnavailable`
  unsigned value = 0;
  bool percent = false;
};

/// Everything that a plan depends on: the file and the hosts. Its texts are made from it, never read back.
struct World {
  std::string cluster;           ///< the file's; empty = left out
  std::string snapshot_cluster;  ///< empty = null
  std::vector<Host> hosts;
  std::vector<GpuLine> gpu_lines;
  std::vector<Line> lines;
  std::string unlisted;     ///< empty = left out
  std::string homogeneous;  ///< empty = left out
  std::vector<DownLimit> limits;
  unsigned per_host = 0;                ///< 0 = left out
  std::vector<std::string> down_order;  ///< `order`

  bool limited() const { return !limits.empty() || per_host != 0; }
};

std::string id_of(int host, int vm);
std::string adapter_id(int host, int vm, int adapter);
std::string gpu_name(const World& world, int host, int gpu);
std::string device_of(const std::string& model);
std::uint64_t total_vram(const std::string& model);
std::uint64_t partition_vram(const std::string& model, unsigned count);

std::string to_yaml(const World& world);
std::string to_snapshot_json(const World& world);

/// Both texts, as a failure shows them.
std::string show(const World& world);

}  // namespace worlds
