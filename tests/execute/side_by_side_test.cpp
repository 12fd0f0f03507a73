#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "execute/east.h"
#include "execute/execute.h"

using namespace gpup;
using namespace gpup::test;

namespace {

/// Lets nobody through until so many are in.
class Meeting {
 public:
  explicit Meeting(std::size_t wanted) : wanted_(wanted) {}

  void join() {
    arrive();
    wait();
  }
  void arrive() {
    const std::lock_guard guard(mutex_);
    ++in_;
    changed_.notify_all();
  }
  void wait() {
    constexpr std::chrono::seconds kPatience(60);  // only where they never come
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return in_ >= wanted_; })) {
      in_vain_ = true;
    }
  }
  /// They were all in at one time.
  bool held() {
    const std::lock_guard guard(mutex_);
    return in_ >= wanted_ && !in_vain_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::size_t wanted_;
  std::size_t in_ = 0;
  bool in_vain_ = false;
};

/// Looks at every instant of a run: what begins has all behind it that it waits for, and the limits hold.
class Watch : public NoProgress {
 public:
  Watch(const Plan& plan, const Limits& limits) : limits_(limits), ended_(plan.steps.size()) {}

  void started(const Plan& plan, std::uint32_t step) override {
    const Entered entered(*this);
    order.push_back(step);
    for (const std::uint32_t before : plan.after_of(plan.steps[step])) {
      want(ended_[before], "a step begins before one that it waits for has ended");
    }
    under_way_.insert(step);
    most = std::max(most, under_way_.size());
    std::set<std::uint32_t> hosts;
    std::set<std::uint32_t> vms;
    std::map<std::uint32_t, std::uint32_t> powering;
    std::map<std::uint32_t, std::uint32_t> others;
    for (const std::uint32_t one : under_way_) {
      const Step& row = plan.steps[one];
      const bool power = is_power(row.op);
      hosts.insert(host_of(plan, row));
      want(++(power ? powering : others)[host_of(plan, row)] <= limits_.a_host,
           power ? "too many stops and starts on a host" : "too much else on a host");
      want(row.vm == kNone || vms.insert(row.vm).second, "two steps of one machine at once");
    }
    want(hosts.size() <= limits_.hosts, "too many hosts at once");
    if (on_started) {
      on_started(plan.steps[step].op);
    }
  }
  void finished(const Plan&, const StepResult& result) override {
    const Entered entered(*this);
    under_way_.erase(result.step);
    ended_[result.step] = true;
    if (on_finished) {
      on_finished(result);
    }
  }
  void restoring(const Plan&, const Restored&) override { const Entered entered(*this); }
  void restored(const Plan&, const Restored&) override { const Entered entered(*this); }

  std::function<void(Op op)> on_started;
  std::function<void(const StepResult& result)> on_finished;
  std::set<std::string> wrong;
  std::vector<std::uint32_t> order;
  std::size_t most = 0;  ///< steps that were under way at once

 private:
  /// Calls that overlap are told, not only raced.
  struct Entered {
    explicit Entered(Watch& watch) : watch_(watch) {
      watch.want(!watch.inside_.exchange(true), "it is told two things at once");
    }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    ~Entered() { watch_.inside_ = false; }
    Watch& watch_;
  };

  void want(bool holds, const char* otherwise) {
    if (!holds) {
      wrong.insert(otherwise);
    }
  }

  const Limits limits_;
  std::vector<bool> ended_;
  std::set<std::uint32_t> under_way_;
  std::atomic<bool> inside_ = false;
};

