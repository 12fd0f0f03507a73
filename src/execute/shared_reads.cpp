#include "execute/shared_reads.h"

#include <utility>

namespace gpup {

SharedReads::SharedReads(const std::vector<HostTarget>& hosts, HostReader& reader)
    : hosts_(hosts), reader_(reader), rounds_(hosts.size()) {}

Reading SharedReads::after_now(std::uint32_t host) {
  return rounds_[host].next([&] { return read(host); });
}

Reading SharedReads::by_now(std::uint32_t host) {
  return rounds_[host].current([&] { return read(host); });
}

Reading SharedReads::read(std::uint32_t host) {
  Result<ObservedState> state = reader_.observe(hosts_[host]);
  if (state && state->hosts.empty()) {
    state = fail(ErrorCode::kUnreachable, "it is not there");
  }
  return std::make_shared<const Result<ObservedState>>(std::move(state));
}

}  // namespace gpup
