#include "observed/read_host_facts.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "observed/json_reader.h"

namespace gpup {

namespace {

/// Exactly `size` digits at the start of `text`, taken from it.
std::optional<int> digits(std::string_view& text, std::size_t size) {
  int value = 0;
  if (text.size() < size) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, value);
  if (error != std::errc{} || end != text.data() + size || text[0] == '-') {
    return std::nullopt;
  }
  text.remove_prefix(size);
  return value;
}

/// The numbers of `2026-11-25T22:00:00`, each followed by its mark; what is left begins after the seconds.
std::optional<std::array<int, 6>> moment(std::string_view& text) {
  constexpr std::array<std::size_t, 6> kSizes = {4, 2, 2, 2, 2, 2};
  constexpr std::string_view kMarks = "--T::";
  std::array<int, 6> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = digits(text, kSizes[i]);
    if (!part || (i < kMarks.size() && !text.starts_with(kMarks[i]))) {
      return std::nullopt;
    }
    parts[i] = *part;
    text.remove_prefix(i < kMarks.size() ? 1 : 0);
  }
  return parts;
}

/// `2026-11-25T22:00:00.0000000Z`: UTC, with or without a fraction.
std::optional<ClockTime> parse_clock(std::string_view text) {
  const auto parts = moment(text);
  if (!parts) {
    return std::nullopt;
  }
  const auto [year, month, day, hour, minute, second] = *parts;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  int ms = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    int unit = 100;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1)) {
      ms += (text[0] - '0') * unit;
      unit /= 10;
    }
  }
  if (text != "Z" || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::milliseconds(ms);
}

struct FactsReader {
  FactsReader(std::string text, const std::string& path, std::uint64_t max_bytes)
      : json(std::move(text), path, max_bytes, "the host's answer") {}

  Result<HostFacts> read();

  // Values; each takes what stands there and returns false only when reading is over.

  bool text(std::string& value) {
    if (!json.null()) {
      if (const auto read = json.string()) {
        value = *read;
      }
    }
    return !json.dead();
  }
  bool folded(std::string& value) {
    const bool going_on = text(value);
    value = fold_case(value);
    return going_on;
  }
  template <class Number>
  bool number(std::optional<Number>& value, std::uint64_t most = kMost64) {
    if (!json.null()) {
      if (const auto read = json.number(0, most)) {
        value = static_cast<Number>(*read);
      }
    }
    return !json.dead();
  }
  /// A policy's DWORD, which PowerShell shows with a sign; null is "not set".
  bool policy(std::optional<std::uint64_t>& value) {
    value = 0;
    if (json.peek() == '-') {
      value = kMost32;
      return json.skip();
    }
    return number(value);
  }
  bool node_state(std::optional<std::int64_t>& value) {
    if (json.peek() == '-') {
      value = -1;
      return json.skip();
    }
    return number(value, kMost16);
  }
  bool boolean(std::optional<bool>& value) {
    if (!json.null()) {
      if (const auto read = json.boolean()) {
        value = read;
      }
    }
    return !json.dead();
  }
  /// One of a few words; `words` completes "must be ...".
  template <class Word>
  bool one_of(std::optional<Word>& value, std::optional<Word> (*parse)(std::string_view), std::string_view words) {
    const std::uint32_t place = json.offset();
    if (json.null()) {
      return true;
    }
    if (const auto read = json.string(words)) {
      value = parse(*read);
      if (!value) {
        json.note_at(place, Code::kJsonRange,
                     fmt::format("{} must be {}, not '{}'", json.quoted_where(), words, JsonReader::shown(*read)));
      }
    }
    return !json.dead();
  }
  /// A list of objects; null is "not known".
  template <class Row, std::size_t N>
  bool rows(std::optional<std::vector<Row>>& values, const std::array<Member<FactsReader, Row>, N>& members) {
    if (json.null()) {
      return true;
    }
    values.emplace();
    return json.list([&] { return json.object(members, *this, values->emplace_back(), "a row"); });
  }
  bool texts(std::vector<std::string>& values) {
    return json.null() || json.list([&] {
      std::string value;
      if (!text(value)) {
        return false;
      }
      if (!value.empty()) {
        values.push_back(std::move(value));
      }
      return true;
    });
  }
  template <class Value, class Read>
  bool by_name(std::map<std::string, Value, std::less<>>& values, Read read) {
    return json.null() || json.members([&](std::string_view name) { return read(values[std::string(name)]); });
  }
  bool clock(std::optional<ClockTime>& value) {
    return one_of(value, parse_clock, "a time such as 2026-11-25T22:00:00.000Z");
  }

  JsonReader json;
};

using Reader = FactsReader;

// The format is a table: a row names a member and reads it. None has to be there.

