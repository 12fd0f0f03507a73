#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "plan/make_plan.h"

namespace gpup::tests {

/// A small world, built in a few words: one host `hv1` unless more are added, GPUs that accept 16, 8, 4, 2, 1.
class SmallWorld {
 public:
  SmallWorld() : pool_(std::make_shared<TextPool>()) {
    observed.texts.push_back(pool_);
    desired.name = "lab";
    sources.add("lab.yaml", "");
    host("hv1");
  }

  SmallWorld& host(const std::string& name) {
    Host seen;
    seen.name = pool_->keep(name);
    seen.build = 20349;
    seen.edition = Edition::kAzureStackHci;
    observed.hosts.push_back(std::move(seen));
    DesiredHost wanted;
    wanted.target.name = name;
    wanted.place = line();
    desired.hosts.push_back(std::move(wanted));
    return *this;
  }
  SmallWorld& gpu(const std::string& name, std::uint32_t count, const std::string& model = "NVIDIA A2") {
    Gpu gpu;
    gpu.name = pool_->keep(name);
    gpu.model = pool_->keep(model);
    gpu.device = "10de:25b6";
    gpu.status = GpuStatus::kPartitioned;
    gpu.valid_partition_counts = {16, 8, 4, 2, 1};
    gpu.partition_count = count;
    gpu.total_vram = 16ULL << 30U;
    gpu.partition_vram = (15ULL << 30U) / count;
    observed.hosts.back().gpus.push_back(std::move(gpu));
    return *this;
  }
  /// A VM on the last host; each of `on` is a GPU's name, `?` for an unresolved adapter, `!` for a GPU that is gone.
  SmallWorld& vm(const std::string& name, const std::string& state, const std::vector<std::string>& on = {}) {
    Host& host = observed.hosts.back();
    Vm vm;
    vm.name = pool_->keep(name);
    vm.id = pool_->keep(fmt::format("00000000-0000-0000-0000-{:012}", ++vms_));
    vm.state_name = pool_->keep(state);
    vm.state = state == "Running" ? VmState::kRunning : state == "Off" ? VmState::kOff : VmState::kOther;
    vm.clustered = desired.cluster.has_value();
    vm.generation = 2;
    if (vm.clustered) {
      vm.offline_action = OfflineAction::kForceShutdown;
    }
    vm.first_adapter = static_cast<std::uint32_t>(host.adapters.size());
    vm.adapter_count = static_cast<std::uint32_t>(on.size());
    for (const std::string& gpu : on) {
      Adapter adapter;
      adapter.id = pool_->keep(fmt::format("{}-{}", name, host.adapters.size()));
      adapter.gpu = gpu == "!" ? Adapter::kUnknownGpu : Adapter::kUnresolved;
      adapter.gpu_name = gpu == "?" ? std::string_view() : pool_->keep(gpu);
      for (std::size_t g = 0; g < host.gpus.size(); ++g) {
        if (host.gpus[g].name == gpu) {
          adapter.gpu = static_cast<std::int32_t>(g);
        }
      }
      host.adapters.push_back(adapter);
    }
    host.vms.push_back(vm);
    return *this;
  }
  /// The last VM is off, since an earlier run stopped it and has not started it again.
  SmallWorld& owed() {
    last_vm().start_owed = true;
    return *this;
  }
  Vm& last_vm() { return observed.hosts.back().vms.back(); }
  Gpu& last_gpu() { return observed.hosts.back().gpus.back(); }

  SmallWorld& cluster(const std::string& name) {
    desired.cluster = name;
    observed.cluster = pool_->keep(name);
    return *this;
  }
  /// A line under `gpus` by model; count 0 leaves it as it is.
  SmallWorld& manage(const std::string& model, std::uint32_t count) {
    DesiredGpu wanted;
    wanted.model = model;
    wanted.place = line();
    wanted.count_place = wanted.place;
    if (count != 0) {
      wanted.partition_count = count;
    }
    desired.gpus.push_back(std::move(wanted));
    return *this;
  }
  SmallWorld& list(const std::string& vm, Power power = Power::kKeep, const std::string& gpu = "") {
    DesiredAssignment wanted;
    wanted.vm = pool_->keep(vm);
    wanted.gpu = pool_->keep(gpu);
    wanted.power = power;
    wanted.place = line();
    desired.assignments.push_back(wanted);
    return *this;
  }
  SmallWorld& match(const std::string& pattern, std::uint32_t expect) {
    DesiredAssignment wanted;
    wanted.match = pool_->keep(pattern);
    wanted.expect = expect;
    wanted.place = line();
    desired.assignments.push_back(wanted);
    return *this;
  }
  SmallWorld& unlisted(Unlisted policy) {
    desired.policy.unlisted = policy;
    return *this;
  }

  SmallWorld& disruption(DesiredDisruption wanted) {
    desired.policy.disruption = std::move(wanted);
    return *this;
  }

  /// For emergencies: addresses as --target and --exclude take them.
  SmallWorld& target(const std::string& address) {
    scope.targets.push_back(parse_address(address).value());
    return *this;
  }
  SmallWorld& exclude(const std::string& address) {
    scope.excludes.push_back(parse_address(address).value());
    return *this;
  }

  Planned plan() const { return make_plan(desired, observed, sources, scope); }

  /// The steps in a few words, with the numbers of those that they wait for: `1 stop a; 2 unassign a <1`.
  std::string steps() const {
    const Planned planned = plan();
    if (planned.refused()) {
      return "refused: " + codes(planned.diagnostics);
    }
    const Plan& plan = planned.plan;
    std::string out;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      out += fmt::format("{}{} ", i == 0 ? "" : "; ", i + 1);
      switch (step.op) {
        case Op::kStopVm:
          out += fmt::format("stop {}", plan.vms[step.vm].name);
          break;
        case Op::kUnassignPartition:
          out += fmt::format("unassign {} of {}", plan.adapters[step.adapter].id, plan.vms[step.vm].name);
          break;
        case Op::kSetPartitionCount:
          out += fmt::format("set {} {}->{}", plan.gpus[step.gpu].name, step.from, step.to);
          break;
        case Op::kAssignPartition:
          out += fmt::format("assign {}{}", plan.vms[step.vm].name,
                             step.gpu == kNone ? std::string() : fmt::format(" on {}", plan.gpus[step.gpu].name));
          break;
        case Op::kSetOfflineAction:
          out += fmt::format("offline {} {}", plan.vms[step.vm].name, to_string(static_cast<OfflineAction>(step.to)));
          break;
        case Op::kStartVm:
          out += fmt::format("start {}", plan.vms[step.vm].name);
          break;
      }
      for (const std::uint32_t before : plan.after_of(step)) {
        out += fmt::format(" <{}", before + 1);
      }
    }
    return out;
  }

  /// The codes of errors, or of all diagnostics, in order.
  static std::string codes(const Diagnostics& diagnostics, bool warnings = false) {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics) {
      if (warnings || diagnostic.severity == Severity::kError) {
        out += fmt::format("{}{}", out.empty() ? "" : " ", to_string(diagnostic.code));
      }
    }
    return out;
  }

  DesiredState desired;
  ObservedState observed;
  Sources sources;
  Scope scope;

 private:
  Place line() { return {0, ++lines_, 5}; }

  std::shared_ptr<TextPool> pool_;
  std::uint32_t lines_ = 0;
  unsigned vms_ = 0;
};

/// One card of 16 partitions at most, `X`.
inline SmallWorld a2(std::uint32_t count) { return SmallWorld().gpu("X", count); }

}  // namespace gpup::tests
