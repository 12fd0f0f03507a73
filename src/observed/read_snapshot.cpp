#include "observed/read_snapshot.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "observed/json_reader.h"

namespace gpup {

namespace {

constexpr std::size_t kFewGpuNames = 16;  ///< that adapters of a host name are remembered

/// A name and where it stands, to find repeated ones.
struct Named {
  std::string_view name;
  std::uint32_t offset = 0;
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool folded_less(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return lower(x) < lower(y); });
}

/// Equal for names that differ by the case of ASCII letters only (and for few others): that bit of each byte is
/// ignored.
std::uint64_t folded_hash(std::string_view text) {
  constexpr std::uint64_t kCaseBits = 0x2020202020202020U;
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15U;
  std::uint64_t hash = text.size() * kMix;
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), size);
    hash = (hash ^ (word | kCaseBits)) * kMix;
    hash ^= hash >> 29U;
    text.remove_prefix(size);
  }
  return hash;
}

/// Finds the GPU that each adapter names.
void resolve_adapters(Host& host) {
  struct Hashed {
    std::uint64_t hash;
    std::int32_t gpu;
  };
  std::vector<Hashed> by_hash;
  by_hash.reserve(host.gpus.size());
  for (const Gpu& gpu : host.gpus) {
    by_hash.push_back({folded_hash(gpu.name), static_cast<std::int32_t>(by_hash.size())});
  }
  std::sort(by_hash.begin(), by_hash.end(),
            [](const Hashed& a, const Hashed& b) { return a.hash != b.hash ? a.hash < b.hash : a.gpu < b.gpu; });
  const auto find = [&](std::string_view name) {
    const std::uint64_t hash = folded_hash(name);
    auto found = std::lower_bound(by_hash.begin(), by_hash.end(), hash,
                                  [](const Hashed& a, std::uint64_t value) { return a.hash < value; });
    for (; found != by_hash.end() && found->hash == hash; ++found) {
      if (same_name(host.gpus[static_cast<std::size_t>(found->gpu)].name, name)) {
        return found->gpu;
      }
    }
    return Adapter::kUnknownGpu;
  };
  // The same name is mostly the same bytes in the pool.
  struct Known {
    const char* name;
    std::int32_t gpu;
  };
  std::array<Known, kFewGpuNames> known{};
  std::size_t next = 0;
  for (Adapter& adapter : host.adapters) {
    if (adapter.gpu_name.empty()) {
      continue;
    }
    const char* const name = adapter.gpu_name.data();
    const auto same = std::find_if(known.begin(), known.end(), [name](const Known& k) { return k.name == name; });
    if (same != known.end()) {
      adapter.gpu = same->gpu;
      continue;
    }
    adapter.gpu = find(adapter.gpu_name);
    known[next++ % known.size()] = {name, adapter.gpu};
  }
}

/// Frees what a vector took in advance, where it is much.
template <class T>
void give_back(std::vector<T>& values) {
  if (values.capacity() - values.size() > values.size() / 4) {
    values.shrink_to_fit();
  }
}

struct Draft {
  ObservedState state;
  bool version_wrong = false;
};

struct HostDraft {
  Host host;
  std::uint32_t name_at = 0;
  bool gpus_there = false;
  bool vms_there = false;
};

struct GpuDraft {
  Gpu gpu;
  std::uint32_t name_at = 0;
};

struct VmDraft {
  Vm vm;
  std::uint32_t name_at = 0;
  std::uint32_t id_at = 0;
  std::vector<Adapter>* adapters = nullptr;  ///< of its host
};

struct AdapterDraft {
  Adapter adapter;
  std::uint32_t id_at = 0;
};

class SnapshotReader {
 public:
  SnapshotReader(std::string text, const std::string& path, std::uint64_t max_bytes)
      : json(std::move(text), path, max_bytes) {}

  Result<ObservedState> read();

  JsonReader json;
  std::shared_ptr<TextPool> pool = std::make_shared<TextPool>();

  // Values; each takes what stands there and returns false only when reading is over.

  bool text(std::string_view& value) {
    if (json.null()) {
      return true;
    }
    if (const auto read = json.string()) {
      value = pool->keep(*read);
    }
    return !json.dead();
  }