/// Hosts whose machines all run: on every other one they hold a partition and the count is to change, on the rest they
/// hold none and the count is right.
struct Many : East {
  Many(int hosts, int vms_each) {
    json all = json::array();
    desired_ = "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: many }\nhosts:\n";
    for (int h = 0; h < hosts; ++h) {
      const std::string name = "hv-" + std::to_string(h);
      json vms = json::array();
      for (int v = 0; v < vms_each; ++v) {
        const int number = 100 * h + v;
        json held = json::array();
        if (h % 2 == 0) {
          held.push_back({{"id", guid(10000 + number)}, {"gpu", nullptr}});
        }
        vms.push_back(vm(("vm-" + std::to_string(number)).c_str(), number, "Running", held));
      }
      all.push_back(host(name, vms));
      if (h % 2 != 0) {
        all.back()["gpus"][0]["partitionCount"] = 8;
        all.back()["gpus"][0]["partitionVram"] = 1988100096;
      }
      desired_ += "  - name: " + name + "\n    connect: { transport: simulated, file: lab.json }\n";
    }
    desired_ += "gpus:\n  - model: NVIDIA A2\n    partitionCount: 8\nassignments:\n  - match: 'vm-.*'\n    expect: " +
                std::to_string(hosts * vms_each) + "\n";
    write(all);
  }

  Plan plan() const { return East::plan(desired_.c_str()); }
  bool all_run() const {
    const json lab = state();
    for (const json& one : lab["hosts"]) {
      for (const json& found : one["vms"]) {
        if (found["state"] != "Running") {
          return false;
        }
      }
    }
    return true;
  }

 private:
  std::string desired_;
};

/// What a run came to, without times and what the host made up.
using Told = std::tuple<std::uint32_t, Outcome, std::string, bool, std::optional<bool>, std::optional<bool>,
                        std::optional<std::uint64_t>>;

std::vector<Told> told(const Report& report) {
  std::vector<Told> all;
  for (const StepResult& step : report.steps) {
    all.emplace_back(step.step, step.outcome, step.message, step.sent, step.assigned, step.resolved, step.vram);
  }
  return all;
}

std::string words(const std::set<std::string>& all) {
  std::string joined;
  for (const std::string& one : all) {
    joined += one + "\n";
  }
  return joined;
}

/// Knows by step what is on disk.
class Ledger : public Journal {
 public:
  explicit Ledger(const Plan& plan) : noted_(plan.steps.size()), on_disk_(plan.steps.size()) {}
  Result<Done> begin(const Plan&, Time) override {
    return note([] {});
  }
  Result<Done> intent(const Plan&, std::uint32_t step, Time) override {
    return note([&] { noted_[step] = noted_[step] == 0 ? 1 : 9; });
  }
  Result<Done> outcome(const Plan&, const StepResult& result) override {
    return note([&] { noted_[result.step] = noted_[result.step] == 1 ? 2 : 9; });
  }
  Result<Done> undo(const Plan&, std::uint32_t, Time) override {
    return note([] {});
  }
  Result<Done> restored(const Plan&, const Restored&) override {
    return note([] {});
  }
  Result<Done> hook(const HookResult&) override {
    return note([] {});
  }
  Result<Done> hook_ended(const HookResult&) override {
    return note([] {});
  }
  Result<Done> end(const Plan&, const Report&) override {
    return note([] {});
  }
  Result<Done> flush() override {
    std::vector<int> begun;
    overlapped = overlapped || flushing_.exchange(true);
    {
      const std::lock_guard guard(mutex_);
      begun = noted_;
    }
    std::this_thread::yield();
    {
      const std::lock_guard guard(mutex_);
      on_disk_ = begun;
    }
    flushing_ = false;
    return full_ ? Result<Done>(fail(ErrorCode::kCannotRead, "no space is left")) : Done{};
  }

  /// 1 where its intent stands alone, 2 with its outcome.
  int on_disk(std::uint32_t step) {
    const std::lock_guard guard(mutex_);
    return on_disk_[step];
  }
  void be_full() { full_ = true; }
  std::atomic<bool> overlapped = false;

 private:
  template <class Deed>
  Result<Done> note(const Deed& deed) {
    overlapped = overlapped || inside_.exchange(true);
    {
      const std::lock_guard guard(mutex_);
      deed();
    }
    std::this_thread::yield();
    inside_ = false;
    return Done{};
  }

