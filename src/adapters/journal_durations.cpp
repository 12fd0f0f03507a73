#include "adapters/journal_durations.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/files.h"
#include "execute/report.h"
#include "model/words.h"

namespace gpup {

namespace {

constexpr std::size_t kMostFiles = 200;
constexpr std::uint64_t kLargestFile = 64ULL * 1024 * 1024;
constexpr std::uint64_t kMostBytes = 256ULL * 1024 * 1024;
constexpr std::size_t kLongestLine = 4UL * 1024 * 1024;
constexpr std::chrono::milliseconds kLongestStep = std::chrono::hours(24);

/// `2026-11-22T08:41:00.250Z`, as `to_string(Time)` writes it.
std::optional<Time> parse_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != kForm.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kForm[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) {
      return std::nullopt;
    }
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) + std::chrono::minutes(number(14, 2)) +
         std::chrono::seconds(number(17, 2)) + std::chrono::milliseconds(number(20, 3));
}

/// A text member; nothing where there is none.
std::optional<std::string_view> text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (found == object.end() || !found->is_string()) {
    return std::nullopt;
  }
  return found->get_ref<const std::string&>();
}

std::optional<std::uint64_t> number_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) {
    return std::nullopt;
  }
  return found->get<std::uint64_t>();
}

using Samples = std::map<StepKind, std::vector<std::uint32_t>>;

/// One journal: what its steps took.
class Journalled {
 public:
  Samples read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end <= kLongestLine) {
        read_line(text.substr(0, end));
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(samples_);
  }

 private:
  void read_line(std::string_view line) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    const auto kind = text_of(entry, "entry");
    const auto written = text_of(entry, "time");
    const auto time = written ? parse_time(*written) : std::nullopt;
    if (!kind || !time) {
      return;
    }
    if (*kind == "begin") {
      begin(entry);
    } else if (const auto step = number_of(entry, "step"); step && *kind == "intent") {
      intents_[*step] = *time;
    } else if (step && *kind == "outcome") {
      end(entry, *step, *time);
    }
  }

  void begin(const nlohmann::json& entry) {
    intents_.clear();
    simulated_.clear();
    const auto hosts = entry.find("hosts");
    if (hosts == entry.end() || !hosts->is_array()) {
      return;
    }
    for (const nlohmann::json& host : *hosts) {
      const auto name = text_of(host, "name");
      const auto transport = parse_transport(text_of(host, "transport").value_or(""));
      if (name && transport) {
        simulated_[std::string(*name)] = *transport == Transport::kSimulated;
      }
    }
  }

  void end(const nlohmann::json& entry, std::uint64_t step, Time time) {
    const auto begun = intents_.find(step);
    const auto op = parse_op(text_of(entry, "op").value_or(""));
    const auto host = simulated_.find(std::string(text_of(entry, "host").value_or("")));
    if (begun == intents_.end() || !op || host == simulated_.end() || text_of(entry, "outcome") != "done") {
      return;
    }
    const auto started = parse_time(text_of(entry, "startedAt").value_or(""));
    const auto took = time - started.value_or(begun->second);
    if (took >= std::chrono::milliseconds(0) && took <= kLongestStep) {
      samples_[{*op, std::string(text_of(entry, "model").value_or("")), host->second}].push_back(
          static_cast<std::uint32_t>(took.count()));
    }
    intents_.erase(begun);
  }

  std::unordered_map<std::uint64_t, Time> intents_;  // by step
  std::unordered_map<std::string, bool> simulated_;  // by host
  Samples samples_;
};

/// The smallest sample that so many percent of them do not exceed.
std::uint32_t percentile(std::vector<std::uint32_t>& samples, std::size_t percent) {
  const std::size_t rank = (samples.size() * percent + 99) / 100;
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

}  // namespace

Durations read_durations(const std::string& folder) {
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
    const auto text = read_file(folder + "/" + (*names)[names->size() - 1 - i], kLargestFile);
    if (!text) {
      continue;
    }
    bytes += text->size();
    for (auto& [kind, samples] : Journalled().read(*text)) {
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
