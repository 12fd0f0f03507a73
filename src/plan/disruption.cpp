#include "plan/disruption.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "plan/mutant.h"
#include "plan/waves.h"

namespace gpup {

namespace {

class NamePattern {
 public:
  explicit NamePattern(std::string_view pattern) : re2_(re2::StringPiece(pattern.data(), pattern.size()), RE2::Quiet) {}
  bool matches(std::string_view name) const {
    return re2::RE2::FullMatch(re2::StringPiece(name.data(), name.size()), re2_);
  }

 private:
  re2::RE2 re2_;
};

/// So many of certain VMs may be down at once.
struct Limit {
  std::string words;  ///< `policy.disruption.maxUnavailable allows 2`
  Place place;
  std::uint32_t most = 0;

  /// How many are down in each round.
  std::vector<std::uint32_t> down;
  std::uint32_t first_free = 0;  ///< the first round with room for one more

  /// A place for a VM that is down; whoever takes it next waits for that one's start.
  std::deque<std::uint32_t> places;
  std::uint32_t places_made = 0;

  bool has_room(std::uint32_t round, std::uint32_t vms) const {
    return (round < down.size() ? down[round] : 0) + vms <= most;
  }
  void fill(std::uint32_t round, std::uint32_t vms) {
    down.resize(std::max<std::size_t>(down.size(), std::size_t{round} + 1), 0);
    down[round] += vms;
    while (!has_room(first_free, 1)) {
      ++first_free;
    }
  }
  /// The start to wait for; kNone where a place was never taken.
  std::uint32_t take_place(std::uint32_t start) {
    std::uint32_t last = kNone;
    if (places_made < most) {
      ++places_made;
    } else {
      last = places.front();
      places.pop_front();
    }
    places.push_back(start);
    return last;
  }
};

/// VMs that are down together, and a turn in which they are.
struct Wave {
  std::uint32_t group = 0;                         ///< in Waves
  std::vector<std::uint32_t> vms;                  ///< those that are counted
  std::map<std::uint32_t, std::uint32_t> counted;  ///< by limit: how many of them it counts
  std::uint32_t rank = 0;                          ///< by `order`: the smallest goes first
};

class LimitedPlan {
 public:
  LimitedPlan(const DesiredState& desired, const Goal& goal, Plan& plan, Findings& findings)
      : wanted_(desired.policy.disruption), goal_(goal), plan_(plan), findings_(findings), waves_(plan) {}

  void keep() {
    find_limits();
    tell_idle_patterns();
    find_waves();
    if (tell_too_large()) {
      return;
    }
    take_rounds();
    take_places();
    arrange();
  }

 private:
  bool is_counted(std::uint32_t vm) const { return plan_.vms[vm].place.known() && waves_.comes_back(vm); }
  std::uint32_t group_count() const {
    return waves_.group.empty() ? 0 : *std::max_element(waves_.group.begin(), waves_.group.end()) + 1;
  }

  // ---- limits ----

  std::size_t listed(const std::function<bool(std::string_view)>& matches) const {
    std::size_t count = 0;
    for (const HostGoal& on : goal_.hosts) {
      for (std::size_t v = 0; v < on.vms.size(); ++v) {
        count += on.vms[v].listed() && matches(on.host->vms[v].name) ? 1 : 0;
      }
    }
    return count;
  }

  static std::string allows(std::string_view what, const DownLimit& limit, std::size_t vms) {
    return limit.percent ? fmt::format("{} allows {} ({}% of {})", what, limit.of(vms), limit.value, vms)
                         : fmt::format("{} allows {}", what, limit.value);
  }

  void add_limit(std::string words, Place place, std::uint32_t most, const std::function<bool(const PlanVm&)>& is_in) {
    limits_.push_back({std::move(words), place, most, {}, 0, {}, 0});
    for (std::uint32_t vm = 0; vm < plan_.vms.size(); ++vm) {
      if (is_counted(vm) && is_in(plan_.vms[vm])) {
        limits_of_[vm].push_back(static_cast<std::uint32_t>(limits_.size() - 1));
      }
    }
  }