  /// Text that must be there and not be empty.
  bool name(std::string_view& value, std::uint32_t& place) {
    place = json.offset();
    if (const auto read = json.string()) {
      if (read->empty()) {
        json.note_at(place, Code::kJsonRange, fmt::format("{} must not be empty", json.quoted_where()));
      }
      value = pool->keep(*read);
    }
    return !json.dead();
  }

  /// Ids that compare without case are kept in lower case.
  bool folded(std::string_view& value) {
    if (json.null()) {
      return true;
    }
    if (const auto read = json.string()) {
      value = pool->keep(fold_case(*read));
    }
    return !json.dead();
  }

  template <class Number>
  bool number(std::optional<Number>& value, std::uint64_t least, std::uint64_t most) {
    if (json.null()) {
      return true;
    }
    if (const auto read = json.number(least, most)) {
      value = static_cast<Number>(*read);
    }
    return !json.dead();
  }

  bool boolean(std::optional<bool>& value) {
    if (json.null()) {
      return true;
    }
    if (const auto read = json.boolean()) {
      value = read;
    }
    return !json.dead();
  }

  bool boolean(bool& value) {
    std::optional<bool> read;
    if (!boolean(read)) {
      return false;
    }
    value = read.value_or(value);
    return true;
  }

  /// One of a few words; `words` completes "must be one of ...".
  template <class Word>
  bool one_of(std::optional<Word>& value, std::optional<Word> (*parse)(std::string_view), std::string_view words) {
    const std::uint32_t place = json.offset();
    if (const auto read = json.string(words)) {
      value = parse(*read);
      if (!value) {
        json.note_at(place, Code::kJsonRange,
                     fmt::format("{} must be {}, not '{}'", json.quoted_where(), words, JsonReader::shown(*read)));
      }
    }
    return !json.dead();
  }

  /// Reads what does not matter if the host was not read.
  template <class Read>
  bool of_read_host(Read read) {
    const std::uint32_t from = json.offset();
    const bool going_on = read();
    if (going_on) {
      of_read_host_.push_back({from, json.offset()});
    }
    return going_on;
  }

  bool exactly(std::string_view wanted, bool& wrong);
  bool state_name(Vm& vm);
  bool gpu_name(Adapter& adapter);
  bool counts(std::vector<std::uint32_t>& values);
  bool ids(std::vector<std::string_view>& values);
  bool gpus(HostDraft& draft);
  bool vms(HostDraft& draft);
  bool adapters(VmDraft& draft);
  bool hosts(Draft& draft);

 private:
  struct SeenGpuName {
    std::string_view raw;   ///< as it stands in the text
    std::string_view kept;  ///< in the pool
  };
  struct Stretch {
    std::uint32_t from, to;
  };

  bool host(Draft& draft);
  void note_repeated(std::vector<Named>& names, std::string_view what);

  std::vector<SeenGpuName> seen_gpu_names_;  ///< of the host that is being read
  std::vector<Stretch> of_read_host_;        ///< likewise
  std::vector<Named> host_names_;
  std::vector<Named> gpu_names_;
  std::vector<Named> vm_ids_;
  std::vector<Named> adapter_ids_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> hashes_;
};

using Reader = SnapshotReader;

// The format is a table: a row names a member, says whether it must be there, and reads it.

constexpr std::array<Member<Reader, AdapterDraft>, 6> kAdapterMembers = {{
    {"id", true, [](Reader& r, AdapterDraft& draft) { return r.name(draft.adapter.id, draft.id_at); }},
    {"gpu", false, [](Reader& r, AdapterDraft& draft) { return r.gpu_name(draft.adapter); }},
    {"partitionId", false,
     [](Reader& r, AdapterDraft& draft) { return r.number(draft.adapter.partition_id, 0, kMost16); }},
    {"vram", false, [](Reader& r, AdapterDraft& draft) { return r.number(draft.adapter.vram, 0, kMost64); }},
    {"encode", false, [](Reader& r, AdapterDraft& draft) { return r.number(draft.adapter.encode, 0, kMost64); }},
    {"decode", false, [](Reader& r, AdapterDraft& draft) { return r.number(draft.adapter.decode, 0, kMost64); }},
}};

