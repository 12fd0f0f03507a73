#include "render/difference_words.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

std::string gpu_key(std::string_view name, std::uint32_t host) { return fmt::format("{} {}", host, fold_case(name)); }

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

DifferenceWords::DifferenceWords(const Plan& plan) : plan_(plan) {
  for (const PlanGpu& gpu : plan.gpus) {
    models_.emplace(gpu_key(gpu.name, gpu.host), gpu.model);
  }
}

std::string DifferenceWords::gpu(std::string_view name, std::uint32_t host) const {
  const auto found = models_.find(gpu_key(name, host));
  return gpu_title(found == models_.end() ? std::string_view() : found->second, name);
}

std::string DifferenceWords::held(const PlanVm& vm, bool after) const {
  std::vector<std::string_view> names;
  held_gpus(plan_, vm, after, names);
  if (names.empty()) {
    return "no partition";
  }
  std::string words = names.size() == 1 ? std::string("a partition") : fmt::format("{} partitions", names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    words += i == 0 ? " of " : i + 1 == names.size() ? " and " : ", ";
    words += names[i].empty() ? std::string("a GPU that the host chooses") : gpu(names[i], vm.host);
  }
  return words;
}

std::string DifferenceWords::subject(const Difference& difference) const {
  switch (difference.subject) {
    case Subject::kHost:
      return "host " + plan_.hosts[difference.index].name;
    case Subject::kGpu:
      return "GPU " + gpu_title(plan_.gpus[difference.index].model, plan_.gpus[difference.index].name);
    case Subject::kVm:
      break;
  }
  return "VM " + std::string(plan_.vms[difference.index].name);
}

std::uint32_t DifferenceWords::host(const Difference& difference) const {
  switch (difference.subject) {
    case Subject::kHost:
      return difference.index;
    case Subject::kGpu:
      return plan_.gpus[difference.index].host;
    case Subject::kVm:
      break;
  }
  return plan_.vms[difference.index].host;
}

std::string DifferenceWords::value(const Difference& difference, bool after) const {
  const std::uint32_t value = after ? difference.after : difference.before;
  switch (difference.property) {
    case Property::kPartitionCount:
      return count_words(value,
                         after ? plan_.gpus[difference.index].vram_after : plan_.gpus[difference.index].vram_before);
    case Property::kPartitions:
      return held(plan_.vms[difference.index], after);
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

std::string DifferenceWords::source(const Difference& difference) const {
  return place_words(plan_, difference.source);
}

std::string place_words(const Plan& plan, const Place& place) {
  if (!place.known() || place.file >= plan.files.size()) {
    return {};
  }
  return fmt::format("{}:{}", plan.files[place.file].path, place.line);
}

}  // namespace gpup
