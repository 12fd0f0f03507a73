#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/simulated_host.h"
#include "adapters/temporary_folder.h"
#include "desired/read_desired.h"
#include "execute/execute.h"
#include "observed/merge.h"
#include "plan/make_plan.h"

namespace gpup::test {

using nlohmann::json;

inline constexpr const char* kDesired = R"(apiVersion: gpup/v1
kind: GpuPartitioning
metadata: { name: east }
hosts:
  - name: hv-1
    connect: { transport: simulated, file: lab.json }
  - name: hv-2
    connect: { transport: simulated, file: lab.json }
gpus:
  - model: NVIDIA A2
    partitionCount: 4
assignments:
  - vm: one
  - vm: two
  - vm: three
    power: running
policy: { homogeneous: warn }
)";

inline std::string guid(int number) {
  const std::string digits = std::to_string(number);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

/// Braces around one value are a list of it to one compiler and the value itself to another.
inline json list(json values) { return values.is_array() ? std::move(values) : json::array({std::move(values)}); }

inline json host(const std::string& name, json vms) {
  return {{"name", name},
          {"build", 20349},
          {"edition", "azure-stack-hci"},
          {"reachable", true},
          {"gpus", list({{"name", "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#" + name + "#{064092b3}"},
                         {"model", "NVIDIA A2"},
                         {"device", "10de:25b6"},
                         {"subsystem", "157e10de"},
                         {"status", "partitioned"},
                         {"validPartitionCounts", {16, 8, 4, 2, 1}},
                         {"partitionCount", 16},
                         {"totalVram", 15918030848},
                         {"availableVram", 15918030848},
                         {"partitionVram", 939524096},
                         {"partitionEncode", 2},
                         {"partitionDecode", 1},
                         {"partitionCompute", 128}})},
          {"vms", list(std::move(vms))}};
}

inline json vm(const char* name, int number, const char* state, json partitions) {
  return {{"name", name},       {"id", guid(number)}, {"state", state},
          {"clustered", false}, {"generation", 2},    {"partitions", list(std::move(partitions))}};
}

/// Notes what it is told, in words.
class Notes : public Journal {
 public:
  Result<Done> begin(const Plan&, Time) override { return note("begin"); }
  Result<Done> intent(const Plan& plan, std::uint32_t step, Time) override {
    return note("intent " + std::string(to_string(plan.steps[step].op)));
  }
  Result<Done> outcome(const Plan&, const StepResult& result) override {
    return note("outcome " + std::string(to_string(result.outcome)));
  }
  Result<Done> undo(const Plan&, std::uint32_t, Time) override { return note("undo"); }
  Result<Done> restored(const Plan&, const Restored& vm) override { return note("restored " + vm.vm); }
  Result<Done> hook(const HookResult& begun) override { return note("hook " + words(begun)); }
  Result<Done> hook_ended(const HookResult& hook) override {
    return note("hook " + words(hook) + " " + std::string(to_string(hook.outcome)));
  }
  Result<Done> end(const Plan&, const Report&) override { return note("end"); }
  std::string run() const override { return "run-1"; }
  Result<Done> flush() override { return Done{}; }

  std::vector<std::string> lines;
  std::size_t most = 1000;  ///< entries that fit
  std::string refuses;      ///< an entry that never does
  bool refused = false;     ///< one did not

 private:
  static std::string words(const HookResult& hook) {
    return std::string(to_string(hook.kind)) + (hook.of_run() ? "" : " " + hook.vm);
  }
  Result<Done> note(std::string line) {
    if (lines.size() >= most || line == refuses) {
      refused = true;
      return fail(ErrorCode::kCannotRead, "no space is left");
    }
    lines.push_back(std::move(line));
    return Done{};
  }
};

/// A lab whose requests are seen before they are made, on the thread that makes them: they may be held up, or answered.
class Watched : public HostWriter {
 public:
  using Told = std::optional<Result<Done>>;

  std::function<Told(Op op, const std::string& host, const std::string& vm_id)> on_write;
  std::function<std::optional<Error>(const std::string& host)> on_lock;
  std::function<std::optional<Error>(const std::string& host)> on_observe;

  HostAnswer<ObservedState> observe(const HostTarget& host) override {
    return HostAnswer<ObservedState>::waited([this, &host]() -> Result<ObservedState> {
      if (on_observe) {
        if (std::optional<Error> error = on_observe(host.name)) {
          return tl::unexpected<Error>(*std::move(error));
        }
      }
      return lab_->observe(host).get();
    });
  }
  Result<HostFacts> examine(const HostTarget& host) override { return lab_->examine(host); }
  Result<Done> lock(const HostTarget& host) override {
    if (on_lock) {
      if (std::optional<Error> error = on_lock(host.name)) {
        return tl::unexpected<Error>(*std::move(error));
      }
    }
    return lab_->lock(host);
  }
  void unlock(const HostTarget& host) override { lab_->unlock(host); }
  HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& vm_id, const StopPolicy& how,
                           bool owed) override {
    return seen(Op::kStopVm, host, vm_id, [=](auto& lab, auto& at) { return lab.stop_vm(at, vm_id, how, owed); });
  }
  HostAnswer<Done> start_vm(const HostTarget& host, const std::string& vm_id) override {
    return seen(Op::kStartVm, host, vm_id, [=](auto& lab, auto& at) { return lab.start_vm(at, vm_id); });
  }
  HostAnswer<Done> forget_owed_start(const HostTarget& host, const std::string& vm_id) override {
    return lab_->forget_owed_start(host, vm_id);
  }
  HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& vm_id,
                                    const std::optional<std::string>& gpu) override {
    return seen(Op::kAssignPartition, host, vm_id,
                [=](auto& lab, auto& at) { return lab.assign_partition(at, vm_id, gpu); });
  }
  HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& vm_id,
                                      const std::string& id) override {
    return seen(Op::kUnassignPartition, host, vm_id,
                [=](auto& lab, auto& at) { return lab.unassign_partition(at, vm_id, id); });
  }
  HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) override {
    return seen(Op::kSetPartitionCount, host, {},
                [=](auto& lab, auto& at) { return lab.set_partition_count(at, gpu, count); });
  }
  HostAnswer<Done> set_offline_action(const HostTarget& host, const std::string& vm_id, OfflineAction action) override {
    return seen(Op::kSetOfflineAction, host, vm_id,
                [=](auto& lab, auto& at) { return lab.set_offline_action(at, vm_id, action); });
  }

 private:
  using Deed = std::function<HostAnswer<Done>(HostWriter& lab, const HostTarget& host)>;

  HostAnswer<Done> seen(Op op, const HostTarget& host, const std::string& vm_id, const Deed& deed) {
    return HostAnswer<Done>::waited([this, op, &host, vm_id, deed] {
      if (on_write) {
        if (Told told = on_write(op, host.name, vm_id)) {
          return *std::move(told);
        }
      }
      return deed(*lab_, host).get();
    });
  }

  std::unique_ptr<HostWriter> lab_ = make_simulated_hosts();
};

