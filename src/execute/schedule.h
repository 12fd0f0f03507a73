#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// How much of a plan goes on at once.
struct Limits {
  std::uint32_t hosts = 10;   ///< hosts that are worked on; 1: one step at a time, in the order of the plan
  std::uint32_t a_host = 32;  ///< of stops and starts, and of all other ops, each, under way on one host

  bool in_order() const { return hosts <= 1; }
  std::uint32_t a_lane() const { return in_order() ? 1 : a_host; }
  /// How many steps can be under way, whatever the plan.
  std::size_t most() const;
};

/// Which step may begin now. A step is ready once all that it waits for has ended. On one host steps of different VMs
/// go side by side; no VM has two steps under way. Stops and starts have their own bound: those that wait for their
/// turn to write do not keep a machine from starting. Of those that may begin one that a machine waits for which was
/// stopped is next, then the one with the longest chain of steps behind it, then that of the host of which the fewest
/// were begun, then the lowest number; of those that nobody waits for, few are under way on a host. A host that is
/// begun stays one of those that are worked on for as long as it has a step that is ready or under way: its VMs are
/// down meanwhile.
class Schedule {
 public:
  /// All steps of the plan.
  Schedule(const Plan& plan, const Limits& limits);
  /// These steps alone, ready from the start, the lowest number first.
  Schedule(const Plan& plan, const Limits& limits, std::span<const std::uint32_t> steps);

  /// The step that begins now; nothing where none may.
  std::optional<std::uint32_t> take();
  /// How urgent the step is that was taken last: the lowest goes first, those before all others that a machine waits
  /// for which was stopped.
  std::uint64_t rank_of_taken() const { return taken_; }
  /// The last of all ranks that are as urgent.
  static std::uint64_t last_as_urgent(std::uint64_t rank) { return rank | ~kNotUrgentRank; }
  /// A step that was taken has ended, well or not.
  void ended(std::uint32_t step);
  /// Every step has ended.
  bool done() const { return left_ == 0; }

 private:
  static constexpr std::uint64_t kNotUrgentRank = std::uint64_t{1} << 63U;

  using Rank = std::uint64_t;  // not urgent; the length of the chain, longest first; the step
  using Ranks = std::priority_queue<Rank, std::vector<Rank>, std::greater<>>;

  /// What a host would begin next.
  struct Offer {
    std::uint32_t chain;  // of its rank: urgent ones first, then the longest
    std::uint32_t begun;  // how many steps of the host were
    std::uint32_t step;
    std::uint32_t line;

    auto operator<=>(const Offer&) const = default;
  };
  using Offers = std::set<Offer>;

  struct Lane {
    Ranks ready;
    std::uint32_t under_way = 0;

    bool idle() const { return ready.empty() && under_way == 0; }
  };
  /// A host; all of them are one where steps go in order.
  struct Line {
    Lane power;               // stops and starts
    Lane others;              // all else
    std::vector<Rank> aside;  // ready, but their VM has a step under way
    bool begun = false;
    std::uint32_t taken = 0;    // how many steps were
    std::optional<Rank> offer;  // the best that may begin, if the host may

    bool idle() const { return power.idle() && others.idle() && aside.empty(); }
  };

  void link();
  Rank rank(std::uint32_t step) const;
  bool has_room(const Lane& lane, std::uint32_t step) const;
  std::uint32_t line_of(std::uint32_t step) const;
  Lane& lane_of(std::uint32_t step);
  bool is_busy(std::uint32_t step) const;
  void set_busy(std::uint32_t step, bool busy);
  void push(std::uint32_t step);
  void make_ready(std::uint32_t step);
  void look_at(Line& line, Lane& lane) const;
  void offer(std::uint32_t index);
  Offer offer_of(std::uint32_t index) const;
  std::optional<Offer> next() const;

  const Plan& plan_;
  const Limits limits_;
  std::size_t left_;
  std::vector<std::uint32_t> waits_;       // by step: for how many it still waits
  std::vector<std::uint32_t> first_next_;  // by step: where its part of `next_` begins
  std::vector<std::uint32_t> next_;        // the steps that wait for it
  std::vector<std::uint32_t> chain_;       // by step: how many come one after another, itself included
  std::vector<bool> urgent_;               // by step: the start of a machine that the plan stops waits for it
  std::vector<bool> busy_;                 // by VM
  std::vector<Line> lines_;
  Offers begun_;    // of hosts that are worked on
  Offers waiting_;  // of the others
  std::size_t at_work_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace gpup
