#include "plan/outage.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

std::vector<Outage::OfVm> stopped_vms(const Plan& plan, const Timeline& expected, const Timeline& slow) {
  std::vector<std::uint32_t> start(plan.vms.size(), kNone);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.steps[i].op == Op::kStartVm) {
      start[plan.steps[i].vm] = i;
    }
  }
  std::vector<Outage::OfVm> vms;
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.steps[i].op != Op::kStopVm) {
      continue;
    }
    Outage::OfVm vm{plan.steps[i].vm, i, start[plan.steps[i].vm], 0, 0};
    if (vm.comes_back()) {
      vm.median = expected.spans[vm.start].to - expected.spans[i].from;
      vm.p95 = std::max(vm.median, slow.spans[vm.start].to - slow.spans[i].from);
    }
    vms.push_back(vm);
  }
  return vms;
}

/// Who is down while each step runs: n log n, whatever the plan.
class DownMeanwhile {
 public:
  DownMeanwhile(const Timeline& line, const std::vector<Outage::OfVm>& vms) : line_(line), vms_(vms) {
    for (std::uint32_t i = 0; i < vms.size(); ++i) {
      by_from_.push_back(i);
      by_to_.push_back(i);
    }
    std::stable_sort(by_from_.begin(), by_from_.end(), [&](auto a, auto b) { return from(a) < from(b); });
    std::stable_sort(by_to_.begin(), by_to_.end(), [&](auto a, auto b) { return to(a) < to(b); });
  }

  std::vector<Outage::Down> find() {
    std::vector<std::uint32_t> by_begin(line_.spans.size());
    for (std::uint32_t i = 0; i < by_begin.size(); ++i) {
      by_begin[i] = i;
    }
    std::stable_sort(by_begin.begin(), by_begin.end(),
                     [&](auto a, auto b) { return line_.spans[a].from < line_.spans[b].from; });
    std::vector<Outage::Down> down(line_.spans.size());
    for (const std::uint32_t step : by_begin) {
      move_to(line_.spans[step].from);
      down[step] = down_in(std::max(line_.spans[step].to, line_.spans[step].from + 1));
    }
    return down;
  }

 private:
  std::uint64_t from(std::uint32_t i) const { return line_.spans[vms_[i].stop].from; }
  std::uint64_t to(std::uint32_t i) const {
    return vms_[i].comes_back() ? std::max(line_.spans[vms_[i].start].to, from(i) + 1)
                                : std::numeric_limits<std::uint64_t>::max();
  }

  /// `now_down_`: the VMs that are down at this moment.
  void move_to(std::uint64_t now) {
    for (; begun_ < by_from_.size() && from(by_from_[begun_]) <= now; ++begun_) {
      now_down_.insert(by_from_[begun_]);
    }
    for (; over_ < by_to_.size() && to(by_to_[over_]) <= now; ++over_) {
      now_down_.erase(by_to_[over_]);
    }
  }

  /// Those, and whoever goes down before `end`.
  Outage::Down down_in(std::uint64_t end) const {
    const auto later = std::partition_point(by_from_.begin() + static_cast<std::ptrdiff_t>(begun_), by_from_.end(),
                                            [&](std::uint32_t i) { return from(i) < end; });
    Outage::Down down;
    const auto begun = by_from_.begin() + static_cast<std::ptrdiff_t>(begun_);
    down.count = static_cast<std::uint32_t>(now_down_.size() + static_cast<std::size_t>(later - begun));
    std::size_t named = 0;
    for (auto i = now_down_.begin(); i != now_down_.end() && named < Outage::Down::kNamed; ++i) {
      down.first.at(named++) = vms_[*i].vm;
    }
    for (auto i = begun; i != later && named < Outage::Down::kNamed; ++i) {
      down.first.at(named++) = vms_[*i].vm;
    }
    return down;
  }

  const Timeline& line_;
  const std::vector<Outage::OfVm>& vms_;
  std::vector<std::uint32_t> by_from_;
  std::vector<std::uint32_t> by_to_;
  std::size_t begun_ = 0;
  std::size_t over_ = 0;
  std::set<std::uint32_t> now_down_;
};

