#include "render/plan_words.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 3> kStates = {"Running", "Off", "Other"};

template <class Enum>
std::uint32_t number_of(const std::optional<Enum>& value) {
  return value ? static_cast<std::uint32_t>(*value) : kNone;
}

}  // namespace

bool is_number(Property property) { return property == Property::kPartitionCount || property == Property::kAssigned; }

std::string_view property_word(Property property, std::uint32_t value) {
  switch (property) {
    case Property::kStatus:
      return to_string(static_cast<GpuStatus>(value));
    case Property::kState:
      return kStates.at(value);
    case Property::kOfflineAction:
      return to_string(static_cast<OfflineAction>(value));
    case Property::kPartitionCount:
    case Property::kAssigned:
    case Property::kPartitions:
      break;
  }
  return {};
}

std::uint32_t parse_property_word(Property property, std::string_view word) {
  if (property == Property::kStatus) {
    return number_of(parse_gpu_status(word));
  }
  if (property == Property::kOfflineAction) {
    return number_of(parse_offline_action(word));
  }
  if (property == Property::kState) {
    for (std::uint32_t i = 0; i < kStates.size(); ++i) {
      if (kStates.at(i) == word) {
        return i;
      }
    }
  }
  return kNone;
}

void held_gpus(const Plan& plan, const PlanVm& vm, bool after, std::vector<std::string_view>& names) {
  names.clear();
  for (const PlanAdapter& adapter : plan.adapters_of(vm)) {
    if (!after || !adapter.removed) {
      names.push_back(adapter.gpu);
    }
  }
  if (after && vm.new_gpu != kNone) {
    names.push_back(vm.new_gpu == PlanVm::kHostChooses ? std::string_view() : plan.gpus[vm.new_gpu].name);
  }
}

std::string gpu_title(std::string_view model, std::string_view name) {
  const std::string_view brief = short_gpu_name(name);
  if (model.empty()) {
    return std::string(brief);
  }
  return std::string(model) + " (" + std::string(brief) + ")";
}

std::vector<std::array<std::string, 2>> hook_rows(const Plan& plan) {
  std::vector<std::array<std::string, 2>> rows;
  const auto add = [&](std::string_view when, const std::vector<std::string>& argv) {
    if (!argv.empty()) {
      rows.push_back({std::string(when), hook_words(argv)});
    }
  };
  add("before each stop", plan.hooks.before);
  add("after each start", plan.hooks.after);
  add("on failure", plan.hooks.on_failure);
  for (const std::uint32_t vm : plan.after_owed) {
    rows.push_back({"owed since an earlier run",
                    fmt::format("after {}/vm/{}", plan.hosts[plan.vms[vm].host].name, plan.vms[vm].name)});
  }
  return rows;
}

std::vector<std::string> owed_start_rows(const Plan& plan) {
  std::vector<std::string> rows;
  for (const OwedStart& owed : plan.owed_starts) {
    const PlanVm& vm = plan.vms[owed.vm];
    rows.push_back(
        fmt::format("{}/vm/{}, recorded on {}", plan.hosts[vm.host].name, vm.name, plan.hosts[owed.host].name));
  }
  return rows;
}

std::string hook_title(const Plan& plan) {
  constexpr std::uint64_t kSecond = 1000;
  return fmt::format("Hooks, run on this machine, each for {} at most",
                     human_time(static_cast<std::uint64_t>(plan.hooks.timeout.count()) * kSecond));
}

}  // namespace gpup
