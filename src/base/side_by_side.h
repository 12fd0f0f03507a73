#pragma once

#include <cstddef>
#include <functional>

namespace gpup {

/// Calls `deed` once for each number below `count`, `most` at a time, on as many threads; returns when all have ended.
/// With `most` of 1 they come in order, on the calling thread.
void side_by_side(std::size_t count, std::size_t most, const std::function<void(std::size_t)>& deed);

}  // namespace gpup
