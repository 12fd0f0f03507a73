#include "execute/back_off.h"

#include <algorithm>
#include <array>

namespace gpup {

namespace {

constexpr auto kMayPass = std::to_array<Code>({
    Code::kNoConnection,  // the network, or a host that restarts its services
    Code::kSessionEnded,  // a new session is opened
    Code::kNoAnswer,      // the host is busy
    Code::kClusterAway,   // the cluster fails over
});

}  // namespace

bool BackOff::wait() {
  if (patience_.now() + pause_ - begun_ > patience_.most) {
    return false;
  }
  patience_.sleep(pause_);
  pause_ *= 2;
  return true;
}

bool may_pass(const Error& error) {
  return !error.diagnostics.empty() &&
         std::find(kMayPass.begin(), kMayPass.end(), error.diagnostics.front().code) != kMayPass.end();
}

}  // namespace gpup
