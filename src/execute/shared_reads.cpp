#include "execute/shared_reads.h"

#include <utility>

namespace gpup {

SharedReads::SharedReads(Loop& loop, const std::vector<HostTarget>& hosts, HostReader& reader, const Patience& patience)
    : loop_(loop),
      hosts_(hosts),
      reader_(reader),
      patience_(patience),
      rounds_(hosts.size(), Rounds<Reading>(loop)),
      waited_for_(hosts.size()) {}

Task<Reading> SharedReads::after_now(std::uint32_t host) {
  return rounds_[host].next([this, host] { return read(host); });
}

Task<Reading> SharedReads::by_now(std::uint32_t host) {
  return rounds_[host].current([this, host] { return read(host); });
}

Task<Reading> SharedReads::read(std::uint32_t host) {
  Result<ObservedState> state = co_await loop_.get(reader_.observe(hosts_[host]));
  BackOff back_off(patience_);
  while (!state && may_pass(state.error()) && !waited_for_[host]) {
    const bool waited = co_await back_off.wait(loop_);
    if (!waited) {
      waited_for_[host] = true;
      break;
    }
    state = co_await loop_.get(reader_.observe(hosts_[host]));
  }
  if (state) {
    waited_for_[host] = false;
  }
  if (state && state->hosts.empty()) {
    state = fail(ErrorCode::kUnreachable, "it is not there");
  }
  co_return std::make_shared<const Result<ObservedState>>(std::move(state));
}

}  // namespace gpup
