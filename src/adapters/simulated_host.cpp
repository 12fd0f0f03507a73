#include "adapters/simulated_host.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/agent_errors.h"
#include "adapters/disk.h"
#include "adapters/file_lock.h"
#include "adapters/files.h"
#include "adapters/lab_facts.h"
#include "adapters/lab_faults.h"
#include "adapters/lab_rules.h"
#include "base/text.h"
#include "observed/merge.h"
#include "observed/read_snapshot.h"

namespace gpup {

namespace {

/// Tells whether a file is still the one that was read: every write of ours makes a new one.
Result<disk::Stamp> identify(const std::string& path, const std::string& shown) {
  const std::optional<disk::Stamp> stamp = disk::stamp_of(path);
  if (!stamp) {
    return fail(ErrorCode::kUnreachable,
                fmt::format("cannot read {}: {}", shown,
                            errno == ENOENT ? "no such file or folder" : std::generic_category().message(errno)));
  }
  return *stamp;
}

/// UTF-16 with a byte order mark (what `>` of Windows PowerShell writes), UTF-8 with or without one.
LabJson parse(const std::string& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() >= 2 && ((byte(0) == 0xff && byte(1) == 0xfe) || (byte(0) == 0xfe && byte(1) == 0xff))) {
    const bool little = byte(0) == 0xff;
    std::u16string wide;
    for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
      wide += static_cast<char16_t>(little ? byte(i) | byte(i + 1) << 8 : byte(i) << 8 | byte(i + 1));
    }
    return LabJson::parse(wide);
  }
  return LabJson::parse(text);
}

/// A lab's file, as it was last read. Both forms are made when they are asked for and kept while the file is the same.
class Lab {
 public:
  Lab(std::string path, std::string shown) : path_(std::move(path)), shown_(std::move(shown)) {}

  const std::string& path() const { return path_; }
  const std::string& shown() const { return shown_; }

  /// What a reader sees of one host.
  Result<ObservedState> observe(std::string_view host) {
    if (const Result<Done> fresh = refresh(); !fresh) {
      return tl::unexpected(fresh.error());
    }
    auto found = find(host);
    if (found != observed_.hosts.end() && given_.contains(found - observed_.hosts.begin())) {
      // Asked again: this is a run that changes hosts, not one that reads each of them once.
      keeps_ = true;
      known_ = false;
      if (const Result<Done> fresh = refresh(); !fresh) {
        return tl::unexpected(fresh.error());
      }
      found = find(host);
    }
    if (found == observed_.hosts.end()) {
      return fail(ErrorCode::kUnreachable, fmt::format("{} has no host {}", shown_, host));
    }
    if (!found->reachable) {
      return fail(ErrorCode::kUnreachable,
                  found->error.empty() ? std::string("it cannot be reached") : std::string(found->error));
    }
    ObservedState one;
    one.taken_at = observed_.taken_at;
    one.cluster = observed_.cluster;
    one.texts = observed_.texts;
    if (keeps_) {
      one.hosts.push_back(*found);
    } else {
      given_.insert(found - observed_.hosts.begin());
      one.hosts.push_back(std::move(*found));
    }
    return one;
  }

  /// The whole file as JSON, which rules and faults work on; nullptr where no host of it has a `simulate` and it was
  /// only asked for that.
  Result<LabJson*> document(bool only_simulate) {
    if (const Result<Done> fresh = refresh(); !fresh) {
      return tl::unexpected(fresh.error());
    }
    if (only_simulate && !simulates_) {
      return nullptr;
    }
    if (!parsed_) {
      const Result<std::string> text = read_file(path_, kLargestSnapshot);
      if (!text) {
        return tl::unexpected(text.error());
      }
      try {
        document_ = parse(*text);
      } catch (const std::exception& error) {
        return fail(ErrorCode::kUnreachable, fmt::format("{}: {}", shown_, error.what()));
      }
      if (Diagnostics wrong = check_simulate(document_, shown_); !wrong.empty()) {
        return fail(std::move(wrong));
      }
      const auto line_end = text->find('\n');
      indent_ = line_end < text->size() - 1 ? 2 : -1;
      parsed_ = true;
    }
    return &document_;
  }

