#include "cli/explain.h"

namespace gpup {

std::span<const Explanation> explain_saved_plan() { return {}; }

}  // namespace gpup
