#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// What became of one difference of a plan, as far as was read back.
struct Change {
  enum class State : std::uint8_t {
    kAsWanted,
    kAsBefore,   ///< its steps were skipped
    kInBetween,  ///< some of its steps ended well, the others were skipped or taken back
    kUnknown,    ///< a step failed, or nobody saw its end
    kUntouched   ///< the run was refused: nothing was sent, and nothing looked at again
  };
  State state = State::kUntouched;
  /// kPartitions: of each adapter that its VM has now the GPU, or nothing where the host has not chosen one yet.
  /// Nothing is in it where the state is kUnknown or kUntouched.
  std::vector<std::string> gpus;

  bool known() const { return state == State::kAsWanted || state == State::kAsBefore || state == State::kInBetween; }
};
std::string_view to_string(Change::State state);  ///< `as-wanted`

/// One a difference, in the plan's order.
std::vector<Change> changes_of(const Plan& plan, const Report& report);

}  // namespace gpup
