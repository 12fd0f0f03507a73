#include "render/difference_words.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

void append_number(std::string& out, std::uint64_t number) { append_json_number(out, number); }

void append_title(std::string& out, std::string_view model, std::string_view name) {
  const std::string_view brief = short_gpu_name(name);
  if (model.empty()) {
    out += brief;
    return;
  }
  out.append(model).append(" (").append(brief).append(")");
}

void append_count(std::string& out, std::uint32_t count, const std::optional<std::uint64_t>& vram) {
  if (count == kNone) {
    out += "no partition count";
    return;
  }
  append_number(out, count);
  out += count == 1 ? " partition" : " partitions";
  if (vram) {
    out += " of " + human_size(*vram);
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool DifferenceWords::GpuKey::operator==(const GpuKey& other) const {
  return host == other.host && same_name(name, other.name);
}

std::size_t DifferenceWords::GpuHash::operator()(const GpuKey& key) const {
  std::uint64_t hash = 1469598103934665603ULL ^ key.host;
  for (const char c : key.name) {
    hash = (hash ^ static_cast<unsigned char>(lower(c))) * 1099511628211ULL;
  }
  return hash ^ (hash >> 32U);
}

DifferenceWords::DifferenceWords(const Plan& plan) : plan_(plan) {
  models_.reserve(plan.gpus.size());
  for (const PlanGpu& gpu : plan.gpus) {
    models_.emplace(GpuKey{gpu.host, gpu.name}, gpu.model);
  }
}

void DifferenceWords::append_gpu(std::string& out, std::string_view name, std::uint32_t host) const {
  const auto found = models_.find(GpuKey{host, name});
  append_title(out, found == models_.end() ? std::string_view() : found->second, name);
}

std::string DifferenceWords::gpu_words(std::string_view name, std::uint32_t host) const {
  std::string out;
  append_gpu(out, name, host);
  return out;
}

void DifferenceWords::append_held(std::string& out, const PlanVm& vm, bool after) const {
  std::vector<std::string_view> names;
  held_gpus(plan_, vm, after, names);
  if (names.empty()) {
    out += "no partition";
    return;
  }
  if (names.size() == 1) {
    out += "a partition";
  } else {
    append_number(out, names.size());
    out += " partitions";
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += i == 0 ? " of " : i + 1 == names.size() ? " and " : ", ";
    if (names[i].empty()) {
      out += "a GPU that the host chooses";
    } else {
      append_gpu(out, names[i], vm.host);
    }
  }
}

void DifferenceWords::append_subject(std::string& out, const Difference& difference) const {
  switch (difference.subject) {
    case Subject::kHost:
      out.append("host ").append(plan_.hosts[difference.index].name);
      return;
    case Subject::kGpu:
      out += "GPU ";
      append_title(out, plan_.gpus[difference.index].model, plan_.gpus[difference.index].name);
      return;
    case Subject::kVm:
      break;
  }
  out.append("VM ").append(plan_.vms[difference.index].name);
}

std::string DifferenceWords::subject(const Difference& difference) const {
  std::string out;
  append_subject(out, difference);
  return out;
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

void DifferenceWords::append_value(std::string& out, const Difference& difference, bool after) const {
  const std::uint32_t value = after ? difference.after : difference.before;
  switch (difference.property) {
    case Property::kPartitionCount:
      append_count(out, value,
                   after ? plan_.gpus[difference.index].vram_after : plan_.gpus[difference.index].vram_before);
      return;
    case Property::kPartitions:
      append_held(out, plan_.vms[difference.index], after);
      return;
    case Property::kOfflineAction:
      out += value == kNone ? "no OfflineAction" : "OfflineAction ";
      out += value == kNone ? std::string_view() : property_word(difference.property, value);
      return;
    case Property::kAssigned:
      append_number(out, value);
      return;
    case Property::kStatus:
    case Property::kState:
      break;
  }
  out += value == kNone ? "nothing" : property_word(difference.property, value);
}

std::string DifferenceWords::value(const Difference& difference, bool after) const {
  std::string out;
  append_value(out, difference, after);
  return out;
}

std::string DifferenceWords::source(const Difference& difference) const {
  return place_words(plan_, difference.source);
}

void append_place_words(std::string& out, const Plan& plan, const Place& place) {
  if (place.known() && place.file < plan.files.size()) {
    out.append(plan.files[place.file].path).append(":");
    append_number(out, place.line);
  }
}

std::string place_words(const Plan& plan, const Place& place) {
  std::string out;
  append_place_words(out, plan, place);
  return out;
}

}  // namespace gpup
