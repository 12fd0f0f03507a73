#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>
#include <csignal>

#include "execute/host_writer.h"
#include "execute/journal.h"

namespace gpup::kill {

enum class End : std::uint8_t {
  kNone,     ///< everything goes well
  kKill,     ///< `kill -9` of gpup
  kSession,  ///< a host's session is lost, for as long as the run lasts
  kBreak,    ///< a host's session is killed, and a new one can be opened; only where there are `Sessions`
};

/// Mistakes, to see that they are noticed.
enum class Mutant : std::uint8_t {
  kNone,
  kForgetsIntents,  ///< an intent is not written
  kOwesNothing,     ///< a VM is stopped without a note on its host
  kRepeatsAssigns,  ///< an assign whose reply was lost is sent again
};

/// The sessions of hosts whose requests take their time.
class Sessions {
 public:
  virtual ~Sessions() = default;
  /// `kill -9` of what is at the host's end.
  virtual void kill(const std::string& host) = 0;
  /// Another number once something has changed on a host.
  virtual std::uint64_t changes() const = 0;
  /// How long a request is given that is cut off before its effect, most likely.
  virtual std::chrono::microseconds moment() const = 0;
};

/// What happens at which point of a run. The points are counted as the run comes by.
class Fate {
 public:
  /// `sessions`: nullptr where requests take no time.
  Fate(End end, std::uint64_t at, Mutant mutant, Sessions* sessions = nullptr)
      : end_(end), at_(at), mutant_(mutant), sessions_(sessions) {}

  /// True at the chosen point.
  bool is_here() { return ++passed_ == at_; }
  /// True at the chosen point, where a session is to be lost; does not return where the run is to be killed.
  bool strikes() {
    if (!is_here()) {
      return false;
    }
    if (end_ == End::kKill) {
      die();
    }
    return end_ != End::kNone;
  }
  /// As `strikes`, but lets `last_deed` happen before the end: what a kill in the middle of something leaves.
  template <class Deed>
  void strikes_in(const Deed& last_deed) {
    if (++passed_ == at_ && end_ == End::kKill) {
      last_deed();
      die();
    }
  }

  bool is_lost(const std::string& host) {
    const std::lock_guard guard(mutex_);
    return lost_.contains(host);
  }
  void lose(const std::string& host) {
    if (sessions_ != nullptr) {
      sessions_->kill(host);
    }
    const std::lock_guard guard(mutex_);
    if (end_ == End::kSession) {
      lost_.insert(host);
    }
  }
  /// The end, whatever it is, at a point that has come.
  void come_true(const std::string& host) {
    if (end_ == End::kKill) {
      die();
    }
    lose(host);
  }

  bool ends_early() const { return end_ != End::kNone; }
  std::uint64_t passed() const { return passed_; }
  Mutant mutant() const { return mutant_; }
  Sessions* sessions() const { return sessions_; }

 private:
  [[noreturn]] static void die() {
    ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }

  const End end_;
  const std::uint64_t at_;
  const Mutant mutant_;
  Sessions* const sessions_;
  std::atomic<std::uint64_t> passed_ = 0;
  std::mutex mutex_;
  std::set<std::string> lost_;
};

/// Points: before an entry, in the middle of its line, after it.
class FatedJournal : public Journal {
 public:
  FatedJournal(std::unique_ptr<Journal> journal, std::string folder, Fate& fate)
      : journal_(std::move(journal)), folder_(std::move(folder)), fate_(fate) {}

  Result<Done> begin(const Plan& plan, Time now) override {
    return note({}, [&] { return journal_->begin(plan, now); });
  }
  Result<Done> intent(const Plan& plan, std::uint32_t step, Time now) override {
    return note(plan.hosts[host_of(plan, plan.steps[step])].name, [&]() -> Result<Done> {
      return fate_.mutant() == Mutant::kForgetsIntents ? Done{} : journal_->intent(plan, step, now);
    });
  }
  Result<Done> outcome(const Plan& plan, const StepResult& result) override {
    return note(plan.hosts[host_of(plan, plan.steps[result.step])].name,
                [&] { return journal_->outcome(plan, result); });
  }
  Result<Done> undo(const Plan& plan, std::uint32_t step, Time now) override {
    return note(plan.hosts[host_of(plan, plan.steps[step])].name, [&] { return journal_->undo(plan, step, now); });
  }
  Result<Done> restored(const Plan& plan, const Restored& restored) override {
    return note(restored.host, [&] { return journal_->restored(plan, restored); });
  }
  Result<Done> hook(const HookResult& begun) override {
    return note(begun.host, [&] { return journal_->hook(begun); });
  }
  Result<Done> hook_ended(const HookResult& hook) override {
    return note(hook.host, [&] { return journal_->hook_ended(hook); });
  }
  std::string run() const override { return journal_->run(); }
  Result<Done> end(const Plan& plan, const Report& report) override {
    return note({}, [&] { return journal_->end(plan, report); });
  }
  Result<Done> flush() override { return journal_->flush(); }

 private:
  template <class Deed>
  Result<Done> note(const std::string& host, const Deed& deed) {
    point(host);
    const std::uintmax_t before = size();
    Result<Done> noted = deed();
    fate_.strikes_in([&] { std::filesystem::resize_file(file(), before + (size() - before) / 2); });
    point(host);
    return noted;
  }

