#include "execute/schedule.h"

#include <algorithm>

namespace gpup {

namespace {

constexpr unsigned kStepBits = 32;
constexpr std::uint32_t kNotUrgent = 0x80000000U;
/// Writes to a host take turns: whoever is in a hurry waits for no more than these.
constexpr std::uint32_t kAtLeisure = 4;

std::uint32_t step_of(std::uint64_t rank) { return static_cast<std::uint32_t>(rank); }

}  // namespace

std::size_t Limits::most() const { return in_order() ? 1 : std::size_t{hosts} * a_host * 2; }

Schedule::Schedule(const Plan& plan, const Limits& limits)
    : plan_(plan),
      limits_(limits),
      left_(plan.steps.size()),
      busy_(plan.vms.size()),
      lines_(limits.in_order() ? 1 : plan.hosts.size()) {
  link();
  for (std::uint32_t step = 0; step < plan.steps.size(); ++step) {
    if (waits_[step] == 0) {
      push(step);
    }
  }
  for (std::uint32_t line = 0; line < lines_.size(); ++line) {
    offer(line);
  }
}

Schedule::Schedule(const Plan& plan, const Limits& limits, std::span<const std::uint32_t> steps)
    : plan_(plan),
      limits_(limits),
      left_(steps.size()),
      busy_(plan.vms.size()),
      lines_(limits.in_order() ? 1 : plan.hosts.size()) {
  for (const std::uint32_t step : steps) {
    make_ready(step);
  }
}

/// Who waits for whom, and for how long.
void Schedule::link() {
  const std::size_t steps = plan_.steps.size();
  waits_.resize(steps);
  first_next_.assign(steps + 1, 0);
  next_.resize(plan_.after.size());
  for (std::size_t i = 0; i < steps; ++i) {
    waits_[i] = plan_.steps[i].after_count;
    for (const std::uint32_t before : plan_.after_of(plan_.steps[i])) {
      ++first_next_[before + 1];
    }
  }
  for (std::size_t i = 0; i < steps; ++i) {
    first_next_[i + 1] += first_next_[i];
  }
  std::vector<std::uint32_t> at(first_next_.begin(), first_next_.end() - 1);
  chain_.assign(steps, 1);
  urgent_.resize(steps);
  std::vector<bool> stopped(plan_.vms.size());
  for (const Step& step : plan_.steps) {
    if (step.op == Op::kStopVm) {
      stopped[step.vm] = true;
    }
  }
  // From the last step back: the array may be performed as it stands, so a step's followers come after it.
  for (auto i = static_cast<std::uint32_t>(steps); i-- > 0;) {
    if (plan_.steps[i].op == Op::kStartVm && stopped[plan_.steps[i].vm]) {
      urgent_[i] = true;
    }
    for (const std::uint32_t before : plan_.after_of(plan_.steps[i])) {
      next_[at[before]++] = i;
      chain_[before] = std::max(chain_[before], chain_[i] + 1);
      if (urgent_[i] && plan_.steps[before].op != Op::kStopVm) {
        urgent_[before] = true;
      }
    }
  }
}

Schedule::Rank Schedule::rank(std::uint32_t step) const {
  if (limits_.in_order() || chain_.empty()) {
    return step;
  }
  return Rank{(urgent_[step] ? 0U : kNotUrgent) | (~chain_[step] & ~kNotUrgent)} << kStepBits | step;
}

bool Schedule::has_room(const Lane& lane, std::uint32_t step) const {
  const bool at_leisure = !is_power(plan_.steps[step].op) && !urgent_.empty() && !urgent_[step];
  return lane.under_way < (at_leisure ? std::min(limits_.a_lane(), kAtLeisure) : limits_.a_lane());
}

std::uint32_t Schedule::line_of(std::uint32_t step) const {
  return limits_.in_order() ? 0 : host_of(plan_, plan_.steps[step]);
}

Schedule::Lane& Schedule::lane_of(std::uint32_t step) {
  Line& line = lines_[line_of(step)];
  return is_power(plan_.steps[step].op) && !limits_.in_order() ? line.power : line.others;
}

bool Schedule::is_busy(std::uint32_t step) const {
  const std::uint32_t vm = plan_.steps[step].vm;
  return vm != kNone && busy_[vm];
}

void Schedule::set_busy(std::uint32_t step, bool busy) {
  if (const std::uint32_t vm = plan_.steps[step].vm; vm != kNone) {
    busy_[vm] = busy;
  }
}

void Schedule::push(std::uint32_t step) { lane_of(step).ready.push(rank(step)); }

void Schedule::make_ready(std::uint32_t step) {
  push(step);
  offer(line_of(step));
}

/// Offers the best of a lane, if one of it may begin and none that is offered is better.
void Schedule::look_at(Line& line, Lane& lane) const {
  while (!lane.ready.empty() && is_busy(step_of(lane.ready.top()))) {
    line.aside.push_back(lane.ready.top());
    lane.ready.pop();
  }
  if (!lane.ready.empty() && has_room(lane, step_of(lane.ready.top())) &&
      (!line.offer || lane.ready.top() < *line.offer)) {
    line.offer = lane.ready.top();
  }
}

/// Says anew what the line has to offer.
void Schedule::offer(std::uint32_t index) {
  Line& line = lines_[index];
  if (line.offer) {
    begun_.erase(offer_of(index));
    waiting_.erase(offer_of(index));
    line.offer.reset();
  }
  look_at(line, line.power);
  look_at(line, line.others);
  if (line.offer) {
    (line.begun ? begun_ : waiting_).insert(offer_of(index));
  }
}

/// Of a line that has one. Hosts take turns: each goes on while the others' first requests are under way.
Schedule::Offer Schedule::offer_of(std::uint32_t index) const {
  const Line& line = lines_[index];
  return {static_cast<std::uint32_t>(*line.offer >> kStepBits), line.taken, step_of(*line.offer), index};
}

std::optional<Schedule::Offer> Schedule::next() const {
  const bool may_begin = !waiting_.empty() && at_work_ < std::max<std::uint32_t>(limits_.hosts, 1);
  if (begun_.empty()) {
    return may_begin ? std::optional(*waiting_.begin()) : std::nullopt;
  }
  return may_begin ? std::min(*begun_.begin(), *waiting_.begin()) : *begun_.begin();
}

std::optional<std::uint32_t> Schedule::take() {
  const auto best = next();
  if (!best) {
    return std::nullopt;
  }
  const std::uint32_t step = best->step;
  Line& line = lines_[best->line];
  begun_.erase(*best);
  waiting_.erase(*best);
  line.offer.reset();
  Lane& lane = lane_of(step);
  lane.ready.pop();
  ++lane.under_way;
  ++line.taken;
  if (!line.begun) {
    line.begun = true;
    ++at_work_;
  }
  set_busy(step, true);
  offer(best->line);
  taken_ = std::uint64_t{best->chain} << kStepBits | best->begun;
  return step;
}

void Schedule::ended(std::uint32_t step) {
  --left_;
  const std::uint32_t index = line_of(step);
  Line& line = lines_[index];
  --lane_of(step).under_way;
  set_busy(step, false);
  for (const Rank waited : std::exchange(line.aside, {})) {
    push(step_of(waited));
  }
  if (!first_next_.empty()) {
    for (std::uint32_t i = first_next_[step]; i < first_next_[step + 1]; ++i) {
      if (--waits_[next_[i]] == 0) {
        make_ready(next_[i]);
      }
    }
  }
  if (line.idle()) {
    line.begun = false;
    --at_work_;
  }
  offer(index);
}

}  // namespace gpup
