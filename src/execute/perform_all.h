#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/task.h"
#include "execute/loop.h"
#include "execute/schedule.h"

namespace gpup {

/// Performs every step of a schedule, as many at once as it lets begin, `most` at most; returns when all have ended.
/// Where one throws, no other begins, and once those under way have ended it is thrown here.
void perform_all(Loop& loop, Schedule& schedule, std::size_t most,
                 const std::function<Task<>(std::uint32_t step)>& perform);

}  // namespace gpup
