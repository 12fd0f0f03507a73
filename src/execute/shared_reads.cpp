#include "execute/shared_reads.h"

#include <utility>

namespace gpup {

SharedReads::SharedReads(const std::vector<HostTarget>& hosts, HostReader& reader, const Patience& patience)
    : hosts_(hosts), reader_(reader), patience_(patience), rounds_(hosts.size()), waited_for_(hosts.size()) {}

Reading SharedReads::after_now(std::uint32_t host) {
  return rounds_[host].next([&] { return read(host); });
}

Reading SharedReads::by_now(std::uint32_t host) {
  return rounds_[host].current([&] { return read(host); });
}

Reading SharedReads::read(std::uint32_t host) {
  Result<ObservedState> state = reader_.observe(hosts_[host]).get();
  for (BackOff back_off(patience_); !state && may_pass(state.error()) && waited_for_[host] == 0;) {
    if (!back_off.wait()) {
      waited_for_[host] = 1;
      break;
    }
    state = reader_.observe(hosts_[host]).get();
  }
  if (state) {
    waited_for_[host] = 0;
  }
  if (state && state->hosts.empty()) {
    state = fail(ErrorCode::kUnreachable, "it is not there");
  }
  return std::make_shared<const Result<ObservedState>>(std::move(state));
}

}  // namespace gpup
