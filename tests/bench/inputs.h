#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpup::bench {

/// The paths of what was written.
struct Inputs {
  std::vector<std::string> files;  ///< the desired state, each file below 16 MiB
  std::string snapshot;
};

struct World {
  std::uint32_t assignments = 0;
  bool changes = false;  ///< every VM has 5 or 6 steps; otherwise nothing differs
  bool flow = false;     ///< assignments in flow style
};

/// Writes a cluster of hosts with four NVIDIA A2 each, and the file that wants 8 partitions on each card and every
/// VM assigned. The same world gives the same bytes.
Inputs write_inputs(const World& world, const std::string& folder);

}  // namespace gpup::bench