  /// Replaces the file by the document.
  Result<Done> write() {
    known_ = false;  // whatever comes of it, the file is read again
    parsed_ = false;
    std::string text = document_.dump(indent_, ' ', false, LabJson::error_handler_t::replace);
    text += '\n';
    Result<std::unique_ptr<OutputFile>> file = create_output(path_, Endures::kThisProcess);
    if (!file) {
      return tl::unexpected(file.error());
    }
    (*file)->write(text);
    if (Result<Done> done = (*file)->commit(); !done) {
      return done;
    }
    owes_ = owes(text);
    if (const Result<disk::Stamp> identity = identify(path_, shown_)) {
      if (Result<ObservedState> observed = read_snapshot(std::move(text), shown_)) {
        observed_ = std::move(*observed);
        given_.clear();
        identity_ = *identity;
        known_ = true;
        parsed_ = true;
      }
    }
    return Done{};
  }

  /// False where no virtual machine of the file owes a start. Cheap.
  Result<bool> may_owe_starts() {
    if (const Result<Done> fresh = refresh(); !fresh) {
      return tl::unexpected(fresh.error());
    }
    return owes_;
  }

  /// Forgets a document that was changed but not written.
  void forget() { parsed_ = false; }

 private:
  static bool owes(std::string_view text) {
    return text.find("\"startOwed\"") != std::string_view::npos ||
           text.find("\"startsOwed\"") != std::string_view::npos;
  }

  std::vector<Host>::iterator find(std::string_view host) {
    return std::find_if(observed_.hosts.begin(), observed_.hosts.end(),
                        [&](const Host& candidate) { return same_name(candidate.name, host); });
  }

  Result<Done> refresh() {
    const Result<disk::Stamp> now = identify(path_, shown_);
    if (!now) {
      return tl::unexpected(now.error());
    }
    if (known_ && identity_ == *now) {
      return Done{};
    }
    known_ = false;
    parsed_ = false;
    Result<std::string> text = read_file(path_, kLargestSnapshot);
    if (!text) {
      return fail(ErrorCode::kUnreachable, text.error().message);
    }
    const bool wide = !text->empty() && (static_cast<unsigned char>((*text)[0]) >= 0xfe);
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.InnerPointer): the text is moved from below, not before
    const bool simulates = wide || text->find("\"simulate\"") != std::string::npos;
    const bool owing = wide || owes(*text);
    Result<ObservedState> observed = read_snapshot(std::move(*text), shown_);
    if (!observed) {
      return tl::unexpected(observed.error());
    }
    observed_ = std::move(*observed);
    given_.clear();
    simulates_ = simulates;
    owes_ = owing;
    identity_ = *now;
    known_ = true;
    return Done{};
  }

  std::string path_;     ///< without links
  std::string shown_;    ///< as messages name it: as it was given
  bool known_ = false;   ///< `identity_`, `observed_` and `simulates_` are those of the file
  bool parsed_ = false;  ///< so is `document_`
  bool simulates_ = false;
  bool owes_ = false;  ///< a start may be owed
  disk::Stamp identity_{};
  std::set<std::ptrdiff_t> given_;  ///< hosts that were moved out of `observed_`
  bool keeps_ = false;              ///< hosts are copied, since they are asked for again
  ObservedState observed_;
  LabJson document_;
  int indent_ = 2;
};

/// A host name as a part of a file's name.
std::string file_part(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  std::string part;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char letter : fold_case(name)) {
    const auto byte = static_cast<unsigned char>(letter);
    hash = (hash ^ byte) * 0x100000001b3ULL;
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
    part += plain ? std::string(1, letter) : fmt::format("%{:02x}", byte);
  }
  if (part.size() > kLongest) {
    part.resize(kLongest);
    part += fmt::format("%{:016x}", hash);
  }
  return part;
}

LabJson* find_host(LabJson& lab, std::string_view name) {
  for (LabJson& host : lab["hosts"]) {
    if (same_name(lab_text(host, "name"), name)) {
      return &host;
    }
  }
  return nullptr;
}

