#include "worlds/brute_force.h"

#include <cstdint>
#include <deque>
#include <vector>

namespace worlds {

namespace {

constexpr int kNone = -2;  // beside unresolved and the GPUs

// One host. Each VM: its power, its adapter (none, unresolved, or a GPU); each GPU: whether its count is set.
struct State {
  std::vector<bool> running;
  std::vector<int> adapter;
  std::vector<bool> set;
};

struct Search {
  const World& world;
  const Reading& wanted;
  std::size_t h;
  std::optional<unsigned> most_down{};
  std::vector<int> best{};  // by number of the state

  const Host& host() const { return world.hosts[h]; }
  std::size_t gpus() const { return host().gpus.size(); }

  std::size_t number(const State& s) const {
    std::size_t n = 0;
    for (std::size_t v = 0; v < s.running.size(); ++v) {
      n = (n * 2 + (s.running[v] ? 1 : 0)) * (gpus() + 2) + static_cast<std::size_t>(s.adapter[v] + 2);
    }
    for (const bool set : s.set) {
      n = n * 2 + (set ? 1 : 0);
    }
    return n;
  }
  int partitions(const State& s, std::size_t g) const {
    return static_cast<int>(s.set[g] ? wanted.count_at_end[h][g] : host().gpus[g].count);
  }
  int all_partitions(const State& s) const {
    int sum = 0;
    for (std::size_t g = 0; g < gpus(); ++g) {
      sum += partitions(s, g);
    }
    return sum;
  }
  static int adapters(const State& s) {
    int sum = 0;
    for (const int a : s.adapter) {
      sum += a != kNone ? 1 : 0;
    }
    return sum;
  }
  /// Whether `most_down` lets this VM be stopped.
  bool may_stop(const State& s, std::size_t v) const {
    const auto counted = [&](std::size_t i) {
      return wanted.vms[h][i].line >= 0 && host().vms[i].state == "Running" && wanted.vms[h][i].running_at_end;
    };
    unsigned down = 0;
    for (std::size_t i = 0; i < s.running.size(); ++i) {
      down += counted(i) && (!s.running[i] || i == v) ? 1U : 0U;
    }
    return !most_down || !counted(v) || down <= *most_down;
  }
  /// Whether the host may be let choose a GPU.
  bool may_choose(const State& s) const {
    if (!most_down) {
      return true;
    }
    for (std::size_t g = 0; g < gpus(); ++g) {
      if (partitions(s, g) != static_cast<int>(wanted.count_at_end[h][g])) {
        return false;
      }
    }
    return true;
  }
  bool may_touch(std::size_t v) const {
    const Vm& vm = host().vms[v];
    if (vm.state != "Running" && vm.state != "Off") {
      return false;
    }
    return wanted.vms[h][v].line >= 0 || (world.unlisted != "keep" && world.unlisted != "refuse");
  }
  bool there(const State& s) const {
    for (std::size_t g = 0; g < gpus(); ++g) {
      if (partitions(s, g) != static_cast<int>(wanted.count_at_end[h][g])) {
        return false;
      }
    }
    for (std::size_t v = 0; v < s.running.size(); ++v) {
      const Vm& vm = host().vms[v];
      const bool keeps = wanted.vms[h][v].line < 0 && world.unlisted == "keep";
      const bool holds = s.adapter[v] != kNone;
      if (!keeps && holds != (wanted.vms[h][v].line >= 0)) {
        return false;
      }
      if ((vm.state == "Running" || vm.state == "Off") && s.running[v] != wanted.vms[h][v].running_at_end) {
        return false;
      }
    }
    return adapters(s) <= all_partitions(s);
  }

  std::optional<int> run() {
    State first;
    std::size_t states = 1;
    for (const Vm& vm : host().vms) {
      first.running.push_back(vm.state == "Running");
      first.adapter.push_back(vm.adapters.empty() ? kNone : vm.adapters[0].gpu);
      states *= 2 * (gpus() + 2);
    }
    first.set.assign(gpus(), false);
    states <<= gpus();
    best.assign(states, -1);
    std::deque<std::pair<State, int>> open;
    open.emplace_back(first, 0);
    while (!open.empty()) {
      const auto [state, stops] = open.front();
      open.pop_front();
      int& known = best[number(state)];
      if (known >= 0) {
        continue;
      }
      known = stops;
      if (there(state)) {
        return stops;
      }
      steps(state, stops, open);
    }
    return std::nullopt;
  }

  void steps(const State& s, int stops, std::deque<std::pair<State, int>>& open) const {
    for (std::size_t v = 0; v < s.running.size(); ++v) {
      if (!may_touch(v)) {
        continue;
      }
      State next = s;
      if (s.running[v]) {
        if (!may_stop(s, v)) {
          continue;
        }
        next.running[v] = false;
        open.emplace_back(next, stops + 1);
        continue;
      }
      if (s.adapter[v] != kNone) {
        next.adapter[v] = kNone;
        open.emplace_front(next, stops);
        next = s;
      } else if (wanted.vms[h][v].line >= 0 && adapters(s) + 1 <= all_partitions(s) && may_choose(s)) {
        next.adapter[v] = kUnresolved;
        open.emplace_front(next, stops);
        next = s;
      }
      start(s, v, stops, open);
    }
    for (std::size_t g = 0; g < gpus(); ++g) {
      if (!s.set[g]) {
        set_count(s, g, stops, open);
      }
    }
  }

  void start(const State& s, std::size_t v, int stops, std::deque<std::pair<State, int>>& open) const {
    State next = s;
    next.running[v] = true;
    if (s.adapter[v] == kNone) {
      open.emplace_front(next, stops);
      return;
    }
    for (std::size_t g = 0; g < gpus(); ++g) {
      if (s.adapter[v] >= 0 ? s.adapter[v] != static_cast<int>(g) : !may_choose(s)) {
        continue;
      }
      int used = 0;
      for (std::size_t other = 0; other < s.running.size(); ++other) {
        used += s.running[other] && s.adapter[other] == static_cast<int>(g) ? 1 : 0;
      }
      if (used < partitions(s, g)) {
        next.adapter[v] = static_cast<int>(g);
        open.emplace_front(next, stops);
      }
    }
  }

  void set_count(const State& s, std::size_t g, int stops, std::deque<std::pair<State, int>>& open) const {
    for (const int a : s.adapter) {
      if (a == kUnresolved || a == static_cast<int>(g)) {
        return;
      }
    }
    State next = s;
    next.set[g] = true;
    const int before = adapters(s) - all_partitions(s);
    const int after = adapters(next) - all_partitions(next);
    if (after <= 0 || after <= before) {
      open.emplace_front(next, stops);
    }
  }
};

}  // namespace

namespace {

std::optional<int> sum_of_hosts(const World& world, const Reading& wanted, std::optional<unsigned> most_down) {
  int sum = 0;
  for (std::size_t h = 0; h < world.hosts.size(); ++h) {
    const auto stops = Search{world, wanted, h, most_down}.run();
    if (!stops) {
      return std::nullopt;
    }
    sum += *stops;
  }
  return sum;
}

}  // namespace

std::optional<int> least_stops(const World& world, const Reading& wanted) {
  return sum_of_hosts(world, wanted, std::nullopt);
}

std::optional<int> least_stops(const World& world, const Reading& wanted, unsigned most_down) {
  return sum_of_hosts(world, wanted, most_down);
}

}  // namespace worlds
