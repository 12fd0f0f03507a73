#include <cassert>

#include <fmt/format.h>

#include "plan/plan.h"

namespace gpup {

namespace {

void append_place(const Plan& plan, Place place, std::string& out) {
  if (place.known() && place.file < plan.files.size()) {
    out += plan.files[place.file].path;
    out += ':';
    out += fmt::format_int(place.line).c_str();
  } else {
    out += "the file";
  }
}

// `listed at hci-east.yaml:21`
void append_listed(const Plan& plan, const PlanVm& vm, std::string& out) {
  out += "listed at ";
  append_place(plan, vm.place, out);
}

}  // namespace

void append_reason(const Plan& plan, std::uint32_t index, std::string& out) {
  const Step& step = plan.steps[index];
  switch (step.reason) {
    case Reason::kText:
      out += plan.reasons[index];
      return;
    case Reason::kCountChanges:
      out += "the partition count of its GPU changes";
      if (plan.vms[step.vm].place.known()) {
        out += "; ";
        append_listed(plan, plan.vms[step.vm], out);
      } else {
        out += "; not in the file, policy.unlisted is unassign";
      }
      return;
    case Reason::kHoldsNone:
      append_listed(plan, plan.vms[step.vm], out);
      out += ", holds no partition";
      return;
    case Reason::kHoldsSeveral:
      append_listed(plan, plan.vms[step.vm], out);
      out += ", holds more than one partition";
      return;
    case Reason::kDoesNotFit:
      append_listed(plan, plan.vms[step.vm], out);
      out += ", its partition is not of the GPUs of its line";
      return;
    case Reason::kPlaceTaken:
      append_listed(plan, plan.vms[step.vm], out);
      out += ", others run on its GPU in its place";
      return;
    case Reason::kNotListed:
      out += "not in the file, policy.unlisted is unassign";
      return;
    case Reason::kPowerOff:
      append_listed(plan, plan.vms[step.vm], out);
      out += " with power off";
      return;
    case Reason::kPowerRunning:
      append_listed(plan, plan.vms[step.vm], out);
      out += " with power running";
      return;
    case Reason::kWasRunning:
      out += "it was running";
      return;
    case Reason::kStartOwed:
      out += kStartOwedReason;
      return;
    case Reason::kBefore:
      out += "the run that is rolled back changed it";
      return;
    case Reason::kWantedCount:
      out += "the file wants ";
      out += fmt::format_int(step.to).c_str();
      out += " partitions";
      return;
    case Reason::kOfflineAction:
      append_listed(plan, plan.vms[step.vm], out);
      out += ", OfflineAction is to be ";
      out += to_string(static_cast<OfflineAction>(step.to));
      return;
  }
  assert(false);
}

}  // namespace gpup