constexpr std::array<Member<Reader, DeviceFacts>, 5> kDeviceMembers = {{
    {"instanceId", false, [](Reader& r, DeviceFacts& device) { return r.text(device.instance_id); }},
    {"friendlyName", false, [](Reader& r, DeviceFacts& device) { return r.text(device.friendly_name); }},
    {"status", false, [](Reader& r, DeviceFacts& device) { return r.text(device.status); }},
    {"problem", false, [](Reader& r, DeviceFacts& device) { return r.number(device.problem); }},
    {"present", false, [](Reader& r, DeviceFacts& device) { return r.boolean(device.present); }},
}};

constexpr std::array<Member<Reader, GpuFacts>, 8> kGpuMembers = {{
    {"name", false, [](Reader& r, GpuFacts& gpu) { return r.text(gpu.name); }},
    {"model", false, [](Reader& r, GpuFacts& gpu) { return r.text(gpu.model); }},
    {"device", false, [](Reader& r, GpuFacts& gpu) { return r.folded(gpu.device); }},
    {"subsystem", false, [](Reader& r, GpuFacts& gpu) { return r.folded(gpu.subsystem); }},
    {"status", false,
     [](Reader& r, GpuFacts& gpu) {
       return r.one_of(gpu.status, parse_gpu_status,
                       "partitioned, ready-for-dda, paravirtualization or not-assignable");
     }},
    {"partitionCount", false, [](Reader& r, GpuFacts& gpu) { return r.number(gpu.partition_count, kMost16); }},
    {"totalVram", false, [](Reader& r, GpuFacts& gpu) { return r.number(gpu.total_vram); }},
    {"supportsIncomingLiveMigration", false,
     [](Reader& r, GpuFacts& gpu) { return r.boolean(gpu.incoming_live_migration); }},
}};

constexpr std::array<Member<Reader, VmFacts>, 18> kVmMembers = {{
    {"name", false, [](Reader& r, VmFacts& vm) { return r.text(vm.name); }},
    {"id", false, [](Reader& r, VmFacts& vm) { return r.folded(vm.id); }},
    {"state", false, [](Reader& r, VmFacts& vm) { return r.text(vm.state); }},
    {"generation", false, [](Reader& r, VmFacts& vm) { return r.number(vm.generation); }},
    {"clustered", false,
     [](Reader& r, VmFacts& vm) {
       std::optional<bool> clustered;
       const bool going_on = r.boolean(clustered);
       vm.clustered = clustered.value_or(false);
       return going_on;
     }},
    {"dynamicMemoryEnabled", false, [](Reader& r, VmFacts& vm) { return r.boolean(vm.dynamic_memory); }},
    {"automaticCheckpointsEnabled", false, [](Reader& r, VmFacts& vm) { return r.boolean(vm.automatic_checkpoints); }},
    {"checkpointType", false, [](Reader& r, VmFacts& vm) { return r.number(vm.checkpoint_type); }},
    {"automaticStopAction", false, [](Reader& r, VmFacts& vm) { return r.number(vm.automatic_stop_action); }},
    {"parentSnapshotId", false,
     [](Reader& r, VmFacts& vm) {
       std::string id;
       const bool going_on = r.text(id);
       vm.has_checkpoint = !id.empty();
       return going_on;
     }},
    {"shutdownService", false, [](Reader& r, VmFacts& vm) { return r.boolean(vm.shutdown_service); }},
    {"guestControlledCacheTypes", false, [](Reader& r, VmFacts& vm) { return r.boolean(vm.cache_types); }},
    {"highMemoryMappedIoSpace", false, [](Reader& r, VmFacts& vm) { return r.number(vm.high_mmio); }},
    {"hibernationEnabled", false, [](Reader& r, VmFacts& vm) { return r.boolean(vm.hibernation); }},
    {"offlineAction", false,
     [](Reader& r, VmFacts& vm) {
       return r.one_of(vm.offline_action, parse_observed_action, "turn-off, save, shutdown or force-shutdown");
     }},
    {"adapters", false, [](Reader& r, VmFacts& vm) { return r.number(vm.adapters); }},
    {"staleAdapterSuspected", false, [](Reader& r, VmFacts& vm) { return r.boolean(vm.stale_adapter); }},
    {"guestOs", false, [](Reader& r, VmFacts& vm) { return r.text(vm.guest_os); }},
}};

constexpr std::array<Member<Reader, NodeFacts>, 2> kNodeMembers = {{
    {"name", false, [](Reader& r, NodeFacts& node) { return r.text(node.name); }},
    {"state", false, [](Reader& r, NodeFacts& node) { return r.node_state(node.state); }},
}};

