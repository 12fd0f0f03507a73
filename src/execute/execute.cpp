#include "execute/execute.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/side_by_side.h"
#include "base/task.h"
#include "base/text.h"
#include "execute/find.h"
#include "execute/flushes.h"
#include "execute/hook_runs.h"
#include "execute/loop.h"
#include "execute/perform_all.h"
#include "execute/shared_reads.h"
#include "execute/step_check.h"
#include "execute/trouble.h"

namespace gpup {

namespace {

/// The hosts of a run, locked until the end of it.
class Locks {
 public:
  explicit Locks(HostWriter& hosts) : hosts_(hosts) {}
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;
  ~Locks() { let_go(); }

  void let_go() {
    for (const HostTarget* const host : std::exchange(held_, {})) {
      hosts_.unlock(*host);
    }
  }

  Result<Done> take(const HostTarget& host) {
    Result<Done> done = hosts_.lock(host);
    if (done) {
      const std::lock_guard guard(mutex_);
      held_.push_back(&host);
    }
    return done;
  }
  bool has(std::string_view host) const {
    return std::any_of(held_.begin(), held_.end(), [&](const HostTarget* one) { return one->name == host; });
  }

 private:
  HostWriter& hosts_;
  std::mutex mutex_;
  std::vector<const HostTarget*> held_;
};

/// One run of a plan. Its steps are tasks of a loop, and so go side by side on one thread: nothing that they share
/// needs a lock. Readings of a host are shared; writes to it, stops and starts aside, take turns.
class Run {
 public:
  Run(const Plan& plan, HostWriter& hosts, Journal& journal, Progress& progress, const std::atomic<bool>& cancelled,
      const Clock& now, const Limits& limits, const Patience& patience, const Terms& terms)
      : plan_(plan),
        window_(terms.ignore_window ? std::nullopt : plan.window),
        hosts_(hosts),
        journal_(journal),
        progress_(progress),
        cancelled_(cancelled),
        now_(now),
        limits_(limits),
        patience_(patience),
        loop_(limits.in_order() ? 0 : std::min(limits.most(), kMostThreads)),
        locks_(hosts),
        flushes_(loop_, journal),
        reads_(loop_, plan.hosts, hosts, patience),
        turns_(plan.hosts.size(), Turns(loop_)),
        held_(plan),
        hooks_({plan, journal, progress, cancelled, now, loop_,
                [this](std::function<Result<Done>()> entry) { return note(std::move(entry)); }},
               terms.hooks),
        starts_(plan.vms.size()),
        answered_(plan.steps.size()) {
    for (const Step& step : plan.steps) {
      if (step.op == Op::kStartVm) {
        starts_[step.vm] = true;
      }
    }
  }

  Report perform() {
    report_.started = now_();
    if (plan_.acts() && may_start()) {
      perform_steps();
      restore();
      loop_.begin(Loop::kMostUrgent, forget_owed_starts());
      loop_.run();
      hooks_.after_owed(limits_.hosts);
      tell();
      locks_.let_go();  // a hook may want the hosts for itself
      run_on_failure();
      report_.ended = now_();
      Result<Done> noted = journal_.end(plan_, report_);
      if (noted) {
        noted = journal_.flush();
      }
      if (!noted) {
        journal_failed(noted.error());
      }
    } else if (report_.refusal != Refusal::kNotRefused) {
      locks_.let_go();
      run_on_failure();
    }
    report_.ended = now_();
    return std::move(report_);
  }

 private:
  /// Beside the loop's: for hosts, and hooks, that have to be waited for.
  static constexpr std::size_t kMostThreads = 512;

  // Before anything is touched ------------------------------------------------------------------------------------

  bool may_start() {
    const bool stops =
        std::any_of(plan_.steps.begin(), plan_.steps.end(), [](const Step& step) { return step.op == Op::kStopVm; });
    if (const std::string outside = stops ? outside_window(report_.started) : std::string(); !outside.empty()) {
      refuse(Refusal::kOutsideWindow, Code::kOutsideWindow, {}, outside);
      report_.diagnostics.back().hint = "wait for it, or give --ignore-window with a --reason";
      return false;
    }
    report_.diagnostics = hooks_.look_for_programs();
    if (!report_.diagnostics.empty()) {
      report_.refusal = Refusal::kCannotStart;
      return false;
    }
    lock_hosts();
    if (report_.refusal != Refusal::kNotRefused) {
      return false;
    }
    report_.diagnostics = check_facts(plan_, hosts_, limits_.hosts);
    if (!report_.diagnostics.empty()) {
      report_.refusal = Refusal::kFactBroken;
      return false;
    }
    Result<Done> begun = journal_.begin(plan_, now_());
    if (begun) {
      begun = journal_.flush();
    }
    if (!begun) {
      refuse(Refusal::kCannotStart, Code::kCannotWrite, {}, "the journal cannot be written: " + why(begun.error()));
      return false;
    }
    return true;
  }