  void find_limits() {
    limits_of_.resize(plan_.vms.size());
    if (wanted_.max_unavailable) {
      const std::size_t all = listed([](std::string_view) { return true; });
      add_limit(allows("policy.disruption.maxUnavailable", *wanted_.max_unavailable, all),
                wanted_.max_unavailable_place, wanted_.max_unavailable->of(all), [](const PlanVm&) { return true; });
    }
    for (const DesiredDisruption::Group& group : wanted_.groups) {
      const NamePattern pattern(group.match);
      const auto matches = [&](std::string_view name) { return pattern.matches(name); };
      const std::size_t all = listed(matches);
      if (all == 0) {
        idle_.emplace_back(group.match, group.place);
      }
      add_limit(allows(fmt::format("the group '{}' of policy.disruption", group.match), group.max_unavailable, all),
                group.place, group.max_unavailable.of(all), [&](const PlanVm& vm) { return matches(vm.name); });
    }
    if (wanted_.per_host) {
      const auto first = static_cast<std::uint32_t>(limits_.size());
      for (std::size_t host = 0; host < plan_.hosts.size(); ++host) {
        limits_.push_back({fmt::format("policy.disruption.perHost allows {}", *wanted_.per_host),
                           wanted_.per_host_place,
                           *wanted_.per_host,
                           {},
                           0,
                           {},
                           0});
      }
      for (std::uint32_t vm = 0; vm < plan_.vms.size(); ++vm) {
        if (is_counted(vm)) {
          limits_of_[vm].push_back(first + plan_.vms[vm].host);
        }
      }
    }
  }

  /// A pattern that finds nothing protects nothing: most likely it is misspelt.
  void tell_idle_patterns() {
    rank_of_.assign(plan_.vms.size(), static_cast<std::uint32_t>(wanted_.order.size()));
    for (std::uint32_t rank = 0; rank < wanted_.order.size(); ++rank) {
      const std::string& entry = wanted_.order[rank].name;
      const NamePattern pattern(entry);
      const auto matches = [&](std::string_view name) { return name == entry || pattern.matches(name); };
      if (listed(matches) == 0) {
        idle_.emplace_back(entry, wanted_.order[rank].place);
      }
      for (std::uint32_t vm = 0; vm < plan_.vms.size(); ++vm) {
        if (rank < rank_of_[vm] && matches(plan_.vms[vm].name)) {
          rank_of_[vm] = rank;
        }
      }
    }
    for (const auto& [pattern, place] : idle_) {
      if (goal_.not_checked.empty()) {
        findings_.warn(Code::kDisruptionIdle, place, {{}, "vm", pattern},
                       fmt::format("'{}' under policy.disruption matches no listed VM", pattern),
                       "names are compared exactly, and a pattern matches the whole name");
      }
    }
  }

  // ---- waves ----

  void find_waves() {
    wave_of_group_.assign(group_count(), kNone);
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (step.op != Op::kStopVm || !waves_.comes_back(step.vm)) {
        continue;
      }
      std::uint32_t& number = wave_of_group_[waves_.group[i]];
      if (number == kNone) {
        number = static_cast<std::uint32_t>(all_.size());
        all_.push_back({waves_.group[i], {}, {}, static_cast<std::uint32_t>(wanted_.order.size())});
      }
      if (is_counted(step.vm)) {
        Wave& wave = all_[number];
        wave.vms.push_back(step.vm);
        wave.rank = std::min(wave.rank, rank_of_[step.vm]);
        for (const std::uint32_t limit : limits_of_[step.vm]) {
          ++wave.counted[limit];
        }
      }
    }
  }

  bool tell_too_large() {
    bool told = false;
    for (const Wave& wave : all_) {
      for (const auto& [limit, count] : wave.counted) {
        if (count > limits_[limit].most) {
          told = true;
          tell_too_large(wave, limit);
        }
      }
    }
    return told;
  }

  bool counts(std::uint32_t limit, std::uint32_t vm) const {
    return vm != kNone && std::find(limits_of_[vm].begin(), limits_of_[vm].end(), limit) != limits_of_[vm].end();
  }

