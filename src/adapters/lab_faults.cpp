#include "adapters/lab_faults.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::uint64_t kLongestMs = 600'000;

constexpr auto kOpNames =
    std::to_array<std::string_view>({"stop-vm", "unassign-partition", "set-partition-count", "assign-partition",
                                     "set-offline-action", "start-vm", "observe"});
constexpr auto kKindNames = std::to_array<std::string_view>(
    {"fail", "claim-success", "lose-reply-before", "lose-reply-after", "drop-session", "delay", "move-to"});
constexpr auto kPlacements = std::to_array<std::string_view>({"first", "last", "spread"});

/// Collects what is wrong, each with the path to it: `hv-e1: simulate.faults[0].kind: ...`.
class Checker {
 public:
  Checker(std::string file, std::string host) : file_(std::move(file)), host_(std::move(host)) {}

  void wrong(const std::string& where, const std::string& what) {
    Diagnostic diagnostic;
    diagnostic.code = Code::kJsonType;
    diagnostic.message = fmt::format("{}: {}", where, what);
    diagnostic.file = file_;
    diagnostic.host = host_;
    diagnostic.object = "host";
    diagnostic.name = host_;
    found.push_back(std::move(diagnostic));
  }

  bool object(const LabJson& value, const std::string& where, const std::vector<std::string_view>& known) {
    if (!value.is_object()) {
      wrong(where, "must be an object");
      return false;
    }
    for (const auto& [name, ignored] : value.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        const auto near = nearest(name, known);
        wrong(where, fmt::format("unknown member '{}'{}", escape_terminal(name),
                                 near ? fmt::format(", did you mean '{}'?", *near) : std::string()));
      }
    }
    return true;
  }

  void text(const LabJson& of, const char* name, const std::string& where) {
    if (of.contains(name) && !of[name].is_string()) {
      wrong(where + "." + name, "must be a string");
    }
  }
  void flag(const LabJson& of, const char* name, const std::string& where) {
    if (of.contains(name) && !of[name].is_boolean()) {
      wrong(where + "." + name, "must be true or false");
    }
  }
  void number(const LabJson& of, const char* name, const std::string& where,
              std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    if (of.contains(name) && !(of[name].is_number_unsigned() && of[name].get<std::uint64_t>() <= most)) {
      wrong(where + "." + name, most == std::numeric_limits<std::uint64_t>::max()
                                    ? std::string("must be a whole number, at least 0")
                                    : fmt::format("must be a whole number from 0 to {}", most));
    }
  }
  template <std::size_t kSize>
  void one_of(const LabJson& of, const char* name, const std::string& where,
              const std::array<std::string_view, kSize>& words, bool required) {
    const std::string said = lab_text(of, name);
    if ((required || of.contains(name)) && std::find(words.begin(), words.end(), said) == words.end()) {
      wrong(where + "." + name, fmt::format("must be one of {}", fmt::join(words, ", ")));
    }
  }

  Diagnostics found;

 private:
  std::string file_;
  std::string host_;
};

void check_fault(Checker& check, const LabJson& fault, const std::string& where) {
  if (!check.object(
          fault, where,
          {"op", "vm", "gpu", "kind", "count", "after", "seen", "message", "code", "ms", "to", "performed"})) {
    return;
  }
  check.one_of(fault, "op", where, kOpNames, true);
  check.one_of(fault, "kind", where, kKindNames, true);
  for (const char* const name : {"vm", "gpu", "message", "to"}) {
    check.text(fault, name, where);
  }
  for (const char* const name : {"count", "after", "seen"}) {
    check.number(fault, name, where);
  }
  check.number(fault, "ms", where, kLongestMs);
  check.flag(fault, "performed", where);
  if (fault.contains("code") && !parse_code(lab_text(fault, "code"))) {
    check.wrong(where + ".code", "must be a code of gpup, as 'GP187'");
  }
  if (lab_text(fault, "kind") == "move-to" && lab_text(fault, "to").empty()) {
    check.wrong(where + ".to", "must name a host of the lab");
  }
}

void check_profile(Checker& check, const LabJson& profile, const std::string& where) {
  if (!check.object(profile, where, {"model", "device", "counts"})) {
    return;
  }
  check.text(profile, "model", where);
  check.text(profile, "device", where);
  if (!profile.contains("counts") || !profile["counts"].is_array()) {
    check.wrong(where + ".counts", "must be a list");
    return;
  }
  for (const LabJson& row : profile["counts"]) {
    if (check.object(row, where + ".counts", {"count", "vram", "encode", "decode", "compute"})) {
      for (const char* const name : {"count", "vram", "encode", "decode", "compute"}) {
        check.number(row, name, where + ".counts");
      }
    }
  }
}

