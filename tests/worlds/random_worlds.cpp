#include "worlds/random_worlds.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace worlds {

namespace {

const char* const kModels[] = {"NVIDIA A2", "NVIDIA A10", "NVIDIA A40"};

struct Maker {
  const std::vector<std::uint8_t>& choices;
  std::size_t next = 0;
  World world{};
  unsigned models = 1;
  bool clustered = false;
  int names = 0;
  std::map<std::string, unsigned> matched{};

  unsigned pick(unsigned n) { return next < choices.size() ? choices[next++] % n : 0; }
  /// Once in `n`.
  bool rarely(unsigned n) { return pick(n) == n - 1; }

  World make() {
    const unsigned hosts = pick(8) < 5 ? 1 : 1 + pick(4);
    clustered = pick(3) == 2;
    models = std::max(1U, pick(5) - (clustered ? 1U : 0U));
    models = models > 3 ? 1 : models;
    if (clustered) {
      world.cluster = world.snapshot_cluster = "HCI-EAST";
      world.homogeneous = rarely(3) ? "" : pick(8) == 7 ? "require" : "warn";
      if (rarely(32)) {
        world.snapshot_cluster = "HCI-WEST";
      }
      if (rarely(32)) {
        world.cluster = "";
      }
    } else {
      world.homogeneous = rarely(16) ? "require" : rarely(16) ? "warn" : "";
    }
    static const char* const kWishes[] = {"unassign", "", "keep", "refuse"};
    world.unlisted = kWishes[rarely(10) ? 3 : pick(3)];
    for (unsigned h = 0; h < hosts; ++h) {
      host();
    }
    gpu_lines();
    for (std::size_t h = 0; h < world.hosts.size(); ++h) {
      for (std::size_t v = 0; v < world.hosts[h].vms.size(); ++v) {
        wish(static_cast<int>(h), static_cast<int>(v));
      }
    }
    for (const auto& [pattern, expect] : matched) {
      Line line;
      line.match = pattern;
      line.expect = std::max(1U, expect + (rarely(24) ? 1 : rarely(24) ? ~0U : 0));
      wishes(line, -1, -1);
      world.lines.push_back(line);
    }
    if (rarely(24)) {
      Line line;
      line.vm = rarely(2) ? "not-there" : "VM-1";
      world.lines.push_back(line);
    }
    if (rarely(24) && !world.lines.empty()) {
      world.lines.push_back(world.lines[pick(4) % world.lines.size()]);
    }
    return std::move(world);
  }

  void host() {
    Host host;
    host.name = "hv-" + std::to_string(world.hosts.size() + 1);
    if (!world.hosts.empty()) {
      const unsigned kind = pick(16);
      host.in_file = kind != 15;
      host.in_snapshot = kind != 14;
      host.reachable = kind != 13 && kind != 12;
    }
    const unsigned gpus = 1 + pick(4) % 3;
    for (unsigned g = 0; g < gpus; ++g) {
      Gpu gpu;
      gpu.model = kModels[pick(models)];
      if (rarely(8)) {
        gpu.valid = {16, 8, 4, 2, 1};
      } else if (rarely(8)) {
        gpu.valid = {1, 3};
      }
      gpu.count = gpu.valid[pick(static_cast<unsigned>(gpu.valid.size()))];
      static const char* const kStatus[] = {"ready-for-dda", "paravirtualization", "not-assignable"};
      if (rarely(40)) {
        gpu.status = kStatus[pick(3)];
      }
      host.gpus.push_back(gpu);
    }
    unsigned room = 0;
    for (const Gpu& gpu : host.gpus) {
      room += gpu.count;
    }
    const unsigned vms = std::min(1 + pick(7), room + pick(3));
    std::vector<unsigned> used(host.gpus.size());
    for (unsigned v = 0; v < vms; ++v) {
      host.vms.push_back(vm(host, used));
    }
    world.hosts.push_back(host);
  }