  /// Why no VM may be stopped now; empty where it may.
  std::string outside_window(Time now) const {
    if (!window_) {
      return {};
    }
    const Result<bool> allowed = window_allows(*window_, now);
    return !allowed   ? "whether a VM may be stopped now cannot be said: " + why(allowed.error())
           : *allowed ? std::string()
                      : fmt::format("VMs may be stopped {} only, and it is {}", to_string(*window_), to_string(now));
  }

  void lock_hosts() {
    std::vector<bool> wanted(plan_.hosts.size());
    for (const Step& step : plan_.steps) {
      wanted[host_of(plan_, step)] = true;
    }
    for (const OwedStart& owed : plan_.owed_starts) {
      wanted[owed.host] = true;
    }
    std::vector<Result<Done>> locked(plan_.hosts.size(), Done{});
    side_by_side(plan_.hosts.size(), limits_.hosts, [&](std::size_t host) {
      if (wanted[host]) {
        locked[host] = locks_.take(plan_.hosts[host]);
      }
    });
    for (std::uint32_t host = 0; host < plan_.hosts.size(); ++host) {
      if (!locked[host]) {
        not_locked(host, locked[host].error());
      }
    }
  }

  void not_locked(std::uint32_t host, const Error& error) {
    const std::string& name = plan_.hosts[host].name;
    switch (error.code) {
      case ErrorCode::kHeld:
        refuse(Refusal::kHeld, Code::kHostLocked, name, "the host's lock is " + why(error));
        return;
      case ErrorCode::kCannotRead:
        refuse(Refusal::kCannotStart, Code::kCannotWrite, name, why(error));
        return;
      case ErrorCode::kBadContent:
      case ErrorCode::kUnreachable:
      case ErrorCode::kRefused:
      case ErrorCode::kInterrupted: {
        Called trouble = called(error, Code::kHostUnreadable);
        refuse(Refusal::kFactBroken, trouble.code, name, "the host cannot be read: " + why(error));
        report_.diagnostics.back().hint = std::move(trouble.hint);
        return;
      }
    }
  }

  /// A held lock is told before a broken fact, and that before trouble of our own.
  void refuse(Refusal refusal, Code code, const std::string& host, std::string message) {
    if (report_.refusal == Refusal::kNotRefused || refusal < report_.refusal) {
      report_.refusal = refusal;
    }
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.host = host;
    diagnostic.object = host.empty() ? "" : "host";
    diagnostic.name = host;
    diagnostic.message = std::move(message);
    report_.diagnostics.push_back(std::move(diagnostic));
  }

  // Steps ---------------------------------------------------------------------------------------------------------

  void perform_steps() {
    report_.steps.resize(plan_.steps.size());
    Schedule schedule(plan_, limits_);
    perform_all(loop_, schedule, most_at_once(), [this](std::uint32_t step) { return take_step(step); });
  }

  /// Hosts that have to be waited for keep a thread each: no step is begun that would wait for one, and be sent when it
  /// should be no more.
  std::size_t most_at_once() const {
    const bool keeps_threads = std::any_of(plan_.hosts.begin(), plan_.hosts.end(), [](const HostTarget& host) {
      return host.connect.transport != Transport::kSimulated;
    });
    return keeps_threads ? std::min(limits_.most(), kMostThreads) : limits_.most();
  }

  Task<> take_step(std::uint32_t step) {
    StepResult& result = report_.steps[step];
    result.step = step;
    result.started = now_();
    if (std::string reason = skip_reason(step); !reason.empty()) {
      result.message = std::move(reason);
      result.ended = result.started;
    } else {
      progress_.started(plan_, step);
      const bool host_said_so = co_await perform_step(plan_.steps[step], result);
      if (plan_.steps[step].op == Op::kStartVm && ended_well(result.outcome) && !host_said_so) {
        // It may not have forgotten by itself. The VM was off when the plan's facts were checked, or since: no stop is
        // still to come.
        co_await forget_owed_start(plan_.vms[plan_.steps[step].vm]);
      }
      result.ended = now_();
    }
    // Those that were skipped are in the last entry: noting each would keep stopped VMs waiting.
    if (result.outcome != Outcome::kSkipped) {
      if (const Result<Done> noted = journal_.outcome(plan_, result); !noted) {
        journal_failed(noted.error());
      }
    }
    progress_.finished(plan_, result);
    if (plan_.hooks.any() && is_power(plan_.steps[step].op) && ended_well(result.outcome)) {
      co_await run_after(step);
    }
  }

  /// A stop or start has ended well.
  Task<> run_after(std::uint32_t index) {
    const Step& step = plan_.steps[index];
    if (step.op == Op::kStartVm) {
      co_await hooks_.after(step.vm, index, plan_.hosts[plan_.vms[step.vm].host].name);
    } else if (!starts_[step.vm]) {
      hooks_.settle(step.vm);
    }
  }

  /// Why a step is not tried; empty where it is.
  std::string skip_reason(std::uint32_t step) {
    if (cancelled_.load()) {
      report_.cancelled = true;
      return "the run was cancelled";
    }
    if (journal_failed_) {
      stopped_by_journal_ = true;
      return "the journal cannot be written";
    }
    for (const std::uint32_t before : plan_.after_of(plan_.steps[step])) {
      if (!ended_well(report_.steps[before].outcome)) {
        return fmt::format("step {} did not end well", before + 1);
      }
    }
    return plan_.steps[step].op == Op::kStopVm ? why_not_now(report_.steps[step].started) : std::string();
  }

