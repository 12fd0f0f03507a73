#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "observed/observed_state.h"
#include "plan/make_plan.h"
#include "plan/plan.h"

namespace gpup {

/// What became of adapters by a run and by those that took it up or rolled it back. Ids have no case.
class KnownAdapters {
 public:
  /// It was given to the VM; an empty id: one that no journal names may have been.
  void given(std::string_view vm_id, std::string_view adapter);
  /// It may have been taken away.
  void taken(std::string_view adapter);

  /// False where the VM holds an adapter that it neither had before nor was given, or lacks one that was not taken.
  bool explain(std::string_view vm_id, const std::vector<std::string_view>& before,
               const std::vector<std::string_view>& now) const;

 private:
  struct Given {
    std::set<std::string> ids;
    std::size_t nameless = 0;
  };
  std::map<std::string, Given> given_;  // by VM
  std::set<std::string> taken_;
};

/// A plan that brings back what a run changed: for each step of `run` that may have been sent (`sent`, by step), the
/// property that it was about becomes what the plan's facts say it was before. What holds already needs no step.
/// Kept by the rules of every plan; what cannot be brought back as it was is a warning (kNotRestored), what cannot be
/// done without harm to others, or was changed by somebody since, refuses (kCannotRollBack). A cluster whose GPUs would
/// differ refuses (kNotHomogeneous), unless they did before the run, too, or were allowed to after it. The ids of
/// adapters are new ones. Pure.
Planned make_roll_back(const Plan& run, const std::vector<bool>& sent, const KnownAdapters& adapters,
                       const ObservedState& observed);

/// Adds to `sent` what a run that took up `run` with the plan `taken_up` has sent: steps are alike where they do the
/// same to the same VM or GPU.
void add_sent(const Plan& run, const Plan& taken_up, const std::vector<bool>& also_sent, std::vector<bool>& sent);

}  // namespace gpup