/// The GPUs of one model that should have one count.
struct Alike {
  std::map<std::uint32_t, std::uint64_t> gpus_at;  // by count
  std::vector<std::uint32_t> sets;                 // steps

  bool differ() const { return gpus_at.size() > 1; }
  void move(std::uint32_t from, std::uint32_t to) {
    const auto at = gpus_at.find(from);
    if (at != gpus_at.end() && --at->second == 0) {
      gpus_at.erase(at);
    }
    ++gpus_at[to];
  }
};

class MixedCounts {
 public:
  MixedCounts(const Plan& plan, const Timeline& expected, const Timeline& slow)
      : plan_(plan), expected_(expected), slow_(slow) {}

  std::vector<Outage::Mixed> find() {
    gather();
    for (auto& [where, gpus] : alike_) {
      if (!gpus.sets.empty()) {
        go_through(where.first, where.second, gpus);
      }
    }
    return std::move(mixed_);
  }

 private:
  void gather() {
    std::vector<std::uint32_t> count(plan_.gpus.size(), kNone);
    for (const Fact& fact : plan_.facts) {
      if (fact.property == Property::kPartitionCount) {
        count[fact.index] = fact.value;
      }
    }
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (step.op == Op::kSetPartitionCount) {
        count[step.gpu] = step.from;
        of(step.gpu).sets.push_back(i);
      }
    }
    for (std::uint32_t g = 0; g < plan_.gpus.size(); ++g) {
      ++of(g).gpus_at[count[g]];
    }
    for (const PlanCluster::Others& others : plan_.cluster.others) {
      alike_[{kNone, others.model}].gpus_at[others.partition_count] += others.gpus;
    }
  }

  Alike& of(std::uint32_t gpu) {
    return alike_[{plan_.cluster.name.empty() ? plan_.gpus[gpu].host : kNone, plan_.gpus[gpu].model}];
  }

  void go_through(std::uint32_t host, std::string_view model, Alike& gpus) {
    std::sort(gpus.sets.begin(), gpus.sets.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tuple(expected_.spans[a].to, a) < std::tuple(expected_.spans[b].to, b);
    });
    Outage::Mixed open{host, model, kNone, kNone, 0, 0};
    bool differ = gpus.differ();
    for (const std::uint32_t set : gpus.sets) {
      gpus.move(plan_.steps[set].from, plan_.steps[set].to);
      if (gpus.differ() == differ) {
        continue;
      }
      differ = !differ;
      if (differ) {
        open.from = set;
      } else {
        open.to = set;
        const std::uint64_t from = open.from == kNone ? 0 : expected_.spans[open.from].to;
        open.median = expected_.spans[set].to - from;
        open.p95 = std::max(slow_.spans[set].to, from + open.median) - from;
        mixed_.push_back(open);
        open = {host, model, kNone, kNone, 0, 0};
      }
    }
    if (differ) {
      mixed_.push_back(open);
    }
  }

  const Plan& plan_;
  const Timeline& expected_;
  const Timeline& slow_;
  std::map<std::pair<std::uint32_t, std::string_view>, Alike> alike_;
  std::vector<Outage::Mixed> mixed_;
};

}  // namespace

ThoughtRun::ThoughtRun(const Plan& plan, const StepTimes& times, std::uint32_t StepTime::*time)
    : plan_(plan), times_(times), time_(time), turns_(plan.hosts.size()) {
  timeline_.spans.resize(plan.steps.size());
  timeline_.causes.resize(plan.steps.size(), kNone);
}

void ThoughtRun::begin(std::uint32_t step) {
  Timeline::Span& span = timeline_.spans[step];
  span.from = now_;
  timeline_.causes[step] = ended_;
  const bool takes_turns = !is_power(plan_.steps[step].op);
  Turn& turn = turns_[host_of(plan_, plan_.steps[step])];
  if (takes_turns && turn.free_at > now_) {
    span.from = turn.free_at;
    timeline_.causes[step] = turn.last;
  }
  span.to = span.from + times_.of(step).*time_;
  if (takes_turns) {
    turn = {span.to, step};
  }
  under_way_.emplace(span.to, step);
}

