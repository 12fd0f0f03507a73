#include <algorithm>
#include <bit>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.h"
#include "plan/goal.h"

namespace gpup {

namespace {

// A VM of the hosts that were read: indexes into Goal::hosts and Host::vms.
struct Seen {
  std::uint32_t host = kNone;
  std::uint32_t vm = kNone;
};

// VMs by a text that several may share: a table of chains, since the general maps cost a node a VM.
class VmTable {
 public:
  VmTable(std::size_t size, const std::function<std::uint64_t(std::uint32_t)>& hash)
      : heads_(std::bit_ceil(std::max<std::size_t>(size, 1)), kNone), next_(size, kNone) {
    // Backwards, so that a chain is in the order of the VMs.
    for (std::size_t i = size; i-- > 0;) {
      std::uint32_t& head = heads_[hash(static_cast<std::uint32_t>(i)) & (heads_.size() - 1)];
      next_[i] = head;
      head = static_cast<std::uint32_t>(i);
    }
  }

  template <class Equal>
  void find(std::uint64_t hash, std::vector<std::uint32_t>& out, Equal equal) const {
    for (std::uint32_t i = heads_[hash & (heads_.size() - 1)]; i != kNone; i = next_[i]) {
      if (equal(i)) {
        out.push_back(i);
      }
    }
  }

 private:
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint32_t> next_;
};

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

std::uint64_t hash_without_case(std::string_view text) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    hash = (hash ^ byte) * 1099511628211ULL;
  }
  return hash ^ (hash >> 32);
}

class VmLines {
 public:
  VmLines(const DesiredState& desired, Goal& goal, Findings& findings)
      : desired_(desired), goal_(goal), findings_(findings), goal_of_(desired.hosts.size(), kNone) {
    std::size_t count = 0;
    for (std::uint32_t h = 0; h < goal.hosts.size(); ++h) {
      goal_of_[goal.hosts[h].desired] = h;
      count += goal.hosts[h].vms.size();
    }
    seen_.reserve(count);
    for (std::uint32_t h = 0; h < goal.hosts.size(); ++h) {
      for (std::uint32_t v = 0; v < goal.hosts[h].vms.size(); ++v) {
        seen_.push_back({h, v});
      }
    }
  }

  void find() {
    const VmTable by_name(seen_.size(), [&](std::uint32_t i) { return hash_of(vm(i).name); });
    const bool ids = std::any_of(desired_.assignments.begin(), desired_.assignments.end(),
                                 [](const DesiredAssignment& line) { return !line.id.empty(); });
    const VmTable by_id(ids ? seen_.size() : 0, [&](std::uint32_t i) { return hash_without_case(vm(i).id); });
    for (std::uint32_t l = 0; l < desired_.assignments.size(); ++l) {
      const DesiredAssignment& line = desired_.assignments[l];
      if (!line.match.empty()) {
        continue;
      }
      hits_.clear();
      const auto here = [&](std::uint32_t i) {
        return line.host == DesiredAssignment::kNoHost || goal_.hosts[seen_[i].host].desired == line.host;
      };
      if (line.id.empty()) {
        by_name.find(hash_of(line.vm), hits_, [&](std::uint32_t i) { return vm(i).name == line.vm && here(i); });
      } else {
        by_id.find(hash_without_case(line.id), hits_,
                   [&](std::uint32_t i) { return same_name(vm(i).id, line.id) && here(i); });
      }
      take(l);
    }
    for (std::uint32_t l = 0; l < desired_.assignments.size(); ++l) {
      if (!desired_.assignments[l].match.empty()) {
        take_matches(l);
      }
    }
    tell_unchecked();
  }

 private:
  const Vm& vm(std::uint32_t i) const { return goal_.hosts[seen_[i].host].host->vms[seen_[i].vm]; }
  const Host& host(std::uint32_t i) const { return *goal_.hosts[seen_[i].host].host; }
  VmGoal& goal(std::uint32_t i) { return goal_.hosts[seen_[i].host].vms[seen_[i].vm]; }

  static std::string what(const DesiredAssignment& line) {
    return line.vm.empty() ? fmt::format("VM with id {}", line.id) : fmt::format("VM '{}'", line.vm);
  }
  static std::string_view name(const DesiredAssignment& line) { return line.vm.empty() ? line.id : line.vm; }