  /// Why a VM may not be stopped while the run goes on; empty where it may.
  std::string why_not_now(Time now) {
    std::string why = outside_window(now);
    if (!why.empty()) {
      window_closed_ = true;
    }
    return why;
  }

  /// True where the host said that it did the step.
  Task<bool> perform_step(const Step& step, StepResult& result) {
    const std::uint32_t host = host_of(plan_, step);
    result.outcome = Outcome::kFailed;
    result.code = Code::kStepFailed;
    Look look = co_await look_before(step, host, result);
    if (look.before == Before::kGo && step.op == Op::kStopVm && hooks_.has(HookKind::kBefore)) {
      const bool goes_on = co_await run_before(result);
      if (!goes_on) {
        co_return false;
      }
      const Reading reading = co_await reads_.after_now(host);
      look = look_at(step, *reading, result);
    }
    switch (look.before) {
      case Before::kAlready:
        result.outcome = Outcome::kAlready;
        result.code.reset();
        remember(step, result);
        co_return false;
      case Before::kMissing:
        result.message = co_await missing_words(step);
        co_return false;
      case Before::kBroken:
        result.message = std::move(look.message);
        co_return false;
      case Before::kGo:
        break;
    }
    co_await note_intent(result.step);
    BackOff back_off(patience_);
    for (;;) {
      const std::optional<Result<Done>> claim = co_await take_turn(step, host, result);
      if (!claim) {
        not_sent(result);
        co_return false;
      }
      result.sent = result.sent || *claim || claim->error().code != ErrorCode::kUnreachable;
      answered_[result.step] = is_last_word(*claim);
      co_await read_back(step, host, *claim, result, back_off);
      bool again = may_send_again(step, *claim, result);
      if (again) {
        again = co_await back_off.wait(loop_);
      }
      if (again) {
        again = co_await is_as_before(step, host, result);
      }
      if (!again) {
        if (is_under_way(*claim) && result.outcome == Outcome::kFailed) {
          result.outcome = Outcome::kUnknown;
          result.code = Code::kStepUnknown;
        }
        co_return claim->has_value();
      }
    }
  }

  /// Reads what came of a request; again and again where a second adapter could yet come of it.
  Task<> read_back(const Step& step, std::uint32_t host, const Result<Done>& claim, StepResult& result,
                   BackOff& back_off) {
    for (;;) {
      const Reading after = co_await reads_.after_now(host);
      co_await verify(step, *after, claim, result);
      if (!is_under_way(claim) || step.op != Op::kAssignPartition || ended_well(result.outcome)) {
        co_return;
      }
      const bool waited = co_await back_off.wait(loop_);
      if (!waited) {
        co_return;
      }
    }
  }

  /// Runs the hook before a stop, which may take long. False where nothing is to be stopped then, with why.
  Task<bool> run_before(StepResult& result) {
    const HookResult hook = co_await hooks_.before(result.step);
    result.started = now_();  // until now the VM was up
    if (hook.code == Code::kCannotWrite) {
      stopped_by_journal_ = true;
      not_sent(result);
      co_return false;
    }
    const bool cancelled = cancelled_;
    report_.cancelled = report_.cancelled || cancelled;
    std::string skipped = cancelled ? "the run was cancelled" : std::string();
    if (skipped.empty() && ended_well(hook.outcome)) {
      skipped = why_not_now(result.started);
    }
    if (!skipped.empty()) {
      result.outcome = Outcome::kSkipped;
      result.code.reset();
      result.message = std::move(skipped);
      co_return false;
    }
    if (!ended_well(hook.outcome)) {
      result.code = Code::kBeforeFailed;
      result.message = fmt::format("the hook before it {}; the VM was not stopped", hook.message);
      result.hint = "mend what the hook minds; then 'gpup resume' goes on";
      co_return false;
    }
    co_return true;
  }

  static void not_sent(StepResult& result) {
    result.message = "nothing was sent, since the journal cannot be written";
    result.code = Code::kCannotWrite;
  }

  /// The host said yes, or a no that will not be another one the next time.
  static bool is_last_word(const Result<Done>& claim) {
    return claim || (claim.error().code == ErrorCode::kRefused && !may_pass(claim.error()));
  }

  /// The host was still at it when its answer was waited for no longer: what is not to be seen may yet come.
  static bool is_under_way(const Result<Done>& claim) {
    return !claim && claim.error().code == ErrorCode::kInterrupted &&
           called(claim.error(), Code::kStepFailed).code == Code::kNoAnswer;
  }

  /// Only where nothing has happened, for a cause that may pass. Where the reply was lost, a second adapter could come
  /// of the request that nobody heard of.
  bool may_send_again(const Step& step, const Result<Done>& claim, const StepResult& result) const {
    return result.outcome == Outcome::kFailed && !claim && may_pass(claim.error()) &&
           (claim.error().code != ErrorCode::kInterrupted || step.op != Op::kAssignPartition) && !cancelled_;
  }