constexpr std::array<Member<Reader, VmDraft>, 10> kVmMembers = {{
    {"name", true, [](Reader& r, VmDraft& draft) { return r.name(draft.vm.name, draft.name_at); }},
    {"id", true, [](Reader& r, VmDraft& draft) { return r.name(draft.vm.id, draft.id_at); }},
    {"state", true, [](Reader& r, VmDraft& draft) { return r.state_name(draft.vm); }},
    {"clustered", false, [](Reader& r, VmDraft& draft) { return r.boolean(draft.vm.clustered); }},
    {"generation", false, [](Reader& r, VmDraft& draft) { return r.number(draft.vm.generation, 1, 255); }},
    {"offlineAction", false,
     [](Reader& r, VmDraft& draft) {
       return r.json.null() || r.one_of(draft.vm.offline_action, parse_observed_action,
                                        "turn-off, save, shutdown, force-shutdown or null");
     }},
    {"dynamicMemory", false, [](Reader& r, VmDraft& draft) { return r.boolean(draft.vm.dynamic_memory); }},
    {"automaticCheckpoints", false,
     [](Reader& r, VmDraft& draft) { return r.boolean(draft.vm.automatic_checkpoints); }},
    {"startOwed", false, [](Reader& r, VmDraft& draft) { return r.boolean(draft.vm.start_owed); }},
    {"partitions", true, [](Reader& r, VmDraft& draft) { return r.adapters(draft); }},
}};

constexpr std::array<Member<Reader, GpuDraft>, 13> kGpuMembers = {{
    {"name", true, [](Reader& r, GpuDraft& draft) { return r.name(draft.gpu.name, draft.name_at); }},
    {"model", false, [](Reader& r, GpuDraft& draft) { return r.text(draft.gpu.model); }},
    {"device", false, [](Reader& r, GpuDraft& draft) { return r.folded(draft.gpu.device); }},
    {"subsystem", false, [](Reader& r, GpuDraft& draft) { return r.folded(draft.gpu.subsystem); }},
    {"status", true,
     [](Reader& r, GpuDraft& draft) {
       std::optional<GpuStatus> status;
       const bool going_on =
           r.one_of(status, parse_gpu_status, "partitioned, ready-for-dda, paravirtualization or not-assignable");
       draft.gpu.status = status.value_or(GpuStatus::kNotAssignable);
       return going_on;
     }},
    {"validPartitionCounts", false,
     [](Reader& r, GpuDraft& draft) { return r.counts(draft.gpu.valid_partition_counts); }},
    {"partitionCount", false,
     [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.partition_count, 0, kMost16); }},
    {"totalVram", false, [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.total_vram, 0, kMost64); }},
    {"availableVram", false, [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.available_vram, 0, kMost64); }},
    {"partitionVram", false, [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.partition_vram, 0, kMost64); }},
    {"partitionEncode", false,
     [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.partition_encode, 0, kMost64); }},
    {"partitionDecode", false,
     [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.partition_decode, 0, kMost64); }},
    {"partitionCompute", false,
     [](Reader& r, GpuDraft& draft) { return r.number(draft.gpu.partition_compute, 0, kMost64); }},
}};

constexpr std::array<Member<Reader, HostDraft>, 8> kHostMembers = {{
    {"name", true, [](Reader& r, HostDraft& draft) { return r.name(draft.host.name, draft.name_at); }},
    {"build", false,
     [](Reader& r, HostDraft& draft) {
       return r.of_read_host([&] { return r.number(draft.host.build, 0, kMost32); });
     }},
    {"edition", false,
     [](Reader& r, HostDraft& draft) {
       return r.of_read_host([&] {
         return r.json.null() ||
                r.one_of(draft.host.edition, parse_edition, "azure-stack-hci, datacenter, standard, other or null");
       });
     }},
    {"reachable", false, [](Reader& r, HostDraft& draft) { return r.boolean(draft.host.reachable); }},
    {"error", false, [](Reader& r, HostDraft& draft) { return r.text(draft.host.error); }},
    {"gpus", false, [](Reader& r, HostDraft& draft) { return r.of_read_host([&] { return r.gpus(draft); }); }},
    {"vms", false, [](Reader& r, HostDraft& draft) { return r.of_read_host([&] { return r.vms(draft); }); }},
    {"startsOwed", false,
     [](Reader& r, HostDraft& draft) { return r.of_read_host([&] { return r.ids(draft.host.starts_owed); }); }},
}};

