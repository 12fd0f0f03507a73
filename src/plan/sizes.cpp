#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/goal.h"
#include "plan/mutant.h"

namespace gpup {

void PartitionSizes::learn(const Host& host) {
  for (const Gpu& gpu : host.gpus) {
    if (gpu.status != GpuStatus::kPartitioned || !gpu.total_vram || !gpu.partition_count || !gpu.partition_vram) {
      continue;
    }
    const auto [entry, is_new] =
        sizes_.try_emplace({gpu.model, *gpu.total_vram, *gpu.partition_count}, *gpu.partition_vram);
    if (!is_new) {
      entry->second = std::min(entry->second, *gpu.partition_vram);
    }
  }
}

std::optional<std::uint64_t> PartitionSizes::of(const Gpu& gpu, std::uint32_t count) const {
  if (gpu.partition_count == count && gpu.partition_vram) {
    return gpu.partition_vram;
  }
  if (!gpu.total_vram) {
    return std::nullopt;
  }
  const auto found = sizes_.find({gpu.model, *gpu.total_vram, count});
  return found == sizes_.end() ? std::nullopt : std::optional(found->second);
}

namespace {

// What is known of the partitions that a line's GPUs give on one host.
struct LineSize {
  std::optional<std::uint64_t> smallest;     // of those that are known
  std::optional<std::uint64_t> upper_bound;  // total / count, the smallest of those that are not known
  bool all_known = true;
  const Gpu* smallest_gpu = nullptr;
  std::uint32_t count = 0;
};

LineSize size_of(const Goal& goal, const HostGoal& host, std::uint32_t line) {
  LineSize size;
  for (std::size_t g = 0; g < host.gpus.size(); ++g) {
    if (host.gpus[g].line != line) {
      continue;
    }
    const Gpu& gpu = host.host->gpus[g];
    const std::uint32_t count = host.gpus[g].count;
    const auto known = goal.sizes.of(gpu, count);
    size.all_known = size.all_known && known;
    std::optional<std::uint64_t>& least = known ? size.smallest : size.upper_bound;
    const auto bytes = known ? known : gpu.total_vram && count != 0 ? std::optional(*gpu.total_vram / count) : known;
    if (bytes && (!least || *bytes < *least)) {
      least = bytes;
      size.smallest_gpu = &gpu;
      size.count = count;
    }
  }
  return size;
}

}  // namespace

void check_sizes(const DesiredState& desired, const Goal& goal, Findings& findings) {
  for (const HostGoal& host : goal.hosts) {
    std::vector<std::optional<LineSize>> sizes(desired.gpus.size());
    std::uint32_t warned = kNone;  // the assignment that was warned about last: a match warns once
    for (std::size_t v = 0; v < host.vms.size(); ++v) {
      const VmGoal& vm = host.vms[v];
      if (!vm.listed() || vm.gpu_line == kNone || !desired.assignments[vm.line].min_vram) {
        continue;
      }
      const DesiredAssignment& line = desired.assignments[vm.line];
      if (!sizes[vm.gpu_line]) {
        sizes[vm.gpu_line] = size_of(goal, host, vm.gpu_line);
      }
      const LineSize& size = *sizes[vm.gpu_line];
      const std::uint64_t wanted = *line.min_vram;
      const Place place = line.at(line.min_vram_at);
      const About about{host.host->name, "vm", host.host->vms[v].name};
      if (size.smallest && *size.smallest < wanted && !GPUP_MUTANT(21)) {
        findings.error(Code::kMinVram, place, about,
                       fmt::format("VM '{}' wants {} and a partition of its GPUs on {} has {}", about.name,
                                   human_size(wanted), host.host->name, human_size(*size.smallest)),
                       "lower the partition count or minVram");
      } else if (size.upper_bound && *size.upper_bound < wanted) {
        findings.error(Code::kMinVram, place, about,
                       fmt::format("VM '{}' wants {} and a partition of its GPUs on {} has {} at most", about.name,
                                   human_size(wanted), host.host->name, human_size(*size.upper_bound)),
                       "lower the partition count or minVram");
      } else if (!size.all_known && warned != vm.line) {
        warned = vm.line;
        findings.warn(Code::kMinVramUnknown, place, about,
                      fmt::format("whether VM '{}' gets {} is not known: no GPU on the hosts shows what a partition at "
                                  "that count has",
                                  about.name, human_size(wanted)),
                      "it is checked once the count is set, before the partition is assigned");
      }
    }
  }
}

}  // namespace gpup