  /// What the step relies on still holds, or has come back. One that is found as wanted after all is done.
  Task<bool> is_as_before(const Step& step, std::uint32_t host, StepResult& result) {
    StepResult found = result;
    const Look look = co_await look_before(step, host, found);
    if (look.before == Before::kAlready) {
      found.outcome = Outcome::kDone;
      found.message.clear();
      found.code.reset();
      found.hint.clear();
      remember(step, found);
      result = std::move(found);
    }
    co_return look.before == Before::kGo;
  }

  Task<Look> look_before(const Step& step, std::uint32_t host, StepResult& result) {
    // What it waits for was read back before it began: a reading that is under way has seen that.
    const Reading reading = co_await reads_.by_now(host);
    co_return look_at(step, *reading, result);
  }

  Look look_at(const Step& step, const Result<ObservedState>& observed, StepResult& result) {
    if (!observed) {
      blame(observed.error(), result);
      return {Before::kBroken, "the host cannot be read: " + why(observed.error())};
    }
    return before_step(plan_, step, observed->hosts.front(), held_, result);
  }

  /// Where an error has a code of its own, that is what went wrong with a step or a start.
  template <class Entry>
  static void blame(const Error& error, Entry& entry) {
    Called trouble = called(error, Code::kStepFailed);
    entry.code = trouble.code;
    entry.hint = std::move(trouble.hint);
  }

  /// On disk when it ends, unless the journal has failed.
  Task<> note_intent(std::uint32_t step) {
    co_await note([this, step] { return journal_.intent(plan_, step, now_()); });
  }

  Task<bool> note(std::function<Result<Done>()> entry) {
    Result<Done> noted = entry();
    if (noted) {
      noted = co_await flushes_.next();
    }
    if (!noted) {
      journal_failed(noted.error());
    }
    co_return noted.has_value();
  }

  /// Compares with what was read back, which is the result; a reply, or its loss, only words why.
  Task<> verify(const Step& step, const Result<ObservedState>& after, const Result<Done>& claim, StepResult& result) {
    result.code = Code::kStepFailed;
    result.hint.clear();
    if (!after) {
      const std::string unread = why(after.error());
      const bool nothing_happened =
          !claim && (claim.error().code == ErrorCode::kRefused || claim.error().code == ErrorCode::kUnreachable);
      blame(claim ? after.error() : claim.error(), result);
      if (nothing_happened) {
        result.message = why(claim.error());
        co_return;
      }
      result.outcome = Outcome::kUnknown;
      result.code = Code::kStepUnknown;
      result.message = claim ? "the host said that it is done, but cannot be read back: " + unread
                             : why(claim.error()) + ", and the host cannot be read back: " + unread;
      co_return;
    }
    const Host& host = after->hosts.front();
    if (after_step(plan_, step, host, held_, result)) {
      result.outcome = Outcome::kDone;
      result.message.clear();
      result.code.reset();
      remember(step, result);
      co_return;
    }
    if (step.vm != kNone && find_vm(host, plan_.vms[step.vm].id) == nullptr) {
      result.message = co_await missing_words(step);
    } else if (claim) {
      result.message.insert(0, "the host said that it is done, but ");
    } else {
      result.message = is_under_way(claim)                             ? why(claim.error()) + ", and " + result.message
                       : claim.error().code == ErrorCode::kInterrupted ? "the reply was lost, and " + result.message
                                                                       : why(claim.error());
      blame(claim.error(), result);
      if (step.vm != kNone) {
        suspect_stale_adapter(plan_.vms[step.vm].id, host, result);
      }
      if (step.op == Op::kStartVm && result.code == Code::kNoPartition && is_ours(step.vm)) {
        result.message.insert(0, fmt::format("what step {} assigned is not to be had: ", assign_of(step.vm) + 1));
      }
    }
  }

  /// A start without a free partition, of a VM that shows no adapter which would need one: when a card is moved or
  /// replaced, the adapter is seen no more and cannot be removed, and the VM still asks for it (seen).
  template <class Entry>
  static void suspect_stale_adapter(std::string_view vm_id, const Host& host, Entry& entry) {
    const Vm* const vm = find_vm(host, vm_id);
    if (entry.code == Code::kNoPartition && vm != nullptr && vm->adapter_count == 0) {
      entry.code = Code::kStaleAdapter;
      entry.message.insert(
          0, "no adapter is to be seen on it, one on a card that is gone may be left in its configuration: ");
      entry.hint =
          "put the card back in its slot; else the adapter has to be taken out of the machine's configuration file";
    }
  }

  /// On the host where this run, or an earlier one, stopped the VM. What comes of it changes no outcome: what is left
  /// is forgotten by the next run that locks the host, if the VM runs then.
  Task<> forget_owed_start(const PlanVm& vm) {
    static_cast<void>(co_await loop_.get(hosts_.forget_owed_start(plan_.hosts[vm.host], std::string(vm.id))));
  }