/// Sets the flag when a step of that op ended.
class CancelAfter : public NoProgress {
 public:
  CancelAfter(Op op, std::atomic<bool>& flag) : op_(op), flag_(flag) {}
  void finished(const Plan& plan, const StepResult& result) override {
    if (plan.steps[result.step].op == op_) {
      flag_ = true;
    }
  }

 private:
  Op op_;
  std::atomic<bool>& flag_;
};

/// Two hosts: `one` runs with a partition on hv-1, `two` runs with one on hv-2, `three` is off on hv-2.
struct East {
  East() {
    write({host("hv-1", {vm("one", 1, "Running", {{{"id", guid(4)}, {"gpu", nullptr}}})}),
           host("hv-2", {vm("two", 2, "Running", {{{"id", guid(5)}, {"gpu", nullptr}}}),
                         vm("three", 3, "Off", json::array())})});
  }

  std::string file() const { return folder / "lab.json"; }
  void write(const json& hosts_of_lab) const {
    spill(file(), json({{"apiVersion", "gpup/v1"},
                        {"kind", "Snapshot"},
                        {"takenAt", nullptr},
                        {"cluster", nullptr},
                        {"hosts", hosts_of_lab}})
                      .dump(1));
  }
  json state() const { return json::parse(read_text(file())); }
  /// Changes the lab behind everybody's back.
  template <class Change>
  void change(const Change& deed) const {
    json lab = state();
    deed(lab["hosts"]);
    spill(file(), lab.dump(1));
  }
  void fault(std::size_t at, json told) const {
    change([&](json& all) { all[at]["simulate"]["faults"].push_back(std::move(told)); });
  }
  json machine(const std::string& name) const {
    const json lab = state();
    for (const json& one : lab["hosts"]) {
      for (const json& found : one["vms"]) {
        if (found["name"] == name) {
          return found;
        }
      }
    }
    return {};
  }
  bool runs(const std::string& name) const { return machine(name)["state"] == "Running"; }

