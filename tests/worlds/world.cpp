#include "worlds/world.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>

namespace worlds {

namespace {

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

std::string numbered(const char* form, int a, int b, int c) {
  char text[128];
  std::snprintf(text, sizeof text, form, a, b, c);
  return text;
}

void append(std::string& out, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    out += part;
  }
}

}  // namespace

bool GpuLine::on(int host) const { return hosts.empty() || std::find(hosts.begin(), hosts.end(), host) != hosts.end(); }

bool GpuLine::matches(const Gpu& gpu) const {
  if (by == "model") {
    return gpu.model == text;
  }
  if (by == "device") {
    return device_of(gpu.model) == text;
  }
  return std::regex_match(gpu.model, std::regex(text));
}

std::string id_of(int host, int vm) { return numbered("711cee18-60db-43b4-%04x-%08x%04x", host + 1, vm + 1, 0xbeef); }

std::string adapter_id(int host, int vm, int adapter) {
  return numbered("a2b5b4b1-24b6-%04x-%04x-%012x", host + 1, vm + 1, adapter + 1);
}

std::string device_of(const std::string& model) {
  return model == "NVIDIA A2" ? "10de:25b6" : model == "NVIDIA A10" ? "10de:2236" : "10de:2235";
}

std::uint64_t total_vram(const std::string& model) {
  return model == "NVIDIA A2" ? 15918030848U : model == "NVIDIA A10" ? 25753026560U : 51527024640U;
}

std::uint64_t partition_vram(const std::string& model, unsigned count) {
  constexpr std::uint64_t kUnit = 64ULL << 20U;
  return total_vram(model) / count / kUnit * kUnit - kUnit;
}

