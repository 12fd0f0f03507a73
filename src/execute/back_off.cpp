#include "execute/back_off.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gpup {

namespace {

constexpr auto kMayPass = std::to_array<Code>({
    Code::kNoConnection,  // the network, or a host that restarts its services
    Code::kSessionEnded,  // a new session is opened
    Code::kNoAnswer,      // the host is busy
    Code::kClusterAway,   // the cluster fails over
});

}  // namespace

Task<bool> BackOff::wait(Loop& loop) {
  if (patience_.now() + pause_ - begun_ > patience_.most) {
    co_return false;
  }
  const std::chrono::milliseconds pause = std::exchange(pause_, pause_ * 2);
  if (patience_.sleep) {
    patience_.sleep(pause);
  } else {
    co_await loop.until(Loop::Clock::now() + pause);
  }
  co_return true;
}

bool may_pass(const Error& error) {
  return !error.diagnostics.empty() &&
         std::find(kMayPass.begin(), kMayPass.end(), error.diagnostics.front().code) != kMayPass.end();
}

}  // namespace gpup
