#include "adapters/lab_facts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "observed/read_host_facts.h"

namespace gpup {

namespace {

const LabJson& member_of(const LabJson& object, const char* name) {
  static const LabJson kNothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : kNothing;
}

/// Copies a member under another name, where it is there.
void copy(const LabJson& from, const char* name, LabJson& to, const char* as) {
  if (const LabJson& value = member_of(from, name); !value.is_null()) {
    to[as] = value;
  }
}

bool has_gpu(const LabJson& host, const std::string& name) {
  for (const LabJson& gpu : member_of(host, "gpus")) {
    if (same_name(lab_text(gpu, "name"), name)) {
      return true;
    }
  }
  return false;
}

LabJson vm_of(const LabJson& host, const LabJson& vm) {
  LabJson facts = LabJson::object();
  for (const char* const name : {"name", "id", "state", "generation", "clustered", "offlineAction"}) {
    copy(vm, name, facts, name);
  }
  copy(vm, "dynamicMemory", facts, "dynamicMemoryEnabled");
  copy(vm, "automaticCheckpoints", facts, "automaticCheckpointsEnabled");
  const LabJson& partitions = member_of(vm, "partitions");
  facts["adapters"] = partitions.is_array() ? partitions.size() : 0;
  bool gone = false;
  for (const LabJson& partition : partitions) {
    const std::string gpu = lab_text(partition, "gpu");
    gone = gone || (!gpu.empty() && !has_gpu(host, gpu));
  }
  facts["staleAdapterSuspected"] = gone;
  return facts;
}

/// In the form of the agent's `doctor`. All hosts of a lab with a cluster are its nodes.
LabJson known(const LabJson& lab, const LabJson& host) {
  LabJson facts = LabJson::object();
  facts["host"] = LabJson::object();
  facts["host"]["computer"] = lab_text(host, "name");
  copy(host, "build", facts["host"], "build");
  copy(host, "edition", facts["host"], "edition");
  facts["gpus"] = LabJson::array();
  facts["assignable"] = LabJson::array();
  for (const LabJson& gpu : member_of(host, "gpus")) {
    facts["gpus"].push_back(gpu);
  }
  facts["vms"] = LabJson::array();
  for (const LabJson& vm : member_of(host, "vms")) {
    facts["vms"].push_back(vm_of(host, vm));
  }
  if (const std::string cluster = lab_text(lab, "cluster"); !cluster.empty()) {
    LabJson nodes = LabJson::array();
    for (const LabJson& node : member_of(lab, "hosts")) {
      nodes.push_back({{"name", lab_text(node, "name")}, {"state", node.value("reachable", true) ? 0 : 1}});
    }
    facts["cluster"] = {{"name", cluster}, {"nodes", std::move(nodes)}};
  }
  return facts;
}

bool same_thing(const LabJson& a, const LabJson& b) {
  const std::string id = lab_text(b, "id");
  return id.empty() ? same_name(lab_text(a, "name"), lab_text(b, "name")) : same_name(lab_text(a, "id"), id);
}

/// Puts what is told in place of what is known, object by object.
void put(LabJson& facts, const LabJson& told) {
  for (const auto& [name, value] : told.items()) {
    LabJson& to = facts[name];
    const bool joins = name == "gpus" || name == "vms";
    if (value.is_object() && to.is_object()) {
      put(to, value);
    } else if (joins && value.is_array() && to.is_array()) {
      for (const LabJson& row : value) {
        const auto found = std::find_if(to.begin(), to.end(), [&](const LabJson& each) {
          return each.is_object() && row.is_object() && same_thing(each, row);
        });
        if (found == to.end()) {
          to.push_back(row);
        } else {
          put(*found, row);
        }
      }
    } else {
      to = value;
    }
  }
}

}  // namespace

Result<HostFacts> lab_facts(const LabJson& lab, const LabJson& host, const std::string& shown) {
  LabJson facts = known(lab, host);
  if (const LabJson& told = member_of(member_of(host, "simulate"), "facts"); told.is_object()) {
    put(facts, told);
  }
  return read_host_facts(facts.dump(1, ' ', false, LabJson::error_handler_t::replace),
                         fmt::format("{}, as {} tells it", shown, lab_text(host, "name")), kLargestSnapshot);
}

}  // namespace gpup
