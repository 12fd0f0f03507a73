#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/place.h"
#include "desired/desired_state.h"
#include "execute/execute.h"
#include "kill/fate.h"
#include "kill/stage.h"
#include "observed/observed_state.h"
#include "plan/make_plan.h"
#include "worlds/world.h"

namespace gpup::kill {

/// How it goes on after a run that ended early.
enum class Way : std::uint8_t { kResume, kApply, kRestorePower };
inline constexpr int kWays = 3;

/// What a world's plan leaves of its hosts where its run ends early, and where each way on from there leads.
class Trial {
 public:
  /// Writes its files into `folder`, which is its own: the lab is `lab.json`.
  Trial(const worlds::World& world, const std::string& folder, Stage& stage, const Limits& limits);

  /// True where there is a plan, and a run without trouble reaches its goal.
  bool is_worth_it() const { return points_ > 0; }
  /// Why it is not.
  const std::vector<std::string>& why_not() const { return why_not_; }
  /// How many points there are in a run without trouble.
  std::uint64_t points() const { return points_; }

  /// A run that ends at a point (from 1), and the way on. What must not be, in words; empty where all is well.
  std::vector<std::string> run(End end, std::uint64_t at, Way way, Mutant mutant = Mutant::kNone);

  /// Runs so far, also those that go on.
  std::uint64_t runs() const { return runs_; }

 private:
  void reset();
  std::optional<Report> first_run(End end, std::uint64_t at, Mutant mutant);
  Report perform(const Plan& plan, Fate& fate, const std::string& resumes);
  void go_on(Way way, std::vector<std::string>& wrong);
  void resume(std::vector<std::string>& wrong);
  void apply(std::vector<std::string>& wrong);
  void restore_power(std::vector<std::string>& wrong);
  void look(const Report* report, bool to_be_owed, std::vector<std::string>& wrong) const;
  void look_at_goal(std::vector<std::string>& wrong) const;
  ObservedState observe() const;
  Planned plan_again() const { return make_plan(desired_, observe(), sources_); }

  Stage& stage_;
  const std::string lab_;
  const std::string state_;
  const Limits limits_;
  const std::string world_;  ///< the lab, before it is on stage
  std::string text_;         ///< of the lab, to begin with
  Sources sources_;
  DesiredState desired_;
  ObservedState first_;
  Plan plan_;
  std::vector<std::string> why_not_;
  std::uint64_t points_ = 0;
  std::uint64_t runs_ = 0;
  std::int64_t now_ = 0;
};

}  // namespace gpup::kill
