#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "worlds/world.h"

namespace worlds {

/// A plan written by hand, for tests of the checker.
class PlanText {
 public:
  explicit PlanText(const World& world);

  /// Each returns the step's id.
  int stop(int host, int vm, std::vector<int> after = {});
  int unassign(int host, int vm, int adapter, std::vector<int> after);
  int set_count(int host, int gpu, unsigned from, unsigned to, std::vector<int> after);
  int assign(int host, int vm, int gpu, std::vector<int> after);
  int set_offline(int host, int vm, const std::string& from, const std::string& to, std::vector<int> after);
  int start(int host, int vm, std::vector<int> after);

  /// Says in words that the VM is stopped.
  void warn(const std::string& text);

  /// With summary, hosts, differences of counts, and the rest that a plan has.
  nlohmann::json json() const;

 private:
  int add(nlohmann::json step, int host, const char* op, std::vector<int> after);
  int add_vm(nlohmann::json step, int host, int vm, const char* op, std::vector<int> after);

  const World& world_;
  nlohmann::json steps_ = nlohmann::json::array();
  nlohmann::json differences_ = nlohmann::json::array();
  nlohmann::json diagnostics_ = nlohmann::json::array();
};

}  // namespace worlds