  std::mutex mutex_;
  std::vector<int> noted_;
  std::vector<int> on_disk_;
  std::atomic<bool> inside_ = false;
  std::atomic<bool> flushing_ = false;
  std::atomic<bool> full_ = false;
};

const Watched::Told kGoOn = std::nullopt;

}  // namespace

TEST_CASE("stops, and then starts, of the machines of one host go side by side") {
  Many many(1, 5);
  const Plan plan = many.plan();
  Meeting stops(5);
  Meeting starts(5);
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string&, const std::string&) {
    if (is_power(op)) {
      (op == Op::kStopVm ? stops : starts).join();
    }
    return kGoOn;
  };
  const Report report = many.apply(plan, many.progress, hosts);
  CHECK(stops.held());
  CHECK(starts.held());
  CHECK_EQ(exit_code(plan, report), 0);
  CHECK(many.plan().steps.empty());
}

TEST_CASE("all else on a host is under way side by side as well, but its writes take turns") {
  Many many(2, 5);
  const Plan plan = many.plan();
  std::array<std::atomic<int>, 2> writing{};
  std::atomic<int> wrong = 0;
  Meeting unassigns(5);  // all are under way before the first of them is written
  Watch watch(plan, many.limits);
  watch.on_started = [&](Op op) {
    if (op == Op::kUnassignPartition) {
      unassigns.arrive();
    }
  };
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string&) {
    if (op == Op::kUnassignPartition) {
      unassigns.wait();
    }
    if (!is_power(op)) {
      std::atomic<int>& here = writing.at(host == "hv-0" ? 0 : 1);
      wrong += here++ == 0 ? 0 : 1;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --here;
    }
    return kGoOn;
  };
  CHECK_EQ(exit_code(plan, many.apply(plan, watch, hosts)), 0);
  CHECK(unassigns.held());
  CHECK_EQ(wrong, 0);
  CHECK_EQ(words(watch.wrong), "");
  CHECK(many.plan().steps.empty());
}

TEST_CASE("hosts are locked, read and worked on side by side") {
  Many many(4, 1);
  const Plan plan = many.plan();
  Meeting locks(4);
  Meeting reads(4);
  Meeting stops(4);
  Watched hosts;
  std::atomic<int> observed = 0;
  hosts.on_lock = [&](const std::string&) -> std::optional<Error> {
    locks.join();
    return std::nullopt;
  };
  hosts.on_observe = [&](const std::string&) -> std::optional<Error> {
    if (observed++ < 4) {
      reads.join();
    }
    return std::nullopt;
  };
  hosts.on_write = [&](Op op, const std::string&, const std::string&) {
    if (op == Op::kStopVm) {
      stops.join();
    }
    return kGoOn;
  };
  CHECK_EQ(exit_code(plan, many.apply(plan, many.progress, hosts)), 0);
  CHECK(locks.held());
  CHECK(reads.held());
  CHECK(stops.held());
}

