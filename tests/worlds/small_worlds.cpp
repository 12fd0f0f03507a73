#include "worlds/small_worlds.h"

#include <array>

namespace worlds {

namespace {

constexpr std::array<const char*, 3> kStates = {"Running", "Off", "Saved"};
constexpr std::array<const char*, 3> kUnlisted = {"unassign", "keep", "refuse"};
constexpr std::array<const char*, 4> kPowers = {"unlisted", "", "off", "running"};
constexpr std::array<unsigned, 3> kCounts = {1, 2, 4};

/// The digits of a number, each of its own base; the first taken changes fastest.
struct Digits {
  std::uint64_t number;
  unsigned take(unsigned base) {
    const auto digit = static_cast<unsigned>(number % base);
    number /= base;
    return digit;
  }
};

constexpr unsigned kVm = 3 * 4 * 4;  // state, adapter, wish

struct OneHostDigits {
  std::array<unsigned, 3> vm{};
  unsigned unlisted = 0, wanted = 0;
  std::array<unsigned, 2> count{};

  explicit OneHostDigits(std::uint64_t number) {
    Digits digits{number};
    unlisted = digits.take(3);
    wanted = digits.take(4);
    count = {digits.take(3), digits.take(3)};
    vm = {digits.take(kVm), digits.take(kVm), digits.take(kVm)};
  }
};

// A VM's digit holds, from the fastest: adapter (none, unresolved, first, second), state, wish.
unsigned swap_gpus(unsigned vm) {
  const unsigned adapter = vm % 4;
  return adapter < 2 ? vm : vm - adapter + (adapter == 2 ? 3 : 2);
}

void add_vm(World& world, int host, const std::string& name, unsigned digit) {
  Vm vm;
  vm.name = name;
  vm.state = kStates[digit / 4 % 3];
  if (digit % 4 != 0) {
    vm.adapters.push_back({static_cast<int>(digit % 4) - 2});
  }
  world.hosts[static_cast<std::size_t>(host)].vms.push_back(vm);
  const unsigned wish = digit / 12;
  if (wish != 0) {
    Line line;
    line.vm = name;
    line.power = kPowers[wish];
    world.lines.push_back(line);
  }
}

}  // namespace

std::uint64_t OneHost::size() const { return 3ULL * 4 * 9 * kVm * kVm * kVm; }

bool OneHost::first_of_its_kind(std::uint64_t number) const {
  const OneHostDigits d(number);
  if (d.vm[0] > d.vm[1] || d.vm[1] > d.vm[2]) {
    return false;
  }
  return d.count[0] < d.count[1] ||
         (d.count[0] == d.count[1] &&
          swap_gpus(d.vm[0]) + swap_gpus(d.vm[1]) + swap_gpus(d.vm[2]) >= d.vm[0] + d.vm[1] + d.vm[2]);
}

World OneHost::at(std::uint64_t number) const {
  const OneHostDigits d(number);
  World world;
  world.unlisted = kUnlisted[d.unlisted];
  world.hosts.resize(1);
  world.hosts[0].name = "hv1";
  world.hosts[0].gpus.resize(2);
  world.hosts[0].gpus[0].count = kCounts[d.count[0]];
  world.hosts[0].gpus[1].count = kCounts[d.count[1]];
  GpuLine line;
  if (d.wanted != 0) {
    line.count = kCounts[d.wanted - 1];
  }
  world.gpu_lines.push_back(line);
  add_vm(world, 0, "vm1", d.vm[0]);
  add_vm(world, 0, "vm2", d.vm[1]);
  add_vm(world, 0, "vm3", d.vm[2]);
  return world;
}

namespace {

constexpr unsigned kNodeVm = 2 * 2 * 3 * 3 * 4;  // host, OfflineAction, adapter, state, wish

struct TwoNodesDigits {
  std::array<unsigned, 2> vm{};
  unsigned unlisted = 0, homogeneous = 0, wanted = 0;
  std::array<unsigned, 2> count{};

  explicit TwoNodesDigits(std::uint64_t number) {
    Digits digits{number};
    unlisted = digits.take(3);
    homogeneous = digits.take(2);
    wanted = digits.take(4);
    count = {digits.take(3), digits.take(3)};
    vm = {digits.take(kNodeVm), digits.take(kNodeVm)};
  }
};

}  // namespace

std::uint64_t TwoNodes::size() const { return 3ULL * 2 * 4 * 9 * kNodeVm * kNodeVm; }

bool TwoNodes::first_of_its_kind(std::uint64_t number) const {
  const TwoNodesDigits d(number);
  return d.vm[0] <= d.vm[1] && d.count[0] <= d.count[1];
}

World TwoNodes::at(std::uint64_t number) const {
  const TwoNodesDigits d(number);
  World world;
  world.cluster = world.snapshot_cluster = "HCI";
  world.unlisted = kUnlisted[d.unlisted];
  world.homogeneous = d.homogeneous == 0 ? "" : "warn";
  world.hosts.resize(2);
  for (std::size_t h = 0; h < 2; ++h) {
    world.hosts[h].name = h == 0 ? "hv1" : "hv2";
    world.hosts[h].gpus.resize(1);
    world.hosts[h].gpus[0].count = kCounts[d.count[h]];
  }
  GpuLine line;
  if (d.wanted != 0) {
    line.count = kCounts[d.wanted - 1];
  }
  world.gpu_lines.push_back(line);
  for (std::size_t v = 0; v < 2; ++v) {
    Digits digits{d.vm[v]};
    const int host = static_cast<int>(digits.take(2));
    const bool save = digits.take(2) == 0;
    const unsigned adapter = digits.take(3);
    const unsigned rest = digits.take(12);
    add_vm(world, host, v == 0 ? "vm1" : "vm2", adapter + 4 * rest);
    Vm& vm = world.hosts[static_cast<std::size_t>(host)].vms.back();
    vm.clustered = true;
    vm.offline = save ? "save" : "force-shutdown";
  }
  return world;
}

}  // namespace worlds
