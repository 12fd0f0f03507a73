#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// What runs of ours left on the hosts, as far as this machine's journals tell. Runs are told to it from the newest to
/// the oldest: what a newer one said stays.
class PastRuns {
 public:
  /// What a run left of one property of a GPU or a VM.
  struct Left {
    std::uint32_t run = kNone;          ///< a row of `runs`
    bool known = false;                 ///< false: a step about it did not end well
    std::uint32_t value = kNone;        ///< as in Fact
    std::vector<std::string> adapters;  ///< kPartitions: their ids, sorted, in lower case
  };
  struct Run {
    std::string name;
    std::vector<std::string> files;  ///< the SHA-256 of each, sorted
  };

  bool empty() const { return runs.empty(); }

  /// `object`: a VM's id or a GPU's name.
  void left(std::string_view host, std::string_view object, Property property, Left left);
  /// That run ended well, and all of this host was compared with the files.
  void was_compared(std::string_view host, std::uint32_t run);

  const Left* find(std::string_view host, std::string_view object, Property property) const;
  /// The newest run that compared the whole host; kNone where none is known.
  std::uint32_t last_on(std::string_view host) const;

  std::vector<Run> runs;

 private:
  std::map<std::string, Left, std::less<>> left_;
  std::map<std::string, std::uint32_t, std::less<>> hosts_;
};

/// The digests of a plan's files, sorted.
std::vector<std::string> file_digests(const Plan& plan);

/// The ids of adapters as PastRuns keeps them.
std::vector<std::string> adapter_ids(const Plan& plan, const PlanVm& vm);

}  // namespace gpup