TEST_CASE("with one host at a time steps are performed in the order of the plan, on the caller's thread") {
  Many many(3, 3);
  const Plan plan = many.plan();
  many.limits.hosts = 1;
  Watch watch(plan, {1, 1});
  Watched hosts;
  std::set<std::thread::id> threads;
  hosts.on_write = [&](Op, const std::string&, const std::string&) {
    threads.insert(std::this_thread::get_id());
    return kGoOn;
  };
  CHECK_EQ(exit_code(plan, many.apply(plan, watch, hosts)), 0);
  std::vector<std::uint32_t> all(plan.steps.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    all[i] = i;
  }
  CHECK_EQ(watch.order, all);
  CHECK_EQ(watch.most, 1);
  CHECK_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST_CASE("whatever goes side by side, what a step waits for is over, limits hold, and the report is the same") {
  std::vector<Told> in_order;
  for (const Limits limits : {Limits{1, 32}, Limits{2, 2}, Limits{10, 32}}) {
    CAPTURE(limits.hosts);
    CAPTURE(limits.a_host);
    Many many(4, 3);
    const Plan plan = many.plan();
    many.limits = limits;
    Watch watch(plan, limits);
    Watched hosts;
    hosts.on_write = [&](Op, const std::string&, const std::string& vm_id) {
      std::mt19937 random(static_cast<std::uint32_t>(std::hash<std::string>()(vm_id)));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      return kGoOn;
    };
    const Report report = many.apply(plan, watch, hosts);
    CHECK_EQ(words(watch.wrong), "");
    CHECK_EQ(messages(report.diagnostics), "");
    CHECK_EQ(exit_code(plan, report), 0);
    CHECK(many.all_run());
    CHECK(many.plan().steps.empty());
    if (limits.in_order()) {
      in_order = told(report);
    } else {
      CHECK_GT(watch.most, 1);
    }
    CHECK_EQ(told(report), in_order);
  }
}

TEST_CASE("a step that fails while others are under way skips what waits for it, and nothing else") {
  Many many(1, 2);
  const Plan plan = many.plan();
  Meeting both(2);
  Meeting over(2);
  Watch watch(plan, many.limits);
  watch.on_finished = [&](const StepResult& result) {
    if (result.outcome == Outcome::kFailed) {
      over.join();
    }
  };
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string&, const std::string& vm_id) -> Watched::Told {
    if (op == Op::kStopVm) {
      both.join();
      if (vm_id == guid(0)) {
        return fail(ErrorCode::kRefused, "not today");
      }
      over.join();  // the other has failed, this one is still on its way
    }
    return kGoOn;
  };
  const Report report = many.apply(plan, watch, hosts);
  CHECK(over.held());
  CHECK(both.held());
  CHECK_EQ(exit_code(plan, report), 7);
  CHECK_EQ(find(plan, report, Op::kStopVm, "vm-0")->message, "not today");
  CHECK_EQ(find(plan, report, Op::kStopVm, "vm-1")->outcome, Outcome::kDone);
  CHECK_EQ(find(plan, report, Op::kUnassignPartition, "vm-0")->outcome, Outcome::kSkipped);
  CHECK_EQ(find(plan, report, Op::kUnassignPartition, "vm-1")->outcome, Outcome::kDone);
  CHECK_EQ(find(plan, report, Op::kAssignPartition, "vm-1")->outcome, Outcome::kSkipped);
  REQUIRE_EQ(report.restored.size(), 1);
  CHECK_EQ(report.restored[0].vm, "vm-1");
  CHECK(report.left_off.empty());
  CHECK(many.all_run());
}

TEST_CASE("cancelling lets what is under way end, begins nothing, and starts again what was stopped") {
  Many many(2, 3);
  const Plan plan = many.plan();
  Meeting all(6);
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string&, const std::string&) {
    if (op == Op::kStopVm && !many.cancelled) {
      all.join();
      many.cancelled = true;
    }
    return kGoOn;
  };
  const Report report = many.apply(plan, many.progress, hosts);
  CHECK(all.held());
  CHECK_EQ(exit_code(plan, report), 8);
  std::vector<std::string> stopped;
  for (const StepResult& result : report.steps) {
    const Step& step = plan.steps[result.step];
    const bool stop = step.op == Op::kStopVm;
    CHECK_EQ(result.outcome, stop ? Outcome::kDone : Outcome::kSkipped);
    CHECK_EQ(result.message, stop ? "" : "the run was cancelled");
    if (step.op == Op::kStartVm) {
      stopped.emplace_back(plan.vms[step.vm].name);
    }
  }
  std::vector<std::string> restored;
  for (const Restored& one : report.restored) {
    restored.push_back(one.vm);
  }
  CHECK_EQ(restored, stopped);
  CHECK(report.left_off.empty());
  CHECK(many.all_run());
}

