#include "execute/trouble.h"

#include <utility>

#include <fmt/format.h>

namespace gpup {

Diagnostic step_trouble(const Plan& plan, const StepResult& result) {
  const Step& step = plan.steps[result.step];
  Diagnostic diagnostic;
  diagnostic.code = result.code.value_or(Code::kStepFailed);
  diagnostic.host = plan.hosts[host_of(plan, step)].name;
  diagnostic.object = step.vm == kNone ? "gpu" : "vm";
  diagnostic.name = step.vm == kNone ? plan.gpus[step.gpu].name : plan.vms[step.vm].name;
  diagnostic.message = fmt::format("step {}, {}: {}", result.step + 1, to_string(step.op), result.message);
  diagnostic.hint = result.hint;
  return diagnostic;
}

Diagnostic vm_trouble(const LeftOff& vm, Code code, const std::string& what, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.host = vm.host;
  diagnostic.object = "vm";
  diagnostic.name = vm.vm;
  diagnostic.message = fmt::format("VM {} ({}) {}", vm.vm, vm.vm_id, what);
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

Diagnostic left_off_trouble(const LeftOff& vm, const std::string& what) {
  return vm_trouble(vm, Code::kVmLeftOff, what, fmt::format("start it on {}: {}", vm.host, vm.command));
}

}  // namespace gpup