  /// Sends a step, once no other write that must not go beside it is under way on its host. Nothing is sent once the
  /// journal has failed, whosever entry it was.
  Task<std::optional<Result<Done>>> take_turn(const Step& step, std::uint32_t host, StepResult& result) {
    if (is_power(step.op)) {
      co_return co_await send_if_noted(step, host);
    }
    std::optional<Result<Done>> claim;
    {
      const Turns::Turn turn = co_await turns_[host].take();
      if (!result.sent && !journal_failed_) {
        result.started = now_();  // waiting for others is no part of what it takes
      }
      claim = co_await send_if_noted(step, host);
    }
    co_await loop_.behind(loop_.rank());  // the next one is sent before anything is read back
    co_return claim;
  }

  Task<std::optional<Result<Done>>> send_if_noted(const Step& step, std::uint32_t host) {
    if (journal_failed_) {
      stopped_by_journal_ = true;
      co_return std::nullopt;
    }
    co_return co_await loop_.get(send(step, plan_.hosts[host]));
  }

  HostAnswer<Done> send(const Step& step, const HostTarget& host) {
    const auto vm_id = [&] { return std::string(plan_.vms[step.vm].id); };
    switch (step.op) {
      case Op::kStopVm:
        return hosts_.stop_vm(host, vm_id(), plan_.stop, starts_[step.vm]);
      case Op::kUnassignPartition:
        return hosts_.unassign_partition(host, vm_id(), std::string(plan_.adapters[step.adapter].id));
      case Op::kSetPartitionCount:
        return hosts_.set_partition_count(host, std::string(plan_.gpus[step.gpu].name), step.to);
      case Op::kAssignPartition:
        return hosts_.assign_partition(
            host, vm_id(), step.gpu == kNone ? std::nullopt : std::optional(std::string(plan_.gpus[step.gpu].name)));
      case Op::kSetOfflineAction:
        return hosts_.set_offline_action(host, vm_id(), static_cast<OfflineAction>(step.to));
      case Op::kStartVm:
        return hosts_.start_vm(host, vm_id());
    }
    return fail(ErrorCode::kRefused, "there is no such step");
  }

  /// What a step that ended well did to its VM's adapters.
  void remember(const Step& step, const StepResult& result) {
    if (step.op == Op::kUnassignPartition) {
      held_.gone[step.adapter] = 1;
    } else if (step.op == Op::kAssignPartition) {
      held_.added[step.vm] = result.adapter;
    }
  }

  Task<std::string> missing_words(const Step& step) {
    const PlanVm& vm = plan_.vms[step.vm];
    const std::string place = co_await where_now(plan_, vm, reads_);
    co_return place.empty()
        ? fmt::format("the virtual machine is gone from {}", plan_.hosts[vm.host].name)
        : fmt::format("the virtual machine was on {}, is on {} now", plan_.hosts[vm.host].name, place);
  }

  /// The step that assigns a partition to a VM.
  std::uint32_t assign_of(std::uint32_t vm) const {
    const auto step = std::find_if(plan_.steps.begin(), plan_.steps.end(),
                                   [&](const Step& one) { return one.op == Op::kAssignPartition && one.vm == vm; });
    return static_cast<std::uint32_t>(step - plan_.steps.begin());
  }

  /// This run assigned the VM a partition.
  bool is_ours(std::uint32_t vm) const {
    return !held_.added[vm].empty() && report_.steps[assign_of(vm)].outcome == Outcome::kDone;
  }

  void journal_failed(const Error& error) {
    if (!std::exchange(journal_failed_, true)) {
      Diagnostic diagnostic;
      diagnostic.code = Code::kCannotWrite;
      diagnostic.severity = Severity::kWarning;
      diagnostic.message = "the journal cannot be written: " + why(error);
      report_.diagnostics.push_back(std::move(diagnostic));
    }
  }

  // Afterwards ----------------------------------------------------------------------------------------------------

  /// Starts the VMs that this run stopped, or an earlier one, that were to run again, and whose start did not come to
  /// pass.
  void restore() {
    std::vector<std::uint32_t> stop(plan_.vms.size(), kNone);
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      if (plan_.steps[i].op == Op::kStopVm) {
        stop[plan_.steps[i].vm] = i;
      }
    }
    std::vector<std::uint32_t> starts;
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (step.op != Op::kStartVm || ended_well(report_.steps[i].outcome)) {
        continue;
      }
      if (stop[step.vm] == kNone) {
        if (step.reason == Reason::kStartOwed) {
          starts.push_back(i);  // an earlier run stopped it
        }
        continue;
      }
      const StepResult& stopped = report_.steps[stop[step.vm]];
      const bool by_hook = hooks_.begun(step.vm) && stopped.outcome == Outcome::kAlready;
      if (by_hook || (stopped.sent && stopped.outcome != Outcome::kAlready)) {
        starts.push_back(i);
      }
    }
    std::vector<Ended> ended(starts.size());
    Schedule schedule(plan_, limits_, starts);
    perform_all(loop_, schedule, most_at_once(), [&](std::uint32_t step) {
      const auto at = std::lower_bound(starts.begin(), starts.end(), step);
      return restore_vm(step, ended[static_cast<std::size_t>(at - starts.begin())]);
    });
    for (Ended& one : ended) {
      if (one.restored) {
        report_.restored.push_back(*std::move(one.restored));
      }
      if (one.left_off) {
        report_.left_off.push_back(*std::move(one.left_off));
      }
    }
  }

