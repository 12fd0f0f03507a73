// What the executor adds to what hosts take: `gpup_apply_bench [--quick]`. Hosts are in memory; their operations sleep.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <time.h>

#include <fmt/format.h>

#include "adapters/journal_file.h"
#include "adapters/temporary_folder.h"
#include "base/text_pool.h"
#include "bench/figures.h"
#include "bench/measure.h"
#include "desired/read_desired.h"
#include "execute/execute.h"
#include "observed/merge.h"
#include "plan/make_plan.h"
#include "render/plan_json.h"

namespace gpup::bench {

namespace {

using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;
using Moment = std::chrono::steady_clock::time_point;

/// What each op takes, by `Op`; on each host a little more or less.
constexpr std::array<double, kOps> kMilliseconds = {25, 6, 12, 10, 1, 20};
constexpr std::uint32_t kVms = 8;  // a host, on one card that is to have half as many partitions

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "gpup_apply_bench: {}\n", what);
  std::exit(1);
}

double thread_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}
double process_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// One request that was performed.
struct Performed {
  Op op = Op::kStopVm;
  Moment begun;
  Moment ended;
};

std::string vm_id(std::uint32_t host, std::uint32_t vm) {
  return fmt::format("00000000-0000-4000-8000-{:06}{:06}", host, vm);
}

/// Hosts that have done what they are asked at once, or after a while.
class Memory : public HostWriter {
 public:
  Memory(std::uint32_t hosts, bool sleeps) : sleeps_(sleeps) {
    std::mt19937 random(20261126);
    for (std::uint32_t i = 0; i < hosts; ++i) {
      auto machine = std::make_unique<Machine>();
      Host& host = machine->state.hosts.emplace_back();
      const auto texts = std::make_shared<TextPool>();
      host.name = texts->keep(fmt::format("hv-{}", i));
      host.build = 20349;
      host.edition = Edition::kAzureStackHci;
      Gpu gpu;
      gpu.name = texts->keep(fmt::format(R"(\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#{}#{{064092b3}})", i));
      gpu.model = "NVIDIA A2";
      gpu.device = "10de:25b6";
      gpu.subsystem = "157e10de";
      gpu.status = GpuStatus::kPartitioned;
      gpu.valid_partition_counts = {16, 8, 4, 2, 1};
      gpu.partition_count = 16;
      gpu.total_vram = gpu.available_vram = 15918030848;
      gpu.partition_vram = 939524096;
      host.gpus.push_back(gpu);
      for (std::uint32_t v = 0; v < kVms; ++v) {
        Vm vm;
        vm.name = texts->keep(fmt::format("vm-{}-{}", i, v));
        vm.id = texts->keep(vm_id(i, v));
        vm.state_name = "Running";
        vm.state = VmState::kRunning;
        vm.generation = 2;
        vm.first_adapter = v;
        vm.adapter_count = 1;
        host.vms.push_back(vm);
        Adapter adapter;
        adapter.id = texts->keep(vm_id(i, 1000 + v));
        adapter.gpu = 0;
        adapter.gpu_name = gpu.name;
        adapter.partition_id = v;
        adapter.vram = gpu.partition_vram;
        host.adapters.push_back(adapter);
        machine->new_adapters.push_back(texts->keep(vm_id(i, 2000 + v)));
      }
      machine->state.texts.push_back(texts);
      for (std::size_t op = 0; op < kOps; ++op) {
        machine->ms[op] = Milliseconds(kMilliseconds[op] * (0.95 + static_cast<double>(random() % 1000) / 10000));
      }
      machine->performed.reserve(std::size_t{kVms} * 5);
      machines_.push_back(std::move(machine));
    }
  }

  HostAnswer<ObservedState> observe(const HostTarget& host) override {
    const double before = cpu_now();
    Machine& machine = at(host);
    ObservedState state = [&] {
      const std::lock_guard guard(machine.mutex);
      return machine.state;
    }();
    machine.spend(cpu_now() - before);
    return state;
  }
  Result<HostFacts> examine(const HostTarget&) override { return HostFacts(); }
  Result<Done> lock(const HostTarget&) override { return Done{}; }
  void unlock(const HostTarget&) override {}

  HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& id, const StopPolicy&, bool) override {
    return perform(host, Op::kStopVm, [id](Machine& machine) {
      Vm& vm = machine.vm(id);
      vm.state = VmState::kOff;
      vm.state_name = "Off";
    });
  }
  HostAnswer<Done> start_vm(const HostTarget& host, const std::string& id) override {
    return perform(host, Op::kStartVm, [id](Machine& machine) {
      Vm& vm = machine.vm(id);
      vm.state = VmState::kRunning;
      vm.state_name = "Running";
      Host& one = machine.state.hosts.front();
      for (std::uint32_t i = 0; i < vm.adapter_count; ++i) {
        Adapter& adapter = one.adapters[vm.first_adapter + i];
        adapter.gpu = 0;
        adapter.gpu_name = one.gpus.front().name;
        adapter.partition_id = vm.first_adapter;
        adapter.vram = one.gpus.front().partition_vram;
      }
    });
  }
  HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& id,
                                    const std::optional<std::string>&) override {
    return perform(host, Op::kAssignPartition, [id](Machine& machine) {
      Vm& vm = machine.vm(id);
      vm.adapter_count = 1;  // its place in the list is kept
      Adapter fresh;
      fresh.id = machine.new_adapters[vm.first_adapter];
      machine.state.hosts.front().adapters[vm.first_adapter] = fresh;
    });
  }
  HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& id, const std::string&) override {
    return perform(host, Op::kUnassignPartition, [id](Machine& machine) {
      Vm& vm = machine.vm(id);
      vm.adapter_count = 0;
    });
  }
  HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string&, std::uint32_t count) override {
    return perform(host, Op::kSetPartitionCount, [count](Machine& machine) {
      Gpu& gpu = machine.state.hosts.front().gpus.front();
      gpu.partition_count = count;
      gpu.partition_vram = 1879048192;
    });
  }
  HostAnswer<Done> set_offline_action(const HostTarget&, const std::string&, OfflineAction) override { return Done{}; }
  HostAnswer<Done> forget_owed_start(const HostTarget&, const std::string&) override { return Done{}; }

  /// Of one host, as they began.
  const std::vector<Performed>& performed(std::size_t host) const { return machines_[host]->performed; }
  std::size_t hosts() const { return machines_.size(); }
  /// Seconds of a processor that the hosts themselves took.
  double cpu() const {
    double sum = 0;
    for (const auto& machine : machines_) {
      sum += machine->cpu;
    }
    return sum;
  }

 private:
  struct Machine {
    std::mutex mutex;
    ObservedState state;
    std::vector<std::string_view> new_adapters;
    std::array<Milliseconds, kOps> ms{};
    std::vector<Performed> performed;
    double cpu = 0;

    Vm& vm(std::string_view id) {
      return *std::find_if(state.hosts.front().vms.begin(), state.hosts.front().vms.end(),
                           [&](const Vm& one) { return one.id == id; });
    }
    void spend(double seconds) {
      const std::lock_guard guard(mutex);
      cpu += seconds;
    }
  };

  /// To ask for it costs much of what it tells: only where that is what is measured.
  double cpu_now() const { return sleeps_ ? 0 : thread_cpu(); }

  Machine& at(const HostTarget& host) {
    return *machines_[static_cast<std::size_t>(std::strtoul(host.name.c_str() + 3, nullptr, 10))];
  }

  /// It has come to pass when its time has come, however late somebody asks.
  HostAnswer<Done> perform(const HostTarget& host, Op op, const std::function<void(Machine&)>& deed) {
    const double before = cpu_now();
    Machine& machine = at(host);
    const Moment begun = std::chrono::steady_clock::now();
    const Moment ended = begun + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                     sleeps_ ? machine.ms[static_cast<std::size_t>(op)] : Milliseconds(0));
    HostAnswer<Done> answer = HostAnswer<Done>::due(ended, [this, &machine, op, begun, ended, deed] {
      const double since = cpu_now();
      {
        const std::lock_guard guard(machine.mutex);
        deed(machine);
        machine.performed.push_back({op, begun, ended});
      }
      machine.spend(cpu_now() - since);
      return Done{};
    });
    machine.spend(cpu_now() - before);
    return answer;
  }

  const bool sleeps_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