constexpr std::array<Member<Reader, ClusterFacts>, 2> kClusterMembers = {{
    {"name", false, [](Reader& r, ClusterFacts& cluster) { return r.text(cluster.name); }},
    {"nodes", false,
     [](Reader& r, ClusterFacts& cluster) {
       std::optional<std::vector<NodeFacts>> nodes;
       const bool going_on = r.rows(nodes, kNodeMembers);
       cluster.nodes = std::move(nodes).value_or(std::vector<NodeFacts>());
       return going_on;
     }},
}};

struct Assignable {
  std::string instance_id;
};
constexpr std::array<Member<Reader, Assignable>, 1> kAssignableMembers = {{
    {"instanceId", false, [](Reader& r, Assignable& row) { return r.text(row.instance_id); }},
}};

constexpr std::array<Member<Reader, HostFacts>, 15> kHostMembers = {{
    {"computer", false, [](Reader& r, HostFacts& facts) { return r.text(facts.computer); }},
    {"build", false, [](Reader& r, HostFacts& facts) { return r.number(facts.build, kMost32); }},
    {"ubr", false, [](Reader& r, HostFacts& facts) { return r.number(facts.revision, kMost32); }},
    {"edition", false,
     [](Reader& r, HostFacts& facts) {
       return r.one_of(facts.edition, parse_edition, "azure-stack-hci, datacenter, standard or other");
     }},
    {"product", false, [](Reader& r, HostFacts& facts) { return r.text(facts.product); }},
    {"elevated", false, [](Reader& r, HostFacts& facts) { return r.boolean(facts.elevated); }},
    {"iovSupport", false, [](Reader& r, HostFacts& facts) { return r.boolean(facts.sr_iov); }},
    {"iovSupportReasons", false, [](Reader& r, HostFacts& facts) { return r.texts(facts.sr_iov_reasons); }},
    {"virtualization", false, [](Reader& r, HostFacts& facts) { return r.boolean(facts.virtualization); }},
    {"requireSecureDeviceAssignment", false,
     [](Reader& r, HostFacts& facts) { return r.policy(facts.require_secure_assignment); }},
    {"requireSupportedDeviceAssignment", false,
     [](Reader& r, HostFacts& facts) { return r.policy(facts.require_supported_assignment); }},
    {"arcManaged", false, [](Reader& r, HostFacts& facts) { return r.boolean(facts.arc_managed); }},
    {"clock", false, [](Reader& r, HostFacts& facts) { return r.clock(facts.clock); }},
    {"modules", false,
     [](Reader& r, HostFacts& facts) {
       return r.by_name(facts.modules, [&r](std::string& version) { return r.text(version); });
     }},
    {"cmdlets", false,
     [](Reader& r, HostFacts& facts) {
       return r.by_name(facts.cmdlets, [&r](bool& there) {
         std::optional<bool> read;
         const bool going_on = r.boolean(read);
         there = read.value_or(false);
         return going_on;
       });
     }},
}};

constexpr std::array<Member<Reader, HostFacts>, 7> kRootMembers = {{
    {"host", false,
     [](Reader& r, HostFacts& facts) { return r.json.null() || r.json.object(kHostMembers, r, facts, "a host"); }},
    {"pnp", false, [](Reader& r, HostFacts& facts) { return r.rows(facts.devices, kDeviceMembers); }},
    {"gpus", false, [](Reader& r, HostFacts& facts) { return r.rows(facts.gpus, kGpuMembers); }},
    {"assignable", false,
     [](Reader& r, HostFacts& facts) {
       std::optional<std::vector<Assignable>> rows;
       const bool going_on = r.rows(rows, kAssignableMembers);
       if (rows) {
         facts.assignable.emplace();
         for (Assignable& row : *rows) {
           facts.assignable->push_back(std::move(row.instance_id));
         }
       }
       return going_on;
     }},
    {"vms", false, [](Reader& r, HostFacts& facts) { return r.rows(facts.vms, kVmMembers); }},
    {"cluster", false,
     [](Reader& r, HostFacts& facts) {
       return r.json.null() || r.json.object(kClusterMembers, r, facts.cluster.emplace(), "a cluster");
     }},
    {"errors", false,
     [](Reader& r, HostFacts& facts) {
       return r.by_name(facts.errors, [&r](std::string& why) { return r.text(why); });
     }},
}};

Result<HostFacts> FactsReader::read() {
  HostFacts facts;
  const bool whole = json.start() && json.object(kRootMembers, *this, facts, "a host") && json.finish();
  if (!whole || json.failed()) {
    return fail(json.take_diagnostics());
  }
  return facts;
}

}  // namespace

Result<HostFacts> read_host_facts(std::string text, const std::string& path, std::uint64_t max_bytes) {
  return FactsReader(std::move(text), path, max_bytes).read();
}

}  // namespace gpup
