#include "kill/stage.h"

#include <utility>

#include "adapters/simulated_host.h"

namespace gpup::kill {

namespace {

class SimulatedStage : public Stage {
 public:
  explicit SimulatedStage(std::string lab) : lab_(std::move(lab)) {}

  Connect connect(const std::string& /*host*/) const override {
    Connect connect;
    connect.transport = Transport::kSimulated;
    connect.file = lab_;
    return connect;
  }
  std::unique_ptr<HostWriter> hosts_to_lose() override { return make_simulated_hosts(); }
  std::shared_ptr<HostWriter> hosts() override { return make_simulated_hosts(); }

 private:
  std::string lab_;
};

}  // namespace

std::unique_ptr<Stage> make_simulated_stage(const std::string& lab) { return std::make_unique<SimulatedStage>(lab); }

}  // namespace gpup::kill