  /// What came of bringing one VM back: nothing where it runs already.
  struct Ended {
    std::optional<Restored> restored;
    std::optional<LeftOff> left_off;
  };

  Task<> restore_vm(std::uint32_t step, Ended& ended) {
    const PlanVm& vm = plan_.vms[plan_.steps[step].vm];
    Restored entry{
        plan_.hosts[vm.host].name, std::string(vm.name), std::string(vm.id), Outcome::kFailed, {}, now_(), {}};
    entry.code = Code::kStepFailed;
    std::uint32_t host = vm.host;
    const Reading reading = co_await reads_.by_now(host);
    std::optional<VmState> state = state_of(vm, host, *reading, entry.message);
    if (!state) {
      host = co_await host_of_moved(vm, host, state);
    }
    if (state == VmState::kRunning && was_off(plan_.steps[step].vm)) {
      co_await forget_owed_start(vm);
    }
    entry.host = plan_.hosts[host].name;
    if (state == VmState::kRunning) {
      co_return;  // it was never stopped, or somebody started it
    }
    const StepResult& tried = report_.steps[step];
    const bool may_undo = host == vm.host && is_ours(plan_.steps[step].vm);
    const bool answered = answered_[step] && host == vm.host;
    if (answered && state != VmState::kOther && !(may_undo && tried.code == Code::kNoPartition)) {
      // The host has said no to this very start: asking again would be told the same.
      ended.left_off = left_off(entry, tried);
      co_return;
    }
    progress_.restoring(plan_, entry);
    if (!state) {
      entry.outcome = Outcome::kUnknown;
    } else if (state != VmState::kOff) {
      entry.outcome = Outcome::kUnknown;  // it may be on its way
      entry.message = answered ? tried.message : "it is neither running nor off";
    } else if (!locks_.has(entry.host)) {
      entry.message = fmt::format("it is on {} now, which this run has not locked", entry.host);
    } else {
      if (answered) {
        entry.message = tried.message;
        entry.code = tried.code;
        entry.hint = tried.hint;
      } else {
        co_await try_start(vm, host, entry);
        if (!ended_well(entry.outcome)) {
          co_await follow(vm, host, entry);
        }
      }
      if (may_undo && entry.code == Code::kNoPartition && !ended_well(entry.outcome)) {
        co_await start_without_ours(plan_.steps[step].vm, entry);
      }
    }
    const bool well = ended_well(entry.outcome);
    if (well) {
      entry.code.reset();
    } else if (entry.outcome == Outcome::kUnknown) {
      entry.code = Code::kStepUnknown;
    }
    entry.ended = now_();
    if (const Result<Done> noted = journal_.restored(plan_, entry); !noted) {
      journal_failed(noted.error());
    }
    progress_.restored(plan_, entry);
    if (well) {
      if (entry.host != plan_.hosts[vm.host].name) {
        co_await forget_owed_start(vm);  // that host has seen no start
      }
      co_await hooks_.after(plan_.steps[step].vm, step, entry.host);
    } else {
      ended.left_off = left_off(entry, entry);
    }
    ended.restored = std::move(entry);
  }

  /// The VM was off under this run's locks: what stopped it is over, and will not stop it again. Where its stop did not
  /// end well, its guest may be on its way down.
  bool was_off(std::uint32_t vm) const {
    return std::all_of(report_.steps.begin(), report_.steps.end(), [&](const StepResult& result) {
      const Step& step = plan_.steps[result.step];
      return step.op != Op::kStopVm || step.vm != vm || ended_well(result.outcome);
    });
  }

  /// Those that the plan names, of VMs that are as it wants them.
  Task<> forget_owed_starts() {
    for (const OwedStart& owed : plan_.owed_starts) {
      const PlanVm& vm = plan_.vms[owed.vm];
      std::string unread;
      std::uint32_t host = vm.host;
      const Reading reading = co_await reads_.by_now(host);
      std::optional<VmState> state = state_of(vm, host, *reading, unread);
      if (!state) {
        host = co_await host_of_moved(vm, host, state);
      }
      if (journal_failed_ || state != (starts_[owed.vm] ? VmState::kRunning : VmState::kOff) || !was_off(owed.vm)) {
        continue;
      }
      const Result<Done> claim =
          co_await loop_.get(hosts_.forget_owed_start(plan_.hosts[owed.host], std::string(vm.id)));
      if (claim) {
        ++report_.forgotten;
        continue;
      }
      Diagnostic left;
      left.code = Code::kStartOwed;
      left.severity = Severity::kWarning;
      left.host = plan_.hosts[owed.host].name;
      left.object = "vm";
      left.name = vm.name;
      left.message = fmt::format("VM '{}' is owed no start any more, but {} still has it recorded: {}", vm.name,
                                 left.host, why(claim.error()));
      left.hint = "if the VM is off some day, 'gpup restore-power -f FILE' starts it";
      report_.diagnostics.push_back(std::move(left));
    }
  }

