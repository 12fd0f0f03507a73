#include "worlds/oracle.h"

namespace worlds {

Verdict should_refuse(const Reading& reading) {
  if (!reading.forbidden.empty()) {
    return Verdict::kRefuse;
  }
  return reading.open.empty() ? Verdict::kPlan : Verdict::kOpen;
}

}  // namespace worlds
