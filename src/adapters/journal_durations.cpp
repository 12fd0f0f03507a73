#include "adapters/journal_durations.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/files.h"
#include "model/words.h"

namespace gpup {

namespace {

constexpr std::size_t kMostFiles = 200;
constexpr std::uint64_t kLargestFile = 64ULL * 1024 * 1024;
constexpr std::uint64_t kMostBytes = 256ULL * 1024 * 1024;
constexpr std::chrono::milliseconds kLongestStep = std::chrono::hours(24);

using Samples = std::map<StepKind, std::vector<std::uint32_t>>;

/// What the steps of a run took.
Samples samples_of(const RecordedRun& run) {
  Samples samples;
  for (const RecordedStep& step : run.steps) {
    const auto op = parse_op(step.op);
    const auto host = run.hosts.find(step.host);
    const auto began = parse_time(step.began);
    const auto ended = parse_time(step.ended);
    if (step.outcome != Outcome::kDone || !step.intended || !op || host == run.hosts.end() || !began || !ended) {
      continue;
    }
    if (const auto took = *ended - *began; took >= std::chrono::milliseconds(0) && took <= kLongestStep) {
      samples[{*op, step.model, host->second == Transport::kSimulated}].push_back(
          static_cast<std::uint32_t>(took.count()));
    }
  }
  return samples;
}

/// The smallest sample that so many percent of them do not exceed.
std::uint32_t percentile(std::vector<std::uint32_t>& samples, std::size_t percent) {
  const std::size_t rank = (samples.size() * percent + 99) / 100;
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

}  // namespace

Durations read_durations(const std::string& folder, const JournalReader& read) {
  auto names = list_folder(folder);
  if (!names) {
    return {};
  }
  std::erase_if(*names, [](const std::string& name) { return !name.ends_with(".jsonl"); });
  Samples all;
  std::map<StepKind, std::uint32_t> runs;
  std::uint64_t bytes = 0;
  // Their names begin with the time of their first entry: the last is the newest.
  const std::size_t files = std::min(names->size(), kMostFiles);
  for (std::size_t i = 0; i < files && bytes < kMostBytes; ++i) {
    const std::string path = folder + "/" + (*names)[names->size() - 1 - i];
    const auto text = read_file(path, kLargestFile);
    if (!text) {
      continue;
    }
    bytes += text->size();
    const auto run = read(*text, path);
    if (!run) {
      continue;
    }
    for (auto& [kind, samples] : samples_of(*run)) {
      ++runs[kind];
      all[kind].insert(all[kind].end(), samples.begin(), samples.end());
    }
  }
  Durations durations;
  for (auto& [kind, samples] : all) {
    durations.measured[kind] = {percentile(samples, 50), percentile(samples, 95),
                                static_cast<std::uint32_t>(samples.size()), runs[kind]};
  }
  return durations;
}

}  // namespace gpup
