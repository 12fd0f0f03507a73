#include "plan/drift.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/findings.h"

namespace gpup {

namespace {

bool names_gpu(std::string_view given, std::string_view name) {
  return same_name(given, name) || same_name(given, short_gpu_name(name));
}

class DriftFinder {
 public:
  DriftFinder(const Planned& planned, const DesiredState& desired, const PastRuns& past)
      : plan_(planned.plan),
        desired_(desired),
        past_(past),
        digests_(past.empty() ? std::vector<std::string>() : file_digests(planned.plan)),
        ignores_of_(desired.hosts.size()) {}

  void accept(std::string_view today) {
    const std::vector<DesiredIgnore>& all = desired_.policy.ignores;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      for (std::size_t h = 0; h < desired_.hosts.size() && !all[i].expired(today); ++h) {
        if (same_name(desired_.hosts[h].target.name, all[i].host)) {
          ignores_of_[h].push_back(i);
        }
      }
    }
  }

  Drifted tell(std::uint32_t index) const {
    const Difference& difference = plan_.differences[index];
    Drifted drifted;
    drifted.difference = index;
    drifted.place = difference.source;
    bool unlisted = false;
    switch (difference.subject) {
      case Subject::kHost:
        drifted.host = difference.index;
        break;
      case Subject::kGpu:
        drifted.host = plan_.gpus[difference.index].host;
        break;
      case Subject::kVm: {
        const PlanVm& vm = plan_.vms[difference.index];
        drifted.host = vm.host;
        unlisted = !vm.place.known();
        drifted.place = drifted.place.known() ? drifted.place : vm.place;
        break;
      }
    }
    drifted.place = drifted.place.known() ? drifted.place : desired_.hosts[drifted.host].place;
    if (unlisted) {
      drifted.cause = Cause::kUnlisted;
    } else if (!past_.empty()) {
      find_cause(difference, drifted);
    }
    drifted.ignore = accepted(difference, drifted.host);
    return drifted;
  }

 private:
  /// What PastRuns calls the object of a difference.
  std::string_view object(const Difference& difference) const {
    return difference.subject == Subject::kGpu  ? plan_.gpus[difference.index].name
           : difference.subject == Subject::kVm ? plan_.vms[difference.index].id
                                                : std::string_view(plan_.hosts[difference.index].name);
  }

  void find_cause(const Difference& difference, Drifted& drifted) const {
    const std::string& host = plan_.hosts[drifted.host].name;
    if (const PastRuns::Left* left = past_.find(host, object(difference), difference.property)) {
      if (left->known) {
        const bool as_left = difference.property == Property::kPartitions
                                 ? left->adapters == adapter_ids(plan_, plan_.vms[difference.index])
                                 : left->value == difference.before;
        // As a run left it that these files were of: it was cut off, or did not end well.
        drifted.cause = !as_left                                  ? Cause::kOutside
                        : past_.runs[left->run].files != digests_ ? Cause::kFileNewer
                                                                  : Cause::kUnknown;
        drifted.run = left->run;
      }
      return;
    }
    // No run had to change it: after the last one that compared the host, it was as that run's files wanted it.
    drifted.run = past_.last_on(host);
    if (drifted.run != kNone) {
      drifted.cause = past_.runs[drifted.run].files == digests_ ? Cause::kOutside : Cause::kFileNewer;
    }
  }

  std::uint32_t accepted(const Difference& difference, std::uint32_t host) const {
    for (const std::uint32_t i : ignores_of_[host]) {
      const DesiredIgnore& line = desired_.policy.ignores[i];
      if ((line.property.empty() || line.property == to_string(difference.property)) && is_about(line, difference)) {
        return i;
      }
    }
    return kNone;
  }

  bool is_about(const DesiredIgnore& line, const Difference& difference) const {
    if (!line.gpu.empty()) {
      return difference.subject == Subject::kGpu && names_gpu(line.gpu, plan_.gpus[difference.index].name);
    }
    if (!line.vm.empty()) {
      return difference.subject == Subject::kVm &&
             (line.vm == plan_.vms[difference.index].name || same_name(line.vm, plan_.vms[difference.index].id));
    }
    return true;
  }

  const Plan& plan_;
  const DesiredState& desired_;
  const PastRuns& past_;
  std::vector<std::string> digests_;
  std::vector<std::vector<std::uint32_t>> ignores_of_;  // by host
};

void tell_of_ignores(const DesiredState& desired, const ObservedState& observed, std::string_view today,
                     Findings& findings) {
  for (const DesiredIgnore& line : desired.policy.ignores) {
    const std::string_view kind = !line.vm.empty() ? "vm" : !line.gpu.empty() ? "gpu" : "host";
    const About about{line.host, kind, !line.vm.empty() ? line.vm : !line.gpu.empty() ? line.gpu : line.host};
    if (line.expired(today)) {
      findings.warn(
          Code::kIgnoreExpired, line.place, about,
          fmt::format("'{}' was accepted to differ until {}, which is over: {}", line.object, line.until, line.reason),
          "it counts as drift again: mend it and take this entry out, or agree on a new day");
      continue;
    }
    const Host* host = find_host(observed, line.host);
    if (host == nullptr || !host->reachable || kind == "host") {
      continue;
    }
    const bool there = kind == "vm"
                           ? std::any_of(host->vms.begin(), host->vms.end(),
                                         [&](const Vm& vm) { return vm.name == line.vm || same_name(vm.id, line.vm); })
                           : std::any_of(host->gpus.begin(), host->gpus.end(),
                                         [&](const Gpu& gpu) { return names_gpu(line.gpu, gpu.name); });
    if (!there) {
      findings.warn(Code::kIgnoreNothing, line.place, about,
                    fmt::format("'{}' is accepted to differ, and {} has no such {}", line.object, line.host,
                                kind == "vm" ? "VM" : "GPU"),
                    "correct the name, or take the entry out");
    }
  }
}

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kUnknown:
      return "unknown";
    case Cause::kOutside:
      return "outside";
    case Cause::kFileNewer:
      return "file-newer";
    case Cause::kUnlisted:
      return "unlisted";
  }
  return "";
}

Drift find_drift(const Planned& planned, const DesiredState& desired, const ObservedState& observed,
                 const Sources& sources, const PastRuns& past, std::string_view today) {
  Drift drift{planned.plan, desired, {}, {}, {}, planned.not_compared, 0};
  DriftFinder finder(planned, desired, past);
  finder.accept(today);
  const auto count = static_cast<std::uint32_t>(planned.plan.differences.size());
  drift.found.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    drift.found.push_back(finder.tell(i));
    drift.ignored += drift.found.back().ignored() ? 1U : 0U;
  }
  std::stable_sort(drift.found.begin(), drift.found.end(),
                   [](const Drifted& a, const Drifted& b) { return a.host < b.host; });
  drift.runs.reserve(past.runs.size());
  for (const PastRuns::Run& run : past.runs) {
    drift.runs.push_back(run.name);
  }
  Findings findings(sources);
  tell_of_ignores(desired, observed, today, findings);
  drift.diagnostics = planned.plan.diagnostics;
  std::move(findings.list.begin(), findings.list.end(), std::back_inserter(drift.diagnostics));
  return drift;
}

}  // namespace gpup
