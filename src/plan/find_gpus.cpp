#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.h"
#include "plan/goal.h"
#include "plan/mutant.h"

namespace gpup {

namespace {

// A line under `gpus`, ready to be asked.
class GpuLine {
 public:
  explicit GpuLine(const DesiredGpu& line) : line_(line) {
    if (!line.match.empty()) {
      pattern_ = std::make_unique<re2::RE2>(line.match, re2::RE2::Quiet);
    }
  }

  bool about(std::uint32_t host) const {
    return line_.hosts.empty() || std::find(line_.hosts.begin(), line_.hosts.end(), host) != line_.hosts.end();
  }
  bool matches(const Gpu& gpu) const {
    if (!line_.model.empty()) {
      return gpu.model == line_.model;
    }
    if (!line_.device.empty()) {
      return same_name(gpu.device, line_.device);
    }
    return re2::RE2::FullMatch(re2::StringPiece(gpu.model.data(), gpu.model.size()), *pattern_);
  }
  std::string what() const {
    return !line_.model.empty()    ? fmt::format("model '{}'", line_.model)
           : !line_.device.empty() ? fmt::format("device '{}'", line_.device)
                                   : fmt::format("a model that matches '{}'", line_.match);
  }

 private:
  const DesiredGpu& line_;
  std::unique_ptr<re2::RE2> pattern_;
};

std::string why_not(GpuStatus status) {
  switch (status) {
    case GpuStatus::kPartitioned:
      return {};
    case GpuStatus::kReadyForDda:
      return "it is given away whole (DDA); mount it on the host again to partition it (rule R06)";
    case GpuStatus::kParavirtualization:
      return "SR-IOV is off on the host; enable virtualization and SR-IOV in its BIOS";
    case GpuStatus::kNotAssignable:
      return "it has no GPU-P driver, or is an older PCI device or behind a switch port that cannot be assigned";
  }
  return {};
}

// `2 and 4`: the accepted counts next to the wanted one.
std::string nearest_counts(std::uint32_t wanted, const std::vector<std::uint32_t>& valid) {
  std::uint32_t below = 0;
  std::uint32_t above = 0;
  for (const std::uint32_t count : valid) {
    if (count < wanted) {
      below = std::max(below, count);
    } else if (above == 0 || count < above) {
      above = count;
    }
  }
  if (below != 0 && above != 0) {
    return fmt::format("the nearest are {} and {}", below, above);
  }
  return below == 0 && above == 0 ? "it accepts none" : fmt::format("the nearest is {}", std::max(below, above));
}

std::string all_counts(const std::vector<std::uint32_t>& counts) {
  std::string out;
  for (const std::uint32_t count : counts) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", count);
  }
  return out.empty() ? "none" : out;
}

void want_count(const DesiredGpu& line, const Gpu& gpu, const HostGoal& host, GpuGoal& goal, Findings& findings) {
  goal.count = gpu.partition_count.value_or(0);
  if (!line.partition_count || *line.partition_count == goal.count) {
    return;
  }
  const std::uint32_t wanted = *line.partition_count;
  if (!GPUP_MUTANT(11) && std::find(gpu.valid_partition_counts.begin(), gpu.valid_partition_counts.end(), wanted) ==
                              gpu.valid_partition_counts.end()) {
    findings.error(Code::kCountNotValid, line.count_place, {host.host->name, "gpu", gpu.name},
                   fmt::format("{} on {} does not accept a partition count of {}: it accepts {}", gpu.model,
                               host.host->name, wanted, all_counts(gpu.valid_partition_counts)),
                   nearest_counts(wanted, gpu.valid_partition_counts));
    return;
  }
  goal.count = wanted;
  goal.changes = true;
}

// What one line found on the hosts that were read.
struct LineGpus {
  std::uint32_t cards = 0;
  bool all_hosts_read = true;
};

std::string models_seen(const Goal& goal) {
  std::vector<std::string_view> seen;
  for (const HostGoal& host : goal.hosts) {
    for (const Gpu& gpu : host.host->gpus) {
      if (std::find(seen.begin(), seen.end(), gpu.model) == seen.end() && seen.size() < 20) {
        seen.push_back(gpu.model);
      }
    }
  }
  return seen.empty() ? "no GPU was found on the hosts: check that the GPU-P driver is installed"
                      : fmt::format("the hosts have {}", some_names(seen));
}

}  // namespace

