#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "execute/report.h"
#include "model/words.h"
#include "observed/observed_state.h"
#include "plan/drift.h"
#include "plan/plan.h"

namespace gpup {

// What the picture of a host shows, before it is drawn: its GPUs with their partitions, and who holds one, before and
// after.

/// What becomes of a VM.
enum class Fate : std::uint8_t {
  kUntouched,
  kChanged,   ///< it is off, or need not stop
  kRestarts,  ///< stopped, then started again
  kGoesOff,   ///< stopped, and stays so
  kStarts,
  kTrouble,  ///< a step of it did not end well
};
inline constexpr std::size_t kFates = 6;

/// What becomes of a VM's partitions.
enum class Move : std::uint8_t { kStays, kGains, kLoses, kAnother };

/// A plan's VM, with its steps.
struct VmStory {
  Fate fate = Fate::kUntouched;
  Move move = Move::kStays;
  bool runs_before = false;
  bool runs_after = false;
  std::vector<std::string_view> before;  ///< the GPUs that its adapters are on, as `held_gpus` says
  std::vector<std::string_view> after;
};

/// What a page tells of: a plan, and what came of it if it was performed.
struct Tale {
  const Plan& plan;
  const ObservedState* observed = nullptr;  ///< what the plan was made from; nullptr: only what it says itself is known
  const Report* report = nullptr;           ///< nullptr: it was not performed
  const Drift* drift = nullptr;             ///< not null: only what differs counts, not what it would cost to mend it
};

/// By Plan::vms.
std::vector<VmStory> vm_stories(const Tale& tale);

/// Who holds a partition, or several that the plan says nothing else of.
struct Chip {
  std::string_view name;
  std::uint32_t vm = kNone;  ///< a row of Plan::vms; kNone: it stays as it is
  std::uint32_t others = 0;  ///< where not 0: so many without names
  bool running = false;
  Fate fate = Fate::kUntouched;
  Move move = Move::kStays;
};

struct Card {
  std::string_view name;
  std::string_view model;
  std::optional<std::uint32_t> count;
  std::optional<std::uint64_t> vram;  ///< bytes a partition
  GpuStatus status = GpuStatus::kPartitioned;
  bool listed = true;    ///< false: an adapter names it, its host does not
  bool differs = false;  ///< its count
  std::vector<Chip> chips;
};

struct Side {
  std::vector<Card> cards;
  std::vector<Chip> host_chooses;  ///< they hold a partition of a GPU that the host chooses at their start
  std::vector<Chip> without;       ///< they hold none, on the other side they do
};

struct HostPicture {
  Side before;
  Side after;
  bool known = false;  ///< false: there is nothing to draw
  bool same = true;    ///< nothing changes
};

/// The pictures of a tale's hosts. Tale and stories must outlive it.
class HostPictures {
 public:
  HostPictures(const Tale& tale, const std::vector<VmStory>& stories);

  /// `host`: an index into Plan::hosts.
  HostPicture of(std::uint32_t host) const;

 private:
  friend class PictureOfHost;
  /// What the plan says of one host: rows of its tables.
  struct Part {
    std::vector<std::uint32_t> gpus;
    std::vector<std::uint32_t> vms;
    std::vector<std::uint32_t> facts;   ///< of the host and its GPUs
    std::vector<std::uint32_t> counts;  ///< differences that are partition counts
  };

  const Tale& tale_;
  const std::vector<VmStory>& stories_;
  std::vector<Part> parts_;      // by host
  std::vector<bool> count_set_;  // by GPU: its count is, or was, set
};

}  // namespace gpup
