#include "render/why.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/goal.h"
#include "plan/scope.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::size_t kMostNames = 10;

std::string gpu_words(const Gpu& gpu) { return gpu_title(gpu.model, gpu.name); }

std::string count_words(const std::optional<std::uint32_t>& count) {
  return count ? fmt::format("{}", *count) : std::string("unknown");
}

/// `a partition of 3648 MiB on NVIDIA A2 (4&18416dc3&0&0000)`
std::string held_words(const Host& host, const Adapter& adapter) {
  if (adapter.gpu == Adapter::kUnresolved) {
    return "a partition whose GPU is not known until the VM starts";
  }
  std::optional<std::uint64_t> vram = adapter.vram;
  std::string on = gpu_title({}, adapter.gpu_name);
  if (adapter.gpu >= 0) {
    const Gpu& gpu = host.gpus[static_cast<std::size_t>(adapter.gpu)];
    on = gpu_words(gpu);
    vram = vram ? vram : gpu.partition_vram;
  }
  return vram ? fmt::format("a partition of {} on {}", human_size(*vram), on) : "a partition on " + on;
}

class Finder {
 public:
  Finder(const DesiredState& desired, const ObservedState& observed, const Plan& plan, const Sources& sources)
      : desired_(desired), observed_(observed), plan_(plan), sources_(sources) {
    if (!desired.hosts.empty()) {
      Findings findings(sources);
      goal_ = find_hosts(desired, observed, findings);
      find_gpus(desired, goal_, findings);
      find_vms(desired, goal_, findings);
      decide_vms(desired, goal_, findings);
    }
  }

  Result<std::vector<WhySubject>> find(std::string_view name) {
    find_vms_named(name);
    if (found_.empty()) {
      find_gpu_named(name);
    }
    find_step_numbered(name);
    if (found_.empty()) {
      find_addressed(name);
    }
    if (found_.empty()) {
      find_gpus_by_part(name);
    }
    if (found_.empty()) {
      find_unseen(name);
    }
    if (found_.empty()) {
      return fail({nothing(name)});
    }
    return std::move(found_);
  }

 private:
  // Subjects

  /// `hv-e1/vm/vdi-01` and `hv-e1/gpu/NVIDIA A2 (4&18416dc3&0&0000)`, as every answer names them.
  void find_addressed(std::string_view text) {
    constexpr std::string_view kGpu = "/gpu/";
    if (const auto address = parse_address(text); address && !address->vm.empty()) {
      only_on_ = address->host;
      find_vms_named(address->vm);
    } else if (const std::size_t at = text.find(kGpu); at != std::string_view::npos) {
      only_on_ = text.substr(0, at);
      std::string_view name = text.substr(at + kGpu.size());
      if (const std::size_t bracket = name.rfind('('); name.ends_with(')') && bracket != std::string_view::npos) {
        name = name.substr(bracket + 1, name.size() - bracket - 2);
      }
      find_gpus_by_part(name);
    }
    only_on_.clear();
  }

  bool is_meant(const Host& host) const { return only_on_.empty() || same_name(host.name, only_on_); }

  void find_vms_named(std::string_view name) {
    for (const Host& host : observed_.hosts) {
      if (!is_meant(host)) {
        continue;
      }
      for (std::size_t v = 0; v < host.vms.size(); ++v) {
        if (host.vms[v].name == name || same_name(host.vms[v].id, name)) {
          add_vm(host, v);
        }
      }
    }
  }

  void find_gpu_named(std::string_view name) {
    for (const Host& host : observed_.hosts) {
      for (std::size_t g = 0; g < host.gpus.size(); ++g) {
        if (same_name(host.gpus[g].name, name)) {
          add_gpu(host, g);
        }
      }
    }
  }

