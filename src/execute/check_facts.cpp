#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/side_by_side.h"
#include "base/text.h"
#include "execute/execute.h"
#include "execute/find.h"

namespace gpup {

namespace {

/// One host as it is now, made ready for many questions.
struct Now {
  Result<ObservedState> observed = fail(ErrorCode::kUnreachable, "it was not read");
  const Host* host = nullptr;
  std::unordered_map<std::string, const Vm*> vms;        // by id without case
  std::unordered_map<std::string, const Gpu*> gpus;      // by name without case
  std::unordered_map<std::string, std::uint32_t> named;  // adapters by the GPU that they name
  std::uint32_t unresolved = 0;
};

Now look(const HostTarget& target, HostReader& hosts) {
  Now now;
  now.observed = hosts.observe(target).get();
  if (!now.observed) {
    return now;
  }
  const auto found = std::find_if(now.observed->hosts.begin(), now.observed->hosts.end(),
                                  [&](const Host& host) { return same_name(host.name, target.name); });
  if (found == now.observed->hosts.end() || !found->reachable) {
    now.observed = fail(ErrorCode::kUnreachable, found == now.observed->hosts.end() ? std::string("it is not there")
                                                                                    : std::string(found->error));
    return now;
  }
  now.host = &*found;
  for (const Vm& vm : found->vms) {
    now.vms.emplace(fold_case(vm.id), &vm);
  }
  for (const Gpu& gpu : found->gpus) {
    now.gpus.emplace(fold_case(gpu.name), &gpu);
  }
  for (const Adapter& adapter : found->adapters) {
    if (adapter.gpu_name.empty()) {
      ++now.unresolved;
    } else {
      ++now.named[fold_case(adapter.gpu_name)];
    }
  }
  return now;
}

std::string count_words(std::uint32_t count) { return count == kNone ? "none" : fmt::format("{}", count); }

std::string_view state_words(std::uint32_t value) {
  return value == static_cast<std::uint32_t>(VmState::kRunning) ? "Running"
         : value == static_cast<std::uint32_t>(VmState::kOff)   ? "Off"
                                                                : "another state";
}

class FactCheck {
 public:
  FactCheck(const Plan& plan, HostReader& hosts, std::uint32_t at_once)
      : plan_(plan), hosts_(hosts), at_once_(at_once) {}

  Diagnostics run() {
    now_.resize(plan_.hosts.size());
    unreadable_.resize(plan_.hosts.size());
    gone_.resize(plan_.vms.size());
    std::vector<bool> wanted(plan_.hosts.size());
    for (const Fact& fact : plan_.facts) {
      wanted[host_of_fact(fact)] = true;
    }
    side_by_side(plan_.hosts.size(), at_once_, [&](std::size_t host) {
      if (wanted[host]) {
        now_[host].emplace(look(plan_.hosts[host], hosts_));
      }
    });
    for (const Fact& fact : plan_.facts) {
      if (Now* const now = now_at(host_of_fact(fact)); now != nullptr) {
        check(fact, *now);
      }
    }
    return std::move(found_);
  }

 private:
  std::uint32_t host_of_fact(const Fact& fact) const {
    switch (fact.subject) {
      case Subject::kHost:
        return fact.index;
      case Subject::kGpu:
        return plan_.gpus[fact.index].host;
      case Subject::kVm:
        return plan_.vms[fact.index].host;
    }
    return kNone;
  }

  /// The host as it was read; nullptr where it could not be, which is said once.
  Now* now_at(std::uint32_t host) {
    std::optional<Now>& slot = now_[host];
    if (!slot->observed) {
      if (!unreadable_[host]) {
        unreadable_[host] = true;
        Called trouble = called(slot->observed.error(), Code::kHostUnreadable);
        say(trouble.code, host, "host", plan_.hosts[host].name,
            "the host cannot be read: " + why(slot->observed.error()));
        found_.back().hint = std::move(trouble.hint);
      }
    }
    return slot->observed ? &*slot : nullptr;
  }

  void say(Code code, std::uint32_t host, std::string_view object, std::string_view name, std::string message) {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.host = plan_.hosts[host].name;
    diagnostic.object = object;
    diagnostic.name = name;
    diagnostic.message = std::move(message);
    found_.push_back(std::move(diagnostic));
  }

  /// `VM vdi-01 (711c...): state was Running, is Off`.
  template <class Before, class After>
  void broken(std::uint32_t host, std::string_view object, std::string_view name, std::string_view subject,
              std::string_view property, const Before& before, const After& after) {
    say(Code::kFactBroken, host, object, name, fmt::format("{}: {} was {}, is {}", subject, property, before, after));
  }

  void check(const Fact& fact, Now& now) {
    switch (fact.subject) {
      case Subject::kHost:
        if (now.unresolved != fact.value) {
          broken(fact.index, "host", plan_.hosts[fact.index].name, "host", "number of partitions that are not resolved",
                 count_words(fact.value), count_words(now.unresolved));
        }
        return;
      case Subject::kGpu:
        check_gpu(fact, plan_.gpus[fact.index], now);
        return;
      case Subject::kVm:
        check_vm(fact, plan_.vms[fact.index], now);
        return;
    }
  }

