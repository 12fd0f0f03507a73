#include "conformance/labs.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace gpup::conformance {

namespace {

using nlohmann::json;

std::string card(std::string_view bus, int place) {
  return fmt::format(
      "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&{}&0&{:04}#{{064092b3-625e-43bf-9eb5-dc845897dd59}}", bus,
      place);
}

json a2(const std::string& name, int count) {
  json gpu = {{"name", name},
              {"model", "NVIDIA A2"},
              {"device", "10de:25b6"},
              {"subsystem", "157e10de"},
              {"status", "partitioned"},
              {"partitionCount", count},
              {"totalVram", 15918030848},
              {"availableVram", 15918030848}};
  // The order in which a driver lists its counts is its own affair.
  if (count == 16) {
    gpu.update({{"validPartitionCounts", {16, 8, 4, 2, 1}},
                {"partitionVram", 939524096},
                {"partitionEncode", 2},
                {"partitionDecode", 1},
                {"partitionCompute", 128}});
  } else {
    gpu.update({{"validPartitionCounts", {1, 2, 4, 8, 16}},
                {"partitionVram", 3825205248},
                {"partitionEncode", 9},
                {"partitionDecode", 6},
                {"partitionCompute", 512}});
  }
  return gpu;
}

json vm(const std::string& name, const char* state, bool clustered = false) {
  static int made = 0;
  json made_vm = {{"name", name},    {"id", fmt::format("00000000-0000-4000-8000-{:012}", ++made)},
                  {"state", state},  {"clustered", clustered},
                  {"generation", 2}, {"partitions", json::array()}};
  if (clustered) {
    made_vm["offlineAction"] = "save";
  }
  return made_vm;
}

/// Runs, with a partition of that GPU.
json running(json made_vm, json& gpu) {
  made_vm["state"] = "Running";
  made_vm["partitions"].push_back({{"id", "aaaaaaaa-0000-4000-8000-000000000001"},
                                   {"gpu", gpu["name"]},
                                   {"partitionId", 3},
                                   {"vram", gpu["partitionVram"]},
                                   {"encode", gpu["partitionEncode"]},
                                   {"decode", gpu["partitionDecode"]}});
  gpu["availableVram"] = gpu["availableVram"].get<std::uint64_t>() - gpu["partitionVram"].get<std::uint64_t>();
  return made_vm;
}

json host(const std::string& name, json gpus, json vms) {
  return {{"name", name},
          {"build", 20349},
          {"edition", "azure-stack-hci"},
          {"gpus", std::move(gpus)},
          {"vms", std::move(vms)}};
}

json base(Lab lab) {
  const std::vector<std::string> names = hosts_of(lab);
  json first = a2(card("18416dc3", 0), 16);
  json whole = {{"apiVersion", "gpup/v1"}, {"kind", "Snapshot"}, {"cluster", nullptr}, {"hosts", json::array()}};
  if (lab == Lab::kCluster) {
    whole["cluster"] = "HCI-EAST";
    json run = running(vm("run", "Running", true), first);
    json vms = json::array({run, vm("off", "Off", true), vm("plain", "Off")});
    whole["hosts"].push_back(host(names[0], json::array({first}), vms));
    whole["hosts"].push_back(
        host(names[1], json::array({a2(card("2f0c5ad1", 8), 16)}), json::array({vm("far", "Off", true)})));
    return whole;
  }
  json run = running(vm("run", "Running"), first);
  json vms = json::array({run});
  for (const char* const name : {"off", "twin", "twin", "a", "a*", "[a]"}) {
    vms.push_back(vm(name, "Off"));
  }
  vms.push_back(vm("idle", "Running"));
  json second = a2(card("18416dc3", 1), 4);
  whole["hosts"].push_back(host(names[0], json::array({first, second}), vms));
  if (lab == Lab::kOlder) {
    whole["hosts"][0]["doubles"]["missing"] = {"Hyper-V\\Get-VMHostPartitionableGpu",
                                               "Hyper-V\\Set-VMHostPartitionableGpu"};
  }
  if (lab == Lab::kBare) {
    whole["hosts"][0]["doubles"]["missing"] = {"Hyper-V"};
    whole["hosts"][0]["simulate"]["faults"] = json::array({{{"op", "observe"}, {"kind", "fail"}}});
  }
  return whole;
}

}  // namespace

std::vector<std::string> hosts_of(Lab lab) {
  switch (lab) {
    case Lab::kAlone:
      return {"hv-1"};
    case Lab::kCluster:
      return {"hv-e1", "hv-e2"};
    case Lab::kOlder:
      return {"hv-old"};
    case Lab::kBare:
      break;
  }
  return {"hv-bare"};
}

std::string file_of(Lab lab) { return hosts_of(lab).front() + ".json"; }

json lab_of(const Fact& fact) {
  json lab = base(fact.lab);
  std::string_view left = fact.change;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    change(lab, left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return lab;
}

void change(json& lab, std::string_view line) {
  const std::size_t space = line.find(' ');
  std::string value(line.substr(space + 1));
  for (const char digit : {'0', '1'}) {
    const std::string place = {'$', digit};
    for (std::size_t at = 0; (at = value.find(place, at)) != std::string::npos;) {
      const std::string name = lab["hosts"][0]["gpus"].at(static_cast<std::size_t>(digit - '0'))["name"].dump();
      value.replace(at, place.size(), name);
      at += name.size();
    }
  }
  lab[json::json_pointer(std::string(line.substr(0, space)))] = json::parse(value);
}

}  // namespace gpup::conformance