std::optional<std::uint32_t> ThoughtRun::end_next() {
  if (under_way_.empty()) {
    return std::nullopt;
  }
  std::tie(now_, ended_) = under_way_.top();
  under_way_.pop();
  return ended_;
}

Outage gather_outage(const Plan& plan, StepTimes times, Timeline expected, const Timeline& slow) {
  Outage outage;
  outage.vms = stopped_vms(plan, expected, slow);
  outage.down = DownMeanwhile(expected, outage.vms).find();
  outage.mixed = MixedCounts(plan, expected, slow).find();
  for (std::uint32_t i = 0; i < outage.vms.size(); ++i) {
    const Outage::OfVm& vm = outage.vms[i];
    outage.sum += vm.median;
    outage.sum_p95 += vm.p95;
    if (vm.comes_back() && (outage.longest == kNone || vm.median > outage.vms[outage.longest].median)) {
      outage.longest = i;
    }
  }
  outage.times = std::move(times);
  outage.expected = std::move(expected);
  return outage;
}

OutageChain chain_of(const Outage& outage, const Outage::OfVm& vm, std::size_t most) {
  OutageChain chain;
  const Timeline::Span stop = outage.expected.spans[vm.stop];
  for (std::uint32_t step = vm.start; step != kNone;) {
    if (chain.steps.size() == most) {
      chain.whole = false;
      break;
    }
    chain.steps.push_back(step);
    // Where several steps end at one moment, what the machine's own stop lets begin is told as that.
    const std::uint64_t from = outage.expected.spans[step].from;
    const bool first = step == vm.stop || from <= stop.from;
    step = first ? kNone : from == stop.to ? vm.stop : outage.expected.causes[step];
  }
  std::reverse(chain.steps.begin(), chain.steps.end());
  return chain;
}

std::string chain_words(const Plan& plan, const Outage& outage, const OutageChain& chain) {
  std::string words = chain.whole ? "" : "...";
  for (const std::uint32_t step : chain.steps) {
    words += fmt::format("{}{} {} {}", words.empty() ? "" : ", ", step + 1, to_string(plan.steps[step].op),
                         human_time(outage.times.of(step).median));
  }
  return words;
}

std::string_view origin_words(const Outage& outage, const OutageChain& chain) {
  const auto defaults = static_cast<std::size_t>(std::count_if(
      chain.steps.begin(), chain.steps.end(), [&](std::uint32_t step) { return outage.times.of(step).is_default(); }));
  return defaults == chain.steps.size() ? "default" : defaults == 0 ? "measured" : "partly default";
}

Diagnostics longer_than(const Plan& plan, const Outage& outage, std::chrono::milliseconds most) {
  const auto allowed = static_cast<std::uint64_t>(most.count());
  std::vector<const Outage::OfVm*> too_long;
  for (const Outage::OfVm& vm : outage.vms) {
    if (vm.median > allowed) {
      too_long.push_back(&vm);
    }
  }
  std::stable_sort(too_long.begin(), too_long.end(),
                   [](const Outage::OfVm* a, const Outage::OfVm* b) { return a->median > b->median; });
  Diagnostics diagnostics;
  for (const Outage::OfVm* vm : too_long) {
    const PlanVm& row = plan.vms[vm->vm];
    const OutageChain chain = chain_of(outage, *vm);
    Diagnostic diagnostic;
    diagnostic.code = Code::kOutageTooLong;
    diagnostic.host = plan.hosts[row.host].name;
    diagnostic.object = "vm";
    diagnostic.name = row.name;
    if (row.place.known() && row.place.file < plan.files.size()) {
      diagnostic.file = plan.files[row.place.file].path;
      diagnostic.line = row.place.line;
      diagnostic.column = row.place.column;
    }
    diagnostic.message = fmt::format("VM '{}' on {} is expected to be down for {} (median, {}), longer than {}: {}",
                                     row.name, diagnostic.host, human_time(vm->median), origin_words(outage, chain),
                                     human_time(allowed), chain_words(plan, outage, chain));
    diagnostic.hint = "--max-outage allows no more; 'gpup explain GP194' tells what makes it less";
    diagnostics.push_back(std::move(diagnostic));
  }
  return diagnostics;
}

}  // namespace gpup