  // True where the line's VM may be on a host that was not read.
  bool may_be_elsewhere(const DesiredAssignment& line) const {
    return line.host != DesiredAssignment::kNoHost ? goal_of_[line.host] == kNone : !goal_.not_checked.empty();
  }

  void take(std::uint32_t l) {
    const DesiredAssignment& line = desired_.assignments[l];
    if (hits_.empty()) {
      miss(line);
      return;
    }
    if (hits_.size() > 1) {
      std::string places;
      for (std::size_t i = 0; i < hits_.size() && i < 10; ++i) {
        places += fmt::format("{}{} on {}", i == 0 ? "" : ", ", vm(hits_[i]).id, host(hits_[i]).name);
      }
      findings_.error(Code::kVmAmbiguous, line.place, {{}, "vm", name(line)},
                      fmt::format("{} is found {} times: {}", what(line), hits_.size(), places),
                      line.id.empty() ? "pick one with 'id:', or with 'host:' where they are on different hosts"
                                      : "pick one with 'host:'");
      for (const std::uint32_t hit : hits_) {
        goal(hit).line = l;  // nobody else's: what would follow from it is not told
      }
      return;
    }
    const std::uint32_t hit = hits_.front();
    if (!line.vm.empty() && vm(hit).name != line.vm) {
      findings_.error(Code::kVmMissing, line.place, {host(hit).name, "vm", line.vm},
                      fmt::format("the VM with id {} is called '{}', not '{}'", line.id, vm(hit).name, line.vm));
      return;
    }
    if (goal(hit).listed()) {
      findings_.error(Code::kVmMatchedTwice, line.place, {host(hit).name, "vm", vm(hit).name},
                      fmt::format("VM '{}' on {} is listed twice: here and at {}", vm(hit).name, host(hit).name,
                                  findings_.at(desired_.assignments[goal(hit).line].place)));
      return;
    }
    goal(hit).line = l;
    find_gpu_line(hit);
  }

  void miss(const DesiredAssignment& line) {
    if (may_be_elsewhere(line)) {
      unchecked_.push_back(&line);
      return;
    }
    constexpr std::uint32_t kMostHints = 100;  // each looks at every VM
    const std::uint32_t look_at = misses_++ < kMostHints ? static_cast<std::uint32_t>(seen_.size()) : 0;
    std::string hint;
    for (std::uint32_t i = 0; i < look_at && hint.empty(); ++i) {
      if (line.id.empty() ? vm(i).name == line.vm : same_name(vm(i).id, line.id)) {
        hint = fmt::format("it is on {}", host(i).name);
      } else if (line.id.empty() && same_name(vm(i).name, line.vm)) {
        hint = fmt::format("names are compared exactly: there is '{}' on {}", vm(i).name, host(i).name);
      }
    }
    const std::string where =
        line.host == DesiredAssignment::kNoHost
            ? std::string(desired_.hosts.size() == 1 ? desired_.hosts.front().target.name : "any host of the file")
            : desired_.hosts[line.host].target.name;
    findings_.error(Code::kVmMissing, line.place, {{}, "vm", name(line)},
                    fmt::format("{} does not exist on {}", what(line), where), std::move(hint));
  }

  void take_matches(std::uint32_t l) {
    const DesiredAssignment& line = desired_.assignments[l];
    const re2::RE2 pattern(re2::StringPiece(line.match.data(), line.match.size()), re2::RE2::Quiet);
    std::uint32_t found = 0;
    std::vector<std::string_view> names;
    for (std::uint32_t i = 0; i < seen_.size(); ++i) {
      if (line.host != DesiredAssignment::kNoHost && goal_.hosts[seen_[i].host].desired != line.host) {
        continue;
      }
      const VmGoal& wanted = goal(i);
      if (wanted.listed() && desired_.assignments[wanted.line].match.empty()) {
        continue;  // a line of its own takes a VM out of every match
      }
      if (!re2::RE2::FullMatch(re2::StringPiece(vm(i).name.data(), vm(i).name.size()), pattern)) {
        continue;
      }
      ++found;
      names.push_back(vm(i).name);
      if (wanted.listed()) {
        findings_.error(Code::kVmMatchedTwice, line.place, {host(i).name, "vm", vm(i).name},
                        fmt::format("VM '{}' on {} is matched twice: here and at {}", vm(i).name, host(i).name,
                                    findings_.at(desired_.assignments[wanted.line].place)));
        continue;
      }
      goal(i).line = l;
      find_gpu_line(i);
    }
    if (found == line.expect) {
      return;
    }
    if (found < line.expect && may_be_elsewhere(line)) {
      unchecked_.push_back(&line);
      return;
    }
    findings_.error(
        Code::kVmExpect, line.at(line.expect_at), {{}, "vm", line.match},
        fmt::format("'{}' matches {} VM{}, {} expected", line.match, found, found == 1 ? "" : "s", line.expect),
        names.empty() ? std::string() : fmt::format("it matches {}", some_names(names)));
  }