std::string gpu_name(const World& world, int host, int gpu) {
  if (gpu == kGone) {
    return "\\\\?\\PCI#VEN_10DE&DEV_1EB8&SUBSYS_157E10DE&REV_A1#4&dead&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}";
  }
  const std::string& model = world.hosts[static_cast<std::size_t>(host)].gpus[static_cast<std::size_t>(gpu)].model;
  std::string device = device_of(model).substr(5);
  std::transform(device.begin(), device.end(), device.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return "\\\\?\\PCI#VEN_10DE&DEV_" + device + "&SUBSYS_157E10DE&REV_A1#4&1841" +
         numbered("%02x%02x&0&%04x", host, gpu, gpu * 8) + "#{064092b3-625e-43bf-9eb5-dc845897dd59}";
}

namespace {

void add_disruption(const World& world, std::string& out) {
  const auto number = [](const DownLimit& limit) { return std::to_string(limit.value) + (limit.percent ? "%" : ""); };
  out += "  disruption:\n";
  std::string groups;
  for (const DownLimit& limit : world.limits) {
    if (limit.match.empty()) {
      append(out, {"    maxUnavailable: ", number(limit), "\n"});
    } else {
      append(groups, {"    - {match: ", quoted(limit.match), ", maxUnavailable: ", number(limit), "}\n"});
    }
  }
  if (world.per_host != 0) {
    append(out, {"    perHost: ", std::to_string(world.per_host), "\n"});
  }
  if (!world.down_order.empty()) {
    out += "    order:\n";
    for (const std::string& entry : world.down_order) {
      append(out, {"    - ", quoted(entry), "\n"});
    }
  }
  if (!groups.empty()) {
    append(out, {"    groups:\n", groups});
  }
}

}  // namespace

std::string to_yaml(const World& world) {
  std::string out = "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: {name: world}\n";
  if (!world.cluster.empty()) {
    append(out, {"cluster: ", quoted(world.cluster), "\n"});
  }
  out += "hosts:\n";
  for (const Host& host : world.hosts) {
    if (host.in_file) {
      append(out, {"- {name: ", quoted(host.name), ", connect: {transport: simulated, file: lab.json}}\n"});
    }
  }
  if (!world.gpu_lines.empty()) {
    out += "gpus:\n";
  }
  for (const GpuLine& line : world.gpu_lines) {
    append(out, {"- ", line.by, ": ", quoted(line.text), "\n"});
    if (line.count) {
      append(out, {"  partitionCount: ", std::to_string(*line.count), "\n"});
    }
    if (line.expect) {
      append(out, {"  expect: ", std::to_string(*line.expect), "\n"});
    }
    if (!line.hosts.empty()) {
      out += "  hosts: [";
      for (const int host : line.hosts) {
        append(out, {quoted(world.hosts[static_cast<std::size_t>(host)].name), ","});
      }
      out.back() = ']';
      out += "\n";
    }
  }
  if (!world.lines.empty()) {
    out += "assignments:\n";
  }
  for (const Line& line : world.lines) {
    if (!line.match.empty()) {
      append(out, {"- match: ", quoted(line.match), "\n  expect: ", std::to_string(line.expect), "\n"});
    } else if (!line.id.empty()) {
      append(out, {"- id: ", quoted(line.id), "\n"});
    } else {
      append(out, {"- vm: ", quoted(line.vm), "\n"});
    }
    if (!line.gpu.empty()) {
      append(out, {"  gpu: ", quoted(line.gpu), "\n"});
    }
    if (line.min_vram) {
      append(out, {"  minVram: ", std::to_string(*line.min_vram), "B\n"});
    }
    if (!line.offline.empty()) {
      append(out, {"  offlineAction: ", line.offline, "\n"});
    }
    if (!line.power.empty()) {
      append(out, {"  power: ", quoted(line.power), "\n"});
    }
    if (line.host >= 0) {
      append(out, {"  host: ", quoted(world.hosts[static_cast<std::size_t>(line.host)].name), "\n"});
    }
  }
  if (!world.unlisted.empty() || !world.homogeneous.empty() || world.limited()) {
    out += "policy:\n";
    if (!world.unlisted.empty()) {
      append(out, {"  unlisted: ", world.unlisted, "\n"});
    }
    if (!world.homogeneous.empty()) {
      append(out, {"  homogeneous: ", world.homogeneous, "\n"});
    }
    if (world.limited()) {
      add_disruption(world, out);
    }
  }
  return out;
}

std::string to_snapshot_json(const World& world) {
  std::string out = R"({"apiVersion":"gpup/v1","kind":"Snapshot","takenAt":"2026-11-22T08:41:00Z","cluster":)";
  out += world.snapshot_cluster.empty() ? "null" : quoted(world.snapshot_cluster);
  out += ",\"hosts\":[";
  bool first_host = true;
  for (std::size_t h = 0; h < world.hosts.size(); ++h) {
    const Host& host = world.hosts[h];
    if (!host.in_snapshot) {
      continue;
    }
    append(out, {first_host ? "\n" : ",\n", "{\"name\":", quoted(host.name)});
    first_host = false;
    if (!host.reachable) {
      out += ",\"reachable\":false,\"error\":\"no answer\"}";
      continue;
    }
    out += R"(,"build":20349,"edition":"azure-stack-hci","reachable":true,"gpus":[)";
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      const Gpu& gpu = host.gpus[g];
      std::string valid;
      for (const unsigned count : gpu.valid) {
        append(valid, {valid.empty() ? "" : ",", std::to_string(count)});
      }
      append(out, {g == 0 ? "\n  " : ",\n  ",
                   "{\"name\":",
                   quoted(gpu_name(world, static_cast<int>(h), static_cast<int>(g))),
                   ",\"model\":",
                   quoted(gpu.model),
                   ",\"device\":",
                   quoted(device_of(gpu.model)),
                   ",\"subsystem\":\"157e10de\",\"status\":\"",
                   gpu.status,
                   "\",\"validPartitionCounts\":[",
                   valid,
                   "],\"partitionCount\":",
                   std::to_string(gpu.count),
                   ",\"totalVram\":",
                   std::to_string(total_vram(gpu.model)),
                   ",\"availableVram\":",
                   std::to_string(total_vram(gpu.model)),
                   ",\"partitionVram\":",
                   std::to_string(partition_vram(gpu.model, gpu.count)),
                   ",\"partitionEncode\":",
                   std::to_string(36 / gpu.count),
                   ",\"partitionDecode\":",
                   std::to_string(24 / gpu.count),
                   ",\"partitionCompute\":",
                   std::to_string(2048 / gpu.count),
                   "}"});
    }
    out += "],\n \"vms\":[";
    for (std::size_t v = 0; v < host.vms.size(); ++v) {
      const Vm& vm = host.vms[v];
      append(out, {v == 0 ? "\n  " : ",\n  ", "{\"name\":", quoted(vm.name), ",\"id\":\"",
                   id_of(static_cast<int>(h), static_cast<int>(v)), "\",\"state\":\"", vm.state,
                   "\",\"clustered\":", vm.clustered ? "true" : "false",
                   ",\"generation\":2,\"offlineAction\":", vm.offline.empty() ? "null" : quoted(vm.offline),
                   vm.start_owed ? ",\"startOwed\":true" : "", ",\"partitions\":["});
      for (std::size_t a = 0; a < vm.adapters.size(); ++a) {
        const int gpu = vm.adapters[a].gpu;
        append(out, {a == 0 ? "" : ",", "{\"id\":\"",
                     adapter_id(static_cast<int>(h), static_cast<int>(v), static_cast<int>(a)),
                     "\",\"gpu\":", gpu == kUnresolved ? "null" : quoted(gpu_name(world, static_cast<int>(h), gpu)),
                     ",\"partitionId\":null,\"vram\":null}"});
      }
      out += "]}";
    }
    out += "]}";
  }
  out += "]}\n";
  return out;
}

std::string show(const World& world) { return "\n" + to_yaml(world) + "\n" + to_snapshot_json(world); }

}  // namespace worlds
