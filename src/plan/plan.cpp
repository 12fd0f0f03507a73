#include "plan/plan.h"

#include <cassert>

namespace gpup {

namespace {
constexpr std::array<std::string_view, kOps> kOpWords = {
    "stop-vm", "unassign-partition", "set-partition-count", "assign-partition", "set-offline-action", "start-vm"};
constexpr std::array<std::string_view, 6> kPropertyWords = {"partitionCount", "status",     "assigned",
                                                            "state",          "partitions", "offlineAction"};
}  // namespace

std::string_view to_string(Op op) { return kOpWords.at(static_cast<std::size_t>(op)); }

std::optional<Op> parse_op(std::string_view text) {
  for (std::size_t i = 0; i < kOpWords.size(); ++i) {
    if (kOpWords.at(i) == text) {
      return static_cast<Op>(i);
    }
  }
  return std::nullopt;
}

std::string_view to_string(Property property) { return kPropertyWords.at(static_cast<std::size_t>(property)); }

std::array<std::uint64_t, kOps> Plan::summary() const {
  std::array<std::uint64_t, kOps> counts{};
  for (const Step& step : steps) {
    ++counts.at(static_cast<std::size_t>(step.op));
  }
  return counts;
}

std::uint32_t host_of(const Plan& plan, const Step& step) {
  return step.vm != kNone ? plan.vms[step.vm].host : plan.gpus[step.gpu].host;
}

}  // namespace gpup
