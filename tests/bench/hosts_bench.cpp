// What real hosts cost, through the agent in a real PowerShell: `gpup_hosts_bench GPUP FOLDER ROUNDS COMMAND...`.
// FOLDER is what tests/bench/hosts made: live.yaml with the hosts few, many and slow-1 to slow-5, and the folders
// sixteen and single, each with a desired.yaml and a lab.json. COMMAND connects to the host few with a new PowerShell,
// and calls one cmdlet.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/powershell_hosts.h"
#include "adapters/subprocess.h"
#include "base/side_by_side.h"
#include "bench/figures.h"
#include "bench/measure.h"
#include "desired/read_desired.h"
#include "execute/find.h"

namespace gpup::bench {

namespace {

constexpr std::size_t kRounds = 9;  // with fewer, no goal decides
constexpr int kRequests = 500;
constexpr std::size_t kLine = 200;  // bytes, as a request has

using Seconds = std::chrono::duration<double>;

double time_of(const std::function<void()>& deed) {
  const auto begin = std::chrono::steady_clock::now();
  deed();
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds that this thread was on a processor: whoever asks reads the reply, too, where nobody else does.
double own_cpu() {
  struct rusage usage {};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "gpup_hosts_bench: {}\n", what);
  std::exit(1);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    give_up("cannot read " + path);
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

class Benchmark {
 public:
  Benchmark(std::string gpup, std::string folder, std::size_t rounds, Command connect)
      : gpup_(std::move(gpup)), folder_(std::move(folder)), rounds_(rounds), connect_(std::move(connect)) {}

  int run() {
    read_hosts();
    requests();
    observing();
    applying();
    fmt::print("\n{}\n", figures_.missed() == 0 ? "All figures are within their goals."
                                                : fmt::format("{} figures missed their goal.", figures_.missed()));
    return figures_.missed() == 0 || rounds_ < kRounds ? 0 : 1;
  }

 private:
  void read_hosts() {
    const std::string path = folder_ + "/live.yaml";
    Sources sources;
    sources.add(path, read_file(path));
    ReadDesired read = read_desired(sources);
    if (!read.diagnostics.empty()) {
      give_up(path + ": " + read.diagnostics.front().message);
    }
    desired_ = std::move(read.state);
  }

  static std::unique_ptr<PowerShellHosts> new_hosts() { return make_powershell_hosts(std::chrono::seconds(60), true); }

  const HostTarget& host(std::string_view name) const {
    const auto found = std::find_if(desired_.hosts.begin(), desired_.hosts.end(),
                                    [&](const DesiredHost& one) { return one.target.name == name; });
    if (found == desired_.hosts.end()) {
      give_up(fmt::format("live.yaml has no host {}", name));
    }
    return found->target;
  }

  void observe(std::string_view name) {
    if (const auto observed = hosts_->observe(host(name)).get(); !observed) {
      give_up(fmt::format("{}: {}", name, why(observed.error())));
    }
  }

  /// There and back: the agent knows no such request and says so.
  void request() {
    if (hosts_->ask(host("few"), "nothing")) {
      give_up("few: 'nothing' was answered");
    }
  }

  /// Two requests that are performed and answered.
  void lock_and_unlock() {
    if (const auto locked = hosts_->lock(host("few")); !locked) {
      give_up(fmt::format("few: {}", why(locked.error())));
    }
    hosts_->unlock(host("few"));
  }

  void requests() {
    figures_.title("A request over a live session (ssh), and a connection with a new PowerShell for each");
    observe("few");
    for (int i = 0; i < kRequests / 10; ++i) {
      request();
    }
    std::vector<double> live;
    std::vector<double> fresh;
    for (std::size_t round = 0; round < rounds_; ++round) {
      live.push_back(time_of([&] { request(); }));
      const Cost cost = bench::run(connect_);
      if (cost.exit_code != 0) {
        give_up(fmt::format("the command that connects exits {}", cost.exit_code));
      }
      fresh.push_back(cost.seconds);
    }
    figures_.note("request over the session", median(live) * 1e3, "ms");
    figures_.note("connection with a new PowerShell", median(fresh) * 1e3, "ms");
    figures_.at_least("connection / request", median(fresh) / median(live), 100);

    request_cpu();
  }

  void request_cpu() {
    const OneProcessor here;
    hosts_ = new_hosts();
    lock_and_unlock();
    std::vector<double> cpu;
    for (std::size_t round = 0; round < rounds_; ++round) {
      const double before = own_cpu();
      for (int i = 0; i < kRequests / 2; ++i) {
        lock_and_unlock();
      }
      cpu.push_back((own_cpu() - before) / kRequests * 1e6);
    }
    // The least: what else the machine does can only add to it.
    const double least = *std::min_element(cpu.begin(), cpu.end());
    figures_.at_most("gpup's own CPU a request, microseconds", least, 50);
    const double floor = echo_cpu();
    figures_.note("the same for a line through cat, now and then: two system calls and a sleep", floor, "microseconds");
    figures_.at_most("request / line through cat", least / floor, 3);
    hosts_ = new_hosts();
  }

  /// Microseconds of our own for a line to another process and back, without looking at it: the floor of a request
  /// here.
  double echo_cpu() const {
    auto cat = Subprocess::start({"cat"});
    if (!cat) {
      give_up("cat: " + cat.error().message);
    }
    const std::string line(kLine, 'x');
    std::string reply(kLine, ' ');
    constexpr int kLines = kRequests / 5;
    constexpr std::chrono::milliseconds kPause(4);  // about what a request takes: caches are as cold
    std::vector<double> cpu;
    for (std::size_t round = 0; round < rounds_; ++round) {
      double took = 0;
      for (int i = 0; i < kLines; ++i) {
        std::this_thread::sleep_for(kPause);
        const double before = own_cpu();
        pass_through(**cat, line, reply);
        took += own_cpu() - before;
      }
      cpu.push_back(took / kLines * 1e6);
    }
    return *std::min_element(cpu.begin(), cpu.end());
  }

  static void pass_through(Subprocess& cat, std::string_view line, std::string& reply) {
    std::size_t taken = 0;
    if (cat.write(line, taken) != Subprocess::Piped::kSome || taken != line.size()) {
      give_up("cat takes no line");
    }
    for (std::size_t got = 0, some = 0; got < line.size(); got += some, some = 0) {
      Subprocess::wait_for(cat.watch(false), nullptr, std::chrono::hours(1));
      if (cat.read_out(&reply[got], reply.size() - got, some) == Subprocess::Piped::kEnded) {
        give_up("cat ended");
      }
    }
  }

  void observing() {
    figures_.title("Observing over live sessions");
    observe("many");
    std::vector<double> few;
    std::vector<double> many;
    for (std::size_t round = 0; round < rounds_; ++round) {
      few.push_back(time_of([&] { observe("few"); }));
      many.push_back(time_of([&] { observe("many"); }));
    }
    figures_.note("8 VMs", median(few) * 1e3, "ms");
    figures_.note("64 VMs", median(many) * 1e3, "ms");
    figures_.at_most("64 VMs / 8 VMs", median(many) / median(few), 3);

    constexpr std::size_t kHosts = 5;
    const auto slow = [&](std::size_t i) { observe(fmt::format("slow-{}", i + 1)); };
    side_by_side(kHosts, kHosts, slow);
    std::vector<double> one;
    std::vector<double> five;
    for (std::size_t round = 0; round < rounds_; ++round) {
      one.push_back(time_of([&] { slow(0); }));
      five.push_back(time_of([&] { side_by_side(kHosts, kHosts, slow); }));
    }
    figures_.note("a host whose cmdlets take their time", median(one) * 1e3, "ms");
    figures_.at_most("five such hosts / one", median(five) / median(one), 1.3);
  }

  /// Seconds from the first to the last of a run, as it reports them; a run that did not go well ends the benchmark.
  double makespan(const std::string& name) {
    const std::string from = folder_ + "/" + name;
    const std::string room = from + "-room";
    std::filesystem::remove_all(room);
    std::filesystem::copy(from, room);
    const std::string report = room + "/report.json";
    const Cost cost = bench::run(
        {"sh", "-c", R"(cd "$1" && "$2" apply -f desired.yaml --yes -o json >report.json)", "sh", room, gpup_});
    if (cost.exit_code != 0) {
      give_up(fmt::format("applying {} exits {}", name, cost.exit_code));
    }
    const auto json = nlohmann::json::parse(read_file(report));
    return seconds_of(json.at("endedAt").get<std::string>()) - seconds_of(json.at("startedAt").get<std::string>());
  }

  /// `2026-11-22T08:41:00.250Z`, of the day.
  static double seconds_of(const std::string& time) {
    int hours = 0;
    int minutes = 0;
    double seconds = 0;
    if (std::sscanf(time.c_str(), "%*d-%*d-%*dT%d:%d:%lfZ", &hours, &minutes, &seconds) != 3) {
      give_up("no time: " + time);
    }
    return hours * 3600 + minutes * 60 + seconds;
  }

  void applying() {
    figures_.title("Applying: VMs that take a second to stop and one to start, on a GPU that gets another count");
    constexpr std::size_t kTimes = 3;  // each takes seconds
    std::vector<double> single;
    std::vector<double> sixteen;
    for (std::size_t round = 0; round < std::min(rounds_, kTimes); ++round) {
      single.push_back(makespan("single"));
      sixteen.push_back(makespan("sixteen"));
    }
    figures_.note("one VM, and the count", median(single) * 1e3, "ms");
    figures_.note("16 VMs, and the count", median(sixteen) * 1e3, "ms");
    figures_.at_most("16 VMs / one", median(sixteen) / median(single), 1.5);
  }

  const std::string gpup_;
  const std::string folder_;
  const std::size_t rounds_;
  const Command connect_;
  Figures figures_;
  DesiredState desired_;
  std::unique_ptr<PowerShellHosts> hosts_ = new_hosts();
};

}  // namespace

}  // namespace gpup::bench

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: gpup_hosts_bench GPUP FOLDER ROUNDS COMMAND...\n");
    return 64;
  }
  const auto rounds = static_cast<std::size_t>(std::max(1L, std::strtol(argv[3], nullptr, 10)));
  return gpup::bench::Benchmark(argv[1], argv[2], rounds, {argv + 4, argv + argc}).run();
}
