#include "render/plan_outline.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "plan/scope.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::size_t kNamed = 3;  // how many of like things are named

std::string place_of(const Plan& plan, const Place& place) {
  return place.known() && place.file < plan.files.size() ? fmt::format("{}:{}", plan.files[place.file].path, place.line)
                                                         : std::string();
}

// What the steps and differences say of a VM, gathered.
struct VmFate {
  bool stops = false;
  bool starts = false;
  bool told = false;                     // by a difference
  std::uint32_t offline_action = kNone;  // the difference
  std::uint32_t state = kNone;           // the difference
  Place place;
};

/// Tells what becomes of GPUs and VMs.
class Outline {
 public:
  Outline(const Plan& plan, bool fold) : plan_(plan), fold_(fold), fates_(plan.vms.size()) {
    for (std::uint32_t i = 0; i < plan.gpus.size(); ++i) {
      models_by_name_.emplace(key(plan.gpus[i].host, plan.gpus[i].name), i);
    }
    for (const Step& step : plan.steps) {
      if (step.vm != kNone) {
        fates_[step.vm].stops |= step.op == Op::kStopVm;
        fates_[step.vm].starts |= step.op == Op::kStartVm;
      }
    }
    for (std::uint32_t i = 0; i < plan.differences.size(); ++i) {
      add(i);
    }
  }

  std::vector<OutlineHost> hosts() {
    std::vector<std::vector<std::uint32_t>> gpus(plan_.hosts.size());  // their differences
    std::vector<std::vector<std::uint32_t>> vms(plan_.hosts.size());
    for (std::uint32_t i = 0; i < plan_.differences.size(); ++i) {
      if (plan_.differences[i].subject == Subject::kGpu) {
        gpus[plan_.gpus[plan_.differences[i].index].host].push_back(i);
      }
    }
    for (std::uint32_t v = 0; v < plan_.vms.size(); ++v) {
      vms[plan_.vms[v].host].push_back(v);
    }
    std::vector<OutlineHost> out;
    std::unordered_map<std::string, std::size_t> alike;
    for (std::uint32_t h = 0; h < plan_.hosts.size(); ++h) {
      OutlineHost host = tell_host(gpus[h], vms[h]);
      if (host.items.empty()) {
        continue;
      }
      if (fold_) {
        const auto [found, is_new] = alike.emplace(signature_, out.size());
        if (!is_new) {
          OutlineHost& first = out[found->second];
          ++first.count;
          if (first.names.size() < kNamed) {
            first.names.push_back(plan_.hosts[h].name);
          }
          continue;
        }
      }
      host.names.push_back(plan_.hosts[h].name);
      out.push_back(std::move(host));
    }
    return out;
  }

 private:
  static std::string key(std::uint32_t host, std::string_view name) { return std::to_string(host) + fold_case(name); }

  void add(std::uint32_t i) {
    const Difference& difference = plan_.differences[i];
    if (difference.subject != Subject::kVm) {
      return;
    }
    VmFate& fate = fates_[difference.index];
    if (difference.property == Property::kOfflineAction) {
      fate.offline_action = i;
    } else if (difference.property == Property::kState) {
      fate.state = i;
    }
    if (!fate.told) {
      fate.told = true;
      fate.place = difference.source;
    }
  }

  // A GPU's name in words; of like ones only the model is told.
  std::string gpu(std::uint32_t host, std::string_view name) const {
    const auto found = models_by_name_.find(key(host, name));
    const std::string_view model =
        found == models_by_name_.end() ? std::string_view() : plan_.gpus[found->second].model;
    return fold_ && !model.empty() ? std::string(model) : gpu_title(model, name);
  }

  OutlineHost tell_host(const std::vector<std::uint32_t>& gpus, const std::vector<std::uint32_t>& vms) {
    OutlineHost host;
    std::unordered_map<std::string, std::size_t> alike;
    const auto add_item = [&](OutlineItem item, std::string name) {
      if (fold_) {
        const auto [found, is_new] = alike.emplace(item_signature(item), host.items.size());
        if (!is_new) {
          OutlineItem& first = host.items[found->second];
          ++first.count;
          if (first.names.size() < kNamed) {
            first.names.push_back(std::move(name));
          }
          return;
        }
      }
      item.names.push_back(std::move(name));
      host.items.push_back(std::move(item));
    };
    for (const std::uint32_t i : gpus) {
      const PlanGpu& row = plan_.gpus[plan_.differences[i].index];
      add_item(tell_gpu(plan_.differences[i]), gpu_title(row.model, row.name));
    }
    for (const std::uint32_t v : vms) {
      OutlineItem item = tell_vm(v);
      if (!item.changes.empty() || !item.fate.empty()) {
        add_item(std::move(item), std::string(plan_.vms[v].name));
      }
    }
    signature_.clear();
    for (const OutlineItem& item : host.items) {
      signature_ += item_signature(item);
      signature_ += std::to_string(item.count);
    }
    return host;
  }

