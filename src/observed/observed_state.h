#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_pool.h"
#include "model/words.h"

namespace gpup {

// The observed state: what hosts said of themselves, or what a snapshot of it says. Plain values; the
// text that views point into is owned by `ObservedState::texts`. "Absent" is an empty view or nullopt.

/// A physical GPU of a host. Sizes in bytes.
struct Gpu {
  std::string_view name;       ///< `\\?\PCI#VEN_...`: unique on its host, compares without case
  std::string_view model;      ///< PnP's FriendlyName; empty where PnP gave none
  std::string_view device;     ///< `10de:25b6`
  std::string_view subsystem;  ///< `157e10de`
  GpuStatus status = GpuStatus::kNotAssignable;
  std::vector<std::uint32_t> valid_partition_counts;  ///< in the order the host gave
  std::optional<std::uint32_t> partition_count;
  std::optional<std::uint64_t> total_vram;
  std::optional<std::uint64_t> available_vram;
  std::optional<std::uint64_t> partition_vram;
  std::optional<std::uint64_t> partition_encode;
  std::optional<std::uint64_t> partition_decode;
  std::optional<std::uint64_t> partition_compute;
};

/// An adapter: the record on a VM that it holds a partition.
struct Adapter {
  static constexpr std::int32_t kUnresolved = -1;  ///< `gpu: null`
  static constexpr std::int32_t kUnknownGpu = -2;  ///< names a GPU that its host does not list

  std::string_view id;
  std::string_view gpu_name;       ///< as observed; empty while unresolved
  std::int32_t gpu = kUnresolved;  ///< index into `Host::gpus`, or one of the above
  std::optional<std::uint32_t> partition_id;
  std::optional<std::uint64_t> vram;
  std::optional<std::uint64_t> encode;
  std::optional<std::uint64_t> decode;
};

/// A virtual machine on the host where it is now.
struct Vm {
  std::string_view name;
  std::string_view id;          ///< GUID; compares without case
  std::string_view state_name;  ///< as observed: `Running`, `Off`, `Saved`, ...
  VmState state = VmState::kOther;
  bool clustered = false;
  std::optional<std::uint8_t> generation;
  std::optional<OfflineAction> offline_action;
  std::optional<bool> dynamic_memory;         ///< `dynamicMemoryEnabled`
  std::optional<bool> automatic_checkpoints;  ///< `automaticCheckpointsEnabled`
  bool start_owed = false;                    ///< `startOwed`: a run of ours stopped it and has not started it again
  std::uint32_t first_adapter = 0;            ///< its adapters stand together in `Host::adapters`
  std::uint32_t adapter_count = 0;
};

/// A server. Where `reachable` is false nothing else but name and error is known: it is
/// "not checked", never "empty".
struct Host {
  std::string_view name;
  bool reachable = true;
  std::string_view error;
  std::optional<std::uint32_t> build;
  std::optional<Edition> edition;
  std::vector<Gpu> gpus;
  std::vector<Vm> vms;
  std::vector<Adapter> adapters;
  std::vector<std::string_view> starts_owed;  ///< `startsOwed`: the same, of VMs that have left it since: their ids

  std::span<const Adapter> adapters_of(const Vm& vm) const {
    return std::span(adapters).subspan(vm.first_adapter, vm.adapter_count);
  }
};

struct ObservedState {
  std::string taken_at;      ///< `2026-11-22T08:41:00Z`; empty where absent
  std::string_view cluster;  ///< empty where the hosts are in none
  std::vector<Host> hosts;   ///< names differ without case
  Texts texts;
};

/// The host of that name (without case), or nullptr.
const Host* find_host(const ObservedState& observed, std::string_view name);

/// The VM of that id (without case) on the host, or nullptr. Linear.
const Vm* find_vm(const Host& host, std::string_view id);

/// The GPU of that name (without case) on the host, or nullptr.
const Gpu* find_gpu(const Host& host, std::string_view name);

}  // namespace gpup