  Vm vm(const Host& host, std::vector<unsigned>& used) {
    static const char* const kAwkward[] = {"no", "it's [a] \"*\"", "名前 é", "true", "a: b #c", "vm\\1"};
    Vm vm;
    ++names;
    vm.name = (rarely(4) ? "vdi-" : "vm-") + std::to_string(names);
    if (rarely(20)) {
      vm.name = kAwkward[pick(6)];
    } else if (rarely(40)) {
      vm.name = "vm-1";
    }
    static const char* const kOddStates[] = {"Saved", "Paused", "OffCritical", "RunningCritical", "Starting"};
    const unsigned state = pick(32);
    vm.state = state == 31 ? kOddStates[pick(5)] : state % 3 == 2 ? "Off" : "Running";
    vm.clustered = clustered && !rarely(8);
    if (vm.clustered || rarely(30)) {
      static const char* const kActions[] = {"force-shutdown", "save", "turn-off", "shutdown", ""};
      vm.offline = kActions[pick(5)];
    }
    const unsigned kind = pick(16);
    if (kind >= 5) {
      adapter(vm, host, used);
    }
    if (kind == 15) {
      adapter(vm, host, used);
      if (rarely(4)) {
        adapter(vm, host, used);
      }
    }
    return vm;
  }

  void adapter(Vm& vm, const Host& host, std::vector<unsigned>& used) {
    if (rarely(60)) {
      vm.adapters.push_back({kGone});
      return;
    }
    if (rarely(6) && (vm.state != "Running" || rarely(8))) {
      vm.adapters.push_back({kUnresolved});
      return;
    }
    const std::size_t gpu = pick(static_cast<unsigned>(host.gpus.size()));
    if (host.gpus[gpu].status != "partitioned" || (used[gpu] >= host.gpus[gpu].count && !rarely(8))) {
      return;
    }
    ++used[gpu];
    vm.adapters.push_back({static_cast<int>(gpu)});
  }

  void gpu_lines() {
    std::set<std::string> seen;
    for (const Host& host : world.hosts) {
      for (const Gpu& gpu : host.gpus) {
        seen.insert(gpu.model);
      }
    }
    if (seen.size() > 1 && rarely(10)) {
      GpuLine line;
      line.by = "match";
      line.text = "NVIDIA (A2|A10|A40)";
      wanted_count(line);
      world.gpu_lines.push_back(line);
      return;
    }
    for (const std::string& model : seen) {
      if (seen.size() > 1 && rarely(5)) {
        continue;  // not managed
      }
      gpu_line(model);
    }
    if (world.gpu_lines.empty()) {
      gpu_line(kModels[0]);
    }
    if (rarely(50)) {
      GpuLine line;
      line.by = "match";
      line.text = "NVIDIA A(2|40)";
      world.gpu_lines.push_back(line);
    }
  }

  void gpu_line(const std::string& model) {
    GpuLine line;
    const unsigned by = pick(6);
    line.by = by == 5 ? "match" : by == 4 ? "device" : "model";
    line.text = line.by == "match" ? "NVIDIA ?" + model.substr(7) : line.by == "device" ? device_of(model) : model;
    wanted_count(line);
    if (rarely(10) && world.hosts.size() > 1) {
      split(line);
      return;
    }
    unsigned found = 0;
    for (const Gpu& gpu : world.hosts[0].gpus) {
      found += gpu.model == model ? 1U : 0U;
    }
    if (rarely(8) && found > 0) {
      line.expect = found;
    }
    world.gpu_lines.push_back(line);
  }

  // A line for the first host, and perhaps another for the rest.
  void split(GpuLine line) {
    line.hosts = {0};
    world.gpu_lines.push_back(line);
    line.hosts.clear();
    for (std::size_t h = 1; h < world.hosts.size(); ++h) {
      if (world.hosts[h].in_file) {
        line.hosts.push_back(static_cast<int>(h));
      }
    }
    wanted_count(line);
    if (!line.hosts.empty() && !rarely(3)) {
      world.gpu_lines.push_back(line);
    }
  }

  void wanted_count(GpuLine& line) {
    static constexpr unsigned kWanted[] = {0, 4, 2, 4, 1, 4};
    line.count.reset();
    const unsigned wanted = rarely(40) ? 3 : kWanted[pick(6)];
    if (wanted != 0) {
      line.count = wanted;
    }
  }