  /// A VM that could not be started may have moved meanwhile.
  Task<> follow(const PlanVm& vm, std::uint32_t from, Restored& entry) {
    std::string ignored;
    const Reading reading = co_await reads_.by_now(from);
    std::optional<VmState> state = state_of(vm, from, *reading, ignored);
    if (state) {
      co_return;
    }
    const std::uint32_t host = co_await host_of_moved(vm, from, state);
    if (host == from) {
      co_return;
    }
    entry.host = plan_.hosts[host].name;
    if (state == VmState::kRunning) {
      entry.outcome = Outcome::kDone;
      entry.message.clear();
      entry.hint.clear();
    } else if (state == VmState::kOff && locks_.has(entry.host)) {
      co_await try_start(vm, host, entry);
    } else {
      entry.outcome = Outcome::kFailed;
      entry.code = Code::kStepFailed;
      entry.hint.clear();
      entry.message =
          fmt::format("it is on {} now{}", entry.host,
                      locks_.has(entry.host) ? ", neither running nor off" : ", which this run has not locked");
    }
  }

  /// No partition is free for a VM to which this run assigned one: that is taken back, and the VM started as it is
  /// then.
  Task<> start_without_ours(std::uint32_t vm_index, Restored& entry) {
    const PlanVm& vm = plan_.vms[vm_index];
    const std::uint32_t assign = assign_of(vm_index);
    co_await note([&] { return journal_.undo(plan_, assign, now_()); });
    if (journal_failed_) {
      co_return;  // nothing is sent that is not noted
    }
    std::string& ours = held_.added[vm_index];
    Result<Done> claim = Done{};
    {
      const Turns::Turn turn = co_await turns_[vm.host].take();
      claim = co_await loop_.get(hosts_.unassign_partition(plan_.hosts[vm.host], std::string(vm.id), ours));
    }
    const Reading after = co_await reads_.after_now(vm.host);
    if (!*after || holds(**after, vm, ours)) {
      entry.message += fmt::format("; what step {} assigned could not be taken back: {}", assign + 1,
                                   !*after ? why(after->error())
                                   : claim ? "the host said that it is done, but the adapter is still there"
                                           : why(claim.error()));
      co_return;
    }
    ours.clear();
    entry.undone = assign;
    report_.steps[assign].assigned = false;  // of its VM, which has no step under way
    co_await try_start(vm, vm.host, entry);
    entry.message = ended_well(entry.outcome)
                        ? fmt::format("without what step {} assigned, for which no partition was free", assign + 1)
                        : fmt::format("{}; what step {} assigned was taken back before", entry.message, assign + 1);
  }

  static bool holds(const ObservedState& observed, const PlanVm& planned, std::string_view adapter) {
    const Host& host = observed.hosts.front();
    const Vm* const vm = find_vm(host, planned.id);
    if (vm == nullptr) {
      return false;
    }
    const auto adapters = host.adapters_of(*vm);
    return std::any_of(adapters.begin(), adapters.end(),
                       [&](const Adapter& one) { return same_name(one.id, adapter); });
  }

  /// A lost reply is answered by reading, and by one more try where it did not happen; trouble that may pass is waited
  /// out.
  Task<> try_start(const PlanVm& vm, std::uint32_t host, Restored& entry) {
    BackOff back_off(patience_);
    for (bool again = false;; again = true) {
      const Result<Done> claim = co_await loop_.get(hosts_.start_vm(plan_.hosts[host], std::string(vm.id)));
      std::string unread;
      const Reading after = co_await reads_.after_now(host);
      const std::optional<VmState> state = state_of(vm, host, *after, unread);
      if (state == VmState::kRunning) {
        entry.outcome = Outcome::kDone;
        entry.message.clear();
        entry.hint.clear();
        if (!claim && host == vm.host) {
          co_await forget_owed_start(vm);
        }
        co_return;
      }
      const bool may_have_happened = claim || claim.error().code == ErrorCode::kInterrupted;
      entry.outcome = (!state && may_have_happened) || is_under_way(claim) ? Outcome::kUnknown : Outcome::kFailed;
      if (claim) {
        entry.message = "the host said that it is done, but the virtual machine does not run";
        entry.code = Code::kStepFailed;
        entry.hint.clear();
      } else {
        entry.message = why(claim.error());
        blame(claim.error(), entry);
        if (*after) {
          suspect_stale_adapter(vm.id, (*after)->hosts.front(), entry);
        }
      }
      if (claim || !state) {
        co_return;
      }
      bool tries_on = claim.error().code == ErrorCode::kInterrupted && !again;
      if (may_pass(claim.error())) {
        tries_on = co_await back_off.wait(loop_);
      }
      if (!tries_on) {
        co_return;
      }
    }
  }

