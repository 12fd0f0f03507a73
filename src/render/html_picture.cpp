#include "render/html_picture.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/text.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::uint32_t kRunning = static_cast<std::uint32_t>(VmState::kRunning);

/// True where a step was, or is to be, performed.
bool happens(const Tale& tale, std::uint32_t step) {
  if (tale.report == nullptr) {
    return true;
  }
  return step < tale.report->steps.size() && ended_well(tale.report->steps[step].outcome);
}

/// The GPU that a VM's new adapter is on; empty where the host chooses.
std::string_view new_gpu(const Tale& tale, const PlanVm& vm) {
  return vm.new_gpu < PlanVm::kHostChooses ? tale.plan.gpus[vm.new_gpu].name : std::string_view();
}

struct Stations {
  bool stops = false;
  bool starts = false;
  bool removed = false;  // an adapter of it
  bool added = false;
  bool trouble = false;
};

class Stories {
 public:
  explicit Stories(const Tale& tale) : tale_(tale), stories_(tale.plan.vms.size()), stations_(tale.plan.vms.size()) {}

  std::vector<VmStory> tell() {
    for (std::size_t v = 0; v < stories_.size(); ++v) {
      stories_[v].runs_before = stories_[v].runs_after = tale_.plan.vms[v].was_running;
      held_gpus(tale_.plan, tale_.plan.vms[v], false, stories_[v].before);
    }
    if (tale_.drift) {
      differences();
      return std::move(stories_);
    }
    adapters();
    for (std::uint32_t s = 0; s < tale_.plan.steps.size(); ++s) {
      if (tale_.plan.steps[s].vm != kNone) {
        step(s);
      }
    }
    if (tale_.report != nullptr) {
      afterwards(*tale_.report);
    }
    for (std::size_t v = 0; v < stories_.size(); ++v) {
      conclude(stations_[v], stories_[v]);
    }
    return std::move(stories_);
  }

 private:
  /// What each VM holds in the end; of a run what its steps came to.
  void adapters() {
    const Plan& plan = tale_.plan;
    std::vector<bool> removed(plan.adapters.size(), false);
    std::vector<bool> added(plan.vms.size(), false);
    std::vector<std::string_view> resolved(plan.vms.size());
    for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
      const Step& step = plan.steps[s];
      if (!happens(tale_, s)) {
        continue;
      }
      if (step.op == Op::kUnassignPartition) {
        removed[step.adapter] = true;
      } else if (step.op == Op::kAssignPartition) {
        added[step.vm] = true;
      } else if (step.op == Op::kStartVm && tale_.report != nullptr) {
        resolved[step.vm] = tale_.report->steps[s].gpu;
      }
    }
    for (std::size_t v = 0; v < plan.vms.size(); ++v) {
      const PlanVm& vm = plan.vms[v];
      std::vector<std::string_view>& after = stories_[v].after;
      for (std::uint32_t a = vm.first_adapter; a < vm.first_adapter + vm.adapter_count; ++a) {
        if (!removed[a]) {
          after.push_back(plan.adapters[a].gpu);
        }
      }
      if (added[v]) {
        after.push_back(resolved[v].empty() ? new_gpu(tale_, vm) : resolved[v]);
      }
    }
  }

  void step(std::uint32_t index) {
    const Step& step = tale_.plan.steps[index];
    Stations& stations = stations_[step.vm];
    const bool well = happens(tale_, index);
    stations.trouble = stations.trouble || (!well && tale_.report != nullptr && !tale_.report->steps.empty());
    stations.removed = stations.removed || (well && step.op == Op::kUnassignPartition);
    stations.added = stations.added || (well && step.op == Op::kAssignPartition);
    if (step.op == Op::kStopVm) {
      stations.stops = true;
      stories_[step.vm].runs_after = stories_[step.vm].runs_after && !well;
    } else if (step.op == Op::kStartVm) {
      stations.starts = true;
      stories_[step.vm].runs_after = stories_[step.vm].runs_after || well;
    }
  }

  void afterwards(const Report& report) {
    std::unordered_map<std::string, std::uint32_t> rows;
    for (std::uint32_t v = 0; v < tale_.plan.vms.size(); ++v) {
      rows.emplace(fold_case(tale_.plan.vms[v].id), v);
    }
    const auto runs = [&](const std::string& id, bool running) {
      if (const auto row = rows.find(fold_case(id)); row != rows.end()) {
        stories_[row->second].runs_after = running;
      }
    };
    for (const Restored& vm : report.restored) {
      runs(vm.vm_id, ended_well(vm.outcome));
    }
    for (const LeftOff& vm : report.left_off) {
      runs(vm.vm_id, false);
    }
  }

  static void conclude(const Stations& stations, VmStory& story) {
    story.fate = stations.trouble                    ? Fate::kTrouble
                 : stations.stops && stations.starts ? Fate::kRestarts
                 : stations.stops                    ? Fate::kGoesOff
                 : stations.starts                   ? Fate::kStarts
                                                     : Fate::kChanged;
    find_move(story);
    // It may be on the same GPU again.
    if (stations.removed && stations.added) {
      story.move = Move::kAnother;
    }
  }

  static void find_move(VmStory& story) {
    story.move = story.before == story.after ? Move::kStays
                 : story.before.empty()      ? Move::kGains
                 : story.after.empty()       ? Move::kLoses
                                             : Move::kAnother;
  }

  void differences() {
    for (VmStory& story : stories_) {
      story.after = story.before;
    }
    for (const Difference& difference : tale_.plan.differences) {
      if (difference.subject != Subject::kVm) {
        continue;
      }
      VmStory& story = stories_[difference.index];
      story.fate = Fate::kChanged;
      if (difference.property == Property::kState) {
        story.runs_after = difference.after == kRunning;
        story.fate = story.runs_after ? Fate::kStarts : Fate::kGoesOff;
      } else if (difference.property == Property::kPartitions) {
        held_gpus(tale_.plan, tale_.plan.vms[difference.index], true, story.after);
        find_move(story);
      }
    }
  }

  const Tale& tale_;
  std::vector<VmStory> stories_;
  std::vector<Stations> stations_;
};

}  // namespace

