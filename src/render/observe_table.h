#pragma once

#include <cstdint>
#include <string>

#include "observed/observed_state.h"

namespace gpup {

enum class ObserveForm : std::uint8_t {
  kTable,  ///< what fits a terminal
  kWide,   ///< every column
};

/// The GPUs page of Windows Admin Center for a terminal: for each host its GPUs and the partitions that VMs hold,
/// then what is free by model; what to check where there is nothing to partition; hosts that were not read. Appends
/// to `out`; text from hosts is escaped.
void render_observe(const ObservedState& observed, ObserveForm form, std::string& out);

}  // namespace gpup