  // The VMs that must be down while this count is set: one of their steps comes before it, another one after.
  std::vector<std::uint32_t> down_for(std::uint32_t set, std::uint32_t limit) const {
    std::vector<std::uint32_t> before;
    for (const std::uint32_t step : plan_.after_of(plan_.steps[set])) {
      if (plan_.steps[step].op != Op::kStartVm && counts(limit, plan_.steps[step].vm)) {
        before.push_back(plan_.steps[step].vm);
      }
    }
    std::vector<std::uint32_t> down;
    for (const std::uint32_t step : waves_.followers.of(set)) {
      const std::uint32_t vm = plan_.steps[step].vm;
      if (plan_.steps[step].op != Op::kStopVm && std::find(before.begin(), before.end(), vm) != before.end()) {
        down.push_back(vm);
      }
    }
    return down;
  }

  void tell_too_large(const Wave& wave, std::uint32_t limit) {
    std::vector<std::uint32_t> vms;
    std::vector<std::string_view> gpus;
    for (const std::uint32_t step : waves_.members.of(wave.group)) {
      if (plan_.steps[step].op == Op::kSetPartitionCount) {
        std::vector<std::uint32_t> down = down_for(step, limit);
        if (down.size() > limits_[limit].most) {
          gpus.push_back(plan_.gpus[plan_.steps[step].gpu].name);
          vms = std::move(down);
        }
      }
    }
    const bool any_order = !gpus.empty();
    if (!any_order) {
      std::copy_if(wave.vms.begin(), wave.vms.end(), std::back_inserter(vms),
                   [&](std::uint32_t vm) { return counts(limit, vm); });
    }
    std::sort(vms.begin(), vms.end());
    std::vector<std::string_view> names;
    names.reserve(vms.size());
    for (const std::uint32_t vm : vms) {
      names.push_back(plan_.vms[vm].name);
    }
    const std::string& host = plan_.hosts[plan_.vms[vms.front()].host].name;
    if (any_order) {
      findings_.error(
          Code::kDisruptionUnmet, limits_[limit].place, {host, "gpu", gpus.front()},
          fmt::format(
              "{}, and no order of steps can keep that: {} on {} {} a partition count that is set only while {} "
              "listed VMs are down at once: {}",
              limits_[limit].words, some_names(gpus, 3), host, gpus.size() == 1 ? "gets" : "get", vms.size(),
              some_names(names, 20)),
          "raise the limit, or take VMs down yourself before: those that are off are not counted");
    } else {
      findings_.error(Code::kDisruptionNoOrder, limits_[limit].place, {host, "host", host},
                      fmt::format("{}, and no order of steps was found that keeps that: on {} {} listed VMs wait for "
                                  "each other's partitions: {}",
                                  limits_[limit].words, host, vms.size(), some_names(names, 20)),
                      "raise the limit, or take VMs down yourself before: those that are off are not counted");
    }
  }

  // ---- rounds ----

  /// Gives each group a round: not before those of the groups that it waits for, and a wave only where the limits have
  /// room. Each VM of a round may be down while the others are; those of an earlier one have come back.
  void take_rounds() {
    const auto steps = static_cast<std::uint32_t>(plan_.steps.size());
    round_.assign(group_count(), 0);
    std::vector<std::uint32_t> waits(round_.size(), 0);
    each_edge_between_groups([&](std::uint32_t, std::uint32_t step) { ++waits[waves_.group[step]]; });
    std::vector<std::uint32_t> last_of_rank(wanted_.order.size() + 1, 0);
    using Turn = std::pair<std::uint64_t, std::uint32_t>;  // rank and number of the wave; group
    std::priority_queue<Turn, std::vector<Turn>, std::greater<>> ready_waves;
    std::vector<std::uint32_t> ready;
    const auto push = [&](std::uint32_t group) {
      const std::uint32_t number = wave_of_group_[group];
      if (number == kNone) {
        ready.push_back(group);
      } else {
        ready_waves.emplace(std::uint64_t{all_[number].rank} << 32U | number, group);
      }
    };
    for (std::uint32_t step = steps; step-- > 0;) {
      const std::uint32_t group = waves_.group[step];
      if (waits[group] == 0 && waves_.members.of(group).front() == step) {
        push(group);
      }
    }
    while (!ready.empty() || !ready_waves.empty()) {
      std::uint32_t group = kNone;
      if (!ready.empty()) {
        group = ready.back();
        ready.pop_back();
      } else {
        group = ready_waves.top().second;
        ready_waves.pop();
        take_round(all_[wave_of_group_[group]], last_of_rank);
      }
      turns_.push_back(group);
      for (const std::uint32_t step : waves_.members.of(group)) {
        for (const std::uint32_t next : waves_.followers.of(step)) {
          const std::uint32_t other = waves_.group[next];
          if (other != group) {
            round_[other] = std::max(round_[other], round_[group]);
            if (--waits[other] == 0) {
              push(other);
            }
          }
        }
      }
    }
  }

