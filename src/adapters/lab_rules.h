#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "model/words.h"

namespace gpup {

/// A lab keeps the order of its members, so that a person finds it again as it was.
using LabJson = nlohmann::ordered_json;

// What a real host would do and refuse, on one host object of a lab that `read_snapshot` accepts. Each either changes
// the host and sets `changed`, finds nothing to do, or refuses (kRefused) and changes nothing.

/// `start_owed` is kept with the VM as `startOwed` until it runs again; a VM that moves leaves it behind, as an id in
/// `startsOwed` of the host. Without, the VM is to stay off, and what was kept is dropped.
Result<Done> lab_stop_vm(LabJson& host, const std::string& vm_id, bool start_owed, bool& changed);
Result<Done> lab_start_vm(LabJson& host, const std::string& vm_id, bool& changed);
/// Drops what the host keeps of a VM, be it here or on another host by now.
void lab_forget_owed_start(LabJson& host, const std::string& vm_id, bool& changed);
/// The same of all VMs that run, wherever in the lab they are.
void lab_forget_owed_starts(LabJson& lab, LabJson& host, bool& changed);
Result<Done> lab_assign_partition(LabJson& host, const std::string& vm_id, const std::optional<std::string>& gpu,
                                  bool& changed);
Result<Done> lab_unassign_partition(LabJson& host, const std::string& vm_id, const std::string& adapter, bool& changed);
Result<Done> lab_set_partition_count(LabJson& host, const std::string& gpu, std::uint32_t count, bool& changed);
Result<Done> lab_set_offline_action(LabJson& host, const std::string& vm_id, OfflineAction action, bool& changed);

/// Moves a VM as a failover would: it takes a running VM's partition from the one host, and gives it one on the
/// other, where it is off if there is none free. Nothing happens where `from` has no such VM.
void lab_move_vm(LabJson& from, LabJson& to, const std::string& vm_id);

/// The VM of that id (without case) on the host, or nullptr.
LabJson* lab_find_vm(LabJson& host, const std::string& vm_id);

/// A text member, or "" where it is absent or null.
std::string lab_text(const LabJson& object, const char* member);

}  // namespace gpup