template <class Each>
void check_list(Checker& check, const LabJson& of, const char* name, const Each& each) {
  if (!of.contains(name)) {
    return;
  }
  if (!of[name].is_array()) {
    check.wrong(std::string("simulate.") + name, "must be a list");
    return;
  }
  std::size_t index = 0;
  for (const LabJson& value : of[name]) {
    each(check, value, fmt::format("simulate.{}[{}]", name, index++));
  }
}

std::uint64_t number_or(const LabJson& object, const char* name, std::uint64_t otherwise) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : otherwise;
}

const LabJson* simulate_of(const LabJson& host) {
  const auto found = host.find("simulate");
  return found != host.end() && found->is_object() ? &*found : nullptr;
}

bool is_about(const LabJson& fault, const Request& request) {
  const std::string vm = lab_text(fault, "vm");
  const std::string gpu = lab_text(fault, "gpu");
  return lab_text(fault, "op") == request.op && (vm.empty() || vm == request.vm_name || same_name(vm, request.vm_id)) &&
         (gpu.empty() || same_name(gpu, request.gpu));
}

Fault as_told(const LabJson& fault) {
  Fault told;
  const std::string kind = lab_text(fault, "kind");
  const auto* const found = std::find(kKindNames.begin(), kKindNames.end(), kind);
  told.kind = static_cast<FaultKind>(found - kKindNames.begin());
  told.message = lab_text(fault, "message");
  if (told.message.empty()) {
    told.message = "OperationFailed: the host refused, as the lab was told";
  }
  told.ms = number_or(fault, "ms", 0);
  told.to = lab_text(fault, "to");
  told.code = parse_code(lab_text(fault, "code"));
  told.performed = fault.value("performed", false);
  return told;
}

}  // namespace

Diagnostics check_simulate(const LabJson& lab, const std::string& path) {
  Diagnostics found;
  const auto hosts = lab.find("hosts");
  if (hosts == lab.end() || !hosts->is_array()) {
    return found;
  }
  for (const LabJson& host : *hosts) {
    if (!host.is_object() || !host.contains("simulate") || host["simulate"].is_null()) {
      continue;
    }
    const LabJson& simulate = host["simulate"];
    Checker check(path, lab_text(host, "name"));
    if (check.object(simulate, "simulate",
                     {"placement", "forgetsGpu", "profiles", "latency", "faults", "heldBy", "facts"})) {
      check.one_of(simulate, "placement", "simulate", kPlacements, false);
      check.flag(simulate, "forgetsGpu", "simulate");
      check.text(simulate, "heldBy", "simulate");
      if (simulate.contains("facts") && !simulate["facts"].is_object()) {
        check.wrong("simulate.facts", "must be an object");
      }
      check_list(check, simulate, "profiles", check_profile);
      check_list(check, simulate, "faults", check_fault);
      if (simulate.contains("latency") &&
          check.object(simulate["latency"], "simulate.latency", {kOpNames.begin(), kOpNames.end()})) {
        for (const auto& [name, ignored] : simulate["latency"].items()) {
          check.number(simulate["latency"], name.c_str(), "simulate.latency", kLongestMs);
        }
      }
    }
    found.insert(found.end(), check.found.begin(), check.found.end());
  }
  return found;
}

bool has_faults(const LabJson& host) {
  const LabJson* const simulate = simulate_of(host);
  return simulate != nullptr && simulate->contains("faults");
}

std::optional<Fault> next_fault(const LabJson& host, const Request& request, const FaultCount& counter) {
  if (!has_faults(host)) {
    return std::nullopt;
  }
  const LabJson& faults = (*simulate_of(host))["faults"];
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (!is_about(faults[i], request)) {
      continue;
    }
    const std::uint64_t seen = counter.seen(i);
    const std::uint64_t after = number_or(faults[i], "after", 0);
    const std::uint64_t count = number_or(faults[i], "count", 1);
    if (seen >= after && seen - after >= count) {
      continue;  // it has had its times
    }
    counter.count(i);
    if (seen >= after) {
      return as_told(faults[i]);
    }
  }
  return std::nullopt;
}

std::string simulated_holder(const LabJson& host) {
  const LabJson* const simulate = simulate_of(host);
  return simulate == nullptr ? std::string() : lab_text(*simulate, "heldBy");
}

std::uint64_t latency_ms(const LabJson& host, std::string_view op) {
  const LabJson* const simulate = simulate_of(host);
  if (simulate == nullptr || !simulate->contains("latency")) {
    return 0;
  }
  return number_or((*simulate)["latency"], std::string(op).c_str(), 0);
}

}  // namespace gpup