  template <class Visit>
  void each_edge_between_groups(const Visit& visit) const {
    for (std::uint32_t step = 0; step < plan_.steps.size(); ++step) {
      for (const std::uint32_t before : plan_.after_of(plan_.steps[step])) {
        if (waves_.group[before] != waves_.group[step]) {
          visit(before, step);
        }
      }
    }
  }

  void take_round(const Wave& wave, std::vector<std::uint32_t>& last_of_rank) {
    std::uint32_t& round = round_[wave.group];
    if (wave.vms.empty()) {
      return;
    }
    for (std::uint32_t rank = 0; rank < wave.rank; ++rank) {
      round = std::max(round, last_of_rank[rank]);
    }
    for (const auto& [limit, count] : wave.counted) {
      round = std::max(round, limits_[limit].first_free);
    }
    while (!std::all_of(wave.counted.begin(), wave.counted.end(),
                        [&](const auto& counted) { return limits_[counted.first].has_room(round, counted.second); })) {
      ++round;
    }
    for (const auto& [limit, count] : wave.counted) {
      limits_[limit].fill(round, count);
    }
    last_of_rank[wave.rank] = std::max(last_of_rank[wave.rank], round);
  }

  // ---- places ----

  /// What the stops of each wave wait for besides: the starts of those whose places it takes, and all that it would
  /// wait for while it is down, where that is delayed by a limit.
  void take_places() {
    std::stable_sort(turns_.begin(), turns_.end(), [&](auto a, auto b) { return round_[a] < round_[b]; });
    std::vector<char> delayed(round_.size(), 0);
    added_.resize(all_.size());
    for (const std::uint32_t group : turns_) {
      std::vector<std::uint32_t> delayed_before;
      for (const std::uint32_t step : waves_.members.of(group)) {
        for (const std::uint32_t before : plan_.after_of(plan_.steps[step])) {
          if (waves_.group[before] != group && delayed[waves_.group[before]] != 0) {
            delayed_before.push_back(before);
          }
        }
      }
      delayed[group] = delayed_before.empty() ? 0 : 1;
      if (wave_of_group_[group] != kNone) {
        std::vector<std::uint32_t>& added = added_[wave_of_group_[group]];
        added = std::move(delayed_before);
        take_places(all_[wave_of_group_[group]], added);
        delayed[group] = added.empty() ? 0 : 1;
      }
    }
  }

  void take_places(const Wave& wave, std::vector<std::uint32_t>& added) {
    for (const std::uint32_t vm : wave.vms) {
      for (const std::uint32_t limit : limits_of_[vm]) {
        const std::uint32_t start = limits_[limit].take_place(waves_.start_of[vm]);
        if (start != kNone && !GPUP_MUTANT(26)) {
          added.push_back(start);
        }
      }
    }
    std::sort(added.begin(), added.end());
    added.erase(std::unique(added.begin(), added.end()), added.end());
  }

  // ---- the plan ----

  /// The stops of a wave that wait for no other stop of it.
  std::vector<std::uint32_t> first_stops(const Wave& wave) const {
    std::vector<std::uint32_t> first;
    std::vector<std::uint32_t> later;  // steps of the wave that wait for one of its stops; ascending
    for (const std::uint32_t step : waves_.members.of(wave.group)) {
      const bool waits =
          std::any_of(plan_.after_of(plan_.steps[step]).begin(), plan_.after_of(plan_.steps[step]).end(),
                      [&](std::uint32_t before) { return std::binary_search(later.begin(), later.end(), before); });
      const bool is_stop = plan_.steps[step].op == Op::kStopVm && waves_.comes_back(plan_.steps[step].vm);
      if (is_stop && !waits) {
        first.push_back(step);
      }
      if (waits || is_stop) {
        later.push_back(step);
      }
    }
    return first;
  }

