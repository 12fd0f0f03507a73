#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "render/drift.h"

namespace gpup {

namespace {

/// A label's value: backslashes, quotes and ends of lines escaped, the rest is UTF-8.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : escape_terminal(text)) {
    if (c == '\\' || c == '"') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

/// Partitions of one model on one host. Names that would look alike are added up: a series stands in a file once.
struct OfModel {
  std::uint64_t partitions = 0;
  std::uint64_t used = 0;
};

class Metrics {
 public:
  Metrics(const Drift& drift, Sink& sink) : drift_(drift), sink_(sink), name_(label(drift.plan.name)) {}

  void write(const ObservedState& observed, std::optional<std::int64_t> observed_at) {
    begin("gpup_drift_differences", "Differences between the files and the hosts, by property and cause.");
    write_differences();
    begin("gpup_hosts_not_checked", "Hosts of the files that could not be read.");
    sample({}, drift_.plan.not_checked.size());
    begin("gpup_host_checked", "Whether the host could be read.");
    for (const DesiredHost& host : drift_.desired.hosts) {
      const bool checked = std::none_of(drift_.plan.not_checked.begin(), drift_.plan.not_checked.end(),
                                        [&](const NotChecked& n) { return same_name(n.host, host.target.name); });
      sample(fmt::format("host=\"{}\"", label(host.target.name)), checked ? 1 : 0);
    }
    gather(observed);
    begin("gpup_partitions", "Partitions that the host's GPUs of a model are divided into.");
    for (const auto& [labels, room] : rooms_) {
      sample(labels, room.partitions);
    }
    begin("gpup_partitions_used", "Partitions that VMs hold, those that are off included.");
    for (const auto& [labels, room] : rooms_) {
      sample(labels, room.used);
    }
    begin("gpup_partitions_free", "Partitions that no VM holds.");
    for (const auto& [labels, room] : rooms_) {
      sample(labels, room.partitions - std::min(room.partitions, room.used));
    }
    begin("gpup_partitions_unresolved", "Partitions that VMs hold of a model that their host has yet to choose.");
    for (const auto& [labels, count] : unresolved_) {
      sample(labels, count);
    }
    begin("gpup_starts_owed", "VMs that a run of gpup stopped and has not started again.");
    for (const auto& [labels, count] : owed_) {
      sample(labels, count);
    }
    begin("gpup_ignores_expired", "Entries of policy.ignore whose day is over.");
    sample({}, static_cast<std::uint64_t>(
                   std::count_if(drift_.diagnostics.begin(), drift_.diagnostics.end(),
                                 [](const Diagnostic& d) { return d.code == Code::kIgnoreExpired; })));
    if (observed_at) {
      begin("gpup_observation_timestamp_seconds", "When the hosts were read, in seconds since 1970.");
      out_ += fmt::format("gpup_observation_timestamp_seconds{{name=\"{}\"}} {}\n", name_, *observed_at);
    }
    sink_.write(out_);
  }

 private:
  void begin(std::string_view metric, std::string_view help) {
    metric_ = metric;
    out_ += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", metric, help);
  }

  void sample(std::string_view labels, std::uint64_t value) {
    out_ += fmt::format("{}{{name=\"{}\"{}{}}} {}\n", metric_, name_, labels.empty() ? "" : ",", labels, value);
  }

  /// Every kind, also those that there are none of: an alert needs a series that does not come and go.
  void write_differences() {
    constexpr std::array kProperties = {Property::kPartitionCount, Property::kPartitions, Property::kState,
                                        Property::kOfflineAction};
    constexpr std::size_t kIgnored = kCauses;
    std::map<Property, std::array<std::uint64_t, kCauses + 1>> counts;
    for (const Property property : kProperties) {
      counts[property] = {};
    }
    for (const Drifted& drifted : drift_.found) {
      ++counts[drift_.plan.differences[drifted.difference].property].at(
          drifted.ignored() ? kIgnored : static_cast<std::size_t>(drifted.cause));
    }
    for (const auto& [property, by_cause] : counts) {
      for (std::size_t i = 0; i <= kCauses; ++i) {
        sample(fmt::format("property=\"{}\",cause=\"{}\"", to_string(property),
                           i == kIgnored ? "ignored" : to_string(static_cast<Cause>(i))),
               by_cause.at(i));
      }
    }
  }

  void gather(const ObservedState& observed) {
    for (const DesiredHost& line : drift_.desired.hosts) {
      const Host* host = find_host(observed, line.target.name);
      if (host == nullptr || !host->reachable) {
        continue;
      }
      const std::string on = fmt::format("host=\"{}\"", label(line.target.name));
      owed_[on] += static_cast<std::uint64_t>(
          std::count_if(host->vms.begin(), host->vms.end(), [](const Vm& vm) { return vm.start_owed; }));
      unresolved_[on] += 0;
      gather_gpus(*host, on);
    }
  }

  void gather_gpus(const Host& host, const std::string& on) {
    std::string only;
    std::vector<std::string> labels(host.gpus.size());
    bool one = true;
    for (std::size_t i = 0; i < host.gpus.size(); ++i) {
      const Gpu& gpu = host.gpus[i];
      if (gpu.status != GpuStatus::kPartitioned) {
        continue;
      }
      labels[i] = fmt::format("{},model=\"{}\"", on, label(gpu.model));
      rooms_[labels[i]].partitions += gpu.partition_count.value_or(0);
      one = one && (only.empty() || only == labels[i]);
      only = labels[i];
    }
    for (const Adapter& adapter : host.adapters) {
      if (adapter.gpu >= 0 && !labels[static_cast<std::size_t>(adapter.gpu)].empty()) {
        ++rooms_[labels[static_cast<std::size_t>(adapter.gpu)]].used;
      } else if (adapter.gpu == Adapter::kUnresolved && one && !only.empty()) {
        ++rooms_[only].used;
      } else if (adapter.gpu == Adapter::kUnresolved) {
        ++unresolved_[on];
      }
    }
  }

  const Drift& drift_;
  Sink& sink_;
  std::string name_, metric_, out_;
  std::map<std::string, OfModel> rooms_;
  std::map<std::string, std::uint64_t> unresolved_, owed_;
};

}  // namespace

void render_drift_metrics(const Drift& drift, const ObservedState& observed, std::optional<std::int64_t> observed_at,
                          Sink& out) {
  Metrics(drift, out).write(observed, observed_at);
}

}  // namespace gpup