  Plan plan(const char* desired = kDesired) const {
    Sources sources;
    sources.add(folder / "east.yaml", desired);
    const ReadDesired read = read_desired(sources);
    REQUIRE_FALSE(has_error(read.diagnostics));
    const auto reader = make_simulated_hosts();
    std::vector<ObservedState> states;
    for (const DesiredHost& one : read.state.hosts) {
      auto observed = reader->observe(one.target).get();
      states.push_back(observed ? std::move(*observed) : not_read(one.target.name, observed.error().message));
    }
    Planned planned = make_plan(read.state, merge(std::move(states)).value(), sources);
    CAPTURE(render_diagnostics(planned.diagnostics));
    REQUIRE_FALSE(planned.refused());
    return std::move(planned.plan);
  }

  Report apply(const Plan& plan) { return apply(plan, progress); }
  Report apply(const Plan& plan, Progress& told) {
    const auto hosts = make_simulated_hosts();  // another command
    return apply(plan, told, *hosts);
  }
  Report apply(const Plan& plan, Progress& told, HostWriter& hosts) {
    int tick = 0;
    const Clock clock = [&] { return Time(++tick * tick_length); };
    Patience patience;
    patience.now = [this] { return std::chrono::steady_clock::time_point(std::chrono::milliseconds(slept.load())); };
    patience.sleep = [this](std::chrono::milliseconds time) { slept += time.count(); };
    return execute(plan, hosts, journal, told, cancelled, clock, limits, patience, {ignore_window, hooks});
  }
  /// Takes the run up again until nothing is to do.
  bool converges() {
    for (int tries = 0; tries < 4; ++tries) {
      cancelled = false;
      const Plan next = plan();
      if (next.steps.empty()) {
        return true;
      }
      apply(next);
    }
    return false;
  }

  TemporaryFolder folder;
  Notes journal;
  NoProgress progress;
  std::atomic<bool> cancelled = false;
  std::atomic<std::int64_t> slept = 0;  ///< milliseconds, in thought
  Limits limits;
  bool ignore_window = false;
  Hooks* hooks = nullptr;
  std::chrono::milliseconds tick_length{1};  ///< between two looks at the clock, which begins with 1970
};

inline const StepResult* find(const Plan& plan, const Report& report, Op op, std::string_view vm_name) {
  for (const StepResult& result : report.steps) {
    const Step& step = plan.steps[result.step];
    if (step.op == op && step.vm != kNone && plan.vms[step.vm].name == vm_name) {
      return &result;
    }
  }
  return nullptr;
}

inline std::string messages(const Diagnostics& diagnostics) {
  std::string all;
  for (const Diagnostic& diagnostic : diagnostics) {
    all += diagnostic.message + "\n";
  }
  return all;
}

/// `GP188 GP174`.
inline std::string codes(const Diagnostics& diagnostics) {
  std::string all;
  for (const Diagnostic& diagnostic : diagnostics) {
    all += (all.empty() ? "" : " ") + to_string(diagnostic.code);
  }
  return all;
}

inline bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace gpup::test
