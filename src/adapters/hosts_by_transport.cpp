#include "adapters/hosts_by_transport.h"

#include <string>
#include <utility>

#include <fmt/format.h>

namespace gpup {

namespace {

tl::unexpected<Error> not_served(const HostTarget& host) {
  Diagnostic diagnostic;
  diagnostic.code = Code::kTransportMissing;
  diagnostic.message =
      fmt::format("this version of gpup cannot reach hosts by transport '{}'", to_string(host.connect.transport));
  diagnostic.host = host.name;
  diagnostic.object = "host";
  diagnostic.hint = "only 'simulated' is served; or save a snapshot elsewhere and give it with --observed";
  return tl::unexpected<Error>(Error{ErrorCode::kUnreachable, diagnostic.message, {diagnostic}});
}

class HostsByTransport : public HostWriter {
 public:
  explicit HostsByTransport(std::unique_ptr<HostWriter> simulated) : simulated_(std::move(simulated)) {}

  Result<ObservedState> observe(const HostTarget& host) override {
    return with<ObservedState>(host, [&](HostWriter& hosts) { return hosts.observe(host); });
  }
  Result<HostFacts> examine(const HostTarget& host) override {
    return with<HostFacts>(host, [&](HostWriter& hosts) { return hosts.examine(host); });
  }
  Result<Done> lock(const HostTarget& host) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.lock(host); });
  }
  void unlock(const HostTarget& host) override {
    if (HostWriter* hosts = serving(host)) {
      hosts->unlock(host);
    }
  }
  Result<Done> stop_vm(const HostTarget& host, const std::string& vm_id, const StopPolicy& how,
                       bool start_owed) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.stop_vm(host, vm_id, how, start_owed); });
  }
  Result<Done> start_vm(const HostTarget& host, const std::string& vm_id) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.start_vm(host, vm_id); });
  }
  Result<Done> assign_partition(const HostTarget& host, const std::string& vm_id,
                                const std::optional<std::string>& gpu) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.assign_partition(host, vm_id, gpu); });
  }
  Result<Done> unassign_partition(const HostTarget& host, const std::string& vm_id,
                                  const std::string& adapter) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.unassign_partition(host, vm_id, adapter); });
  }
  Result<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.set_partition_count(host, gpu, count); });
  }
  Result<Done> set_offline_action(const HostTarget& host, const std::string& vm_id, OfflineAction action) override {
    return with<Done>(host, [&](HostWriter& hosts) { return hosts.set_offline_action(host, vm_id, action); });
  }

 private:
  HostWriter* serving(const HostTarget& host) {
    return host.connect.transport == Transport::kSimulated ? simulated_.get() : nullptr;
  }

  template <class T, class Request>
  Result<T> with(const HostTarget& host, Request request) {
    HostWriter* hosts = serving(host);
    if (hosts == nullptr) {
      return not_served(host);
    }
    return request(*hosts);
  }

  std::unique_ptr<HostWriter> simulated_;
};

}  // namespace

std::unique_ptr<HostWriter> make_hosts_by_transport(std::unique_ptr<HostWriter> simulated) {
  return std::make_unique<HostsByTransport>(std::move(simulated));
}

}  // namespace gpup
