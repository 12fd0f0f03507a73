#include "plan/waves.h"

#include <algorithm>

namespace gpup {

namespace {

/// Strongly connected components (Tarjan) of the steps, each VM's start taken to be before its own stop: what lies on a
/// circle then cannot be told apart by any order. They come numbered from the last to the first.
class Circles {
 public:
  explicit Circles(const Waves& waves, const Plan& plan)
      : waves_(waves), plan_(plan), number_(plan.steps.size(), 0), low_(plan.steps.size(), 0) {}

  std::vector<std::uint32_t> find() {
    group_.assign(plan_.steps.size(), kNone);
    for (std::uint32_t step = 0; step < plan_.steps.size(); ++step) {
      if (number_[step] == 0) {
        visit(step);
      }
    }
    return std::move(group_);
  }

 private:
  struct Visit {
    std::uint32_t step = 0;
    std::uint32_t next = 0;  // of its followers
  };

  std::uint32_t follower(std::uint32_t step, std::uint32_t i) const {
    const auto followers = waves_.followers.of(step);
    return i < followers.size() ? followers[i] : waves_.stop_of[plan_.steps[step].vm];
  }
  std::uint32_t follower_count(std::uint32_t step) const {
    const bool back = plan_.steps[step].op == Op::kStartVm && waves_.comes_back(plan_.steps[step].vm);
    return static_cast<std::uint32_t>(waves_.followers.of(step).size()) + (back ? 1 : 0);
  }

  void open(std::uint32_t step) {
    number_[step] = low_[step] = ++last_number_;
    open_.push_back(step);
    visits_.push_back({step, 0});
  }

  void visit(std::uint32_t from) {
    open(from);
    while (!visits_.empty()) {
      Visit& visit = visits_.back();
      const std::uint32_t step = visit.step;
      if (visit.next < follower_count(step)) {
        const std::uint32_t next = follower(step, visit.next++);
        if (number_[next] == 0) {
          open(next);
        } else if (group_[next] == kNone) {
          low_[step] = std::min(low_[step], number_[next]);
        }
        continue;
      }
      visits_.pop_back();
      if (!visits_.empty()) {
        low_[visits_.back().step] = std::min(low_[visits_.back().step], low_[step]);
      }
      if (low_[step] == number_[step]) {
        close(step);
      }
    }
  }

  void close(std::uint32_t step) {
    std::uint32_t member = kNone;
    do {
      member = open_.back();
      open_.pop_back();
      group_[member] = groups_;
    } while (member != step);
    ++groups_;
  }

  const Waves& waves_;
  const Plan& plan_;
  std::vector<std::uint32_t> number_;  // 0: not yet seen
  std::vector<std::uint32_t> low_;
  std::vector<std::uint32_t> group_;
  std::vector<std::uint32_t> open_;
  std::vector<Visit> visits_;
  std::uint32_t last_number_ = 0;
  std::uint32_t groups_ = 0;
};

/// By VM, the step of this op; kNone where it has not both a stop and a start.
std::vector<std::uint32_t> steps_of(const Plan& plan, Op op) {
  std::vector<unsigned char> power(plan.vms.size(), 0);
  std::vector<std::uint32_t> found(plan.vms.size(), kNone);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.op == Op::kStopVm || step.op == Op::kStartVm) {
      ++power[step.vm];
      found[step.vm] = step.op == op ? i : found[step.vm];
    }
  }
  for (std::size_t vm = 0; vm < found.size(); ++vm) {
    found[vm] = power[vm] == 2 ? found[vm] : kNone;
  }
  return found;
}

}  // namespace

Waves::Waves(const Plan& plan)
    : stop_of(steps_of(plan, Op::kStopVm)),
      start_of(steps_of(plan, Op::kStartVm)),
      followers(plan.steps.size(),
                [&](const auto& emit) {
                  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
                    for (const std::uint32_t before : plan.after_of(plan.steps[i])) {
                      emit(before, i);
                    }
                  }
                }),
      group(Circles(*this, plan).find()),
      members(plan.steps.size(), [&](const auto& emit) {
        for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
          emit(group[i], i);
        }
      }) {}

}  // namespace gpup
