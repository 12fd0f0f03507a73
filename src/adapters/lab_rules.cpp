#include "adapters/lab_rules.h"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/gpu_profiles.h"
#include "base/text.h"

namespace gpup {

namespace {

constexpr std::uint64_t kVramStep = 64ULL * 1024 * 1024;
constexpr const char* kNoResources = "0x800705AA";  // ERROR_NO_SYSTEM_RESOURCES, as a start without a partition gives

tl::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kRefused, std::move(message)); }

const LabJson* member(const LabJson& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::uint64_t> number(const LabJson& object, const char* name) {
  const LabJson* const value = member(object, name);
  return value != nullptr && value->is_number_unsigned() ? std::optional(value->get<std::uint64_t>()) : std::nullopt;
}

bool flag(const LabJson& object, const char* name) {
  const LabJson* const value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

/// The elements of a list, none where it is absent.
template <class Json>
auto& list(Json& object, const char* name) {
  static LabJson none = LabJson::array();
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) {
    none = LabJson::array();
    return static_cast<Json&>(none);
  }
  return static_cast<Json&>(*found);
}

LabJson* find_gpu(LabJson& host, std::string_view name) {
  for (LabJson& gpu : list(host, "gpus")) {
    if (same_name(lab_text(gpu, "name"), name)) {
      return &gpu;
    }
  }
  return nullptr;
}

bool has_status(const LabJson& gpu, GpuStatus status) { return lab_text(gpu, "status") == to_string(status); }

/// True where a running VM's adapter holds a partition of that GPU.
bool holds(const LabJson& vm, const LabJson& adapter, std::string_view gpu) {
  return lab_text(vm, "state") != "Off" && (lab_text(vm, "state") == "Running" || number(adapter, "partitionId")) &&
         same_name(lab_text(adapter, "gpu"), gpu);
}

/// The partition ids of a GPU that running VMs hold, and how many they are.
struct InUse {
  std::set<std::uint64_t> ids;
  std::uint64_t count = 0;
};

InUse in_use(const LabJson& host, std::string_view gpu) {
  InUse found;
  for (const LabJson& vm : list(host, "vms")) {
    for (const LabJson& adapter : list(vm, "partitions")) {
      if (holds(vm, adapter, gpu)) {
        ++found.count;
        if (const auto id = number(adapter, "partitionId")) {
          found.ids.insert(*id);
        }
      }
    }
  }
  return found;
}

const LabJson& simulated_behaviour(const LabJson& host) {
  static const LabJson none = LabJson::object();
  const LabJson* const simulate = member(host, "simulate");
  return simulate != nullptr && simulate->is_object() ? *simulate : none;
}

// What a partition gets --------------------------------------------------------------------------------------------

struct Totals {
  std::optional<std::uint64_t> vram, encode, decode, compute;
};

const GpuProfile* known_profile(const LabJson& gpu) {
  const std::string device = lab_text(gpu, "device");
  const std::string subsystem = lab_text(gpu, "subsystem");
  const std::string model = lab_text(gpu, "model");
  for (const GpuProfile& profile : gpu_profiles()) {
    const bool by_id = same_name(device, profile.device) && same_name(subsystem, profile.subsystem);
    const bool by_model = model == profile.model && (subsystem.empty() || same_name(subsystem, profile.subsystem));
    if (by_id || by_model) {
      return &profile;
    }
  }
  return nullptr;
}

/// The whole card: as the lab says, else as a profile says, else what its present partitions make together.
std::optional<std::uint64_t> total(const LabJson& gpu, const char* total_name, const char* partition_name,
                                   std::optional<std::uint64_t> profile) {
  if (const auto said = number(gpu, total_name)) {
    return said;
  }
  if (profile) {
    return profile;
  }
  const auto part = number(gpu, partition_name);
  const auto count = number(gpu, "partitionCount");
  if (part && count && *count > 0 && *part <= std::numeric_limits<std::uint64_t>::max() / *count) {
    return *part * *count;
  }
  return std::nullopt;
}

Totals totals_of(const LabJson& gpu) {
  const GpuProfile* const profile = known_profile(gpu);
  const auto known = [&](std::uint64_t GpuProfile::*what) {
    return profile != nullptr ? std::optional(profile->*what) : std::nullopt;
  };
  return {total(gpu, "totalVram", "partitionVram", known(&GpuProfile::total_vram)),
          total(gpu, "totalEncode", "partitionEncode", known(&GpuProfile::total_encode)),
          total(gpu, "totalDecode", "partitionDecode", known(&GpuProfile::total_decode)),
          total(gpu, "totalCompute", "partitionCompute", known(&GpuProfile::total_compute))};
}

struct Size {
  std::optional<std::uint64_t> vram, encode, decode, compute;
};

/// From `simulate.profiles` of the host, if one of them has this GPU and count.
std::optional<Size> told_size(const LabJson& host, const LabJson& gpu, std::uint32_t count) {
  for (const LabJson& profile : list(simulated_behaviour(host), "profiles")) {
    const std::string model = lab_text(profile, "model");
    const std::string device = lab_text(profile, "device");
    if ((!model.empty() && model != lab_text(gpu, "model")) ||
        (!device.empty() && !same_name(device, lab_text(gpu, "device")))) {
      continue;
    }
    for (const LabJson& row : list(profile, "counts")) {
      if (number(row, "count") == count) {
        return Size{number(row, "vram"), number(row, "encode"), number(row, "decode"), number(row, "compute")};
      }
    }
  }
  return std::nullopt;
}

std::optional<Size> known_size(const LabJson& gpu, std::uint32_t count) {
  const GpuProfile* const profile = known_profile(gpu);
  if (profile == nullptr) {
    return std::nullopt;
  }
  const auto* const row = std::find_if(profile->sizes.data(), profile->sizes.data() + profile->sizes.size(),
                                       [&](const PartitionSize& size) { return size.count == count; });
  if (row == profile->sizes.data() + profile->sizes.size()) {
    return std::nullopt;
  }
  const auto said = number(gpu, "totalVram");
  if (said && row->vram > *said / count) {
    return std::nullopt;  // a card of the lab's own making, smaller than the real one
  }
  return Size{row->vram, row->encode, row->decode, row->compute};
}

Size size_at(const LabJson& host, const LabJson& gpu, std::uint32_t count) {
  const Totals totals = totals_of(gpu);
  const auto share = [&](std::optional<std::uint64_t> whole) {
    return whole ? std::optional(*whole / count) : std::nullopt;
  };
  Size size{share(totals.vram), share(totals.encode), share(totals.decode), share(totals.compute)};
  if (size.vram) {
    size.vram = *size.vram / kVramStep * kVramStep;
  }
  const std::optional<Size> said = told_size(host, gpu, count);
  const std::optional<Size> known = said ? said : known_size(gpu, count);
  if (known) {
    size.vram = known->vram ? known->vram : size.vram;
    size.encode = known->encode ? known->encode : size.encode;
    size.decode = known->decode ? known->decode : size.decode;
    size.compute = known->compute ? known->compute : size.compute;
  }
  return size;
}

/// Sets a number, or null where it is not known but was there.
void put(LabJson& object, const char* name, std::optional<std::uint64_t> value) {
  if (value) {
    object[name] = *value;
  } else if (object.contains(name)) {
    object[name] = nullptr;
  }
}

// Starting ---------------------------------------------------------------------------------------------------------

struct Candidate {
  LabJson* gpu;
  std::uint64_t free;
  InUse used;
};

/// The GPUs that can give a partition, those of status `partitioned` first, in the order in which the host would
/// think of them.
std::vector<Candidate> candidates(LabJson& host) {
  std::vector<Candidate> found;
  for (const GpuStatus status : {GpuStatus::kPartitioned, GpuStatus::kParavirtualization}) {
    for (LabJson& gpu : list(host, "gpus")) {
      if (has_status(gpu, status)) {
        InUse used = in_use(host, lab_text(gpu, "name"));
        const std::uint64_t count = number(gpu, "partitionCount").value_or(0);
        found.push_back({&gpu, count > used.count ? count - used.count : 0, std::move(used)});
      }
    }
  }
  return found;
}

/// The GPU that the host chooses for an adapter that names none, or nullptr. Models do not matter to it.
Candidate* choose(std::vector<Candidate>& from, std::string_view placement) {
  Candidate* best = nullptr;
  for (Candidate& candidate : from) {
    if (candidate.free == 0) {
      continue;
    }
    const bool same_rank = best == nullptr || lab_text(*best->gpu, "status") == lab_text(*candidate.gpu, "status");
    const bool better = best == nullptr ||
                        (same_rank && (placement == "last" || (placement == "spread" && candidate.free > best->free)));
    best = better ? &candidate : best;
  }
  return best;
}

struct Resolved {
  LabJson* adapter;
  LabJson* gpu;
  std::uint64_t partition_id;
};

/// A partition for each of the VM's adapters, or why there is none. Changes nothing.
Result<std::vector<Resolved>> resolve(LabJson& host, LabJson& vm) {
  std::vector<Candidate> from = candidates(host);
  const std::string placement = lab_text(simulated_behaviour(host), "placement");
  std::vector<Resolved> resolved;
  LabJson& adapters = list(vm, "partitions");
  // Those that name a GPU first: the host's choice must not take their place.
  for (const bool named : {true, false}) {
    for (LabJson& adapter : adapters) {
      const std::string name = lab_text(adapter, "gpu");
      if (name.empty() == named) {
        continue;
      }
      Candidate* found = nullptr;
      if (!named) {
        found = choose(from, placement);
      } else {
        for (Candidate& candidate : from) {
          found = same_name(lab_text(*candidate.gpu, "name"), name) ? &candidate : found;
        }
        if (found == nullptr) {
          return refuse(fmt::format("OperationFailed: its adapter names a GPU that cannot give a partition, {} ({})",
                                    name, kNoResources));
        }
      }
      if (found == nullptr || found->free == 0) {
        return refuse(fmt::format("OperationFailed: insufficient system resources, no partition is free{} ({})",
                                  named ? " on " + name : std::string(), kNoResources));
      }
      std::uint64_t id = 0;
      while (found->used.ids.contains(id)) {
        ++id;
      }
      found->used.ids.insert(id);
      --found->free;
      resolved.push_back({&adapter, found->gpu, id});
    }
  }
  return resolved;
}

void take_partition(LabJson& host, const Resolved& row) {
  LabJson& gpu = *row.gpu;
  LabJson& adapter = *row.adapter;
  if (flag(simulated_behaviour(host), "forgetsGpu") && !lab_text(adapter, "gpu").empty()) {
    adapter["pinned"] = true;  // a host that forgets would not have named a GPU that was not pinned
  }
  const auto count = static_cast<std::uint32_t>(number(gpu, "partitionCount").value_or(1));
  const Size size = size_at(host, gpu, count);
  const auto as_said = [&](const char* name, std::optional<std::uint64_t> computed) {
    const auto said = number(gpu, name);
    return said ? said : computed;
  };
  const std::uint64_t vram = as_said("partitionVram", size.vram).value_or(0);
  adapter["gpu"] = lab_text(gpu, "name");
  adapter["partitionId"] = row.partition_id;
  adapter["vram"] = vram;
  put(adapter, "encode", as_said("partitionEncode", size.encode));
  put(adapter, "decode", as_said("partitionDecode", size.decode));
  if (const auto available = number(gpu, "availableVram")) {
    gpu["availableVram"] = *available > vram ? *available - vram : 0;
  }
}

void give_partition_back(LabJson& host, LabJson& adapter) {
  if (LabJson* const gpu = find_gpu(host, lab_text(adapter, "gpu")); gpu != nullptr && number(adapter, "vram")) {
    const auto available = number(*gpu, "availableVram");
    if (available) {
      const std::uint64_t vram = *number(adapter, "vram");
      const std::uint64_t whole = number(*gpu, "totalVram").value_or(std::numeric_limits<std::uint64_t>::max());
      (*gpu)["availableVram"] = whole > *available && whole - *available > vram ? *available + vram : whole;
    }
  }
  adapter["partitionId"] = nullptr;
  adapter["vram"] = nullptr;
  put(adapter, "encode", std::nullopt);
  put(adapter, "decode", std::nullopt);
}

/// Its partitions are given back; adapters that were not pinned may forget their GPU.
void release(LabJson& host, LabJson& vm, bool forgets) {
  for (LabJson& adapter : list(vm, "partitions")) {
    give_partition_back(host, adapter);
    if (forgets && !flag(adapter, "pinned")) {
      adapter["gpu"] = nullptr;
    }
  }
}

std::string new_guid() {
  static std::random_device device;
  std::array<std::uint32_t, 4> words{};
  std::generate(words.begin(), words.end(), [] { return static_cast<std::uint32_t>(device()); });
  words[1] = (words[1] & 0xffff0fffU) | 0x4000U;      // version 4: random
  words[2] = (words[2] & 0x3fffffffU) | 0x80000000U;  // variant 1
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16, words[1] & 0xffffU,
                     words[2] >> 16, words[2] & 0xffffU, words[3]);
}

