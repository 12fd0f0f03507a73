#include "execute/hook_runs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gpup {

namespace {

Task<> ignoring(Task<HookResult> told) { co_await told; }

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

Task<HookResult> HookRuns::before(std::uint32_t stop) {
  const std::uint32_t vm = shared_.plan.steps[stop].vm;
  HookResult hook = co_await run(of_vm(HookKind::kBefore, vm, stop), true);
  begun_[vm] = hook.code != Code::kCannotWrite;
  co_return hook;
}

Task<> HookRuns::after(std::uint32_t vm, std::uint32_t step, std::string host) {
  if (!has(HookKind::kAfter)) {
    settled_[vm] = true;
    co_return;
  }
  HookResult hook = of_vm(HookKind::kAfter, vm, step);
  hook.host = std::move(host);
  const HookResult ran = co_await run(std::move(hook), true);
  settled_[vm] = ended_well(ran.outcome);
}

void HookRuns::after_owed(std::size_t at_once) {
  const std::vector<std::uint32_t>& owed = shared_.plan.after_owed;
  run_all(owed.size(), at_once, [&](std::size_t i) {
    return after(owed[i], kNone, shared_.plan.hosts[shared_.plan.vms[owed[i]].host].name);
  });
}

void HookRuns::on_failure(const Report& report, std::size_t at_once) {
  if (!has(HookKind::kOnFailure) || missing_.at(static_cast<std::size_t>(HookKind::kOnFailure))) {
    return;
  }
  const bool noted = report.refusal == Refusal::kNotRefused;
  std::vector<std::uint32_t> vms;
  for (std::uint32_t vm = 0; vm < begun_.size(); ++vm) {
    if (begun_[vm] && !settled_[vm]) {
      vms.push_back(vm);
    }
  }
  run_all(vms.size(), at_once, [&](std::size_t i) {
    return ignoring(run(of_vm(HookKind::kOnFailure, vms[i], step_that_failed(report, vms[i])), noted));
  });
  if (const int code = exit_code(shared_.plan, report); code != 0 && code != 3) {
    HookResult of_run;
    of_run.kind = HookKind::kOnFailure;
    run_all(1, 1, [&](std::size_t) { return ignoring(run(std::move(of_run), noted, code)); });
  }
}

void HookRuns::run_all(std::size_t count, std::size_t at_once, const std::function<Task<>(std::size_t)>& one) const {
  std::size_t next = 0;
  for (std::size_t i = 0; i < std::min(count, std::max<std::size_t>(at_once, 1)); ++i) {
    shared_.loop.begin(Loop::kMostUrgent, run_some(next, count, one));
  }
  shared_.loop.run();
}

Task<> HookRuns::run_some(std::size_t& next, std::size_t count, const std::function<Task<>(std::size_t)>& one) {
  while (next < count) {
    co_await one(next++);
  }
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

Task<HookResult> HookRuns::run(HookResult hook, bool noted, std::optional<int> exit_code) {
  hook.code = code_of(hook.kind);
  hook.started = hook.ended = shared_.now();
  bool on_disk = true;
  if (noted) {
    on_disk = co_await shared_.note([&] { return shared_.journal.hook(hook); });
  }
  if (!on_disk && hook.kind == HookKind::kBefore) {
    hook.code = Code::kCannotWrite;
    co_return hook;
  }
  shared_.progress.hook_started(hook);
  Result<Done> ran = Done{};
  const HookCall call = call_of(hook, exit_code);
  co_await shared_.loop.elsewhere([&] {
    ran = hooks_->run(
        call, [&](std::string_view line) { shared_.loop.call([&] { shared_.progress.hook_said(hook, line); }); });
  });
  if (ran) {
    hook.outcome = Outcome::kDone;
    hook.code.reset();
  } else {
    hook.message = ran.error().message;
  }
  hook.ended = shared_.now();
  if (noted) {
    co_await shared_.note([&] { return shared_.journal.hook_ended(hook); });
  }
  shared_.progress.hook_ended(hook);
  results_.push_back(hook);
  co_return hook;
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