  static std::string item_signature(const OutlineItem& item) {
    std::string text(1, item.gpu ? 'g' : item.unlisted ? 'u' : 'v');
    text += item.fate;
    for (const OutlineChange& change : item.changes) {
      text += '\x1f';
      text += change.what;
      text += change.before;
      text += '\x1e';
      text += change.after;
    }
    return text;
  }

  OutlineItem tell_gpu(const Difference& difference) const {
    OutlineItem item;
    item.gpu = true;
    item.place = place_of(plan_, difference.source);
    const auto number = [](std::uint32_t count) {
      return count == kNone ? std::string("none") : std::to_string(count);
    };
    item.changes.push_back({"partition count", number(difference.before), number(difference.after)});
    const PlanGpu& gpu = plan_.gpus[difference.index];
    if (gpu.vram_before || gpu.vram_after) {
      item.changes.push_back({"partition VRAM", gpu.vram_before ? human_size(*gpu.vram_before) : "not known",
                              gpu.vram_after ? human_size(*gpu.vram_after) : "not known before the count is set"});
    }
    if (fold_) {
      const std::string_view model = plan_.gpus[difference.index].model;
      item.changes.front().what = model.empty() ? "partition count" : fmt::format("partition count of {}", model);
    }
    return item;
  }

  OutlineItem tell_vm(std::uint32_t v) {
    const PlanVm& vm = plan_.vms[v];
    const VmFate& fate = fates_[v];
    OutlineItem item;
    const bool adapters = tell_held(vm, item);
    if (fate.stops || fate.starts) {
      item.fate = !fate.starts ? "stopped" : fate.stops ? "stopped, then started again" : "started";
    } else if (!item.changes.empty() || fate.offline_action != kNone) {
      item.fate = vm.was_running ? "not stopped" : "stays off";
    }
    const Place place = vm.new_gpu != kNone ? vm.place : fate.place;
    // The place of an unlisted VM is the policy's; of one that no difference tells, none is known here.
    item.unlisted = (adapters || fate.told) && !vm.place.known() && !plan_.files.empty();
    item.place = place_of(plan_, place);
    if (fate.offline_action != kNone) {
      const Difference& difference = plan_.differences[fate.offline_action];
      item.changes.push_back(
          {"OfflineAction", word(difference, difference.before), word(difference, difference.after)});
    }
    if (fate.state != kNone) {
      const Difference& difference = plan_.differences[fate.state];
      item.changes.push_back({"state", word(difference, difference.before), word(difference, difference.after)});
    }
    return item;
  }

  static std::string word(const Difference& difference, std::uint32_t value) {
    return value == kNone ? "none" : std::string(property_word(difference.property, value));
  }

  // Returns whether its adapters change.
  bool tell_held(const PlanVm& vm, OutlineItem& item) {
    const auto adapters = plan_.adapters_of(vm);
    if (vm.new_gpu == kNone &&
        std::none_of(adapters.begin(), adapters.end(), [](const PlanAdapter& each) { return each.removed; })) {
      return false;
    }
    item.changes.push_back({"partition", held(vm, false), held(vm, true)});
    return true;
  }

  std::string held(const PlanVm& vm, bool after) {
    held_gpus(plan_, vm, after, held_);
    if (held_.empty()) {
      return "none";
    }
    const bool host_chooses = after && vm.new_gpu == PlanVm::kHostChooses;
    std::string text;
    for (std::size_t i = 0; i < held_.size(); ++i) {
      text += i == 0 ? "" : ", ";
      if (!held_[i].empty()) {
        text += gpu(vm.host, held_[i]);
      } else {
        text += host_chooses && i + 1 == held_.size() ? "on a GPU that the host chooses" : "on no GPU yet";
      }
    }
    return text;
  }

  const Plan& plan_;
  bool fold_;
  std::vector<VmFate> fates_;
  std::unordered_map<std::string, std::uint32_t> models_by_name_;
  std::vector<std::string_view> held_;
  std::string signature_;
};