class PictureOfHost {
 public:
  PictureOfHost(const HostPictures& all, std::uint32_t host)
      : all_(all),
        tale_(all.tale_),
        plan_(all.tale_.plan),
        stories_(all.stories_),
        part_(all.parts_[host]),
        name_(plan_.hosts[host].name) {}

  HostPicture draw() {
    const Host* const seen = tale_.observed == nullptr ? nullptr : find_host(*tale_.observed, name_);
    if (seen != nullptr && seen->reachable) {
      draw_seen(*seen);
    } else {
      draw_planned();
    }
    return std::move(picture_);
  }

 private:
  // With all that was observed.

  void draw_seen(const Host& host) {
    picture_.known = true;
    for (const Gpu& gpu : host.gpus) {
      Card card;
      card.name = gpu.name;
      card.model = gpu.model;
      card.count = gpu.partition_count;
      card.vram = gpu.partition_vram;
      card.status = gpu.status;
      add_card(card);
    }
    set_counts();
    std::unordered_map<std::string, std::uint32_t> rows;
    for (const std::uint32_t vm : part_.vms) {
      rows.emplace(fold_case(plan_.vms[vm].id), vm);
    }
    for (const Vm& vm : host.vms) {
      const auto row = rows.find(fold_case(vm.id));
      if (row != rows.end()) {
        place_story(row->second);
      } else {
        place_other(host, vm);
      }
    }
  }

  void place_other(const Host& host, const Vm& vm) {
    Chip chip;
    chip.name = vm.name;
    chip.running = vm.state == VmState::kRunning;
    for (const Adapter& adapter : host.adapters_of(vm)) {
      place(picture_.before, chip, adapter.gpu_name);
      place(picture_.after, chip, adapter.gpu_name);
    }
  }

  // With what the plan says itself: its managed GPUs, the VMs that change, and how many others there are.

  void draw_planned() {
    for (const std::uint32_t g : part_.gpus) {
      Card card;
      card.name = plan_.gpus[g].name;
      card.model = plan_.gpus[g].model;
      add_card(card);
    }
    picture_.known = !part_.gpus.empty() || !part_.vms.empty();
    std::vector<std::uint32_t> assigned(picture_.before.cards.size(), 0);
    std::uint32_t unresolved = 0;
    for (const std::uint32_t f : part_.facts) {
      const Fact& fact = plan_.facts[f];
      if (fact.subject == Subject::kHost) {
        unresolved = fact.property == Property::kAssigned ? fact.value : unresolved;
        continue;
      }
      const std::size_t card = card_of_.at(fold_case(plan_.gpus[fact.index].name));
      if (fact.property == Property::kAssigned) {
        assigned[card] = fact.value;
      } else if (fact.property == Property::kPartitionCount && fact.value != kNone) {
        picture_.before.cards[card].count = picture_.after.cards[card].count = fact.value;
      } else if (fact.property == Property::kStatus) {
        picture_.before.cards[card].status = picture_.after.cards[card].status = static_cast<GpuStatus>(fact.value);
      }
    }
    set_counts();
    for (const std::uint32_t vm : part_.vms) {
      for (const std::string_view gpu : stories_[vm].before) {
        std::uint32_t* const left = gpu.empty() ? &unresolved : find_count(assigned, gpu);
        if (left != nullptr && *left > 0) {
          --*left;
        }
      }
      place_story(vm);
    }
    for (std::size_t card = 0; card < assigned.size(); ++card) {
      place_nameless(assigned[card], picture_.before.cards[card].name);
    }
    place_nameless(unresolved, {});
  }

  std::uint32_t* find_count(std::vector<std::uint32_t>& counts, std::string_view gpu) {
    const auto found = card_of_.find(fold_case(gpu));
    return found == card_of_.end() || found->second >= counts.size() ? nullptr : &counts[found->second];
  }