Result<LabJson*> the_vm(LabJson& host, const std::string& vm_id) {
  LabJson* const vm = lab_find_vm(host, vm_id);
  if (vm == nullptr) {
    return refuse("ObjectNotFound: the host has no virtual machine with id " + vm_id);
  }
  return vm;
}

Result<LabJson*> the_vm_off(LabJson& host, const std::string& vm_id) {
  Result<LabJson*> vm = the_vm(host, vm_id);
  if (vm && lab_text(**vm, "state") != "Off") {
    return refuse(fmt::format("InvalidState: the virtual machine is {}, it must be Off", lab_text(**vm, "state")));
  }
  return vm;
}

}  // namespace

std::string lab_text(const LabJson& object, const char* name) {
  const LabJson* const value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

LabJson* lab_find_vm(LabJson& host, const std::string& vm_id) {
  for (LabJson& vm : list(host, "vms")) {
    if (same_name(lab_text(vm, "id"), vm_id)) {
      return &vm;
    }
  }
  return nullptr;
}

Result<Done> lab_stop_vm(LabJson& host, const std::string& vm_id, bool start_owed, bool& changed) {
  const Result<LabJson*> vm = the_vm(host, vm_id);
  if (!vm) {
    return tl::unexpected(vm.error());
  }
  const std::string state = lab_text(**vm, "state");
  if (state != "Off" && state != "Running") {
    return refuse(fmt::format("InvalidState: the virtual machine is {}, it must be Running", state));
  }
  if (!start_owed) {
    lab_forget_owed_start(host, vm_id, changed);
  }
  if (state == "Off") {
    return Done{};
  }
  release(host, **vm, flag(simulated_behaviour(host), "forgetsGpu"));
  (**vm)["state"] = "Off";
  if (start_owed) {
    (**vm)["startOwed"] = true;
  }
  changed = true;
  return Done{};
}

Result<Done> lab_start_vm(LabJson& host, const std::string& vm_id, bool& changed) {
  const Result<LabJson*> vm = the_vm(host, vm_id);
  if (!vm) {
    return tl::unexpected(vm.error());
  }
  const std::string state = lab_text(**vm, "state");
  if (state == "Running") {
    lab_forget_owed_start(host, vm_id, changed);
    return Done{};
  }
  if (state != "Off") {
    return refuse(fmt::format("InvalidState: the virtual machine is {}, it must be Off", state));
  }
  const Result<std::vector<Resolved>> resolved = resolve(host, **vm);
  if (!resolved) {
    return tl::unexpected(resolved.error());
  }
  for (const Resolved& row : *resolved) {
    take_partition(host, row);
  }
  (**vm)["state"] = "Running";
  lab_forget_owed_start(host, vm_id, changed);
  changed = true;
  return Done{};
}

void lab_forget_owed_start(LabJson& host, const std::string& vm_id, bool& changed) {
  if (LabJson* const vm = lab_find_vm(host, vm_id); vm != nullptr && vm->erase("startOwed") != 0) {
    changed = true;
  }
  const auto left = host.find("startsOwed");
  if (left == host.end() || !left->is_array()) {
    return;
  }
  for (std::size_t i = left->size(); i-- > 0;) {
    const LabJson& id = (*left)[i];
    if (id.is_string() && same_name(id.get<std::string>(), vm_id)) {
      left->erase(i);
      changed = true;
    }
  }
  if (left->empty()) {
    host.erase("startsOwed");
  }
}

void lab_forget_owed_starts(LabJson& lab, LabJson& host, bool& changed) {
  std::vector<std::string> owed;
  for (const LabJson& vm : list(host, "vms")) {
    if (vm.contains("startOwed")) {
      owed.push_back(lab_text(vm, "id"));
    }
  }
  for (const LabJson& id : list(host, "startsOwed")) {
    if (id.is_string()) {
      owed.push_back(id.get<std::string>());
    }
  }
  for (const std::string& id : owed) {
    for (LabJson& on : list(lab, "hosts")) {
      const LabJson* const vm = lab_find_vm(on, id);
      if (vm != nullptr && lab_text(*vm, "state") == "Running") {
        lab_forget_owed_start(host, id, changed);
      }
    }
  }
}

Result<Done> lab_assign_partition(LabJson& host, const std::string& vm_id, const std::optional<std::string>& gpu,
                                  bool& changed) {
  const Result<LabJson*> vm = the_vm_off(host, vm_id);
  if (!vm) {
    return tl::unexpected(vm.error());
  }
  LabJson adapter = {{"id", new_guid()}, {"gpu", nullptr}, {"partitionId", nullptr}, {"vram", nullptr}};
  if (gpu) {
    const LabJson* const pinned = find_gpu(host, *gpu);
    if (pinned == nullptr) {
      return refuse("ObjectNotFound: the host has no GPU " + *gpu);
    }
    if (!has_status(*pinned, GpuStatus::kPartitioned)) {
      return refuse(
          fmt::format("InvalidParameter: the GPU is {}, it must be partitioned", lab_text(*pinned, "status")));
    }
    adapter["gpu"] = lab_text(*pinned, "name");
    adapter["pinned"] = true;
  }
  if (!(*vm)->contains("partitions") || !(**vm)["partitions"].is_array()) {
    (**vm)["partitions"] = LabJson::array();
  }
  (**vm)["partitions"].push_back(std::move(adapter));
  changed = true;
  return Done{};
}

Result<Done> lab_unassign_partition(LabJson& host, const std::string& vm_id, const std::string& adapter,
                                    bool& changed) {
  const Result<LabJson*> vm = the_vm_off(host, vm_id);
  if (!vm) {
    return tl::unexpected(vm.error());
  }
  LabJson& adapters = list(**vm, "partitions");
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    if (same_name(lab_text(adapters[i], "id"), adapter)) {
      adapters.erase(i);
      changed = true;
      return Done{};
    }
  }
  return refuse("ObjectNotFound: the virtual machine has no adapter " + adapter);
}

