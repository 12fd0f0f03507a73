#include "render/plan_failure.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "execute/report.h"
#include "render/plan_outline.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::size_t kNamedSteps = 3;

/// A value as PowerShell reads it. Its single quotes are five characters: the typographic ones end a text, too.
std::string argument(std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
  if (plain && text.front() != '-') {
    return std::string(text);
  }
  static constexpr std::array<std::string_view, 5> kQuotes = {"'", "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a",
                                                              "\xe2\x80\x9b"};
  std::string out = "'";
  while (!text.empty()) {
    const auto* const quote =
        std::find_if(kQuotes.begin(), kQuotes.end(), [&](std::string_view q) { return text.starts_with(q); });
    const std::string_view piece = quote != kQuotes.end() ? *quote : text.substr(0, 1);
    out += piece;
    out += quote != kQuotes.end() ? piece : std::string_view();
    text.remove_prefix(piece.size());
  }
  return out + "'";
}

std::string command_of(const Plan& plan, const Step& step) {
  const auto vm = [&] { return "Get-VM -Id " + argument(plan.vms[step.vm].id); };
  switch (step.op) {
    case Op::kStopVm:
      return vm() + (plan.stop.mode == StopMode::kTurnOff ? " | Stop-VM -TurnOff -Force" : " | Stop-VM -Force");
    case Op::kUnassignPartition: {
      // An adapter's Id is `Microsoft:VMID\ADAPTERID`.
      const std::string end = "\\" + std::string(plan.adapters[step.adapter].id);
      return fmt::format(
          "{} | Get-VMGpuPartitionAdapter | Where-Object {{ $_.Id.EndsWith({}, 'OrdinalIgnoreCase') }} | "
          "Remove-VMGpuPartitionAdapter",
          vm(), argument(end));
    }
    case Op::kSetPartitionCount:
      return fmt::format("Set-VMHostPartitionableGpu -Name {} -PartitionCount {}", argument(plan.gpus[step.gpu].name),
                         step.to);
    case Op::kAssignPartition:
      return vm() + " | Add-VMGpuPartitionAdapter" +
             (step.gpu == kNone ? "" : " -InstancePath " + argument(plan.gpus[step.gpu].name));
    case Op::kSetOfflineAction:
      return fmt::format(
          "Get-ClusterResource -VMId {} | Where-Object {{ $_.ResourceType.Name -eq 'Virtual Machine' }} | "
          "Set-ClusterParameter OfflineAction {}",
          argument(plan.vms[step.vm].id), cluster_value(static_cast<OfflineAction>(step.to)));
    case Op::kStartVm:
      break;
  }
  return start_command(plan.vms[step.vm].id);
}

std::string some_steps(std::span<const std::uint32_t> steps) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < steps.size() && i < kNamedSteps; ++i) {
    numbers.push_back(std::to_string(steps[i] + 1));
  }
  return some_of(numbers, steps.size());
}

}  // namespace

Failures::Failures(const Plan& plan) : plan_(plan), power_(plan.vms.size()), first_next_(plan.steps.size() + 1, 0) {
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.op == Op::kStopVm) {
      power_[step.vm].stop = i;
    } else if (step.op == Op::kStartVm) {
      power_[step.vm].start = i;
    }
    for (const std::uint32_t before : plan.after_of(step)) {
      ++first_next_[before + 1];
    }
  }
  for (std::size_t i = 1; i < first_next_.size(); ++i) {
    first_next_[i] += first_next_[i - 1];
  }
  next_.resize(plan.after.size());
  std::vector<std::uint32_t> fill(first_next_.begin(), first_next_.end() - 1);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    for (const std::uint32_t before : plan.after_of(plan.steps[i])) {
      next_[fill[before]++] = i;
    }
  }
}

