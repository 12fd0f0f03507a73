#include "adapters/gpu_profiles.h"

#include <array>

namespace gpup {

namespace {

// Counts 16 and 4 were seen on real cards; 8, 2 and 1 are inferred from them.
constexpr auto kA2Sizes = std::to_array<PartitionSize>({
    {16, 939524096, 2, 1, 128},
    {8, 1988100096, 4, 3, 256},
    {4, 3825205248, 9, 6, 512},
    {2, 7650410496, 18, 12, 1024},
    {1, 15300820992, 36, 24, 2048},
});

// The A16 has the A2's device id: only the subsystem tells them apart.
constexpr auto kProfiles = std::to_array<GpuProfile>({
    {"NVIDIA A2", "10de:25b6", "157e10de", 15918030848, 36, 24, 2048, kA2Sizes},
});

}  // namespace

std::span<const GpuProfile> gpu_profiles() { return kProfiles; }

}  // namespace gpup