  void wish(int h, int v) {
    const Host& host = world.hosts[static_cast<std::size_t>(h)];
    const Vm& vm = host.vms[static_cast<std::size_t>(v)];
    const unsigned kind = pick(8);
    if (!host.in_file || kind == 7) {
      return;
    }
    if (vm.name.rfind("vdi-", 0) == 0 && kind < 6) {
      ++matched[rarely(6) ? "vdi-[0-9]" : "vdi-\\d+"];
      return;
    }
    Line line;
    if (kind == 6) {
      line.id = id_of(h, v);
    } else {
      line.vm = vm.name;
      if (world.cluster.empty() && rarely(8)) {
        line.host = h;
      }
    }
    wishes(line, h, v);
    world.lines.push_back(line);
  }

  void wishes(Line& line, int h, int v) {
    const unsigned power = pick(8);
    line.power = power == 7 ? "off" : power >= 5 ? "running" : power == 4 ? "keep" : "";
    static const char* const kActions[] = {"save", "shutdown", "turn-off", "force-shutdown", "unmanaged"};
    const bool may_set = v < 0 || world.hosts[static_cast<std::size_t>(h)].vms[static_cast<std::size_t>(v)].clustered;
    if (rarely(may_set ? 6 : 50)) {
      line.offline = kActions[pick(5)];
    }
    if (h >= 0) {
      const auto& gpus = world.hosts[static_cast<std::size_t>(h)].gpus;
      std::set<std::string> here;
      for (const Gpu& gpu : gpus) {
        here.insert(gpu.model);
      }
      if ((here.size() > 1 && !rarely(10)) || rarely(8)) {
        line.gpu = gpus[pick(4) % gpus.size()].model;
      }
    } else if (models > 1 && pick(4) < 3) {
      line.gpu = kModels[pick(models)];
    }
    if (rarely(10)) {
      static constexpr std::uint64_t kSizes[] = {1, 2, 4, 8};
      line.min_vram = kSizes[pick(4)] << 30U;
    }
  }
};

}  // namespace

World world_of(const std::vector<std::uint8_t>& choices) { return Maker{choices}.make(); }

World crowded_world(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random()) % n; };
  World world;
  const bool one_model = pick(4) == 0;
  const bool both_managed = pick(4) == 0;
  const bool clustered = pick(8) == 0;
  if (clustered) {
    world.cluster = world.snapshot_cluster = "HCI-EAST";
  }
  world.homogeneous = "warn";
  world.unlisted = pick(4) == 0 ? "keep" : "unassign";
  Host host;
  host.name = "hv-1";
  const unsigned gpus = 2 + pick(2);
  for (unsigned g = 0; g < gpus; ++g) {
    Gpu gpu;
    gpu.model = kModels[one_model ? 0 : g == 0 ? 0 : g == 1 ? 1 : pick(2)];
    gpu.count = gpu.valid[pick(3)];
    host.gpus.push_back(gpu);
  }
  std::vector<unsigned> used(gpus);
  const unsigned vms = 2 + pick(4);
  for (unsigned v = 0; v < vms; ++v) {
    Vm vm;
    vm.name = "vm-" + std::to_string(v + 1);
    vm.state = pick(3) == 0 ? "Off" : "Running";
    vm.clustered = clustered;
    vm.offline = clustered ? "force-shutdown" : "";
    for (unsigned more = pick(4); more > 0; --more) {
      const unsigned g = pick(gpus);
      if (pick(12) == 0) {
        vm.adapters.push_back({kUnresolved});
      } else if (used[g] < host.gpus[g].count || (pick(8) == 0 && (both_managed || host.gpus[g].model == kModels[0]))) {
        ++used[g];
        vm.adapters.push_back({static_cast<int>(g)});
      }
    }
    host.vms.push_back(vm);
    if (pick(2) == 0) {
      Line line;
      line.vm = vm.name;
      line.gpu = kModels[both_managed ? pick(2) : 0];
      static const char* const kPowers[] = {"", "running", "running", "off"};
      line.power = kPowers[pick(4)];
      world.lines.push_back(line);
    }
  }
  world.hosts.push_back(host);
  for (unsigned l = 0; l < (both_managed && !one_model ? 2U : 1U); ++l) {
    GpuLine line;
    line.text = kModels[l];
    if (pick(3) == 0) {
      line.count = host.gpus[0].valid[pick(3)];
    }
    world.gpu_lines.push_back(line);
  }
  return world;
}

}  // namespace worlds
