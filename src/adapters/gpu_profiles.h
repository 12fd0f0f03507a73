#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gpup {

/// What one partition of a GPU gets at a count. VRAM in bytes.
struct PartitionSize {
  std::uint32_t count;
  std::uint64_t vram;
  std::uint64_t encode;
  std::uint64_t decode;
  std::uint64_t compute;
};

/// A model whose partition sizes are known.
struct GpuProfile {
  std::string_view model;
  std::string_view device;
  std::string_view subsystem;
  std::uint64_t total_vram;
  std::uint64_t total_encode;
  std::uint64_t total_decode;
  std::uint64_t total_compute;
  std::span<const PartitionSize> sizes;
};

/// All profiles that the simulated host knows by itself.
std::span<const GpuProfile> gpu_profiles();

}  // namespace gpup