  void check_gpu(const Fact& fact, const PlanGpu& gpu, Now& now) {
    const std::string key = fold_case(gpu.name);
    const std::string subject = fmt::format("GPU {}", short_gpu_name(gpu.name));
    const auto found = now.gpus.find(key);
    if (found == now.gpus.end()) {
      if (gone_gpus_.insert(fact.index).second) {
        say(Code::kFactBroken, gpu.host, "gpu", gpu.name, fmt::format("{} was there, is gone", subject));
      }
      return;
    }
    const Gpu& is = *found->second;
    if (fact.property == Property::kPartitionCount) {
      if (const std::uint32_t count = is.partition_count.value_or(kNone); count != fact.value) {
        broken(gpu.host, "gpu", gpu.name, subject, "partitionCount", count_words(fact.value), count_words(count));
      }
    } else if (fact.property == Property::kStatus) {
      if (static_cast<std::uint32_t>(is.status) != fact.value) {
        broken(gpu.host, "gpu", gpu.name, subject, "status", to_string(static_cast<GpuStatus>(fact.value)),
               to_string(is.status));
      }
    } else if (fact.property == Property::kAssigned) {
      const auto named = now.named.find(key);
      if (const std::uint32_t count = named == now.named.end() ? 0 : named->second; count != fact.value) {
        broken(gpu.host, "gpu", gpu.name, subject, "number of partitions that are assigned", count_words(fact.value),
               count_words(count));
      }
    }
  }

  void check_vm(const Fact& fact, const PlanVm& vm, Now& now) {
    const std::string subject = "VM " + vm_words(vm);
    const auto found = now.vms.find(fold_case(vm.id));
    if (found == now.vms.end()) {
      if (!gone_[fact.index]) {
        gone_[fact.index] = true;
        const std::string place = where(vm);
        say(Code::kFactBroken, vm.host, "vm", vm.name,
            place.empty() ? fmt::format("{} was there, is gone", subject)
                          : fmt::format("{} was there, is on {} now", subject, place));
      }
      return;
    }
    const Vm& is = *found->second;
    if (fact.property == Property::kState) {
      if (static_cast<std::uint32_t>(is.state) != fact.value) {
        broken(vm.host, "vm", vm.name, subject, "state", state_words(fact.value), is.state_name);
      }
    } else if (fact.property == Property::kOfflineAction) {
      const std::uint32_t action = is.offline_action ? static_cast<std::uint32_t>(*is.offline_action) : kNone;
      if (action != fact.value) {
        broken(vm.host, "vm", vm.name, subject, "offlineAction", offline_action_words(fact.value),
               offline_action_words(action));
      }
    } else if (fact.property == Property::kPartitions) {
      check_partitions(vm, is, now, subject);
    }
  }

  void check_partitions(const PlanVm& vm, const Vm& is, Now& now, const std::string& subject) {
    using Row = std::pair<std::string, std::string>;  // id and GPU without case
    std::vector<Row> before;
    std::vector<Row> after;
    std::vector<std::string_view> gpus_before;
    std::vector<std::string_view> gpus_after;
    for (const PlanAdapter& adapter : plan_.adapters_of(vm)) {
      before.emplace_back(fold_case(adapter.id), fold_case(adapter.gpu));
      gpus_before.push_back(adapter.gpu);
    }
    for (const Adapter& adapter : now.host->adapters_of(is)) {
      after.emplace_back(fold_case(adapter.id), fold_case(adapter.gpu_name));
      gpus_after.push_back(adapter.gpu_name);
    }
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    if (before == after) {
      return;
    }
    const std::string words = partitions_words(gpus_before);
    std::string words_now = partitions_words(gpus_after);
    if (words == words_now) {
      words_now = "another one";  // the same by its GPU: it was taken away and given again
    }
    broken(vm.host, "vm", vm.name, subject, "what it holds", words, words_now);
  }

  /// The plan's other host that has the VM now.
  std::string where(const PlanVm& vm) {
    const std::string key = fold_case(vm.id);
    for (std::uint32_t host = 0; host < plan_.hosts.size(); ++host) {
      std::optional<Now>& slot = now_[host];
      if (!slot) {
        slot.emplace(look(plan_.hosts[host], hosts_));
      }
      if (host != vm.host && slot->observed && slot->vms.contains(key)) {
        return plan_.hosts[host].name;
      }
    }
    return {};
  }

  const Plan& plan_;
  HostReader& hosts_;
  const std::uint32_t at_once_;
  std::vector<std::optional<Now>> now_;  // by host: those of facts, others once they are asked for
  // What was said already, since several facts may break by one cause.
  std::vector<bool> unreadable_;  // by host
  std::vector<bool> gone_;        // by VM
  std::unordered_set<std::uint32_t> gone_gpus_;
  Diagnostics found_;
};

}  // namespace

Diagnostics check_facts(const Plan& plan, HostReader& hosts, std::uint32_t at_once) {
  return FactCheck(plan, hosts, at_once).run();
}

}  // namespace gpup
