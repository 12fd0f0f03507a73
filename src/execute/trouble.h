#pragma once

#include <string>

#include "base/diagnostics.h"
#include "execute/report.h"
#include "plan/plan.h"

namespace gpup {

/// What went wrong with a step: `step 3, set-partition-count: the GPU is in use`.
Diagnostic step_trouble(const Plan& plan, const StepResult& result);

/// `VM vdi-01 (711c...) does not start: ...`: its name and id, and `what`.
Diagnostic vm_trouble(const LeftOff& vm, Code code, const std::string& what, std::string hint);

/// That a VM is off, or may be; the hint is the command that starts it.
Diagnostic left_off_trouble(const LeftOff& vm, const std::string& what);

/// `the hook after VM vdi-01 (711c...) was started exited with 3`; that one on failure did not end well is a warning.
Diagnostic hook_trouble(const HookResult& hook);

}  // namespace gpup