  void point(const std::string& host) {
    if (fate_.strikes() && !host.empty()) {
      fate_.lose(host);
    }
  }

  std::filesystem::path file() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() == ".jsonl") {
        return entry.path();
      }
    }
    return {};
  }
  std::uintmax_t size() const {
    std::error_code none;
    const std::filesystem::path path = std::filesystem::exists(folder_, none) ? file() : std::filesystem::path();
    return path.empty() ? 0 : std::filesystem::file_size(path);
  }

  std::unique_ptr<Journal> journal_;
  std::string folder_;
  Fate& fate_;
};

/// Points: before a host is locked and read; before a request is sent, after that, after its effect, after its reply.
class FatedHosts : public HostWriter {
 public:
  FatedHosts(std::shared_ptr<HostWriter> hosts, Fate& fate) : hosts_(std::move(hosts)), fate_(fate) {}

  HostAnswer<ObservedState> observe(const HostTarget& host) override {
    return HostAnswer<ObservedState>::waited([this, &host]() -> Result<ObservedState> {
      if (is_lost(host)) {
        return lost();
      }
      return hosts_->observe(host).get();
    });
  }
  Result<HostFacts> examine(const HostTarget& host) override { return hosts_->examine(host); }
  Result<Done> lock(const HostTarget& host) override {
    if (is_lost(host)) {
      return lost();
    }
    return hosts_->lock(host);
  }
  void unlock(const HostTarget& host) override { hosts_->unlock(host); }

  HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& vm, const StopPolicy& how, bool owed) override {
    return sent(host, [=, this](auto& at) {
      return hosts_->stop_vm(at, vm, how, owed && fate_.mutant() != Mutant::kOwesNothing);
    });
  }
  HostAnswer<Done> start_vm(const HostTarget& host, const std::string& vm) override {
    return sent(host, [=, this](auto& at) { return hosts_->start_vm(at, vm); });
  }
  HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& vm,
                                    const std::optional<std::string>& gpu) override {
    return HostAnswer<Done>::waited([=, this, &host] {
      const auto assign = [&](auto& at) { return hosts_->assign_partition(at, vm, gpu); };
      Result<Done> done = send(host, assign);
      if (fate_.mutant() == Mutant::kRepeatsAssigns && !done && done.error().code == ErrorCode::kInterrupted) {
        return assign(host).get();
      }
      return done;
    });
  }
  HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& vm,
                                      const std::string& adapter) override {
    return sent(host, [=, this](auto& at) { return hosts_->unassign_partition(at, vm, adapter); });
  }
  HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) override {
    return sent(host, [=, this](auto& at) { return hosts_->set_partition_count(at, gpu, count); });
  }
  HostAnswer<Done> forget_owed_start(const HostTarget& host, const std::string& vm) override {
    return sent(host, [=, this](auto& at) { return hosts_->forget_owed_start(at, vm); });
  }
  HostAnswer<Done> set_offline_action(const HostTarget& host, const std::string& vm, OfflineAction action) override {
    return sent(host, [=, this](auto& at) { return hosts_->set_offline_action(at, vm, action); });
  }

 private:
  bool is_lost(const HostTarget& host) {
    if (fate_.strikes()) {
      fate_.lose(host.name);
    }
    return fate_.is_lost(host.name);
  }
  static tl::unexpected<Error> lost() { return fail(ErrorCode::kUnreachable, "the session was lost"); }
  static tl::unexpected<Error> interrupted() { return fail(ErrorCode::kInterrupted, "the reply was lost"); }

  using Deed = std::function<HostAnswer<Done>(const HostTarget& host)>;

  HostAnswer<Done> sent(const HostTarget& host, const Deed& deed) {
    return HostAnswer<Done>::waited([this, &host, deed] { return send(host, deed); });
  }

  Result<Done> send(const HostTarget& host, const Deed& deed) {
    if (is_lost(host)) {
      return lost();
    }
    if (fate_.sessions() != nullptr) {
      Result<Done> done = send_on(host, deed);
      is_lost(host);
      return done;
    }
    if (is_lost(host)) {
      return interrupted();
    }
    Result<Done> done = deed(host).get();
    if (is_lost(host)) {
      return interrupted();
    }
    is_lost(host);
    return done;
  }

  /// As it is on its way, it may be cut off: a moment after it was sent, or as soon as it has had an effect.
  Result<Done> send_on(const HostTarget& host, const Deed& deed) {
    const bool soon = fate_.is_here();
    const bool late = fate_.is_here();
    if (!soon && !late) {
      return deed(host).get();
    }
    const std::uint64_t before = fate_.sessions()->changes();
    std::optional<Result<Done>> done;
    std::atomic<bool> answered = false;
    std::thread request([&] {
      done = deed(host).get();
      answered = true;
    });
    if (soon) {
      std::this_thread::sleep_for(fate_.sessions()->moment());
    }
    while (late && !answered && fate_.sessions()->changes() == before) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    fate_.come_true(host.name);
    request.join();
    return *done;
  }

  std::shared_ptr<HostWriter> hosts_;
  Fate& fate_;
};

}  // namespace gpup::kill
