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

Diagnostic hook_trouble(const HookResult& hook) {
  Diagnostic diagnostic;
  diagnostic.code = Code::kHookFailed;
  diagnostic.severity = hook.kind == HookKind::kOnFailure ? Severity::kWarning : Severity::kError;
  diagnostic.host = hook.host;
  diagnostic.object = hook.of_run() ? "" : "vm";
  diagnostic.name = hook.vm;
  diagnostic.message =
      fmt::format("the hook {} of {} {}", to_string(hook.kind),
                  hook.of_run() ? "the run" : fmt::format("VM {} ({})", hook.vm, hook.vm_id), hook.message);
  diagnostic.hint = hook.kind == HookKind::kAfter ? "mend what it minds; then 'gpup resume' runs it again" : "";
  return diagnostic;
}

}  // namespace gpup