  /// The steps anew: round by round, in the order that they had, with what was added.
  void arrange() {
    std::vector<std::vector<std::uint32_t>> waits(plan_.steps.size());
    for (std::uint32_t step = 0; step < plan_.steps.size(); ++step) {
      const auto after = plan_.after_of(plan_.steps[step]);
      waits[step].assign(after.begin(), after.end());
    }
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!added_[i].empty()) {
        for (const std::uint32_t stop : first_stops(all_[i])) {
          waits[stop].insert(waits[stop].end(), added_[i].begin(), added_[i].end());
          std::sort(waits[stop].begin(), waits[stop].end());
          waits[stop].erase(std::unique(waits[stop].begin(), waits[stop].end()), waits[stop].end());
        }
      }
    }
    write(waits, sorted(waits));
  }

  std::vector<std::uint32_t> sorted(const std::vector<std::vector<std::uint32_t>>& waits) const {
    const Lists next(waits.size(), [&](const auto& emit) {
      for (std::uint32_t step = 0; step < waits.size(); ++step) {
        for (const std::uint32_t before : waits[step]) {
          emit(before, step);
        }
      }
    });
    std::vector<std::size_t> left(waits.size());
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> ready;
    const auto push = [&](std::uint32_t step) { ready.push(std::uint64_t{round_[waves_.group[step]]} << 32U | step); };
    for (std::uint32_t step = 0; step < waits.size(); ++step) {
      left[step] = waits[step].size();
      if (left[step] == 0) {
        push(step);
      }
    }
    std::vector<std::uint32_t> order;
    order.reserve(waits.size());
    while (!ready.empty()) {
      const auto step = static_cast<std::uint32_t>(ready.top());
      ready.pop();
      order.push_back(step);
      for (const std::uint32_t other : next.of(step)) {
        if (--left[other] == 0) {
          push(other);
        }
      }
    }
    assert(order.size() == waits.size());
    return order;
  }

  void write(const std::vector<std::vector<std::uint32_t>>& waits, const std::vector<std::uint32_t>& order) {
    std::vector<std::uint32_t> position(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      position[order[i]] = i;
    }
    const std::vector<Step> before = std::exchange(plan_.steps, {});
    plan_.steps.reserve(before.size());
    plan_.after.clear();
    for (const std::uint32_t old : order) {
      Step step = before[old];
      step.first_after = static_cast<std::uint32_t>(plan_.after.size());
      step.after_count = static_cast<std::uint32_t>(waits[old].size());
      for (const std::uint32_t wait : waits[old]) {
        plan_.after.push_back(position[wait]);
      }
      std::sort(plan_.after.begin() + step.first_after, plan_.after.end());
      plan_.steps.push_back(step);
    }
  }

  const DesiredDisruption& wanted_;
  const Goal& goal_;
  Plan& plan_;
  Findings& findings_;
  const Waves waves_;
  std::vector<Limit> limits_;
  std::vector<std::vector<std::uint32_t>> limits_of_;  // by VM: indexes of limits_
  std::vector<std::uint32_t> rank_of_;                 // by VM
  std::vector<std::pair<std::string_view, Place>> idle_;
  std::vector<Wave> all_;                          // in the plan's order
  std::vector<std::uint32_t> wave_of_group_;       // kNone: it stops nobody who comes back
  std::vector<std::uint32_t> round_;               // by group
  std::vector<std::uint32_t> turns_;               // groups, those that are waited for first
  std::vector<std::vector<std::uint32_t>> added_;  // by wave: steps that its stops wait for besides
};

}  // namespace

void keep_limits(const DesiredState& desired, const Goal& goal, Plan& plan, Findings& findings) {
  if (desired.policy.disruption.limits()) {
    LimitedPlan(desired, goal, plan, findings).keep();
  }
}

}  // namespace gpup