Result<Done> lab_set_partition_count(LabJson& host, const std::string& name, std::uint32_t count, bool& changed) {
  LabJson* const gpu = find_gpu(host, name);
  if (gpu == nullptr) {
    return refuse("ObjectNotFound: the host has no GPU " + name);
  }
  if (!has_status(*gpu, GpuStatus::kPartitioned)) {
    return refuse(fmt::format("InvalidParameter: the GPU is {}, it must be partitioned", lab_text(*gpu, "status")));
  }
  const LabJson& valid = list(*gpu, "validPartitionCounts");
  if (count == 0 || std::none_of(valid.begin(), valid.end(), [&](const LabJson& value) {
        return value.is_number_unsigned() && value.get<std::uint64_t>() == count;
      })) {
    return refuse(fmt::format("InvalidParameter: the GPU does not accept {} partitions", count));
  }
  for (const LabJson& vm : list(host, "vms")) {
    for (const LabJson& adapter : list(vm, "partitions")) {
      const std::string holds = lab_text(adapter, "gpu");
      if (holds.empty() || same_name(holds, name)) {
        return refuse(fmt::format("InvalidOperation: the GPU is in use, {} holds {}", lab_text(vm, "name"),
                                  holds.empty() ? "a partition that is not resolved" : "a partition of it"));
      }
    }
  }
  if (number(*gpu, "partitionCount") == count) {
    return Done{};
  }
  const Totals totals = totals_of(*gpu);
  const Size size = size_at(host, *gpu, count);
  // Kept, since shares are rounded: the way back must give the same again.
  put(*gpu, "totalEncode", totals.encode);
  put(*gpu, "totalDecode", totals.decode);
  put(*gpu, "totalCompute", totals.compute);
  (*gpu)["partitionCount"] = count;
  put(*gpu, "partitionVram", size.vram);
  put(*gpu, "partitionEncode", size.encode);
  put(*gpu, "partitionDecode", size.decode);
  put(*gpu, "partitionCompute", size.compute);
  if (number(*gpu, "totalVram")) {
    (*gpu)["availableVram"] = *number(*gpu, "totalVram");
  }
  changed = true;
  return Done{};
}