/// The product's, but for the disk's flush.
class Unflushed : public Journal {
 public:
  explicit Unflushed(const std::string& folder)
      : journal_(
            make_journal_file({folder, {}, {}}, [](const Plan& plan, OutputFile& file) { write_plan(plan, file); })) {}
  Result<Done> begin(const Plan& plan, Time now) override { return journal_->begin(plan, now); }
  Result<Done> intent(const Plan& plan, std::uint32_t step, Time now) override {
    return journal_->intent(plan, step, now);
  }
  Result<Done> outcome(const Plan& plan, const StepResult& result) override { return journal_->outcome(plan, result); }
  Result<Done> undo(const Plan& plan, std::uint32_t step, Time now) override { return journal_->undo(plan, step, now); }
  Result<Done> restored(const Plan& plan, const Restored& vm) override { return journal_->restored(plan, vm); }
  Result<Done> hook(const HookResult& begun) override { return journal_->hook(begun); }
  Result<Done> hook_ended(const HookResult& hook) override { return journal_->hook_ended(hook); }
  Result<Done> end(const Plan& plan, const Report& report) override { return journal_->end(plan, report); }
  Result<Done> flush() override { return Done{}; }

 private:
  std::unique_ptr<Journal> journal_;
};

Plan plan_for(Memory& hosts) {
  std::string yaml = "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: bench }\nhosts:\n";
  for (std::size_t i = 0; i < hosts.hosts(); ++i) {
    yaml += fmt::format("  - name: hv-{}\n    connect: {{ transport: simulated, file: none.json }}\n", i);
  }
  yaml += fmt::format(
      "gpus:\n  - model: NVIDIA A2\n    partitionCount: 8\nassignments:\n  - match: 'vm-\\d+-\\d+'\n    expect: {}\n",
      hosts.hosts() * kVms);
  Sources sources;
  sources.add("bench.yaml", yaml);
  const ReadDesired desired = read_desired(sources);
  std::vector<ObservedState> states;
  for (const DesiredHost& host : desired.state.hosts) {
    states.push_back(hosts.observe(host.target).get().value());
  }
  auto observed = merge(std::move(states));
  if (!observed || has_error(desired.diagnostics)) {
    give_up(render_diagnostics(desired.diagnostics));
  }
  Planned planned = make_plan(desired.state, *observed, sources);
  if (planned.refused()) {
    give_up(render_diagnostics(planned.diagnostics));
  }
  planned.plan.id = plan_id(planned.plan);
  return std::move(planned.plan);
}

void perform(const Plan& plan, Memory& hosts, const Limits& limits) {
  const TemporaryFolder folder;
  Unflushed journal(folder / "state");
  NoProgress progress;
  const std::atomic<bool> cancelled = false;
  const Report report = execute(
      plan, hosts, journal, progress, cancelled,
      [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }, limits);
  if (exit_code(plan, report) != 0) {
    give_up(render_diagnostics(report.diagnostics));
  }
}

double length(const Performed& one) { return Seconds(one.ended - one.begun).count(); }

/// The least that a host can take for what it was asked, each as long as it took: stops side by side, then its card is
/// emptied, set and filled again, one request after another, each start after its assign. Of power `a_lane` at once.
double least_of_host(const std::vector<Performed>& performed, std::uint32_t a_lane) {
  std::vector<double> stops;
  std::vector<double> starts;
  double in_turns = 0;
  double power = 0;
  for (const Performed& one : performed) {
    if (is_power(one.op)) {
      (one.op == Op::kStopVm ? stops : starts).push_back(length(one));
      power += length(one);
    } else {
      in_turns += length(one);
    }
  }
  const double first = stops.empty() ? 0 : *std::min_element(stops.begin(), stops.end());
  const double last = starts.empty() ? 0 : *std::min_element(starts.begin(), starts.end());
  return std::max(first + in_turns + last, power / a_lane);
}

/// The least that all hosts can take: the longest of them; all of them over the slots; and of more hosts than slots
/// some slot takes several: of any `k * slots + 1` of them k + 1, at least the shortest of those.
double least(const Memory& hosts, const Limits& limits) {
  std::vector<double> each;
  for (std::size_t i = 0; i < hosts.hosts(); ++i) {
    each.push_back(least_of_host(hosts.performed(i), limits.a_lane()));
  }
  std::sort(each.begin(), each.end(), std::greater<>());
  double sum = 0;
  double most = each.front();
  for (std::size_t i = 0; i < each.size(); ++i) {
    sum += each[i];
    if (i > 0 && i % limits.hosts == 0) {
      double together = 0;
      for (std::size_t k = 0; k <= i / limits.hosts; ++k) {
        together += each[i - k];
      }
      most = std::max(most, together);
    }
  }
  return std::max(most, sum / limits.hosts);
}

