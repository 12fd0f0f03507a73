#pragma once

#include "plan/plan.h"

namespace gpup {

/// A plan that holds something of everything: two hosts, GPUs and VMs with difficult names, each op and property,
/// warnings, a host that was not checked. Its views are literals.
inline Plan sample_plan() {
  constexpr std::string_view kFirst =
      R"(\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59})";
  constexpr std::string_view kSecond =
      R"(\\?\PCI#VEN_10DE&DEV_2236&SUBSYS_148210DE&REV_A1#4&2b7d6f6&0&0008#{064092b3-625e-43bf-9eb5-dc845897dd59})";
  Plan plan;
  plan.name = "hci-east";
  plan.files = {{"hci-east.yaml", std::string(64, 'a')}, {"dir/\"pool\".yaml", std::string(64, 'b')}};
  HostTarget first{"hv-e1", {}};
  first.connect.transport = Transport::kSimulated;
  first.connect.file = "hci-east.lab.json";
  HostTarget second{"hv-e2", {}};
  second.connect.transport = Transport::kSsh;
  second.connect.address = "10.1.0.12";
  second.connect.port = 2222;
  second.connect.user = R"(CONTOSO\svc-gpup)";
  second.connect.known_hosts = "known_hosts";
  plan.hosts = {first, second};
  plan.stop = {StopMode::kTurnOff, std::chrono::seconds(90)};
  plan.gpus = {{kFirst, "NVIDIA A2", 0, 939524096, 3825205248}, {kSecond, "", 1, {}, {}}};
  plan.adapters = {{"a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b", kFirst, true},
                   {"0d1f5ab4-8c4f-4ab9-8a9c-2f2f6a1c1a11", "", true},
                   {"5b8a9f3e-7c1d-4e2a-9b6f-1a2b3c4d5e6f", kSecond, false}};
  PlanVm moved{"vdi-01", "711cee18-60db-43b4-be7e-cedce5e25dd0", 0, 0, 1, PlanVm::kHostChooses, 0, {0, 21, 9}, true};
  PlanVm gone{"Z\xc3\xbcrich \"a\\b\"\n\x1b[31m", "83a1cd7c-2c9d-4f9e-9c5c-0d6a9f0f6a10", 0, 1, 1, kNone, 0, {}, true};
  PlanVm pinned{"render-7", "9e7f5d1c-3b2a-4c6d-8e9f-0a1b2c3d4e5f", 1, 2, 0, 1, 3221225472, {1, 7, 5}, false};
  PlanVm kept{"train-1", "cc7f5d1c-3b2a-4c6d-8e9f-0a1b2c3d4e5f", 1, 2, 1, kNone, 0, {1, 9, 5}, true};
  plan.vms = {moved, gone, pinned, kept};
  const auto word = [](auto value) { return static_cast<std::uint32_t>(value); };
  plan.facts = {{Subject::kGpu, Property::kPartitionCount, 0, 16},
                {Subject::kGpu, Property::kStatus, 0, word(GpuStatus::kPartitioned)},
                {Subject::kGpu, Property::kAssigned, 0, 1},
                {Subject::kHost, Property::kAssigned, 0, 1},
                {Subject::kVm, Property::kState, 0, word(VmState::kRunning)},
                {Subject::kVm, Property::kPartitions, 0, kNone},
                {Subject::kVm, Property::kOfflineAction, 0, word(OfflineAction::kSave)},
                {Subject::kVm, Property::kState, 1, word(VmState::kRunning)},
                {Subject::kVm, Property::kPartitions, 1, kNone},
                {Subject::kVm, Property::kState, 2, word(VmState::kOff)},
                {Subject::kVm, Property::kPartitions, 2, kNone},
                {Subject::kVm, Property::kOfflineAction, 2, kNone},
                {Subject::kVm, Property::kState, 3, word(VmState::kRunning)},
                {Subject::kVm, Property::kPartitions, 3, kNone},
                {Subject::kVm, Property::kOfflineAction, 3, kNone}};
  plan.differences = {{Subject::kGpu, Property::kPartitionCount, 0, 16, 4, {0, 15, 21}},
                      {Subject::kVm, Property::kPartitions, 0, kNone, kNone, {0, 21, 9}},
                      {Subject::kVm,
                       Property::kOfflineAction,
                       0,
                       word(OfflineAction::kSave),
                       word(OfflineAction::kForceShutdown),
                       {0, 23, 20}},
                      {Subject::kVm, Property::kPartitions, 1, kNone, kNone, {}},
                      {Subject::kVm, Property::kPartitions, 2, kNone, kNone, {1, 7, 5}},
                      {Subject::kVm, Property::kState, 2, word(VmState::kOff), word(VmState::kRunning), {1, 8, 12}},
                      {Subject::kVm, Property::kOfflineAction, 3, kNone, word(OfflineAction::kShutdown), {1, 9, 40}}};
  const auto step = [&](Op op, Reason reason, std::uint32_t vm, std::uint32_t gpu, std::uint32_t adapter,
                        std::uint32_t from, std::uint32_t to, std::vector<std::uint32_t> after) {
    plan.steps.push_back({op, reason, vm, gpu, adapter, from, to, static_cast<std::uint32_t>(plan.after.size()),
                          static_cast<std::uint32_t>(after.size())});
    plan.after.insert(plan.after.end(), after.begin(), after.end());
  };
  step(Op::kStopVm, Reason::kCountChanges, 0, kNone, kNone, kNone, kNone, {});
  step(Op::kUnassignPartition, Reason::kCountChanges, 0, kNone, 0, kNone, kNone, {0});
  step(Op::kStopVm, Reason::kNotListed, 1, kNone, kNone, kNone, kNone, {});
  step(Op::kUnassignPartition, Reason::kNotListed, 1, kNone, 1, kNone, kNone, {2});
  step(Op::kSetPartitionCount, Reason::kWantedCount, kNone, 0, kNone, 16, 4, {1, 3});
  step(Op::kAssignPartition, Reason::kCountChanges, 0, kNone, kNone, kNone, kNone, {4});
  step(Op::kSetOfflineAction, Reason::kOfflineAction, 0, kNone, kNone, word(OfflineAction::kSave),
       word(OfflineAction::kForceShutdown), {5});
  step(Op::kStartVm, Reason::kWasRunning, 0, kNone, kNone, kNone, kNone, {6});
  step(Op::kStartVm, Reason::kWasRunning, 1, kNone, kNone, kNone, kNone, {3});
  step(Op::kAssignPartition, Reason::kHoldsNone, 2, 1, kNone, kNone, kNone, {});
  step(Op::kStartVm, Reason::kPowerRunning, 2, kNone, kNone, kNone, kNone, {9});
  step(Op::kSetOfflineAction, Reason::kOfflineAction, 3, kNone, kNone, kNone, word(OfflineAction::kShutdown), {});
  Diagnostic stopped;
  stopped.code = Code::kUnlistedStopped;
  stopped.severity = Severity::kWarning;
  stopped.message = "a VM that is not in the file will be stopped";
  stopped.host = "hv-e1";
  stopped.object = "vm";
  stopped.name = "Z\xc3\xbcrich \"a\\b\"\n\x1b[31m";
  stopped.hint = "list it, or set policy.unlisted to keep";
  Diagnostic rule;
  rule.code = Code::kPlatformWarning;
  rule.severity = Severity::kWarning;
  rule.message = "the model is not supported on this release";
  rule.file = "hci-east.yaml";
  rule.line = 14;
  rule.column = 5;
  plan.diagnostics = {stopped, rule};
  plan.not_checked = {{"hv-e3", "connection refused"}};
  return plan;
}

}  // namespace gpup