Result<Done> lab_set_offline_action(LabJson& host, const std::string& vm_id, OfflineAction action, bool& changed) {
  const Result<LabJson*> vm = the_vm(host, vm_id);
  if (!vm) {
    return tl::unexpected(vm.error());
  }
  if (!flag(**vm, "clustered")) {
    return refuse("ObjectNotFound: the virtual machine is not clustered, it has no OfflineAction");
  }
  if (action == OfflineAction::kUnmanaged) {
    return refuse("InvalidParameter: a cluster has no such OfflineAction");
  }
  if (lab_text(**vm, "offlineAction") != to_string(action)) {
    (**vm)["offlineAction"] = std::string(to_string(action));
    changed = true;
  }
  return Done{};
}

void lab_move_vm(LabJson& from, LabJson& to, const std::string& vm_id) {
  LabJson* const vm = lab_find_vm(from, vm_id);
  if (vm == nullptr || &from == &to) {
    return;
  }
  release(from, *vm, true);
  LabJson moved = std::move(*vm);
  LabJson& left = from["vms"];
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (&left[i] == vm) {
      left.erase(i);
      break;
    }
  }
  if (!to.contains("vms") || !to["vms"].is_array()) {
    to["vms"] = LabJson::array();
  }
  const bool ran = lab_text(moved, "state") == "Running";
  if (ran) {
    moved["state"] = "Off";
  }
  if (moved.erase("startOwed") != 0) {
    from["startsOwed"].push_back(vm_id);  // as on a real host, whose own disk it is on
  }
  to["vms"].push_back(std::move(moved));
  bool changed = false;
  if (ran && !lab_start_vm(to, vm_id, changed)) {
    return;  // it stays off there, as after a failover without a free partition
  }
}

}  // namespace gpup