/// From the first request to the last.
double makespan(const Memory& hosts) {
  Moment first = Moment::max();
  Moment last = Moment::min();
  for (std::size_t i = 0; i < hosts.hosts(); ++i) {
    for (const Performed& one : hosts.performed(i)) {
      first = std::min(first, one.begun);
      last = std::max(last, one.ended);
    }
  }
  return Seconds(last - first).count();
}

/// Of a processor, a step, in microseconds: what a run took less what the hosts took themselves.
double own_cpu(const Plan& plan, Memory& hosts, const Limits& limits) {
  const double of_hosts = hosts.cpu();
  const double before = process_cpu();
  perform(plan, hosts, limits);
  return (process_cpu() - before - (hosts.cpu() - of_hosts)) / static_cast<double>(plan.steps.size()) * 1e6;
}

/// Of several rounds the best, here and below: whatever else this machine does only makes it longer. Hosts answer at
/// once.
void measure_cpu(Figures& figures, std::uint32_t count, int rounds) {
  double own = 1e9;
  for (int round = 0; round < rounds; ++round) {
    Memory hosts(count, false);
    own = std::min(own, own_cpu(plan_for(hosts), hosts, {}));
  }
  figures.at_most(fmt::format("gpup's own CPU a step, {} hosts, microseconds", count), own, 40);
}

void measure_makespan(Figures& figures, std::uint32_t count, std::uint32_t slots, int rounds) {
  double ratio = 1e9;
  double took = 1e9;
  double own = 1e9;
  for (int round = 0; round < rounds; ++round) {
    Memory hosts(count, true);
    Limits limits;
    limits.hosts = slots;
    own = std::min(own, own_cpu(plan_for(hosts), hosts, limits));
    took = std::min(took, makespan(hosts));
    ratio = std::min(ratio, makespan(hosts) / least(hosts, limits));
  }
  figures.note(fmt::format("{} hosts, {} at once", count, slots), took * 1e3, "ms");
  figures.note("  CPU a step, with that of the hosts", own, "microseconds");
  figures.at_most("  makespan / least that these requests can take", ratio, count <= slots ? 1.02 : 1.05);
}

/// Of this process, in bytes: a line of /proc/self/status.
double memory(std::string_view name) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) {
      return std::strtod(line.c_str() + name.size(), nullptr) * 1024;
    }
  }
  give_up("/proc/self/status does not tell " + std::string(name));
}

/// Comes first: the peak is the process's.
void measure_memory(Figures& figures, std::uint32_t count) {
  Memory hosts(count, false);
  const double before = memory("VmRSS:");
  const Plan plan = plan_for(hosts);
  perform(plan, hosts, {});
  figures.at_most(fmt::format("memory of a run over {} hosts, plan included, KiB a host", count),
                  (memory("VmHWM:") - before) / count / 1024, 64);
}

}  // namespace

}  // namespace gpup::bench

int main(int argc, char** argv) {
  using namespace gpup::bench;
  const bool quick = argc == 2 && std::strcmp(argv[1], "--quick") == 0;
  if (argc > 1 && !quick) {
    fmt::print(stderr, "usage: gpup_apply_bench [--quick]\n");
    return 64;
  }
  const int rounds = quick ? 1 : 5;
  Figures figures;
  figures.title(
      "Applying to hosts in memory, 8 VMs each, on a card that gets another count; operations of up to 25 ms");
  measure_memory(figures, quick ? 100 : 1000);
  measure_cpu(figures, quick ? 16 : 256, rounds);
  for (const std::uint32_t count : quick ? std::vector<std::uint32_t>{16} : std::vector<std::uint32_t>{16, 64, 256}) {
    measure_makespan(figures, count, count, rounds);
    measure_makespan(figures, count, 10, rounds);
  }
  fmt::print("\n{}\n", figures.missed() == 0 ? "All figures are within their goals."
                                             : fmt::format("{} figures missed their goal.", figures.missed()));
  return figures.missed() == 0 || quick ? 0 : 1;
}
