#include "plan/scope.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/goal.h"

namespace gpup {

namespace {

constexpr std::string_view kVmPart = "/vm/";

std::string listed(const std::vector<Address>& addresses) {
  std::string out;
  for (const Address& address : addresses) {
    out += (out.empty() ? "" : ", ") + to_string(address);
  }
  return out;
}

bool names(const Address& address, const Vm& vm) { return address.vm == vm.name || same_name(address.vm, vm.id); }

/// What a list of addresses says of one host.
class OfHost {
 public:
  OfHost(const std::vector<Address>& addresses, std::string_view host) {
    for (const Address& address : addresses) {
      if (same_name(address.host, host)) {
        whole_ = whole_ || address.vm.empty();
        mine_.push_back(&address);
      }
    }
  }

  bool whole() const { return whole_; }
  bool has(const Vm& vm) const {
    return whole_ || std::any_of(mine_.begin(), mine_.end(), [&](const Address* a) { return names(*a, vm); });
  }

 private:
  std::vector<const Address*> mine_;
  bool whole_ = false;
};

bool is_there(const DesiredState& desired, const Goal& goal, const Address& address, Findings& findings) {
  std::vector<std::string_view> known;
  for (const DesiredHost& host : desired.hosts) {
    known.push_back(host.target.name);
  }
  const auto suggested = [&](std::string_view word) {
    const auto near = nearest(word, known);
    return near ? fmt::format("did you mean '{}'?", *near) : std::string();
  };
  if (std::none_of(known.begin(), known.end(), [&](std::string_view name) { return same_name(name, address.host); })) {
    findings.error(Code::kNoSuchTarget, {}, {address.host, "host", address.host},
                   fmt::format("the file has no host '{}', which --target or --exclude names", address.host),
                   suggested(address.host));
    return false;
  }
  const auto on = std::find_if(goal.hosts.begin(), goal.hosts.end(),
                               [&](const HostGoal& host) { return same_name(host.host->name, address.host); });
  if (address.vm.empty() || on == goal.hosts.end()) {
    return true;  // a host that could not be read is not checked
  }
  const std::vector<Vm>& vms = on->host->vms;
  if (std::any_of(vms.begin(), vms.end(), [&](const Vm& vm) { return names(address, vm); })) {
    return true;
  }
  known.clear();
  for (const Vm& vm : vms) {
    known.push_back(vm.name);
  }
  findings.error(Code::kNoSuchTarget, {}, {address.host, "vm", address.vm},
                 fmt::format("host {} has no VM '{}', which --target or --exclude names", address.host, address.vm),
                 suggested(address.vm));
  return false;
}

}  // namespace

std::string to_string(const Address& address) {
  return address.vm.empty() ? address.host : address.host + std::string(kVmPart) + address.vm;
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  Address address{std::string(text.substr(0, slash)), {}};
  if (slash != std::string_view::npos) {
    const std::string_view rest = text.substr(slash);
    if (!rest.starts_with(kVmPart) || rest.size() == kVmPart.size()) {
      return std::nullopt;
    }
    address.vm = rest.substr(kVmPart.size());
  }
  return address.host.empty() ? std::nullopt : std::optional(std::move(address));
}

bool covers_all(const Plan& plan) {
  return std::none_of(plan.diagnostics.begin(), plan.diagnostics.end(),
                      [](const Diagnostic& diagnostic) { return diagnostic.code == Code::kNotForRoutine; });
}

void narrow(const DesiredState& desired, const Scope& scope, Goal& goal, Findings& findings) {
  if (scope.whole()) {
    return;
  }
  bool all_there = true;
  for (const std::vector<Address>* const addresses : {&scope.targets, &scope.excludes}) {
    for (const Address& address : *addresses) {
      all_there = is_there(desired, goal, address, findings) && all_there;
    }
  }
  if (!all_there) {
    return;  // what would follow from half a scope is not told
  }
  for (HostGoal& on : goal.hosts) {
    const OfHost targets(scope.targets, on.host->name);
    const OfHost excludes(scope.excludes, on.host->name);
    const bool all = scope.targets.empty();
    on.counts_stay = !(all || targets.whole()) || excludes.whole();
    on.left_out = on.counts_stay;
    for (std::size_t v = 0; v < on.vms.size(); ++v) {
      const Vm& vm = on.host->vms[v];
      on.vms[v].stays = !(all || targets.has(vm)) || excludes.has(vm);
      on.left_out = on.left_out && on.vms[v].stays;
    }
  }
  findings.warn(Code::kNotForRoutine, {}, {},
                fmt::format("this covers {}{}{}: the rest stays as it is and was not compared",
                            scope.targets.empty() ? std::string("everything") : "only " + listed(scope.targets),
                            scope.excludes.empty() ? "" : " but ", listed(scope.excludes)),
                "--target and --exclude are for emergencies, not for routine: plan without them once that is over");
}

}  // namespace gpup
