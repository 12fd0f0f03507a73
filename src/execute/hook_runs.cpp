#include "execute/hook_runs.h"

#include <utility>

#include <fmt/format.h>

#include "base/side_by_side.h"

namespace gpup {

namespace {

Code code_of(HookKind kind) { return kind == HookKind::kBefore ? Code::kBeforeFailed : Code::kHookFailed; }

}  // namespace

HookRuns::HookRuns(Shared shared, Hooks* hooks)
    : shared_(std::move(shared)), hooks_(hooks), begun_(shared_.plan.vms.size()), settled_(shared_.plan.vms.size()) {}

Diagnostics HookRuns::look_for_programs() {
  Diagnostics missing;
  for (const HookKind kind : {HookKind::kBefore, HookKind::kAfter, HookKind::kOnFailure}) {
    if (!has(kind)) {
      continue;
    }
    if (const Result<Done> found = hooks_->look_for(shared_.plan.hooks.of(kind)); !found) {
      Diagnostic& diagnostic = missing.emplace_back();
      diagnostic.code = code_of(kind);
      diagnostic.message = fmt::format("the hook '{}' {}", to_string(kind), found.error().message);
      diagnostic.hint = "mend policy.hooks; nothing is touched while the program is not there";
      missing_.at(static_cast<std::size_t>(kind)) = true;
    }
  }
  return missing;
}

HookResult HookRuns::before(std::uint32_t stop) {
  const std::uint32_t vm = shared_.plan.steps[stop].vm;
  HookResult hook = run(of_vm(HookKind::kBefore, vm, stop), true);
  begun_[vm] = hook.code == Code::kCannotWrite ? 0 : 1;
  return hook;
}

void HookRuns::after(std::uint32_t vm, std::uint32_t step, const std::string& host) {
  if (!has(HookKind::kAfter)) {
    settled_[vm] = 1;
    return;
  }
  HookResult hook = of_vm(HookKind::kAfter, vm, step);
  hook.host = host;
  settled_[vm] = ended_well(run(std::move(hook), true).outcome) ? 1 : 0;
}

void HookRuns::after_owed(std::size_t at_once) {
  const std::vector<std::uint32_t>& owed = shared_.plan.after_owed;
  side_by_side(owed.size(), at_once,
               [&](std::size_t i) { after(owed[i], kNone, shared_.plan.hosts[shared_.plan.vms[owed[i]].host].name); });
}

void HookRuns::on_failure(const Report& report, std::size_t at_once) {
  if (!has(HookKind::kOnFailure) || missing_.at(static_cast<std::size_t>(HookKind::kOnFailure))) {
    return;
  }
  const bool noted = report.refusal == Refusal::kNotRefused;
  std::vector<std::uint32_t> vms;
  for (std::uint32_t vm = 0; vm < begun_.size(); ++vm) {
    if (begun_[vm] != 0 && settled_[vm] == 0) {
      vms.push_back(vm);
    }
  }
  side_by_side(vms.size(), at_once, [&](std::size_t i) {
    run(of_vm(HookKind::kOnFailure, vms[i], step_that_failed(report, vms[i])), noted);
  });
  if (const int code = exit_code(shared_.plan, report); code != 0 && code != 3) {
    HookResult of_run;
    of_run.kind = HookKind::kOnFailure;
    run(std::move(of_run), noted, code);
  }
}

std::vector<HookResult> HookRuns::take_results() {
  const std::lock_guard guard(shared_.mutex);
  return std::exchange(results_, {});
}

HookResult HookRuns::of_vm(HookKind kind, std::uint32_t vm, std::uint32_t step) const {
  const PlanVm& planned = shared_.plan.vms[vm];
  HookResult hook;
  hook.kind = kind;
  hook.host = shared_.plan.hosts[planned.host].name;
  hook.vm = std::string(planned.name);
  hook.vm_id = std::string(planned.id);
  hook.step = step;
  return hook;
}

HookResult HookRuns::run(HookResult hook, bool noted, std::optional<int> exit_code) {
  hook.code = code_of(hook.kind);
  {
    const std::lock_guard guard(shared_.mutex);
    hook.started = hook.ended = shared_.now();
  }
  const bool on_disk = !noted || shared_.note([&] { return shared_.journal.hook(hook); });
  if (!on_disk && hook.kind == HookKind::kBefore) {
    hook.code = Code::kCannotWrite;
    return hook;
  }
  {
    const std::lock_guard guard(shared_.mutex);
    shared_.progress.hook_started(hook);
  }
  const Result<Done> ran = hooks_->run(call_of(hook, exit_code), [&](std::string_view line) {
    const std::lock_guard guard(shared_.mutex);
    shared_.progress.hook_said(hook, line);
  });
  if (ran) {
    hook.outcome = Outcome::kDone;
    hook.code.reset();
  } else {
    hook.message = ran.error().message;
  }
  {
    const std::lock_guard guard(shared_.mutex);
    hook.ended = shared_.now();
  }
  if (noted) {
    shared_.note([&] { return shared_.journal.hook_ended(hook); });
  }
  const std::lock_guard guard(shared_.mutex);
  shared_.progress.hook_ended(hook);
  results_.push_back(hook);
  return hook;
}

/// What does not apply is empty: what our own environment says of it is about another run.
HookCall HookRuns::call_of(const HookResult& hook, std::optional<int> exit_code) const {
  const Plan& plan = shared_.plan;
  return {plan.hooks.of(hook.kind),
          {{"GPUP_HOOK", std::string(to_string(hook.kind))},
           {"GPUP_RUN", shared_.journal.run()},
           {"GPUP_PLAN", plan.id},
           {"GPUP_NAME", plan.name},
           {"GPUP_HOST", hook.host},
           {"GPUP_VM", hook.vm},
           {"GPUP_VM_ID", hook.vm_id},
           {"GPUP_STEP", hook.step == kNone ? std::string() : fmt::format("{}", hook.step + 1)},
           {"GPUP_EXIT_CODE", exit_code ? fmt::format("{}", *exit_code) : std::string()}},
          plan.hooks.timeout,
          hook.kind == HookKind::kBefore ? &shared_.cancelled : nullptr};
}

std::uint32_t HookRuns::step_that_failed(const Report& report, std::uint32_t vm) const {
  std::uint32_t last = kNone;
  for (const StepResult& result : report.steps) {
    if (shared_.plan.steps[result.step].vm == vm) {
      last = result.step;
      if (!ended_well(result.outcome)) {
        break;
      }
    }
  }
  return last;
}

}  // namespace gpup