constexpr std::string_view kStartVm = "start-vm";
constexpr const char* kReplyLost = "the reply was lost, it may have happened";

tl::unexpected<Error> interrupted() { return fail(ErrorCode::kInterrupted, kReplyLost); }

/// The error of a fault, called as it says.
tl::unexpected<Error> told(ErrorCode code, const Fault& fault, const std::string& message) {
  if (!fault.code) {
    return fail(code, message);
  }
  Diagnostic diagnostic;
  diagnostic.code = *fault.code;
  diagnostic.object = "host";
  diagnostic.message = message;
  return tl::unexpected<Error>(host_error(code, std::move(diagnostic)));
}

class SimulatedHosts : public HostWriter {
 public:
  HostAnswer<ObservedState> observe(const HostTarget& target) override {
    const std::lock_guard guard(mutex_);
    if (is_dropped(target)) {
      return dropped();
    }
    Lab& lab = lab_of(target);
    const Result<Simulated> simulated = simulate_observe(lab, target);
    if (!simulated) {
      return tl::unexpected(simulated.error());
    }
    if (simulated->ms == 0) {
      return observe_now(lab, target, simulated->fault);
    }
    return HostAnswer<ObservedState>::due(in(simulated->ms), [this, &lab, &target, fault = simulated->fault] {
      const std::lock_guard later(mutex_);
      return observe_now(lab, target, fault);
    });
  }

  Result<HostFacts> examine(const HostTarget& target) override {
    // A host that cannot be observed cannot be examined; faults of `observe` are about both.
    if (const Result<ObservedState> observed = observe(target).get(); !observed) {
      return tl::unexpected(observed.error());
    }
    const std::lock_guard guard(mutex_);
    Lab& lab = lab_of(target);
    const Result<LabJson*> document = lab.document(false);
    if (!document) {
      return tl::unexpected(document.error());
    }
    const LabJson* const host = find_host(**document, target.name);
    if (host == nullptr) {
      return fail(ErrorCode::kUnreachable, fmt::format("{} has no host {}", lab.shown(), target.name));
    }
    return lab_facts(**document, *host, lab.shown());
  }

  Result<Done> lock(const HostTarget& target) override {
    const std::lock_guard guard(mutex_);
    if (is_dropped(target)) {
      return dropped();
    }
    const std::string path = lab_of(target).path();
    if (const Result<disk::Stamp> there = identify(path, lab_of(target).shown()); !there) {
      return tl::unexpected(there.error());
    }
    if (const Result<LabJson*> document = lab_of(target).document(true); document && *document != nullptr) {
      const LabJson* const host = find_host(**document, target.name);
      if (const std::string holder = host == nullptr ? "" : simulated_holder(*host); !holder.empty()) {
        return fail(ErrorCode::kHeld, "held by " + holder);
      }
    }
    std::string name = fmt::format("{}.{}.lock", path, file_part(target.name));
    if (locks_.contains(name)) {
      return Done{};
    }
    Result<std::unique_ptr<FileLock>> lock = FileLock::try_acquire(name);
    if (!lock) {
      return tl::unexpected(lock.error());
    }
    if (Result<Done> forgotten = forget_old_owed_starts(target); !forgotten) {
      return forgotten;
    }
    locks_.emplace(std::move(name), std::move(*lock));
    return Done{};
  }

  void unlock(const HostTarget& target) override {
    const std::lock_guard guard(mutex_);
    locks_.erase(fmt::format("{}.{}.lock", lab_of(target).path(), file_part(target.name)));
  }

  HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& vm_id, const StopPolicy& /*how*/,
                           bool start_owed) override {
    return perform(host, "stop-vm", vm_id, {}, [vm_id, start_owed](LabJson& at, bool& changed) {
      return lab_stop_vm(at, vm_id, start_owed, changed);
    });
  }
  HostAnswer<Done> start_vm(const HostTarget& host, const std::string& vm_id) override {
    return perform(host, kStartVm, vm_id, {},
                   [vm_id](LabJson& at, bool& changed) { return lab_start_vm(at, vm_id, changed); });
  }
  HostAnswer<Done> forget_owed_start(const HostTarget& host, const std::string& vm_id) override {
    const std::lock_guard guard(mutex_);
    return is_dropped(host)
               ? dropped()
               : forget(host, [&](LabJson&, LabJson& at, bool& changed) { lab_forget_owed_start(at, vm_id, changed); });
  }
  HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& vm_id,
                                    const std::optional<std::string>& gpu) override {
    return perform(host, "assign-partition", vm_id, gpu.value_or(""),
                   [vm_id, gpu](LabJson& at, bool& changed) { return lab_assign_partition(at, vm_id, gpu, changed); });
  }
  HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& vm_id,
                                      const std::string& adapter) override {
    return perform(host, "unassign-partition", vm_id, {}, [vm_id, adapter](LabJson& at, bool& changed) {
      return lab_unassign_partition(at, vm_id, adapter, changed);
    });
  }
  HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) override {
    return perform(host, "set-partition-count", {}, gpu, [gpu, count](LabJson& at, bool& changed) {
      return lab_set_partition_count(at, gpu, count, changed);
    });
  }
  HostAnswer<Done> set_offline_action(const HostTarget& host, const std::string& vm_id, OfflineAction action) override {
    return perform(host, "set-offline-action", vm_id, {}, [vm_id, action](LabJson& at, bool& changed) {
      return lab_set_offline_action(at, vm_id, action, changed);
    });
  }

 private:
  /// A machine that runs is owed nothing, whatever a run that was cut off has left behind: its stop has come, or never
  /// will.
  Result<Done> forget_old_owed_starts(const HostTarget& target) { return forget(target, lab_forget_owed_starts); }

  /// Faults are not about it: to hosts it is no step.
  Result<Done> forget(const HostTarget& target, const std::function<void(LabJson&, LabJson&, bool&)>& deed) {
    Lab& lab = lab_of(target);
    const Result<bool> may = lab.may_owe_starts();
    if (!may || !*may) {
      return Done{};  // what cannot be read is told by whoever reads it
    }
    return change(lab, target, [&](LabJson& document, LabJson& host, bool& changed) {
      deed(document, host, changed);
      return Result<Done>(Done{});
    });
  }

  using Rule = std::function<Result<Done>(LabJson& host, bool& changed)>;

  /// One lab a file, however many hosts share it and by whatever links they name it.
  Lab& lab_of(const HostTarget& target) {
    const std::string& file = target.connect.file;
    const auto known = paths_.find(file);
    std::string path;
    if (known != paths_.end()) {
      path = known->second;
    } else {
      const std::optional<std::string> real = disk::real_path(file);
      path = real.value_or(file);
      if (real) {
        paths_.emplace(file, path);
      }
    }
    return labs_.try_emplace(path, path, file).first->second;
  }

  static tl::unexpected<Error> dropped() { return fail(ErrorCode::kUnreachable, "the session was dropped"); }
  std::string key(const HostTarget& target) { return lab_of(target).path() + '\n' + fold_case(target.name); }
  bool is_dropped(const HostTarget& target) { return !dropped_.empty() && dropped_.contains(key(target)); }

  static HostAnswer<Done>::Clock::time_point in(std::uint64_t ms) {
    return HostAnswer<Done>::Clock::now() + std::chrono::milliseconds(ms);
  }

  /// What the lab was told about a request: how much longer it takes, and what else happens to it.
  struct Simulated {
    std::uint64_t ms = 0;
    std::optional<Fault> fault;
  };

  /// Faults of `observe` are counted here, since reading never writes.
  Result<Simulated> simulate_observe(Lab& lab, const HostTarget& target) {
    const Result<LabJson*> document = lab.document(true);
    if (!document) {
      return tl::unexpected(document.error());
    }
    LabJson* const host = *document == nullptr ? nullptr : find_host(**document, target.name);
    if (host == nullptr) {
      return Simulated();
    }
    std::map<std::size_t, std::uint64_t>& counts = observe_faults_[key(target)];
    std::optional<Fault> fault =
        next_fault(*host, {"observe", {}, {}, {}},
                   {[&](std::size_t i) { return counts[i]; }, [&](std::size_t i) { ++counts[i]; }});
    return Simulated{latency_ms(*host, "observe") + (fault ? fault->ms : 0), std::move(fault)};
  }

  Result<ObservedState> observe_now(Lab& lab, const HostTarget& target, const std::optional<Fault>& fault) {
    if (fault && fault->kind == FaultKind::kDropSession) {
      dropped_.insert(key(target));
    } else if (fault && fault->kind != FaultKind::kDelay) {
      return told(ErrorCode::kUnreachable, *fault, fault->message);
    }
    if (is_dropped(target)) {
      return dropped();
    }
    return lab.observe(target.name);
  }

  /// One request that may change the host: fails or succeeds as the lab was told, keeps the platform's rules otherwise.
  /// Other requests go on while it takes its time. The file is read, changed and replaced under a lock, and only where
  /// something changed.
  HostAnswer<Done> perform(const HostTarget& target, std::string_view op, const std::string& vm_id,
                           const std::string& gpu, const Rule& rule) {
    const std::lock_guard guard(mutex_);
    if (is_dropped(target)) {
      return dropped();
    }
    Lab& lab = lab_of(target);
    Simulated simulated;
    simulated.ms = latency_without_faults(lab, target, op);
    if (simulated.ms == 0) {
      Result<Done> done = change(lab, target, [&](LabJson& document, LabJson& host, bool& changed) {
        simulated.fault = take_fault(host, op, vm_id, gpu, changed);
        simulated.ms = latency_ms(host, op) + (simulated.fault ? simulated.fault->ms : 0);
        return simulated.ms > 0 ? Result<Done>(Done{}) : act(document, host, simulated.fault, vm_id, rule, changed);
      });
      if (!done || simulated.ms == 0) {
        return end(target, op, simulated.fault, std::move(done));
      }
    }
    return HostAnswer<Done>::due(in(simulated.ms), [this, &lab, &target, op, fault = simulated.fault, vm_id, rule] {
      const std::lock_guard later(mutex_);
      Result<Done> acted = change(lab, target, [&](LabJson& document, LabJson& host, bool& changed) {
        return act(document, host, fault, vm_id, rule, changed);
      });
      if (is_dropped(target)) {
        acted = interrupted();  // another request lost the session: the host goes on, its answer is not heard
      }
      return end(target, op, fault, std::move(acted));
    });
  }

  /// What such a request does not change before its time has come needs no lock. 0 where that cannot be said.
  static std::uint64_t latency_without_faults(Lab& lab, const HostTarget& target, std::string_view op) {
    const Result<LabJson*> document = lab.document(true);
    const LabJson* const host = document && *document != nullptr ? find_host(**document, target.name) : nullptr;
    return host != nullptr && host->value("reachable", true) && !has_faults(*host) ? latency_ms(*host, op) : 0;
  }

  Result<Done> end(const HostTarget& target, std::string_view op, const std::optional<Fault>& fault,
                   Result<Done> done) {
    if (fault && fault->kind == FaultKind::kDropSession) {
      dropped_.insert(key(target));
    }
    if (op == kStartVm && !done && done.error().code == ErrorCode::kRefused) {
      AgentError error;
      error.reason = "cmdlet";
      error.message = done.error().message;
      if (Diagnostic why = explain_start_refusal(target, error); why.code == Code::kNoPartition) {
        return tl::unexpected<Error>(host_error(ErrorCode::kRefused, std::move(why)));
      }
    }
    return done;
  }

  using Change = std::function<Result<Done>(LabJson& document, LabJson& host, bool& changed)>;

  static Result<Done> change(Lab& lab, const HostTarget& target, const Change& deed) {
    try {
      return change_under_lock(lab, target, deed);
    } catch (const std::exception& error) {
      lab.forget();
      return fail(ErrorCode::kUnreachable, fmt::format("{}: {}", lab.shown(), error.what()));
    }
  }

  static Result<Done> change_under_lock(Lab& lab, const HostTarget& target, const Change& deed) {
    const Result<std::unique_ptr<FileLock>> lock = FileLock::acquire(lab.path() + ".lock");
    if (!lock) {
      return fail(ErrorCode::kUnreachable, lock.error().message);
    }
    const Result<LabJson*> document = lab.document(false);
    if (!document) {
      const Error& error = document.error();
      return fail(ErrorCode::kUnreachable, error.message.empty() && !error.diagnostics.empty()
                                               ? error.diagnostics.front().message
                                               : error.message);
    }
    LabJson* const host = find_host(**document, target.name);
    if (host == nullptr) {
      return fail(ErrorCode::kUnreachable, fmt::format("{} has no host {}", lab.shown(), target.name));
    }
    if (!host->value("reachable", true)) {
      const std::string why = lab_text(*host, "error");
      return fail(ErrorCode::kUnreachable, why.empty() ? "it cannot be reached" : why);
    }
    bool changed = false;
    Result<Done> done = deed(**document, *host, changed);
    if (changed) {
      if (const Result<Done> written = lab.write(); !written) {
        return fail(ErrorCode::kRefused, "the lab: " + written.error().message);
      }
    }
    return done;
  }

  static std::optional<Fault> take_fault(LabJson& host, std::string_view op, const std::string& vm_id,
                                         const std::string& gpu, bool& changed) {
    const LabJson* const vm = vm_id.empty() ? nullptr : lab_find_vm(host, vm_id);
    const Request request{op, vm == nullptr ? std::string() : lab_text(*vm, "name"), vm_id, gpu};
    const auto seen = [&](std::size_t i) { return host["simulate"]["faults"][i].value("seen", std::uint64_t{0}); };
    return next_fault(host, request, {seen, [&](std::size_t i) {
                                        host["simulate"]["faults"][i]["seen"] = seen(i) + 1;
                                        changed = true;
                                      }});
  }

  static Result<Done> act(LabJson& document, LabJson& host, const std::optional<Fault>& fault, const std::string& vm_id,
                          const Rule& rule, bool& changed) {
    if (!fault) {
      return rule(host, changed);
    }
    switch (fault->kind) {
      case FaultKind::kDelay:
        return rule(host, changed);
      case FaultKind::kFail:
        if (fault->performed) {
          if (Result<Done> refused = rule(host, changed); !refused) {
            return refused;
          }
        }
        return told(ErrorCode::kRefused, *fault, fault->message);
      case FaultKind::kClaimSuccess:
        return Done{};
      case FaultKind::kLoseReplyBefore:
        return told(ErrorCode::kInterrupted, *fault, kReplyLost);
      case FaultKind::kLoseReplyAfter:
        static_cast<void>(rule(host, changed));  // a refusal is a reply as well
        return told(ErrorCode::kInterrupted, *fault, kReplyLost);
      case FaultKind::kDropSession:
        if (fault->performed) {
          if (const Result<Done> lost = rule(host, changed); !lost) {
            return interrupted();
          }
        }
        return interrupted();
      case FaultKind::kMoveTo:
        if (LabJson* const to = find_host(document, fault->to); to != nullptr && to != &host) {
          lab_move_vm(host, *to, vm_id);
          changed = true;
        }
        return fail(ErrorCode::kRefused, "ObjectNotFound: the virtual machine is not on this host any more");
    }
    return Done{};
  }

  std::mutex mutex_;
  std::map<std::string, std::string> paths_;  ///< as given -> without links
  std::map<std::string, Lab> labs_;
  std::map<std::string, std::unique_ptr<FileLock>> locks_;
  std::set<std::string> dropped_;  ///< hosts that this process cannot reach any more
  std::map<std::string, std::map<std::size_t, std::uint64_t>> observe_faults_;
};

}  // namespace

std::unique_ptr<HostWriter> make_simulated_hosts() { return std::make_unique<SimulatedHosts>(); }

}  // namespace gpup
