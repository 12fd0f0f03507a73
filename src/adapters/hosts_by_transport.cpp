#include "adapters/hosts_by_transport.h"

#include <string>
#include <utility>

namespace gpup {

namespace {

class HostsByTransport : public HostWriter {
 public:
  HostsByTransport(std::unique_ptr<HostWriter> simulated, std::unique_ptr<HostWriter> powershell)
      : simulated_(std::move(simulated)), powershell_(std::move(powershell)) {}

  HostAnswer<ObservedState> observe(const HostTarget& host) override { return serving(host).observe(host); }
  Result<HostFacts> examine(const HostTarget& host) override { return serving(host).examine(host); }
  Result<Done> lock(const HostTarget& host) override { return serving(host).lock(host); }
  void unlock(const HostTarget& host) override { serving(host).unlock(host); }
  HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& vm_id, const StopPolicy& how,
                           bool start_owed) override {
    return serving(host).stop_vm(host, vm_id, how, start_owed);
  }
  HostAnswer<Done> start_vm(const HostTarget& host, const std::string& vm_id) override {
    return serving(host).start_vm(host, vm_id);
  }
  HostAnswer<Done> forget_owed_start(const HostTarget& host, const std::string& vm_id) override {
    return serving(host).forget_owed_start(host, vm_id);
  }
  HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& vm_id,
                                    const std::optional<std::string>& gpu) override {
    return serving(host).assign_partition(host, vm_id, gpu);
  }
  HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& vm_id,
                                      const std::string& adapter) override {
    return serving(host).unassign_partition(host, vm_id, adapter);
  }
  HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) override {
    return serving(host).set_partition_count(host, gpu, count);
  }
  HostAnswer<Done> set_offline_action(const HostTarget& host, const std::string& vm_id, OfflineAction action) override {
    return serving(host).set_offline_action(host, vm_id, action);
  }

 private:
  HostWriter& serving(const HostTarget& host) {
    switch (host.connect.transport) {
      case Transport::kSimulated:
        return *simulated_;
      case Transport::kLocal:
      case Transport::kSsh:
      case Transport::kPsRemoting:
        break;
    }
    return *powershell_;
  }

  std::unique_ptr<HostWriter> simulated_;
  std::unique_ptr<HostWriter> powershell_;
};

}  // namespace

std::unique_ptr<HostWriter> make_hosts_by_transport(std::unique_ptr<HostWriter> simulated,
                                                    std::unique_ptr<HostWriter> powershell) {
  return std::make_unique<HostsByTransport>(std::move(simulated), std::move(powershell));
}

}  // namespace gpup