constexpr std::array<Member<Reader, Draft>, 5> kRootMembers = {{
    {"apiVersion", true, [](Reader& r, Draft& draft) { return r.exactly("gpup/v1", draft.version_wrong); }},
    {"kind", true, [](Reader& r, Draft& draft) { return r.exactly("Snapshot", draft.version_wrong); }},
    {"takenAt", false,
     [](Reader& r, Draft& draft) {
       std::string_view taken_at;
       const bool going_on = r.text(taken_at);
       draft.state.taken_at = taken_at;
       return going_on;
     }},
    {"cluster", false, [](Reader& r, Draft& draft) { return r.text(draft.state.cluster); }},
    {"hosts", true, [](Reader& r, Draft& draft) { return r.hosts(draft); }},
}};

bool SnapshotReader::exactly(std::string_view wanted, bool& wrong) {
  const std::uint32_t place = json.offset();
  if (const auto read = json.string()) {
    if (*read != wanted) {
      wrong = true;
      json.note_at(place, Code::kSnapshotVersion,
                   fmt::format("{} must be '{}', not '{}'", json.quoted_where(), wanted, JsonReader::shown(*read)));
    }
  }
  return !json.dead();
}

bool SnapshotReader::state_name(Vm& vm) {
  const std::uint32_t place = json.offset();
  const auto read = json.string();
  if (!read) {
    return !json.dead();
  }
  if (*read == "Running") {
    vm.state = VmState::kRunning;
    vm.state_name = "Running";
  } else if (*read == "Off") {
    vm.state = VmState::kOff;
    vm.state_name = "Off";
  } else {
    if (read->empty()) {
      json.note_at(place, Code::kJsonRange, fmt::format("{} must not be empty", json.quoted_where()));
    }
    vm.state_name = pool->keep(*read);
  }
  return true;
}

/// Thousands of adapters name the same few GPUs, with many escapes each.
bool SnapshotReader::gpu_name(Adapter& adapter) {
  if (json.null()) {
    return true;
  }
  const std::string_view raw = json.raw();
  const auto seen = std::find_if(seen_gpu_names_.begin(), seen_gpu_names_.end(),
                                 [raw](const SeenGpuName& name) { return name.raw == raw; });
  if (seen != seen_gpu_names_.end()) {
    adapter.gpu_name = seen->kept;
    return json.skip();
  }
  const auto read = json.string("the name of a GPU or null");
  if (read) {
    adapter.gpu_name = pool->keep(*read);
    if (seen_gpu_names_.size() < kFewGpuNames && !read->empty()) {
      seen_gpu_names_.push_back({raw, adapter.gpu_name});
    }
  }
  return !json.dead();
}

bool SnapshotReader::ids(std::vector<std::string_view>& values) {
  return json.null() || json.list([&] {
    std::uint32_t place = 0;
    return name(values.emplace_back(), place);
  });
}

bool SnapshotReader::counts(std::vector<std::uint32_t>& values) {
  return json.null() || json.list([&] {
    if (const auto read = json.number(0, kMost16)) {
      values.push_back(static_cast<std::uint32_t>(*read));
    }
    return !json.dead();
  });
}

bool SnapshotReader::gpus(HostDraft& draft) {
  if (json.null()) {
    return true;
  }
  draft.gpus_there = true;
  gpu_names_.clear();
  const bool going_on = json.list([&] {
    GpuDraft item;
    const std::uint32_t place = json.offset();
    const std::size_t before = json.findings();
    if (!json.object(kGpuMembers, *this, item, "a GPU")) {
      return false;
    }
    if (item.gpu.status == GpuStatus::kPartitioned && !item.gpu.partition_count && json.findings() == before) {
      json.note_at(place, Code::kJsonMissing,
                   fmt::format("{} has no 'partitionCount'; a partitioned GPU must have one", json.quoted_where()));
    }
    gpu_names_.push_back({item.gpu.name, item.name_at});
    draft.host.gpus.push_back(std::move(item.gpu));
    return true;
  });
  note_repeated(gpu_names_, "the GPU");
  return going_on;
}

bool SnapshotReader::vms(HostDraft& draft) {
  if (json.null()) {
    return true;
  }
  draft.vms_there = true;
  vm_ids_.clear();
  const bool going_on = json.list([&] {
    VmDraft item;
    item.adapters = &draft.host.adapters;
    item.vm.first_adapter = static_cast<std::uint32_t>(draft.host.adapters.size());
    if (!json.object(kVmMembers, *this, item, "a VM")) {
      return false;
    }
    vm_ids_.push_back({item.vm.id, item.id_at});
    draft.host.vms.push_back(item.vm);
    return true;
  });
  note_repeated(vm_ids_, "the VM id");
  return going_on;
}

