#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/place.h"
#include "base/text_pool.h"
#include "model/connect.h"
#include "model/hooks.h"
#include "model/window.h"
#include "model/words.h"

namespace gpup {

// A plan is a value: what differs, and the ordered steps between observed and desired. It is compact, since a
// plan may hold a million steps: tables of hosts, GPUs, VMs and adapters, and rows that refer to them by index.
// Views live in `Plan::texts`. A saved plan that was read back is the same value.

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

struct PlanGpu {
  std::string_view name;
  std::string_view model;
  std::uint32_t host = kNone;  ///< index into Plan::hosts
  std::optional<std::uint64_t> vram_before =
      std::nullopt;  ///< bytes a partition, where known and where its count changes
  std::optional<std::uint64_t> vram_after = std::nullopt;
};

struct PlanAdapter {
  std::string_view id;
  std::string_view gpu;  ///< as observed; empty while unresolved
  bool removed = false;  ///< an unassign-partition step removes it
};

/// A VM of a plan. Its observed adapters stand together in `Plan::adapters`.
struct PlanVm {
  static constexpr std::uint32_t kHostChooses = kNone - 1;

  std::string_view name;
  std::string_view id;
  std::uint32_t host = kNone;
  std::uint32_t first_adapter = 0;
  std::uint32_t adapter_count = 0;
  std::uint32_t new_gpu =
      kNone;                   ///< kNone: no adapter is added; kHostChooses: the host chooses; else a Plan::gpus index
  std::uint64_t min_vram = 0;  ///< bytes that its new partition must have, checked before it is assigned; 0 = no wish
  Place place;                 ///< its line in the file; unknown for VMs that no line lists
  bool was_running = false;
};

enum class Op : std::uint8_t {
  kStopVm,
  kUnassignPartition,
  kSetPartitionCount,
  kAssignPartition,
  kSetOfflineAction,
  kStartVm,
};
inline constexpr std::size_t kOps = 6;
std::string_view to_string(Op op);  ///< `stop-vm`
std::optional<Op> parse_op(std::string_view text);
/// A stop or a start. On a host those of different VMs go side by side; all other steps take turns.
inline bool is_power(Op op) { return op == Op::kStopVm || op == Op::kStartVm; }

/// Why a step is in the plan; `reason_text` puts it in words.
enum class Reason : std::uint8_t {
  kText,           ///< as the saved plan says: `Plan::reasons`
  kCountChanges,   ///< the partition count of its adapter's GPU (or, unresolved, of its host) changes
  kHoldsNone,      ///< it is listed and holds no partition
  kHoldsSeveral,   ///< it is listed and holds more than one
  kDoesNotFit,     ///< what it holds is not on a GPU of its line
  kPlaceTaken,     ///< a start is owed to it, and others run in the place on the GPU that its adapter names
  kNotListed,      ///< it holds a partition of a managed GPU and no line lists it
  kPowerOff,       ///< the file wants it off
  kPowerRunning,   ///< the file wants it running
  kWasRunning,     ///< it was running before
  kStartOwed,      ///< an earlier run stopped it and has not started it again, whether the file wants it running or not
  kBefore,         ///< a run that is rolled back changed it
  kWantedCount,    ///< the file wants this count
  kOfflineAction,  ///< the file, or the default for clustered VMs, wants this
};

/// One change on one host. `vm`, `gpu` and `adapter` are indexes into the plan's tables, kNone where the op has none.
struct Step {
  Op op = Op::kStopVm;
  Reason reason = Reason::kText;
  std::uint32_t vm = kNone;
  std::uint32_t gpu = kNone;      ///< set-partition-count, and assign-partition where it is pinned
  std::uint32_t adapter = kNone;  ///< unassign-partition
  std::uint32_t from = kNone;     ///< set-partition-count: counts; set-offline-action: OfflineAction, kNone = null
  std::uint32_t to = kNone;
  std::uint32_t first_after = 0;  ///< the steps it waits for: a range of `Plan::after`
  std::uint32_t after_count = 0;
};

enum class Subject : std::uint8_t { kHost, kGpu, kVm };

/// An observation that the plan relies on.
enum class Property : std::uint8_t {
  kPartitionCount,  ///< of a GPU; number
  kStatus,          ///< of a GPU; a GpuStatus
  kAssigned,        ///< of a GPU: how many adapters name it; of a host: how many are unresolved
  kState,           ///< of a VM; a VmState, Running or Off
  kPartitions,      ///< of a VM; its adapters
  kOfflineAction,   ///< of a VM; an OfflineAction or kNone
};
std::string_view to_string(Property property);  ///< `partitionCount`

struct Fact {
  Subject subject = Subject::kVm;
  Property property = Property::kState;
  std::uint32_t index = kNone;  ///< into hosts, gpus or vms
  std::uint32_t value = kNone;  ///< a number or an enumerator; unused for kPartitions
};

/// What differs between observed and desired: of a GPU its partitionCount, of a VM its partitions, state or
/// offlineAction. `before` and `after` as in Fact; for kPartitions they follow from the VM's row.
struct Difference {
  Subject subject = Subject::kVm;
  Property property = Property::kState;
  std::uint32_t index = kNone;
  std::uint32_t before = kNone;
  std::uint32_t after = kNone;
  Place source;  ///< the value in the file that wants it; unknown for a default
};

/// A record that a start is owed, which a step of the plan does not drop by itself: its VM has left the host since, or
/// is off and is to stay so. It is of no use once the VM is as the plan wants it. While that host is locked no run that
/// wrote it goes on.
struct OwedStart {
  std::uint32_t vm = kNone;
  std::uint32_t host = kNone;  ///< that has the record
};

struct NotChecked {
  std::string host;
  std::string error;
};

/// The failover cluster whose nodes the plan's hosts are.
struct PlanCluster {
  /// Managed GPUs of nodes on which the plan has no step.
  struct Others {
    std::string_view model;
    std::uint32_t partition_count = kNone;
    std::uint32_t gpus = 0;
  };
  std::string name;            ///< empty: they are in none
  std::vector<Others> others;  ///< by model and count
};

struct PlanFile {
  std::string path;
  std::string sha256;
};

struct Plan {
  std::string id;  ///< `sha256:...`; empty until it was written or read
  std::string name;
  std::vector<PlanFile> files;  ///< `Place::file` is an index into it
  std::vector<HostTarget> hosts;
  PlanCluster cluster;
  StopPolicy stop;
  std::vector<PlanGpu> gpus;
  std::vector<PlanVm> vms;
  std::vector<PlanAdapter> adapters;
  std::vector<Fact> facts;
  std::vector<Difference> differences;
  std::vector<Step> steps;           ///< in an order that may be performed as it stands; a step's id is its index + 1
  std::vector<std::uint32_t> after;  ///< indexes of steps
  std::vector<std::string_view> reasons;  ///< by step; empty unless the plan was read
  Diagnostics diagnostics;                ///< warnings
  std::vector<NotChecked> not_checked;
  Texts texts;
  std::optional<Window> window;  ///< when VMs may be stopped; none: at any time
  HookPolicy hooks;
  std::vector<std::uint32_t> after_owed;  ///< VMs that run again and for which an earlier run owes the hook `after`
  std::vector<OwedStart> owed_starts;     ///< to be forgotten

  /// Something is to be done.
  bool acts() const { return !steps.empty() || !after_owed.empty() || !owed_starts.empty(); }

  std::span<const std::uint32_t> after_of(const Step& step) const {
    return std::span(after).subspan(step.first_after, step.after_count);
  }
  std::span<const PlanAdapter> adapters_of(const PlanVm& vm) const {
    return std::span(adapters).subspan(vm.first_adapter, vm.adapter_count);
  }
  /// How many steps of each op there are.
  std::array<std::uint64_t, kOps> summary() const;
  /// True where nothing differs but something could not be looked at.
  bool incomplete() const { return !not_checked.empty(); }
};

/// The host of a step: an index into Plan::hosts.
std::uint32_t host_of(const Plan& plan, const Step& step);

/// The words of Reason::kStartOwed, by which a plan that is read has it.
inline constexpr std::string_view kStartOwedReason = "an earlier run stopped it and has not started it again";

/// The reason of a step in words: `listed at hci-east.yaml:21, holds no partition`. Appends to `out`; unescaped.
void append_reason(const Plan& plan, std::uint32_t step, std::string& out);

}  // namespace gpup
