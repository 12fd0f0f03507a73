#include "cli/explain.h"

namespace gpup {

std::span<const Explanation> explain_snapshot() { return {}; }

}  // namespace gpup
