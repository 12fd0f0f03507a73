#include "worlds/plan_text.h"

namespace worlds {

using Json = nlohmann::json;

PlanText::PlanText(const World& world) : world_(world) {}

int PlanText::add(Json step, int host, const char* op, std::vector<int> after) {
  step["id"] = steps_.size() + 1;
  step["op"] = op;
  step["host"] = world_.hosts[static_cast<std::size_t>(host)].name;
  step["after"] = std::move(after);
  step["reason"] = "because";
  differences_.push_back({{"object", "vm"}, {"property", op}});
  steps_.push_back(std::move(step));
  return static_cast<int>(steps_.size());
}

int PlanText::add_vm(Json step, int host, int vm, const char* op, std::vector<int> after) {
  step["vm"] = world_.hosts[static_cast<std::size_t>(host)].vms[static_cast<std::size_t>(vm)].name;
  step["vmId"] = id_of(host, vm);
  return add(std::move(step), host, op, std::move(after));
}

int PlanText::stop(int host, int vm, std::vector<int> after) {
  return add_vm({}, host, vm, "stop-vm", std::move(after));
}

int PlanText::unassign(int host, int vm, int adapter, std::vector<int> after) {
  return add_vm({{"adapter", adapter_id(host, vm, adapter)}}, host, vm, "unassign-partition", std::move(after));
}

int PlanText::set_count(int host, int gpu, unsigned from, unsigned to, std::vector<int> after) {
  differences_.push_back({{"object", "gpu"},
                          {"name", gpu_name(world_, host, gpu)},
                          {"property", "partitionCount"},
                          {"before", from},
                          {"after", to}});
  return add({{"gpu", gpu_name(world_, host, gpu)}, {"from", from}, {"to", to}}, host, "set-partition-count",
             std::move(after));
}

int PlanText::assign(int host, int vm, int gpu, std::vector<int> after) {
  return add_vm({{"gpu", gpu < 0 ? Json(nullptr) : Json(gpu_name(world_, host, gpu))}}, host, vm, "assign-partition",
                std::move(after));
}

int PlanText::set_offline(int host, int vm, const std::string& from, const std::string& to, std::vector<int> after) {
  return add_vm({{"from", from.empty() ? Json(nullptr) : Json(from)}, {"to", to}}, host, vm, "set-offline-action",
                std::move(after));
}

int PlanText::start(int host, int vm, std::vector<int> after) {
  return add_vm({}, host, vm, "start-vm", std::move(after));
}

void PlanText::warn(const std::string& text) {
  diagnostics_.push_back({{"code", "GP142"}, {"severity", "warning"}, {"message", text}});
}

Json PlanText::json() const {
  Json hosts = Json::array();
  Json not_checked = Json::array();
  for (const Host& host : world_.hosts) {
    if (host.in_file) {
      hosts.push_back({{"name", host.name}});
    }
    if (host.in_file && !host.read()) {
      not_checked.push_back({{"host", host.name}, {"error", "no answer"}});
    }
  }
  Json summary = Json::object();
  for (const Json& step : steps_) {
    Json& sum = summary[step["op"].get<std::string>()];
    sum = sum.is_null() ? 1 : sum.get<int>() + 1;
  }
  return {{"apiVersion", "gpup/v1"},  {"kind", "Plan"},         {"id", "sha256:0"},
          {"hosts", hosts},           {"facts", Json::array()}, {"differences", differences_},
          {"steps", steps_},          {"summary", summary},     {"diagnostics", diagnostics_},
          {"notChecked", not_checked}};
}

}  // namespace worlds