  // Which line under `gpus` the VM's partition comes from.
  void find_gpu_line(std::uint32_t i) {
    if (goal(i).stays) {
      return;
    }
    HostGoal& on = goal_.hosts[seen_[i].host];
    const DesiredAssignment& line = desired_.assignments[goal(i).line];
    const Place place = line.gpu.empty() ? line.place : line.at(line.gpu_at);
    const About about{on.host->name, "vm", vm(i).name};
    std::uint32_t only = kNone;
    std::string_view model;
    bool several_models = false;
    bool several_lines = false;
    for (std::size_t g = 0; g < on.gpus.size(); ++g) {
      const Gpu& gpu = on.host->gpus[g];
      if (!on.gpus[g].managed() || (!line.gpu.empty() && gpu.model != line.gpu)) {
        continue;
      }
      several_models = several_models || (only != kNone && model != gpu.model);
      several_lines = several_lines || (only != kNone && only != on.gpus[g].line);
      only = only == kNone ? on.gpus[g].line : only;
      model = gpu.model;
    }
    if (several_models) {
      findings_.error(
          Code::kModelAmbiguous, place, about,
          fmt::format("{} has more than one managed model: say which one VM '{}' gets", on.host->name, vm(i).name),
          "add 'gpu:' with the model's name");
    } else if (several_lines) {
      findings_.error(Code::kModelAmbiguous, place, about,
                      fmt::format("more than one line under gpus manages {} on {}", model, on.host->name),
                      "manage a model by one line on each host");
    } else if (only == kNone) {
      if (!on.unusable) {
        findings_.error(Code::kNoManagedGpu, place, about,
                        line.gpu.empty() ? fmt::format("no line under gpus manages a GPU on {}, where VM '{}' is",
                                                       on.host->name, vm(i).name)
                                         : fmt::format("no line under gpus manages {} on {}, where VM '{}' is",
                                                       line.gpu, on.host->name, vm(i).name));
      }
    } else {
      goal(i).gpu_line = only;
    }
  }

  void tell_unchecked() {
    constexpr std::size_t kMost = 100;
    std::vector<std::string_view> rest;
    for (std::size_t i = 0; i < unchecked_.size(); ++i) {
      const DesiredAssignment* line = unchecked_[i];
      goal_.unchecked.push_back(static_cast<std::uint32_t>(line - desired_.assignments.data()));
      if (i >= kMost) {
        rest.push_back(line->match.empty() ? name(*line) : line->match);
        continue;
      }
      if (line->match.empty()) {
        findings_.warn(Code::kVmNotChecked, line->place, {{}, "vm", name(*line)},
                       fmt::format("{} was not checked: it is on no host that could be read", what(*line)));
      } else {
        findings_.warn(Code::kVmNotChecked, line->at(line->expect_at), {{}, "vm", line->match},
                       fmt::format("'{}' was not checked: fewer than {} VMs match on the hosts that could be read",
                                   line->match, line->expect));
      }
    }
    if (!rest.empty()) {
      findings_.warn(Code::kVmNotChecked, {}, {{}, "vm", {}},
                     fmt::format("{} more lines were not checked: {}", rest.size(), some_names(rest)));
    }
  }

  const DesiredState& desired_;
  Goal& goal_;
  Findings& findings_;
  std::vector<std::uint32_t> goal_of_;  // of a host of the file: its index in Goal::hosts, kNone where not read
  std::vector<Seen> seen_;
  std::vector<std::uint32_t> hits_;
  std::uint32_t misses_ = 0;
  std::vector<const DesiredAssignment*> unchecked_;
};

}  // namespace

void find_vms(const DesiredState& desired, Goal& goal, Findings& findings) { VmLines(desired, goal, findings).find(); }

}  // namespace gpup
