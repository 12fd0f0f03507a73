#include "plan/disruption.h"

#include <algorithm>
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

#include "base/text.h"
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

  /// The starts of VMs that are down from the beginning until the last of the waves that these starts wait for.
  std::vector<std::uint32_t> held;
  std::uint32_t held_until = kNone;  ///< a round

  /// A place for a VM that is down; whoever takes it next waits for that one's start.
  std::deque<std::uint32_t> places;
  std::uint32_t places_made = 0;
  /// The starts of VMs that are down from the beginning and for which there is no place: everyone waits for them.
  std::vector<std::uint32_t> surplus;

  std::size_t held_in(std::uint32_t round) const { return round <= held_until ? held.size() : 0; }
  bool has_room(std::uint32_t round, std::uint32_t vms) const {
    return (round < down.size() ? down[round] : 0) + held_in(round) + vms <= most;
  }
  void fill(std::uint32_t round, std::uint32_t vms) {
    down.resize(std::max<std::size_t>(down.size(), std::size_t{round} + 1), 0);
    down[round] += vms;
    while (first_free < down.size() && !has_room(first_free, 1)) {
      ++first_free;
    }
  }

  bool may_make_place(std::uint32_t round) const { return places_made + held_in(round) < most; }
  /// For a VM that is down already.
  void give_place(std::uint32_t round, std::uint32_t start) {
    if (may_make_place(round)) {
      ++places_made;
      places.push_back(start);
    } else {
      surplus.push_back(start);
    }
  }
  /// For a VM that goes down in this round: `waits` gets the starts that it waits for.
  void take_place(std::uint32_t round, std::uint32_t start, std::vector<std::uint32_t>& waits) {
    if (round > held_until) {
      for (const std::uint32_t one : std::exchange(held, {})) {
        give_place(round, one);
      }
    }
    waits.insert(waits.end(), surplus.begin(), surplus.end());
    if (may_make_place(round)) {
      ++places_made;
    } else {
      waits.push_back(places.front());
      places.pop_front();
    }
    places.push_back(start);
  }
};

/// A VM that is down when the plan begins, since an earlier run stopped it, and that the plan starts.
struct Owed {
  std::uint32_t vm = kNone;
  std::uint32_t start = kNone;
  bool waits = false;  ///< for a wave
};

/// VMs that are down together, and a turn in which they are.
struct Wave {
  std::uint32_t group = 0;                         ///< in Waves
  std::vector<std::uint32_t> vms;                  ///< those that are counted
  std::map<std::uint32_t, std::uint32_t> counted;  ///< by limit: how many of them it counts
  std::uint32_t rank = 0;                          ///< by `order`: the smallest goes first
  bool urgent = false;                             ///< a VM that is owed a start waits for it: it goes before `order`
};

class LimitedPlan {
 public:
  LimitedPlan(const DesiredState& desired, const Goal& goal, Plan& plan, Findings& findings)
      : wanted_(desired.policy.disruption), goal_(goal), plan_(plan), findings_(findings), waves_(plan) {}

  void keep() {
    find_owed();
    find_limits();
    tell_idle_patterns();
    find_waves();
    find_urgent();
    if (tell_too_large()) {
      return;
    }
    take_rounds();
    take_places();
    arrange();
  }

 private:
  bool is_counted(std::uint32_t vm) const {
    return plan_.vms[vm].place.known() && (waves_.comes_back(vm) || is_owed_[vm] != 0);
  }
  std::uint32_t group_count() const {
    return waves_.group.empty() ? 0 : *std::max_element(waves_.group.begin(), waves_.group.end()) + 1;
  }

  // ---- limits ----

