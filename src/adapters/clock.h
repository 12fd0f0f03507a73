#pragma once

#include <string>

#include "execute/report.h"

namespace gpup {

/// The time by the machine's clock.
Time system_now();

/// The time now, as snapshots hold it: `2026-11-22T08:41:00Z`.
std::string now_utc();

}  // namespace gpup
