#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

#include "execute/schedule.h"

namespace gpup {

/// Performs every step of a schedule on the calling thread and as many others, `most` in all, as there are steps to be
/// performed at once; returns when all have ended. `perform` is called with `lock`, which holds `mutex`, and lets go of
/// it while it waits for a host; the schedule is used under `mutex` alone. Threads that cannot be had are done without.
void perform_all(Schedule& schedule, std::mutex& mutex, std::size_t most,
                 const std::function<void(std::uint32_t step, std::unique_lock<std::mutex>& lock)>& perform);

}  // namespace gpup