Failure Failures::of(std::uint32_t step) const {
  Failure failure;
  failure.host = plan_.hosts[host_of(plan_, plan_.steps[step])].name;
  failure.command = command_of(plan_, plan_.steps[step]);
  if (plan_.steps[step].vm == kNone) {
    tell_count(step, failure);
  } else {
    tell_vm(step, failure);
  }
  const std::string skips = skipped(step);
  if (!skips.empty()) {
    failure.gpup += failure.gpup.empty() ? skips : ", " + skips;
  } else if (failure.gpup.empty()) {
    failure.gpup = "goes on with the other steps";
  }
  return failure;
}

bool Failures::is_down(std::uint32_t step) const {
  const Power& power = power_[plan_.steps[step].vm];
  return !plan_.vms[plan_.steps[step].vm].was_running || (power.stop != kNone && power.stop < step);
}

/// The plan stops its VM and starts it again: what the run stopped it brings back.
bool Failures::comes_back(std::uint32_t step) const {
  const Power& power = power_[plan_.steps[step].vm];
  return power.stop != kNone && power.start != kNone;
}

void Failures::tell_vm(std::uint32_t index, Failure& failure) const {
  const Step& step = plan_.steps[index];
  const std::string vm = "VM " + std::string(plan_.vms[step.vm].name);
  const bool back = comes_back(index);
  switch (step.op) {
    case Op::kStopVm:
      failure.left = vm + " running, or on its way down";
      failure.gpup = back ? "looks again and starts it if it is off" : "looks again";
      if (back) {
        failure.command = start_command(plan_.vms[step.vm].id);
      }
      return;
    case Op::kUnassignPartition:
      failure.left = vm + " off, with its partition";
      failure.gpup = back ? "starts it again as it is" : "";
      return;
    case Op::kAssignPartition:
      failure.left = vm + " off, without a partition";
      failure.gpup = back ? "starts it again without one" : "";
      return;
    case Op::kSetOfflineAction:
      failure.left = fmt::format(
          "{} {}, with OfflineAction {}", vm, is_down(index) ? "off" : "running",
          step.from == kNone ? std::string_view("none") : property_word(Property::kOfflineAction, step.from));
      failure.gpup = back ? "starts it again" : "";
      return;
    case Op::kStartVm:
      failure.left = vm + " off";
      failure.gpup = back ? "looks again, tries once more where the answer was lost, and names it if it stays off"
                          : "looks again and names it";
      return;
    case Op::kSetPartitionCount:
      break;
  }
}

void Failures::tell_count(std::uint32_t index, Failure& failure) const {
  const Step& step = plan_.steps[index];
  std::vector<std::string> names;
  std::size_t down = 0;
  for (std::uint32_t n = first_next_[index]; n < first_next_[index + 1]; ++n) {
    const Step& next = plan_.steps[next_[n]];
    if (next.vm == kNone || !comes_back(next_[n]) || power_[next.vm].stop >= index) {
      continue;
    }
    if (++down <= kNamedSteps) {
      names.emplace_back(plan_.vms[next.vm].name);
    }
  }
  const PlanGpu& gpu = plan_.gpus[step.gpu];
  failure.left = fmt::format("{} at {}", gpu_title(gpu.model, gpu.name),
                             step.from == kNone ? std::string("the count that it has")
                                                : fmt::format("{} partition{}", step.from, step.from == 1 ? "" : "s"));
  if (down > 0) {
    failure.left += fmt::format(" and VM{} {} off, without a partition", down == 1 ? "" : "s", some_of(names, down));
    failure.gpup = down == 1 ? "starts it again without one" : "starts them again without one";
  }
}

std::string Failures::skipped(std::uint32_t step) const {
  const auto next = std::span(next_).subspan(first_next_[step], first_next_[step + 1] - first_next_[step]);
  if (next.empty()) {
    return {};
  }
  return next.size() == 1 ? fmt::format("skips step {} and what waits for it", some_steps(next))
                          : fmt::format("skips steps {} and what waits for them", some_steps(next));
}

}  // namespace gpup