  void find_step_numbered(std::string_view name) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size() && number >= 1 && number <= plan_.steps.size()) {
      add_step(number - 1);
    }
  }

  void find_gpus_by_part(std::string_view name) {
    const std::string part = fold_case(name);
    std::vector<std::pair<const Host*, std::size_t>> fits;
    for (const Host& host : observed_.hosts) {
      for (std::size_t g = 0; g < host.gpus.size() && is_meant(host); ++g) {
        const Gpu& gpu = host.gpus[g];
        if (!part.empty() && (fold_case(gpu.name).find(part) != std::string::npos ||
                              fold_case(gpu.model).find(part) != std::string::npos)) {
          fits.emplace_back(&host, g);
        }
      }
    }
    if (fits.size() == 1) {
      add_gpu(*fits.front().first, fits.front().second);
      return;
    }
    for (const auto& [host, g] : fits) {
      several_.push_back(fmt::format("{} on {}", gpu_words(host->gpus[g]), host->name));
    }
  }

  /// A VM that a line lists and no host that was read has.
  void find_unseen(std::string_view name) {
    for (const DesiredAssignment& line : desired_.assignments) {
      if (line.vm != name && !same_name(line.id, name)) {
        continue;
      }
      WhySubject subject;
      subject.object = "vm";
      subject.name = line.vm.empty() ? name : line.vm;
      subject.id = line.id;
      add_line(subject, line.place, "lists this VM");
      subject.seen.emplace_back("no host that was read has it");
      subject.reasons.push_back("it is not checked: " + not_read_hosts());
      found_.push_back(std::move(subject));
    }
  }

  void add_vm(const Host& host, std::size_t v) {
    const Vm& vm = host.vms[v];
    WhySubject subject;
    subject.object = "vm";
    subject.host = host.name;
    subject.name = vm.name;
    subject.id = vm.id;
    see_vm(host, vm, subject);
    if (const HostGoal* on = goal_of(host)) {
      explain_vm(*on, v, subject);
    } else {
      subject.reasons.push_back(no_goal(host));
    }
    const std::uint32_t index = plan_vm(host, vm);
    for (std::uint32_t s = 0; index != kNone && s < plan_.steps.size(); ++s) {
      if (plan_.steps[s].vm == index) {
        subject.steps.push_back(s);
      }
    }
    add_counts_between(subject.steps);
    found_.push_back(std::move(subject));
  }

  void add_gpu(const Host& host, std::size_t g) {
    const Gpu& gpu = host.gpus[g];
    WhySubject subject;
    subject.object = "gpu";
    subject.host = host.name;
    subject.name = gpu.name;
    see_gpu(host, g, subject);
    if (const HostGoal* on = goal_of(host)) {
      explain_gpu(*on, g, subject);
    } else {
      subject.reasons.push_back(no_goal(host));
    }
    for (std::uint32_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      if (step.gpu != kNone && same_name(plan_.gpus[step.gpu].name, gpu.name) &&
          same_name(plan_.hosts[plan_.gpus[step.gpu].host].name, host.name)) {
        subject.steps.push_back(s);
      }
    }
    found_.push_back(std::move(subject));
  }

  void add_step(std::uint32_t s) {
    const Step& step = plan_.steps[s];
    WhySubject subject;
    subject.object = "step";
    subject.host = plan_.hosts[host_of(plan_, step)].name;
    subject.name = fmt::format("{}", s + 1);
    std::string reason;
    append_reason(plan_, s, reason);
    subject.reasons.push_back(std::move(reason));
    explain_order(s, subject);
    // The chain goes on from the thing that the step changes.
    if (const Host* host = find_host(observed_, subject.host)) {
      const HostGoal* on = goal_of(*host);
      if (step.vm != kNone) {
        see_step_vm(*host, on, plan_.vms[step.vm], subject);
      } else if (step.gpu != kNone) {
        see_step_gpu(*host, on, plan_.gpus[step.gpu], subject);
      }
    }
    subject.steps.push_back(s);
    found_.push_back(std::move(subject));
  }

  void see_step_vm(const Host& host, const HostGoal* on, const PlanVm& planned, WhySubject& subject) {
    for (std::size_t v = 0; v < host.vms.size(); ++v) {
      if (same_name(host.vms[v].id, planned.id)) {
        see_vm(host, host.vms[v], subject);
        if (on != nullptr) {
          explain_vm(*on, v, subject);
        }
      }
    }
  }

  void see_step_gpu(const Host& host, const HostGoal* on, const PlanGpu& planned, WhySubject& subject) {
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      if (same_name(host.gpus[g].name, planned.name)) {
        see_gpu(host, g, subject);
        if (on != nullptr) {
          explain_gpu(*on, g, subject);
        }
      }
    }
  }

  void explain_order(std::uint32_t s, WhySubject& subject) const {
    std::vector<std::uint32_t> before;
    for (const std::uint32_t earlier : plan_.after_of(plan_.steps[s])) {
      before.push_back(earlier + 1);
    }
    if (!before.empty()) {
      subject.reasons.push_back(
          fmt::format("it waits for step{} {}", before.size() == 1 ? "" : "s", fmt::join(before, ", ")));
    }
    std::vector<std::uint32_t> later;
    for (std::uint32_t other = s + 1; other < plan_.steps.size(); ++other) {
      const auto after = plan_.after_of(plan_.steps[other]);
      if (std::find(after.begin(), after.end(), s) != after.end()) {
        later.push_back(other + 1);
      }
    }
    if (!later.empty()) {
      subject.reasons.push_back(later.size() == 1 ? fmt::format("step {} waits for it", later.front())
                                                  : fmt::format("steps {} wait for it", fmt::join(later, ", ")));
    }
  }

  /// The counts that are set between a VM's steps belong to its chain.
  void add_counts_between(std::vector<std::uint32_t>& steps) const {
    std::vector<std::uint32_t> counts;
    for (const std::uint32_t s : steps) {
      for (const std::uint32_t earlier : plan_.after_of(plan_.steps[s])) {
        if (plan_.steps[earlier].op == Op::kSetPartitionCount) {
          counts.push_back(earlier);
        }
      }
    }
    steps.insert(steps.end(), counts.begin(), counts.end());
    std::sort(steps.begin(), steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  }

  // What was seen

  void see_vm(const Host& host, const Vm& vm, WhySubject& subject) const {
    std::string state = fmt::format("{} on {}", vm.state_name, host.name);
    state += vm.clustered ? ", clustered" : ", not clustered";
    if (vm.offline_action) {
      state += fmt::format(", OfflineAction {}", to_string(*vm.offline_action));
    }
    subject.seen.push_back(std::move(state));
    const auto adapters = host.adapters_of(vm);
    if (adapters.empty()) {
      subject.seen.emplace_back("holds no partition");
    }
    for (const Adapter& adapter : adapters) {
      subject.seen.push_back("holds " + held_words(host, adapter));
    }
  }

  void see_gpu(const Host& host, std::size_t g, WhySubject& subject) const {
    const Gpu& gpu = host.gpus[g];
    subject.seen.push_back(fmt::format("{} on {}, {}", gpu_words(gpu), host.name, spelled_out(gpu.status)));
    std::string valid;
    for (const std::uint32_t count : gpu.valid_partition_counts) {
      valid += fmt::format("{}{}", valid.empty() ? "" : ", ", count);
    }
    subject.seen.push_back(fmt::format("partition count {} of {{{}}}{}", count_words(gpu.partition_count), valid,
                                       gpu.partition_vram ? ", " + human_size(*gpu.partition_vram) + " each" : ""));
    std::vector<std::string_view> holders;
    for (const Vm& vm : host.vms) {
      for (const Adapter& adapter : host.adapters_of(vm)) {
        if (adapter.gpu == static_cast<std::int32_t>(g)) {
          holders.push_back(vm.name);
        }
      }
    }
    subject.seen.push_back(holders.empty() ? std::string("no VM holds a partition of it")
                                           : "held by " + some_names(holders, kMostNames));
  }

  // Why

  void explain_vm(const HostGoal& on, std::size_t v, WhySubject& subject) const {
    const VmGoal& goal = on.vms[v];
    const Vm& vm = on.host->vms[v];
    if (goal.listed()) {
      const DesiredAssignment& line = desired_.assignments[goal.line];
      add_line(subject, line.place, line.match.empty() ? "lists this VM" : "lists this VM by its match");
      add_detail(subject, line, line.gpu_at, "says which model");
      add_detail(subject, line, line.power_at, "says its power");
      add_detail(subject, line, line.offline_action_at, "says its OfflineAction");
    } else {
      add_line(subject, desired_.policy.unlisted_place, "says what becomes of VMs that are not listed");
    }
    if (goal.adapters_change) {
      explain_change(on, vm, goal, subject);
    } else {
      explain_no_change(on, vm, goal, subject);
    }
    explain_power(vm, goal, subject);
    if (goal.offline_action) {
      subject.reasons.push_back(fmt::format(
          "its OfflineAction is to be {}{}", to_string(*goal.offline_action),
          goal.listed() && desired_.assignments[goal.line].offline_action ? "" : ", the default for clustered VMs"));
    }
  }

  void explain_change(const HostGoal& on, const Vm& vm, const VmGoal& goal, WhySubject& subject) const {
    switch (goal.reason) {
      case Reason::kHoldsNone:
        subject.reasons.emplace_back("a listed VM ends with exactly one partition of its line; it holds none");
        return;
      case Reason::kHoldsSeveral:
        subject.reasons.emplace_back("a listed VM ends with exactly one partition of its line; it holds several");
        return;
      case Reason::kDoesNotFit:
        subject.reasons.emplace_back("a listed VM ends with a partition of its line; what it holds is of another GPU");
        return;
      case Reason::kPlaceTaken:
        subject.reasons.emplace_back(
            "a run stopped it and owes it a start; others run in its place on the GPU that its partition names, so it "
            "gets a new one");
        return;
      case Reason::kNotListed:
        subject.reasons.emplace_back("no line lists it and policy.unlisted is unassign: it loses its partition");
        explain_counts(on, vm, subject);
        return;
      case Reason::kCountChanges:
        explain_counts(on, vm, subject);
        return;
      case Reason::kText:
      case Reason::kPowerOff:
      case Reason::kPowerRunning:
      case Reason::kWasRunning:
      case Reason::kStartOwed:
      case Reason::kBefore:
      case Reason::kWantedCount:
      case Reason::kOfflineAction:
        return;
    }
  }

  /// The changes of count that its adapters stand in the way of.
  void explain_counts(const HostGoal& on, const Vm& vm, WhySubject& subject) const {
    for (std::size_t g = 0; g < on.gpus.size(); ++g) {
      if (!on.gpus[g].changes) {
        continue;
      }
      const auto adapters = on.host->adapters_of(vm);
      const bool on_it = std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& adapter) {
        return adapter.gpu == static_cast<std::int32_t>(g);
      });
      const bool unresolved = std::any_of(adapters.begin(), adapters.end(),
                                          [](const Adapter& adapter) { return adapter.gpu == Adapter::kUnresolved; });
      if (!on_it && !unresolved) {
        continue;
      }
      const Gpu& gpu = on.host->gpus[g];
      add_line(subject, desired_.gpus[on.gpus[g].line].count_place, "wants this count");
      subject.reasons.push_back(fmt::format(
          "the partition count of {} changes from {} to {}; it is set only while no partition of it is assigned{}",
          gpu_words(gpu), count_words(gpu.partition_count), on.gpus[g].count,
          on_it ? "" : ", nor one whose GPU is not known"));
    }
  }

  void explain_no_change(const HostGoal& on, const Vm& vm, const VmGoal& goal, WhySubject& subject) const {
    const auto adapters = on.host->adapters_of(vm);
    if (goal.listed()) {
      if (adapters.empty()) {
        return;
      }
      const Adapter& adapter = adapters.front();
      std::string reason = "already holds " + held_words(*on.host, adapter);
      reason += adapter.gpu >= 0 ? fmt::format(", its GPU keeps its count of {}",
                                               on.gpus[static_cast<std::size_t>(adapter.gpu)].count)
                                 : std::string(", no GPU of its host changes its count");
      subject.reasons.push_back(std::move(reason));
      return;
    }
    const bool managed =
        std::any_of(adapters.begin(), adapters.end(), [&](const Adapter& adapter) { return on.on_managed(adapter); });
    if (adapters.empty()) {
      subject.reasons.emplace_back("no line lists it, and it holds no partition");
    } else if (!managed) {
      subject.reasons.emplace_back("no line lists it, and what it holds is of GPUs that no line names");
    } else {
      subject.reasons.push_back(fmt::format("no line lists it, and policy.unlisted is {}: it keeps its partition",
                                            to_string(desired_.policy.unlisted)));
    }
  }

  void explain_power(const Vm& vm, const VmGoal& goal, WhySubject& subject) const {
    const Power power = goal.listed() ? desired_.assignments[goal.line].power : Power::kKeep;
    if (goal.stops) {
      subject.reasons.emplace_back(goal.adapters_change ? "a VM is off while its partition is assigned or taken away"
                                                        : "the file wants it off");
    }
    if (goal.stops && goal.starts) {
      subject.reasons.emplace_back("it was running, so it is started again");
    } else if (goal.stops && power == Power::kOff) {
      subject.reasons.emplace_back("the file wants it off, so it is not started again");
    } else if (goal.starts) {
      subject.reasons.emplace_back(power == Power::kRunning ? "the file wants it running"
                                                            : "an earlier run stopped it and has not started it again");
    } else if (!goal.touched() && vm.state != VmState::kOther) {
      subject.reasons.emplace_back("nothing about it must change, so it is not stopped");
    }
  }

  void explain_gpu(const HostGoal& on, std::size_t g, WhySubject& subject) const {
    const GpuGoal& goal = on.gpus[g];
    const Gpu& gpu = on.host->gpus[g];
    if (!goal.managed()) {
      subject.reasons.emplace_back(gpu.status == GpuStatus::kPartitioned
                                       ? "no line under gpus names it: it is left alone"
                                       : "only GPUs that are partitioned can be a target: it is left alone");
      return;
    }
    const DesiredGpu& line = desired_.gpus[goal.line];
    add_line(subject, line.place, "manages this GPU");
    if (!line.partition_count) {
      subject.reasons.push_back(fmt::format("its line gives no partitionCount: it keeps its count of {}", goal.count));
      return;
    }
    add_line(subject, line.count_place, "wants this count");
    subject.reasons.push_back(
        goal.changes ? fmt::format("its count is {}, and {} is wanted", count_words(gpu.partition_count), goal.count)
                     : fmt::format("it has the wanted count of {} already", goal.count));
  }

  // Small things

  void add_line(WhySubject& subject, Place place, std::string says) const {
    if (!place.known() || place.file >= sources_.files().size()) {
      return;
    }
    const bool there = std::any_of(subject.lines.begin(), subject.lines.end(), [&](const WhyLine& line) {
      return line.place.file == place.file && line.place.line == place.line;
    });
    if (!there) {
      const Diagnostic at = sources_.at(place, Code{}, Severity::kWarning, {});
      subject.lines.push_back(WhyLine{place, at.file, at.excerpt, std::move(says)});
    }
  }

  void add_detail(WhySubject& subject, const DesiredAssignment& line, DesiredAssignment::Detail detail,
                  std::string says) const {
    if (detail.there()) {
      add_line(subject, line.at(detail), std::move(says));
    }
  }

  const HostGoal* goal_of(const Host& host) const {
    const auto found =
        std::find_if(goal_.hosts.begin(), goal_.hosts.end(), [&](const HostGoal& on) { return on.host == &host; });
    return found == goal_.hosts.end() ? nullptr : &*found;
  }

  std::string no_goal(const Host& host) const {
    if (desired_.hosts.empty()) {
      return "no file was given (-f), so nothing is wanted of it";
    }
    return fmt::format("host {} is not in the files: it is left alone", host.name);
  }

  std::string not_read_hosts() const {
    std::vector<std::string_view> names;
    for (const NotChecked& host : goal_.not_checked) {
      names.push_back(host.host);
    }
    return names.empty() ? std::string("no host has it")
                         : fmt::format("{} could not be read", some_names(names, kMostNames));
  }

  std::uint32_t plan_vm(const Host& host, const Vm& vm) const {
    for (std::uint32_t i = 0; i < plan_.vms.size(); ++i) {
      if (same_name(plan_.vms[i].id, vm.id) && same_name(plan_.hosts[plan_.vms[i].host].name, host.name)) {
        return i;
      }
    }
    return kNone;
  }

  Diagnostic nothing(std::string_view name) const {
    Diagnostic diagnostic;
    diagnostic.code = Code::kNoSubject;
    if (!several_.empty()) {
      diagnostic.message = fmt::format("'{}' fits several GPUs, and no VM", name);
      const std::vector<std::string_view> names(several_.begin(), several_.end());
      diagnostic.hint = some_names(names, kMostNames);
      return diagnostic;
    }
    diagnostic.message = fmt::format("there is no VM, GPU or step '{}'", hide_passwords(name));
    std::vector<std::string_view> known;
    for (const Host& host : observed_.hosts) {
      for (const Vm& vm : host.vms) {
        known.push_back(vm.name);
      }
      for (const Gpu& gpu : host.gpus) {
        known.push_back(gpu.model);
      }
    }
    if (const auto near = nearest(name, known)) {
      diagnostic.hint = fmt::format("did you mean '{}'?", *near);
    } else if (!plan_.steps.empty()) {
      diagnostic.hint = fmt::format("the plan's steps are numbered 1 to {}", plan_.steps.size());
    }
    return diagnostic;
  }

  const DesiredState& desired_;
  const ObservedState& observed_;
  const Plan& plan_;
  const Sources& sources_;
  Goal goal_;
  std::vector<WhySubject> found_;
  std::string only_on_;               // the host that is looked at; empty: all
  std::vector<std::string> several_;  // GPUs that a part of a name fits, where there are more than one
};

}  // namespace

Result<std::vector<WhySubject>> find_why(std::string_view name, const DesiredState& desired,
                                         const ObservedState& observed, const Plan& plan, const Sources& sources) {
  return Finder(desired, observed, plan, sources).find(name);
}

}  // namespace gpup
