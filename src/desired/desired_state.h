#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/place.h"
#include "base/text_pool.h"
#include "model/connect.h"
#include "model/hooks.h"
#include "model/window.h"
#include "model/words.h"

namespace gpup {

/// A host line. Host names compare without case.
struct DesiredHost {
  HostTarget target;
  Place place;  ///< of the value of `name`
};

/// A line under `gpus`: which cards it manages, and their count. Exactly one of model, device and match is set.
struct DesiredGpu {
  std::string model;                             ///< the whole model name, exactly
  std::string device;                            ///< `10de:25b6`, lower case
  std::string match;                             ///< RE2, matches the whole model name
  std::optional<std::uint32_t> partition_count;  ///< left out: the count stays as it is
  std::optional<std::uint32_t> expect;           ///< cards that it must find on each of its hosts
  std::vector<std::uint32_t> hosts;              ///< indexes into `DesiredState::hosts`; empty = all
  Place place;                                   ///< of the value of model, device or match
  Place count_place;                             ///< of the value of `partitionCount`
  Place expect_place;
};

/// A line under `assignments`: VMs that hold one partition each. Of vm, id and match either vm
/// (with or without id), id alone, or match (with expect) is set. Views live in `DesiredState::texts`.
struct DesiredAssignment {
  std::string_view vm;
  std::string_view id;                    ///< GUID as written; compares without case
  std::string_view match;                 ///< RE2, matches the whole VM name
  std::string_view gpu;                   ///< a model name; empty where left out
  std::optional<std::uint64_t> min_vram;  ///< bytes; a check, never a choice
  Place place;                            ///< of the value of vm, else id, else match
  std::uint32_t host = kNoHost;           ///< index into `DesiredState::hosts`
  std::uint32_t expect = 0;               ///< with match
  std::optional<OfflineAction> offline_action;
  Power power = Power::kKeep;
  /// Where another value of the line stands, packed: lines from `place`, and a column, or on the same line the
  /// distance in columns. One that is too far away for that is told as `place`.
  class Detail {
   public:
    Detail() = default;
    Detail(Place from, Place to);
    bool there() const { return column_ != 0; }
    Place seen_from(Place from) const;
    auto operator<=>(const Detail&) const = default;

   private:
    static constexpr std::int32_t kSameColumn = 0x8000;
    std::int16_t lines_ = 0;
    std::uint16_t column_ = 0;  ///< on the same line `kSameColumn` plus the distance; 0 = not there
  };
  Detail gpu_at, min_vram_at, offline_action_at, power_at, host_at, expect_at;

  static constexpr std::uint32_t kNoHost = 0xffffffff;
  Place at(Detail detail) const { return detail.there() ? detail.seen_from(place) : place; }
};

/// `policy.override`: a broken platform rule, accepted with a reason.
struct DesiredOverride {
  std::string rule;  ///< `R07`
  std::string reason;
  Place place;
};

/// How many VMs may be down at once: a number of them, or a percentage of how many there are.
struct DownLimit {
  std::uint32_t value = 0;  ///< at least 1
  bool percent = false;     ///< then at most 100

  /// A percentage of `vms` is rounded down, and is at least 1.
  std::uint32_t of(std::size_t vms) const;
};

/// `policy.disruption`: how many listed VMs may be down at once, and who goes first. All limits hold together.
struct DesiredDisruption {
  struct Group {
    std::string match;  ///< RE2, matches the whole VM name
    DownLimit max_unavailable;
    Place place;  ///< of the value of `match`
  };
  struct Entry {
    std::string name;  ///< a VM's name, or RE2 that matches the whole name
    Place place;
  };
  std::optional<DownLimit> max_unavailable;
  std::optional<std::uint32_t> per_host;
  std::vector<Entry> order;
  std::vector<Group> groups;  ///< a VM in several obeys all
  Place max_unavailable_place;
  Place per_host_place;

  bool limits() const { return max_unavailable || per_host || !groups.empty(); }
};

/// `policy.ignore`: drift that is accepted for a while, with a reason. Plans do not heed it.
struct DesiredIgnore {
  std::string object;    ///< as written: `hv-e1`, `hv-e1/vm/vdi-01`, `hv-e1/gpu/4&18416dc3&0&0000`
  std::string host;      ///< its host, compares without case
  std::string vm;        ///< a name, or an id; empty where it is not about a VM
  std::string gpu;       ///< a name, or its short form; empty where it is not about a GPU
  std::string property;  ///< `partitionCount`, `partitions`, `state` or `offlineAction`; empty: all of them
  std::string reason;
  std::string until;  ///< `2026-12-31`, the last day by UTC; empty: for ever
  Place place;        ///< of the value of `object`

  /// Whether that day is over on `today`, written in the same form.
  bool expired(std::string_view today) const { return !until.empty() && std::string_view(until) < today; }
};

struct DesiredPolicy {
  Unlisted unlisted = Unlisted::kUnassign;
  Place unlisted_place;                    ///< unknown where the default applies
  std::optional<Homogeneous> homogeneous;  ///< left out: require in a cluster, warn without one
  StopPolicy stop;
  std::vector<DesiredOverride> overrides;
  DesiredDisruption disruption;
  std::optional<Window> window;  ///< left out: VMs may be stopped at any time
  HookPolicy hooks;
  std::vector<DesiredIgnore> ignores;
};

/// What the files say: everything in it is syntactically right and agrees with itself.
/// Several files and documents have become one.
struct DesiredState {
  std::string name;               ///< metadata.name
  std::string platform = "auto";  ///< `auto` or the id of a release (`model/releases.h`)
  Place platform_place;
  std::optional<std::string> cluster;
  Place cluster_place;
  std::vector<DesiredHost> hosts;
  std::vector<DesiredGpu> gpus;
  std::vector<DesiredAssignment> assignments;
  DesiredPolicy policy;
  Texts texts;
};

}  // namespace gpup
