#include "render/difference_words.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

std::string gpu_words(const Plan& plan, std::string_view name, std::uint32_t host) {
  for (const PlanGpu& gpu : plan.gpus) {
    if (gpu.host == host && same_name(gpu.name, name)) {
      return gpu_title(gpu.model, gpu.name);
    }
  }
  return gpu_title({}, name);
}

std::string held_words(const Plan& plan, const PlanVm& vm, bool after) {
  std::vector<std::string_view> names;
  held_gpus(plan, vm, after, names);
  if (names.empty()) {
    return "no partition";
  }
  std::string words = names.size() == 1 ? std::string("a partition") : fmt::format("{} partitions", names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    words += i == 0 ? " of " : i + 1 == names.size() ? " and " : ", ";
    words += names[i].empty() ? std::string("a GPU that the host chooses") : gpu_words(plan, names[i], vm.host);
  }
  return words;
}

std::string count_words(std::uint32_t count, const std::optional<std::uint64_t>& vram) {
  if (count == kNone) {
    return "no partition count";
  }
  std::string words = fmt::format("{} partition{}", count, count == 1 ? "" : "s");
  if (vram) {
    words += " of " + human_size(*vram);
  }
  return words;
}

}  // namespace

std::string difference_subject(const Plan& plan, const Difference& difference) {
  switch (difference.subject) {
    case Subject::kHost:
      return "host " + plan.hosts[difference.index].name;
    case Subject::kGpu:
      return "GPU " + gpu_title(plan.gpus[difference.index].model, plan.gpus[difference.index].name);
    case Subject::kVm:
      break;
  }
  return "VM " + std::string(plan.vms[difference.index].name);
}

std::uint32_t difference_host(const Plan& plan, const Difference& difference) {
  switch (difference.subject) {
    case Subject::kHost:
      return difference.index;
    case Subject::kGpu:
      return plan.gpus[difference.index].host;
    case Subject::kVm:
      break;
  }
  return plan.vms[difference.index].host;
}

std::string difference_value(const Plan& plan, const Difference& difference, bool after) {
  const std::uint32_t value = after ? difference.after : difference.before;
  switch (difference.property) {
    case Property::kPartitionCount:
      return count_words(value, after ? difference.vram_after : difference.vram_before);
    case Property::kPartitions:
      return held_words(plan, plan.vms[difference.index], after);
    case Property::kOfflineAction:
      return value == kNone ? "no OfflineAction"
                            : fmt::format("OfflineAction {}", property_word(difference.property, value));
    case Property::kAssigned:
      return fmt::format("{}", value);
    case Property::kStatus:
    case Property::kState:
      break;
  }
  return value == kNone ? "nothing" : std::string(property_word(difference.property, value));
}

std::string difference_source(const Plan& plan, const Difference& difference) {
  return place_words(plan, difference.source);
}

std::string place_words(const Plan& plan, const Place& place) {
  if (!place.known() || place.file >= plan.files.size()) {
    return {};
  }
  return fmt::format("{}:{}", plan.files[place.file].path, place.line);
}

}  // namespace gpup