  void find_owed() {
    is_owed_.assign(plan_.vms.size(), 0);
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (step.op == Op::kStartVm && step.reason == Reason::kStartOwed && plan_.vms[step.vm].place.known() &&
          !GPUP_MUTANT(27)) {
        owed_.push_back({step.vm, i, false});
        is_owed_[step.vm] = 1;
      }
    }
  }

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

  static Limit limit(std::string words, Place place, std::uint32_t most) {
    Limit limit;
    limit.words = std::move(words);
    limit.place = place;
    limit.most = most;
    return limit;
  }

  void add_limit(std::string words, Place place, std::uint32_t most, const std::function<bool(const PlanVm&)>& is_in) {
    limits_.push_back(limit(std::move(words), place, most));
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
        limits_.push_back(limit(fmt::format("policy.disruption.perHost allows {}", *wanted_.per_host),
                                wanted_.per_host_place, *wanted_.per_host));
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
        all_.push_back({waves_.group[i], {}, {}, static_cast<std::uint32_t>(wanted_.order.size()), false});
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

  bool is_wave(std::uint32_t group) const {
    return wave_of_group_[group] != kNone && !all_[wave_of_group_[group]].vms.empty();
  }

  template <class Visit>
  void each_group_before(std::uint32_t group, const Visit& visit) const {
    for (const std::uint32_t step : waves_.members.of(group)) {
      for (const std::uint32_t before : plan_.after_of(plan_.steps[step])) {
        visit(waves_.group[before]);
      }
    }
  }

  /// The waves that a VM waits for which is owed a start, and those that these wait for: nobody else goes down before
  /// them, and that VM holds its place all the while. Others that are owed a start come back first of all.
  void find_urgent() {
    if (owed_.empty()) {
      return;
    }
    const std::uint32_t groups = group_count();  // none is larger than those that it waits for
    std::vector<char> waits(groups, 0);
    for (std::uint32_t group = groups; group-- > 0;) {
      waits[group] = is_wave(group) ? 1 : 0;
      each_group_before(group, [&](std::uint32_t before) { waits[group] = std::max(waits[group], waits[before]); });
    }
    std::vector<char> urgent(groups, 0);
    for (Owed& one : owed_) {
      one.waits = waits[waves_.group[one.start]] != 0;
      if (one.waits) {
        urgent[waves_.group[one.start]] = 1;
        for (const std::uint32_t limit : limits_of_[one.vm]) {
          limits_[limit].held.push_back(one.start);
        }
      }
    }
    for (std::uint32_t group = 0; group < groups; ++group) {
      if (urgent[group] != 0) {
        each_group_before(group, [&](std::uint32_t before) { urgent[before] = 1; });
      }
      if (urgent[group] != 0 && wave_of_group_[group] != kNone) {
        all_[wave_of_group_[group]].urgent = true;
      }
    }
  }

  bool tell_too_large() {
    bool told = false;
    for (const Wave& wave : all_) {
      for (const auto& [limit, count] : wave.counted) {
        if (count + (wave.urgent ? limits_[limit].held.size() : 0) > limits_[limit].most) {
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
    std::string_view gpu;  // the first one's whole name
    for (const std::uint32_t step : waves_.members.of(wave.group)) {
      if (plan_.steps[step].op == Op::kSetPartitionCount) {
        std::vector<std::uint32_t> down = down_for(step, limit);
        if (down.size() > limits_[limit].most) {
          gpus.push_back(short_gpu_name(plan_.gpus[plan_.steps[step].gpu].name));
          gpu = gpu.empty() ? plan_.gpus[plan_.steps[step].gpu].name : gpu;
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
          Code::kDisruptionUnmet, limits_[limit].place, {host, "gpu", gpu},
          fmt::format(
              "{}, and no order of steps can keep that: {} on {} {} a partition count that is set only while {} "
              "listed VMs are down at once: {}",
              limits_[limit].words, some_names(gpus, 3), host, gpus.size() == 1 ? "gets" : "get", vms.size(),
              some_names(names, 20)),
          "raise the limit, or take VMs down yourself before: those that are off are not counted");
    } else if (vms.size() <= limits_[limit].most) {
      tell_owed(limit, names);
    } else {
      findings_.error(Code::kDisruptionNoOrder, limits_[limit].place, {host, "host", host},
                      fmt::format("{}, and no order of steps was found that keeps that: on {} {} listed VMs wait for "
                                  "each other's partitions: {}",
                                  limits_[limit].words, host, vms.size(), some_names(names, 20)),
                      "raise the limit, or take VMs down yourself before: those that are off are not counted");
    }
  }

  void tell_owed(std::uint32_t limit, const std::vector<std::string_view>& names) {
    std::vector<std::string_view> owed;
    std::string_view host;
    for (const Owed& one : owed_) {
      if (one.waits && counts(limit, one.vm)) {
        owed.push_back(plan_.vms[one.vm].name);
        host = host.empty() ? plan_.hosts[plan_.vms[one.vm].host].name : host;
      }
    }
    findings_.error(
        Code::kDisruptionNoOrder, limits_[limit].place, {host, "vm", owed.front()},
        fmt::format("{}, and no order of steps was found that keeps that: {} {} off and owed a start, which "
                    "comes only after {} {} down as well",
                    limits_[limit].words, some_names(owed, 20), owed.size() == 1 ? "is" : "are", some_names(names, 20),
                    names.size() == 1 ? "was" : "were"),
        "raise the limit, or start what is owed a start with 'gpup restore-power -f FILE' first");
  }

  // ---- rounds ----

  /// Gives each group a round: not before those of the groups that it waits for, and a wave only where the limits have
  /// room. Each VM of a round may be down while the others are; those of an earlier one have come back.
  void take_rounds() {
    hold_owed();
    const auto steps = static_cast<std::uint32_t>(plan_.steps.size());
    round_.assign(group_count(), 0);
    std::vector<std::uint32_t> waits(round_.size(), 0);
    each_edge_between_groups([&](std::uint32_t, std::uint32_t step) { ++waits[waves_.group[step]]; });
    std::vector<std::uint32_t> last_of_rank(wanted_.order.size() + 1, 0);
    using Turn = std::pair<std::uint64_t, std::uint32_t>;  // urgency, rank and number of the wave; group
    std::priority_queue<Turn, std::vector<Turn>, std::greater<>> ready_waves;
    std::vector<std::uint32_t> ready;
    const auto push = [&](std::uint32_t group) {
      const std::uint32_t number = wave_of_group_[group];
      if (number == kNone) {
        ready.push_back(group);
      } else {
        const std::uint64_t turn = all_[number].urgent ? 0 : all_[number].rank + std::uint64_t{1};
        ready_waves.emplace(turn << 32U | number, group);
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
        const Wave& wave = all_[wave_of_group_[group]];
        if (!wave.urgent) {
          end_hold();
        }
        take_round(wave, last_of_rank);
        last_urgent_ = wave.urgent ? std::max(last_urgent_, round_[group]) : last_urgent_;
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
    end_hold();
  }

  /// VMs that are owed a start and wait for nobody are down in the first round.
  void hold_owed() {
    for (const Owed& one : owed_) {
      for (const std::uint32_t limit : limits_of_[one.vm]) {
        if (!one.waits) {
          limits_[limit].fill(0, 1);
          limits_[limit].give_place(0, one.start);
        }
      }
    }
  }
  void end_hold() {
    for (Limit& limit : limits_) {
      limit.held_until = std::min(limit.held_until, last_urgent_);
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
    for (std::uint32_t rank = 0; rank < wave.rank && !wave.urgent; ++rank) {
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
        if (GPUP_MUTANT(26)) {
          continue;
        }
        limits_[limit].take_place(round_[wave.group], waves_.start_of[vm], added);
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
    const std::vector<std::uint32_t> order = sorted(waits);
    if (order.size() != waits.size()) {
      // A mistake of ours: better no plan than one whose steps wait for each other.
      findings_.error(
          Code::kDisruptionNoOrder, limits_.front().place, {},
          fmt::format("no order of steps was found that keeps policy.disruption: {} of {} wait for each other",
                      waits.size() - order.size(), waits.size()),
          "raise the limit");
      return;
    }
    write(waits, order);
  }

  /// Fewer than there are where steps wait for each other.
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
  std::vector<Owed> owed_;
  std::vector<char> is_owed_;      // by VM
  std::uint32_t last_urgent_ = 0;  // the last round of an urgent wave
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