TEST_CASE("of hosts that have to be waited for no more steps are begun than wait at once: the rest can be cancelled") {
  constexpr int kMost = 512;
  Many many(70, 8);
  Plan plan = many.plan();
  for (HostTarget& host : plan.hosts) {
    host.connect.transport = Transport::kLocal;
  }
  many.limits.hosts = 70;
  std::atomic<int> stops = 0;
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string&, const std::string&) -> Watched::Told {
    if (op != Op::kStopVm) {
      return kGoOn;
    }
    many.cancelled = true;
    ++stops;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return fail(ErrorCode::kRefused, "not today");
  };
  CHECK_EQ(exit_code(plan, many.apply(plan, many.progress, hosts)), 8);
  CHECK_GT(stops, 0);
  CHECK_LE(stops, kMost);
}

TEST_CASE("machines whose own start did not come are started again side by side, and told in the order of the plan") {
  Many many(1, 4);
  const Plan plan = many.plan();
  Meeting starts(4);
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string&, const std::string& vm_id) -> Watched::Told {
    if (op == Op::kSetPartitionCount) {
      return fail(ErrorCode::kRefused, "not this card");
    }
    if (op == Op::kStartVm) {
      starts.join();
      if (vm_id == guid(1) || vm_id == guid(3)) {
        return fail(ErrorCode::kRefused, "no resources");
      }
    }
    return kGoOn;
  };
  const Report report = many.apply(plan, many.progress, hosts);
  CHECK(starts.held());
  CHECK_EQ(exit_code(plan, report), 7);
  REQUIRE_EQ(report.restored.size(), 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_EQ(report.restored[i].vm, "vm-" + std::to_string(i));
    CHECK_EQ(report.restored[i].outcome, i % 2 == 0 ? Outcome::kDone : Outcome::kFailed);
  }
  REQUIRE_EQ(report.left_off.size(), 2);
  CHECK_EQ(report.left_off[0].vm, "vm-1");
  CHECK_EQ(report.left_off[1].vm, "vm-3");
}

TEST_CASE("each intent is on disk before its write goes out, each outcome in the end, and entries come one at a time") {
  Many many(4, 4);
  const Plan plan = many.plan();
  Ledger ledger(plan);
  std::map<std::pair<Op, std::string>, std::uint32_t> step_of;
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    step_of[{step.op, step.vm == kNone ? plan.hosts[host_of(plan, step)].name : std::string(plan.vms[step.vm].id)}] = i;
  }
  std::atomic<int> early = 0;
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string& host, const std::string& vm_id) {
    const auto found = step_of.find({op, vm_id.empty() ? host : vm_id});
    if (found == step_of.end() || ledger.on_disk(found->second) != 1) {
      ++early;
    }
    return kGoOn;
  };
  const Report report = execute(plan, hosts, ledger, many.progress, many.cancelled, [] { return Time(); });
  CHECK_EQ(exit_code(plan, report), 0);
  CHECK_EQ(early, 0);
  CHECK_FALSE(ledger.overlapped);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    CHECK_EQ(ledger.on_disk(i), 2);
  }
}

TEST_CASE("what cannot be brought to disk is not sent, and what was stopped is started again") {
  Many many(1, 3);
  const Plan plan = many.plan();
  Ledger ledger(plan);
  std::atomic<int> writes = 0;
  Meeting stops(3);
  Watched hosts;
  hosts.on_write = [&](Op op, const std::string&, const std::string&) {
    if (op == Op::kStopVm) {
      stops.join();
      ledger.be_full();
    } else if (op != Op::kStartVm) {
      ++writes;
    }
    return kGoOn;
  };
  const Report report = execute(plan, hosts, ledger, many.progress, many.cancelled, [] { return Time(); });
  CHECK_EQ(exit_code(plan, report), 7);
  CHECK_EQ(writes, 0);
  CHECK(says(messages(report.diagnostics), "the journal cannot be written: no space is left; nothing was sent since"));
  CHECK(many.all_run());
}
