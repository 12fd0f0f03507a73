#include "render/outage_words.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/text.h"
#include "render/plan_outline.h"

namespace gpup {

namespace {

constexpr std::size_t kToldOfMany = 10;

OutageRow row_of(const Plan& plan, const Outage& outage, const Outage::OfVm& vm) {
  if (!vm.comes_back()) {
    return {vm_address(plan, vm.vm), "stays off", "", "", "no end is expected: the file wants it off"};
  }
  const OutageChain chain = chain_of(outage, vm);
  return {vm_address(plan, vm.vm), human_time(vm.median), human_time(vm.p95), std::string(origin_words(outage, chain)),
          chain_words(plan, outage, chain)};
}

std::string minutes(std::uint64_t milliseconds) {
  constexpr std::uint64_t kTenthOfMinute = 6'000;
  const std::uint64_t tenths = (milliseconds + kTenthOfMinute / 2) / kTenthOfMinute;
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

}  // namespace

std::string vm_address(const Plan& plan, std::uint32_t vm) {
  return fmt::format("{}/vm/{}", plan.hosts[plan.vms[vm].host].name, plan.vms[vm].name);
}

std::vector<OutageRow> outage_rows(const Plan& plan, const Outage& outage, bool fold) {
  std::vector<const Outage::OfVm*> vms;
  vms.reserve(outage.vms.size());
  for (const Outage::OfVm& vm : outage.vms) {
    vms.push_back(&vm);
  }
  const std::size_t told = fold ? std::min(vms.size(), kToldOfMany) : vms.size();
  if (told < vms.size()) {
    std::stable_sort(vms.begin(), vms.end(),
                     [](const Outage::OfVm* a, const Outage::OfVm* b) { return a->median > b->median; });
  }
  std::vector<OutageRow> rows;
  for (std::size_t i = 0; i < told; ++i) {
    rows.push_back(row_of(plan, outage, *vms[i]));
  }
  if (told < vms.size()) {
    const auto off = static_cast<std::size_t>(std::count_if(vms.begin() + static_cast<std::ptrdiff_t>(told), vms.end(),
                                                            [](const Outage::OfVm* vm) { return !vm->comes_back(); }));
    const std::size_t back = vms.size() - told - off;
    if (back > 0) {
      rows.push_back({fmt::format("{} more", back), "at most " + human_time(vms[told]->median), "", "", ""});
    }
    if (off > 0) {
      rows.push_back({fmt::format("{} more", off), "stays off", "", "", ""});
    }
  }
  return rows;
}

std::string outage_sum(const Plan& plan, const Outage& outage) {
  if (outage.vms.empty()) {
    return "No VM is stopped";
  }
  if (outage.longest == kNone) {
    return "No VM is stopped that is to run again";
  }
  const Outage::OfVm& longest = outage.vms[outage.longest];
  return fmt::format("Sum: {} VM-minutes (95%: {}), the longest {}: {}", minutes(outage.sum), minutes(outage.sum_p95),
                     human_time(longest.median), vm_address(plan, longest.vm));
}

std::string down_verdict(const Outage& outage) {
  const auto back = static_cast<std::size_t>(
      std::count_if(outage.vms.begin(), outage.vms.end(), [](const Outage::OfVm& vm) { return vm.comes_back(); }));
  const std::size_t off = outage.vms.size() - back;
  std::string words = off > 0 ? fmt::format("{} VM{} off for good, ", off, off == 1 ? "" : "s") : std::string();
  if (back == 0) {
    return words + "no VM down for a while";
  }
  const Outage::OfVm& longest = outage.vms[outage.longest];
  words += back == 1 ? std::string("1 VM down for ")
                     : fmt::format("{} VMs down for {} VM-minutes in all, the longest for ", back, minutes(outage.sum));
  return words + fmt::format("{}, 95%: {}", human_time(longest.median), human_time(longest.p95));
}

std::vector<std::string> mixed_lines(const Plan& plan, const Outage& outage) {
  std::vector<std::string> lines;
  for (const Outage::Mixed& mixed : outage.mixed) {
    std::string line =
        fmt::format("Mixed counts of {} {}: {}", mixed.model.empty() ? std::string_view("GPUs") : mixed.model,
                    mixed.host == kNone ? "in cluster " + plan.cluster.name : "on " + plan.hosts[mixed.host].name,
                    mixed.from == kNone ? std::string("from the beginning (they differ already)")
                                        : fmt::format("from step {}", mixed.from + 1));
    line += mixed.to == kNone ? std::string(", and they stay so")
                              : fmt::format(" to step {}, for {} (95%: {})", mixed.to + 1, human_time(mixed.median),
                                            human_time(mixed.p95));
    lines.push_back(std::move(line));
  }
  if (lines.empty()) {
    const bool sets = plan.summary().at(static_cast<std::size_t>(Op::kSetPartitionCount)) > 0;
    lines.emplace_back(sets ? "Mixed counts: none, GPUs that should be alike are so at every step"
                            : "Mixed counts: none, no partition count changes");
  }
  return lines;
}

std::vector<StepTimeRow> step_time_rows(const Plan& plan, const Outage& outage) {
  std::vector<StepTimeRow> rows;
  for (const StepTimes::Row& row : outage.times.rows()) {
    std::string origin = row.time.is_default() ? fmt::format("default: {}", default_time(row.kind.op, plan.stop).why)
                                               : fmt::format("measured: {} step{} of {} run{}", row.time.samples,
                                                             row.time.samples == 1 ? "" : "s", row.time.runs,
                                                             row.time.runs == 1 ? "" : "s");
    rows.push_back({std::string(to_string(row.kind.op)), row.kind.model.empty() ? "-" : row.kind.model,
                    human_time(row.time.median), human_time(row.time.p95), std::move(origin)});
  }
  return rows;
}

std::string down_words(const Plan& plan, const Outage::Down& down) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < down.count && i < Outage::Down::kNamed; ++i) {
    names.push_back(vm_address(plan, down.first.at(i)));
  }
  return some_of(names, down.count);
}

}  // namespace gpup