  void place_nameless(std::uint32_t count, std::string_view gpu) {
    if (count > 0) {
      Chip chip;
      chip.others = count;
      place(picture_.before, chip, gpu);
      place(picture_.after, chip, gpu);
    }
  }

  // Both.

  void add_card(const Card& card) {
    card_of_.emplace(fold_case(card.name), picture_.before.cards.size());
    picture_.before.cards.push_back(card);
    picture_.after.cards.push_back(card);
  }

  /// The counts that the plan sets.
  void set_counts() {
    for (const std::uint32_t d : part_.counts) {
      const Difference& difference = plan_.differences[d];
      set_count(plan_.gpus[difference.index], difference.before, difference.after,
                tale_.drift || all_.count_set_[difference.index]);
    }
  }

  void set_count(const PlanGpu& gpu, std::uint32_t from, std::uint32_t to, bool is_set) {
    const auto found = card_of_.find(fold_case(gpu.name));
    if (found == card_of_.end()) {
      return;
    }
    picture_.same = false;
    Card& before = picture_.before.cards[found->second];
    Card& after = picture_.after.cards[found->second];
    before.differs = after.differs = true;
    before.count = from == kNone ? std::nullopt : std::optional(from);
    before.vram = gpu.vram_before;
    after.count = is_set ? std::optional(to) : before.count;
    after.vram = is_set ? gpu.vram_after : gpu.vram_before;
  }

  void place_story(std::uint32_t vm) {
    const VmStory& story = stories_[vm];
    Chip chip;
    chip.name = plan_.vms[vm].name;
    chip.vm = vm;
    chip.fate = story.fate;
    chip.move = story.move;
    chip.running = story.runs_before;
    picture_.same = picture_.same && story.fate == Fate::kUntouched;
    place_all(picture_.before, chip, story.before);
    chip.running = story.runs_after;
    place_all(picture_.after, chip, story.after);
  }

  void place_all(Side& side, const Chip& chip, const std::vector<std::string_view>& gpus) {
    for (const std::string_view gpu : gpus) {
      place(side, chip, gpu);
    }
    if (gpus.empty()) {
      side.without.push_back(chip);
    }
  }

  void place(Side& side, const Chip& chip, std::string_view gpu) {
    if (gpu.empty()) {
      Card* const only = only_card(side);
      (only == nullptr ? side.host_chooses : only->chips).push_back(chip);
      return;
    }
    const auto found = card_of_.find(fold_case(gpu));
    if (found != card_of_.end()) {
      side.cards[found->second].chips.push_back(chip);
      return;
    }
    // A plan by itself knows managed GPUs alone; a host may not list the GPU that an adapter names.
    Card card;
    card.name = gpu;
    card.listed = false;
    add_card(card);
    side.cards.back().chips.push_back(chip);
  }

  /// The card that the host has to choose; nullptr where there are several.
  static Card* only_card(Side& side) {
    Card* only = nullptr;
    for (Card& card : side.cards) {
      if (card.listed && card.status == GpuStatus::kPartitioned) {
        if (only != nullptr) {
          return nullptr;
        }
        only = &card;
      }
    }
    return only;
  }

  const HostPictures& all_;
  const Tale& tale_;
  const Plan& plan_;
  const std::vector<VmStory>& stories_;
  const HostPictures::Part& part_;
  std::string_view name_;
  HostPicture picture_;
  std::unordered_map<std::string, std::size_t> card_of_;  // by name without case; the same on both sides
};

std::vector<VmStory> vm_stories(const Tale& tale) { return Stories(tale).tell(); }

HostPictures::HostPictures(const Tale& tale, const std::vector<VmStory>& stories)
    : tale_(tale), stories_(stories), parts_(tale.plan.hosts.size()), count_set_(tale.plan.gpus.size(), false) {
  const Plan& plan = tale.plan;
  for (std::uint32_t g = 0; g < plan.gpus.size(); ++g) {
    parts_[plan.gpus[g].host].gpus.push_back(g);
  }
  for (std::uint32_t v = 0; v < plan.vms.size(); ++v) {
    parts_[plan.vms[v].host].vms.push_back(v);
  }
  for (std::uint32_t f = 0; f < plan.facts.size(); ++f) {
    const Fact& fact = plan.facts[f];
    if (fact.subject != Subject::kVm) {
      parts_[fact.subject == Subject::kHost ? fact.index : plan.gpus[fact.index].host].facts.push_back(f);
    }
  }
  for (std::uint32_t d = 0; d < plan.differences.size(); ++d) {
    const Difference& difference = plan.differences[d];
    if (difference.subject == Subject::kGpu && difference.property == Property::kPartitionCount) {
      parts_[plan.gpus[difference.index].host].counts.push_back(d);
    }
  }
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
    if (plan.steps[s].op == Op::kSetPartitionCount) {
      count_set_[plan.steps[s].gpu] = happens(tale, s);
    }
  }
}

HostPicture HostPictures::of(std::uint32_t host) const { return PictureOfHost(*this, host).draw(); }

}  // namespace gpup