OutlineStep tell_step(const Plan& plan, std::uint32_t index) {
  const Step& step = plan.steps[index];
  OutlineStep out;
  out.id = index + 1;
  out.op = step.op;
  const std::string& host = plan.hosts[host_of(plan, step)].name;
  if (step.op == Op::kSetPartitionCount) {
    const PlanGpu& gpu = plan.gpus[step.gpu];
    out.target = host + "/gpu/" + gpu_title(gpu.model, gpu.name);
    out.detail = step.from == kNone ? fmt::format("to {}", step.to) : fmt::format("{} -> {}", step.from, step.to);
  } else {
    out.target = fmt::format("{}/vm/{}", host, plan.vms[step.vm].name);
  }
  if (step.op == Op::kAssignPartition && step.gpu != kNone) {
    out.detail = "on " + gpu_title(plan.gpus[step.gpu].model, plan.gpus[step.gpu].name);
  } else if (step.op == Op::kSetOfflineAction) {
    const auto word = [](std::uint32_t value) {
      return value == kNone ? std::string_view("none") : property_word(Property::kOfflineAction, value);
    };
    out.detail = fmt::format("{} -> {}", word(step.from), word(step.to));
  }
  append_reason(plan, index, out.reason);
  return out;
}

// Like steps have the same op, and the same reason but for numbers of lines.
void fold_steps(const Plan& plan, const std::function<void(const OutlineStep&)>& tell) {
  std::vector<OutlineStep> rows;
  std::unordered_map<std::string, std::size_t> alike;
  std::string reason;
  std::string like;
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    reason.clear();
    append_reason(plan, i, reason);
    like.assign(1, static_cast<char>('a' + static_cast<int>(step.op)));
    std::copy_if(reason.begin(), reason.end(), std::back_inserter(like), [](char c) { return c < '0' || c > '9'; });
    if (step.op == Op::kSetPartitionCount || step.op == Op::kSetOfflineAction) {
      like += fmt::format("{} {}", step.from, step.to);
    }
    const auto [found, is_new] = alike.emplace(like, rows.size());
    if (is_new) {
      rows.push_back(tell_step(plan, i));
    } else {
      ++rows[found->second].count;
    }
  }
  for (const OutlineStep& row : rows) {
    tell(row);
  }
}

}  // namespace

bool folded(const Plan& plan, bool full) { return !full && plan.steps.size() > kToldWhole; }

std::vector<OutlineHost> outline_hosts(const Plan& plan, bool fold) { return Outline(plan, fold).hosts(); }

void outline_steps(const Plan& plan, bool fold, const std::function<void(const OutlineStep&)>& tell) {
  if (fold) {
    fold_steps(plan, tell);
    return;
  }
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    tell(tell_step(plan, i));
  }
}

std::string some_of(const std::vector<std::string>& names, std::size_t count) {
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (count > names.size()) {
    text += fmt::format(" and {} more", count - names.size());
  }
  return text;
}

std::string_view nothing_to_do(const Plan& plan) {
  return !covers_all(plan)   ? "Nothing to do in what is covered."
         : plan.incomplete() ? "Nothing to do on the hosts that were checked."
                             : "In desired state. Nothing to do.";
}

std::string plan_summary(const Plan& plan) {
  std::vector<unsigned char> power(plan.vms.size(), 0);  // 1: stops, 2: starts
  for (const Step& step : plan.steps) {
    if (step.vm != kNone) {
      power[step.vm] = static_cast<unsigned char>(power[step.vm] | (step.op == Op::kStopVm    ? 1U
                                                                    : step.op == Op::kStartVm ? 2U
                                                                                              : 0U));
    }
  }
  const auto vms = [&](unsigned char what) {
    return static_cast<std::size_t>(std::count(power.begin(), power.end(), what));
  };
  const std::array<std::uint64_t, kOps> steps = plan.summary();
  const auto of = [&](Op op) { return static_cast<std::size_t>(steps.at(static_cast<std::size_t>(op))); };
  std::vector<std::string> parts;
  const auto part = [&](std::size_t count, std::string_view one, std::string_view many) {
    if (count != 0) {
      parts.push_back(counted(count, one, many));
    }
  };
  part(of(Op::kSetPartitionCount), "partition count to set", "partition counts to set");
  part(vms(3), "VM to stop and start again", "VMs to stop and start again");
  part(vms(1), "VM to stop", "VMs to stop");
  part(vms(2), "VM to start", "VMs to start");
  part(of(Op::kUnassignPartition), "partition to unassign", "partitions to unassign");
  part(of(Op::kAssignPartition), "partition to assign", "partitions to assign");
  part(of(Op::kSetOfflineAction), "OfflineAction to set", "OfflineActions to set");
  part(plan.owed_starts.size(), "owed start to forget", "owed starts to forget");
  return parts.empty() ? "Plan: nothing to do." : fmt::format("Plan: {}.", fmt::join(parts, ", "));
}

}  // namespace gpup
