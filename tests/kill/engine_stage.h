#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <sys/types.h>

#include "kill/stage.h"

namespace gpup::kill {

/// The PowerShell of tests, with gpup's agent in it. In the folder are the lab (`lab.json`) and for each host a program
/// of its name: the engine that plays it, and adds its process to the file `HOST.started`.
class EngineStage : public Stage, public Sessions {
 public:
  EngineStage(std::string folder, std::vector<std::string> hosts, std::uint32_t seed);

  Connect connect(const std::string& host) const override;
  std::unique_ptr<HostWriter> hosts_to_lose() override;
  std::shared_ptr<HostWriter> hosts() override { return lasting_[in_cluster_ ? 1 : 0]; }
  Sessions* sessions() override { return this; }
  std::string begin(const std::string& lab) override;
  bool rest() override;
  void let_guests_leave() override;

  void kill(const std::string& host) override;
  std::uint64_t changes() const override;
  std::chrono::microseconds moment() const override { return moment_; }

  std::string lab() const { return folder_ + "/lab.json"; }

 private:
  std::vector<pid_t> started(const std::string& host) const;

  const std::string folder_;
  const std::vector<std::string> names_;
  std::mt19937 random_;
  std::chrono::microseconds moment_{0};
  std::map<std::string, std::size_t> known_;  ///< how many processes there were when the trial began
  /// An engine has the modules of what it found as it began: outside of a cluster, and in one.
  std::array<std::shared_ptr<HostWriter>, 2> lasting_;
  bool in_cluster_ = false;
};

}  // namespace gpup::kill