  /// The VM's state as that host was read; nothing, with the reason, where it is not there or could not be read.
  std::optional<VmState> state_of(const PlanVm& vm, std::uint32_t host, const Result<ObservedState>& observed,
                                  std::string& message) {
    if (!observed) {
      message = "the host cannot be read: " + why(observed.error());
      return std::nullopt;
    }
    const Vm* const found = find_vm(observed->hosts.front(), vm.id);
    if (found == nullptr) {
      message = fmt::format("the virtual machine is not on {}", plan_.hosts[host].name);
      return std::nullopt;
    }
    return found->state;
  }

  Task<std::uint32_t> host_of_moved(const PlanVm& vm, std::uint32_t from, std::optional<VmState>& state) {
    std::string ignored;
    for (std::uint32_t host = 0; host < plan_.hosts.size(); ++host) {
      if (host != from) {
        const Reading reading = co_await reads_.by_now(host);
        state = state_of(vm, host, *reading, ignored);
        if (state) {
          co_return host;
        }
      }
    }
    co_return from;
  }

  /// Everything that went wrong as diagnostics, each thing once: a VM that is left off tells of its own start. Why it
  /// does not start is apart where that has a code and a remedy of its own.
  void tell() {
    if (stopped_by_journal_) {
      Diagnostic& journal = report_.diagnostics.front();  // the first that can go wrong once steps are performed
      journal.severity = Severity::kError;
      journal.message += "; nothing was sent since, but to start what was stopped";
      journal.hint = "make room for it; then 'gpup resume' goes on from here";
    }
    if (window_closed_) {
      Diagnostic closed;
      closed.code = Code::kOutsideWindow;
      closed.message = fmt::format("the window closed during the run: VMs may be stopped {}", to_string(*window_));
      closed.hint = "'gpup resume' goes on once it is open again";
      report_.diagnostics.push_back(std::move(closed));
    }
    for (const StepResult& result : report_.steps) {
      const Step& step = plan_.steps[result.step];
      const bool of_left_off =
          step.op == Op::kStartVm && std::any_of(report_.left_off.begin(), report_.left_off.end(),
                                                 [&](const LeftOff& vm) { return vm.vm_id == plan_.vms[step.vm].id; });
      const bool of_journal = result.code == Code::kCannotWrite;
      const bool wrong = result.outcome == Outcome::kFailed || result.outcome == Outcome::kUnknown;
      if (wrong && !of_left_off && !of_journal) {
        report_.diagnostics.push_back(step_trouble(plan_, result));
      }
    }
    for (const LeftOff& vm : report_.left_off) {
      const bool apart = vm.code && vm.code != Code::kStepFailed && vm.code != Code::kStepUnknown;
      if (apart) {
        report_.diagnostics.push_back(vm_trouble(vm, *vm.code, "does not start: " + vm.message, vm.hint));
      }
      const std::string_view off = vm.code == Code::kStepUnknown ? "may be off: " : "is left off: ";
      report_.diagnostics.push_back(
          left_off_trouble(vm, std::string(off) + (apart ? "see " + to_string(*vm.code) : vm.message)));
    }
  }

  /// With the exit code that the run has without it.
  void run_on_failure() {
    tell_hooks();
    hooks_.on_failure(report_, limits_.hosts);
    tell_hooks();
  }

  /// One before a stop is told by its step.
  void tell_hooks() {
    std::vector<HookResult> ended = hooks_.take_results();
    for (HookResult& hook : ended) {
      if (hook.kind != HookKind::kBefore && !ended_well(hook.outcome)) {
        report_.diagnostics.push_back(hook_trouble(hook));
      }
      report_.hooks.push_back(std::move(hook));
    }
  }

  template <class Entry>
  static LeftOff left_off(const Restored& entry, const Entry& why) {
    return {entry.host, entry.vm, entry.vm_id, why.message, start_command(entry.vm_id), why.code, why.hint};
  }

  const Plan& plan_;
  const std::optional<Window> window_;
  HostWriter& hosts_;
  Journal& journal_;
  Progress& progress_;
  const std::atomic<bool>& cancelled_;
  const Clock& now_;
  const Limits limits_;
  const Patience& patience_;
  Loop loop_;
  Locks locks_;
  Flushes flushes_;
  SharedReads reads_;
  std::vector<Turns> turns_;  // by host: for writes that are no stops and no starts
  Held held_;
  HookRuns hooks_;
  std::vector<bool> starts_;    // by VM: the plan starts it
  std::vector<bool> answered_;  // by step: the host had its last word
  bool journal_failed_ = false;
  bool stopped_by_journal_ = false;  // a step was not sent for it
  bool window_closed_ = false;       // a stop was skipped for it
  Report report_;
};

}  // namespace

Report execute(const Plan& plan, HostWriter& hosts, Journal& journal, Progress& progress,
               const std::atomic<bool>& cancelled, const Clock& now, const Limits& limits, const Patience& patience,
               const Terms& terms) {
  return Run(plan, hosts, journal, progress, cancelled, now, limits, patience, terms).perform();
}

}  // namespace gpup