bool SnapshotReader::adapters(VmDraft& draft) {
  adapter_ids_.clear();
  const bool going_on = json.list([&] {
    AdapterDraft item;
    if (!json.object(kAdapterMembers, *this, item, "a partition")) {
      return false;
    }
    adapter_ids_.push_back({item.adapter.id, item.id_at});
    draft.adapters->push_back(item.adapter);
    ++draft.vm.adapter_count;
    return true;
  });
  note_repeated(adapter_ids_, "the partition id");
  return going_on;
}

bool SnapshotReader::hosts(Draft& draft) {
  const bool going_on = json.list([&] { return host(draft); });
  note_repeated(host_names_, "the host");
  return going_on;
}

bool SnapshotReader::host(Draft& draft) {
  HostDraft item;
  seen_gpu_names_.clear();
  of_read_host_.clear();
  const std::uint32_t place = json.offset();
  const bool is_object = json.peek() == '{';
  const std::size_t before = json.findings();
  if (!json.object(kHostMembers, *this, item, "a host")) {
    return false;
  }
  host_names_.push_back({item.host.name, item.name_at});
  Host& read = item.host;
  if (!read.reachable) {
    json.forget(before, [this](std::uint32_t offset, Code code) {
      return code != Code::kJsonRepeated &&
             std::any_of(of_read_host_.begin(), of_read_host_.end(),
                         [offset](const Stretch& stretch) { return offset >= stretch.from && offset < stretch.to; });
    });
    Host not_read;
    not_read.name = read.name;
    not_read.reachable = false;
    not_read.error = read.error;
    draft.state.hosts.push_back(std::move(not_read));
    return true;
  }
  for (const auto& [there, name] : {std::pair(item.gpus_there, "gpus"), std::pair(item.vms_there, "vms")}) {
    if (is_object && !there && !json.full()) {
      json.note_at(place, Code::kJsonMissing,
                   fmt::format("{} has no '{}'; a host that was read must have it, [] where there are none",
                               json.quoted_where(), name));
    }
  }
  resolve_adapters(read);
  give_back(read.vms);
  give_back(read.adapters);
  draft.state.hosts.push_back(std::move(read));
  json.give_back_taken();
  return true;
}

/// Notes each name that stands there a second time, without case.
void SnapshotReader::note_repeated(std::vector<Named>& names, std::string_view what) {
  const auto note = [&](const Named& second) {
    if (json.full()) {
      return;
    }
    json.note_at(second.offset, Code::kSnapshotTwice,
                 fmt::format("{} '{}' stands twice in {}; letters' case does not tell two apart", what,
                             JsonReader::shown(second.name), json.quoted_where()));
  };
  if (names.size() < 2) {
    return;
  }
  hashes_.clear();
  hashes_.reserve(names.size());
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    hashes_.emplace_back(folded_hash(names[i].name), i);
  }
  // Sorted rather than hashed into buckets: no input makes it slow.
  std::sort(hashes_.begin(), hashes_.end());
  for (auto first = hashes_.begin(); first != hashes_.end();) {
    const auto last =
        std::find_if(first, hashes_.end(), [first](const auto& hash) { return hash.first != first->first; });
    if (last - first > 1) {
      std::stable_sort(first, last, [&names](const auto& a, const auto& b) {
        return folded_less(names[a.second].name, names[b.second].name);
      });
      for (auto next = first + 1; next != last; ++next) {
        const Named& second = names[next->second];
        if (!second.name.empty() && same_name(names[(next - 1)->second].name, second.name)) {
          note(second);
        }
      }
    }
    first = last;
  }
}

Result<ObservedState> SnapshotReader::read() {
  Draft draft;
  const bool whole = json.start() && json.object(kRootMembers, *this, draft, "a snapshot") && json.finish();
  if (whole && draft.version_wrong) {
    // What else is wrong follows from it.
    json.forget(0, [](std::uint32_t, Code code) { return code != Code::kSnapshotVersion; });
  }
  if (!whole || json.failed()) {
    return fail(json.take_diagnostics());
  }
  draft.state.texts.push_back(std::move(pool));
  return std::move(draft.state);
}

}  // namespace

Result<ObservedState> read_snapshot(std::string text, const std::string& path, std::uint64_t max_bytes) {
  return SnapshotReader(std::move(text), path, max_bytes).read();
}

}  // namespace gpup
