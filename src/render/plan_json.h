#pragma once

#include <string>

#include "base/sink.h"
#include "plan/plan.h"

namespace gpup {

// A plan as JSON: design section 5's members in its order, one fact, difference or step a line, so that a saved plan
// can be read, searched and compared line by line. The same plan always gives the same bytes.
//
// Its id is `sha256:` and the SHA-256, in lower-case hex, of all its bytes but those 64 digits. Since the id stands on
// a line of its own, a shell can check it:
//
//   sed -E '1,9s/^("id": "sha256:)[0-9a-f]{64}",$/\1",/' PLAN | sha256sum

/// Writes the plan in one pass and fills in its id in the end. Returns the id; whether the bytes arrived is the
/// file's to say.
std::string write_plan(const Plan& plan, OutputFile& file);

/// The same bytes for what cannot be patched: goes over the plan twice, unless `Plan::id` is there already. Returns the
/// id.
std::string write_plan(const Plan& plan, Sink& sink);

/// The plan's id: as it was written or read, else what it would be written with.
std::string plan_id(const Plan& plan);

}  // namespace gpup
