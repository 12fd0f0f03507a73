#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/words.h"

namespace gpup {

using ClockTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// A display device as the host's Plug and Play knows it. In all facts, empty text and nullopt are "not known".
struct DeviceFacts {
  std::string instance_id;  ///< `PCI\VEN_10DE&DEV_25B6&...`; compares without case
  std::string friendly_name;
  std::string status;  ///< `OK`, `Error`, `Unknown`, ...
  std::optional<std::uint64_t> problem;
  std::optional<bool> present;
};

/// A GPU, as a snapshot has it.
struct GpuFacts {
  std::string name;
  std::string model;
  std::string device;     ///< lower case
  std::string subsystem;  ///< lower case
  std::optional<GpuStatus> status;
  std::optional<std::uint64_t> partition_count;
  std::optional<std::uint64_t> total_vram;
  std::optional<bool> incoming_live_migration;
};

struct VmFacts {
  std::string name;
  std::string id;     ///< lower case
  std::string state;  ///< `Running`
  bool clustered = false;
  std::optional<std::uint64_t> generation;
  std::optional<bool> dynamic_memory;
  std::optional<bool> automatic_checkpoints;
  std::optional<std::uint64_t> checkpoint_type;        ///< 2 = Disabled
  std::optional<std::uint64_t> automatic_stop_action;  ///< 3 = Save
  /// Whether it stands on a checkpoint; nullopt where nothing was said of it.
  std::optional<bool> has_checkpoint;
  std::optional<bool> shutdown_service;
  std::optional<bool> cache_types;         ///< `guestControlledCacheTypes`
  std::optional<std::uint64_t> high_mmio;  ///< `highMemoryMappedIoSpace`, bytes
  std::optional<bool> hibernation;         ///< the guest may hibernate; only a lab tells
  std::optional<OfflineAction> offline_action;
  std::optional<std::uint64_t> adapters;
  std::optional<bool> stale_adapter;  ///< `staleAdapterSuspected`
  std::string guest_os;               ///< only a lab tells
};

struct NodeFacts {
  std::string name;
  std::optional<std::int64_t> state;  ///< -1 Unknown, 0 Up, 1 Down, 2 Paused, 3 Joining
};

struct ClusterFacts {
  std::string name;
  std::vector<NodeFacts> nodes;
};

/// What a host told when it was examined: raw, to be judged elsewhere.
struct HostFacts {
  std::string computer;
  std::optional<std::uint32_t> build;
  std::optional<std::uint32_t> revision;  ///< `ubr`
  std::optional<Edition> edition;
  std::string product;
  std::optional<bool> elevated;
  std::optional<bool> sr_iov;
  std::vector<std::string> sr_iov_reasons;  ///< why not, in the host's words
  std::optional<bool> virtualization;
  std::optional<std::uint64_t> require_secure_assignment;     ///< the policy's value; 0 where it is not set
  std::optional<std::uint64_t> require_supported_assignment;  ///< likewise
  std::optional<bool> arc_managed;
  std::optional<ClockTime> clock;
  std::map<std::string, std::string, std::less<>> modules;  ///< by name; an empty version is a module that is missing
  std::map<std::string, bool, std::less<>> cmdlets;         ///< by `MODULE\NAME`: whether the host has it

  std::optional<std::vector<DeviceFacts>> devices;
  std::optional<std::vector<GpuFacts>> gpus;
  std::optional<std::vector<std::string>> assignable;  ///< instance ids of devices that are dismounted for DDA
  std::optional<std::vector<VmFacts>> vms;
  std::optional<ClusterFacts> cluster;  ///< nullopt also where it is in none

  /// Why something is not known, by the member that lacks it: `host.elevated`, `vms`.
  std::map<std::string, std::string, std::less<>> errors;
};

}  // namespace gpup
