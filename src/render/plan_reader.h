#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "plan/plan.h"

namespace gpup {

inline constexpr std::uint64_t kLargestPlan = 1ULL * 1024 * 1024 * 1024;

/// The plan that `write_plan` wrote: the same value, so that writing it again gives the same bytes. Its bytes are
/// checked against its id first. Whatever is not exactly a plan of this version is kBadContent, with its place in
/// `path`: edited or cut off (kPlanDigest), of another version (kPlanVersion), not a plan (kPlanSyntax).
/// `Plan::id` and `Plan::reasons` are set.
Result<Plan> read_plan(std::string text, const std::string& path);

}  // namespace gpup