void find_gpus(const DesiredState& desired, Goal& goal, Findings& findings) {
  std::vector<GpuLine> lines;
  lines.reserve(desired.gpus.size());
  for (const DesiredGpu& line : desired.gpus) {
    lines.emplace_back(line);
  }
  std::vector<LineGpus> found(lines.size());
  std::vector<bool> read(desired.hosts.size(), false);
  for (const HostGoal& host : goal.hosts) {
    read[host.desired] = true;
  }
  for (std::size_t h = 0; h < desired.hosts.size(); ++h) {
    for (std::size_t l = 0; l < lines.size() && !read[h]; ++l) {
      found[l].all_hosts_read = found[l].all_hosts_read && !lines[l].about(static_cast<std::uint32_t>(h));
    }
  }

  for (HostGoal& host : goal.hosts) {
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      host.gpus[g].count = host.host->gpus[g].partition_count.value_or(0);
    }
    for (std::uint32_t l = 0; l < lines.size(); ++l) {
      if (!lines[l].about(host.desired)) {
        continue;
      }
      const DesiredGpu& line = desired.gpus[l];
      std::uint32_t cards = 0;
      for (std::size_t g = 0; g < host.gpus.size(); ++g) {
        const Gpu& gpu = host.host->gpus[g];
        if (!lines[l].matches(gpu)) {
          continue;
        }
        ++cards;
        if (host.left_out) {
          host.gpus[g].line = gpu.status == GpuStatus::kPartitioned ? l : host.gpus[g].line;
        } else if (host.gpus[g].managed()) {
          findings.error(Code::kGpuTwoLines, line.place, {host.host->name, "gpu", gpu.name},
                         fmt::format("{} on {} is managed by two lines: this one and {}", gpu.model, host.host->name,
                                     findings.at(desired.gpus[host.gpus[g].line].place)),
                         "give each line its own models, devices or hosts");
        } else if (gpu.status != GpuStatus::kPartitioned) {
          findings.error(Code::kGpuStatus, line.place, {host.host->name, "gpu", gpu.name},
                         fmt::format("{} on {} cannot be partitioned: its status is '{}'",
                                     gpu.model.empty() ? short_gpu_name(gpu.name) : std::string_view(gpu.model),
                                     host.host->name, spelled_out(gpu.status)),
                         why_not(gpu.status));
          host.unusable = true;
        } else {
          host.gpus[g].line = l;
          host.managed = true;
          if (!host.counts_stay) {
            want_count(line, gpu, host, host.gpus[g], findings);
          }
          host.counts_change = host.counts_change || host.gpus[g].changes;
        }
      }
      found[l].cards += cards;
      if (line.expect && *line.expect != cards && !host.left_out) {
        findings.error(Code::kGpuExpect, line.expect_place, {host.host->name, "host", host.host->name},
                       fmt::format("{} has {} GPU{} of {}, {} expected", host.host->name, cards, cards == 1 ? "" : "s",
                                   lines[l].what(), *line.expect));
      }
    }
  }
  for (std::size_t l = 0; l < lines.size(); ++l) {
    if (found[l].cards == 0 && found[l].all_hosts_read) {
      findings.error(Code::kGpuMissing, desired.gpus[l].place, {{}, "gpu", {}},
                     fmt::format("no GPU of {} is on the hosts of this line", lines[l].what()), models_seen(goal));
    }
  }
}

}  // namespace gpup
