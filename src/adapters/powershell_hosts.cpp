#include "adapters/powershell_hosts.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "adapters/agent_errors.h"
#include "adapters/agent_launch.h"
#include "adapters/agent_reply.h"
#include "adapters/agent_script.h"
#include "adapters/agent_session.h"
#include "adapters/this_process.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "observed/read_host_facts.h"
#include "observed/read_snapshot.h"

namespace gpup {

namespace {

using Mode = AgentSession::Mode;
using Session = std::shared_ptr<AgentSession>;
/// Puts a refusal in words.
using Explain = Diagnostic (*)(const HostTarget&, const AgentError&);

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

/// One host: its session, and the lock that this run has on it.
class Link {
 public:
  Link(HostTarget host, std::chrono::seconds bound, bool may_write)
      : host_(std::move(host)), bound_(bound), writes_(may_write) {}

  Result<ObservedState> observe() {
    Result<std::string> reply = read("observe");
    if (!reply) {
      return tl::unexpected(std::move(reply.error()));
    }
    Result<ObservedState> state = read_snapshot(*std::move(reply), "reply", kLargestReply);
    if (!state) {
      const Diagnostics& wrong = state.error().diagnostics;
      return unreadable(wrong.empty() ? state.error().message : wrong.front().message);
    }
    if (state->hosts.size() != 1 || !same_name(state->hosts.front().name, host_.name)) {
      return unreadable("it is not about this host alone");
    }
    if (const Host& host = state->hosts.front(); !host.reachable) {
      return tl::unexpected<Error>(
          host_error(ErrorCode::kUnreachable, host_trouble(host_, Code::kHostUnreadable, host_text(host.error))));
    }
    return state;
  }

  Result<HostFacts> examine() {
    Result<std::string> reply = read("doctor");
    if (!reply) {
      return tl::unexpected(std::move(reply.error()));
    }
    Result<HostFacts> facts = read_host_facts(*std::move(reply), "reply");
    if (!facts) {
      const Diagnostics& wrong = facts.error().diagnostics;
      return unreadable(wrong.empty() ? facts.error().message : wrong.front().message);
    }
    return facts;
  }

  Result<std::string> ask(std::string_view op) {
    if (op == "hello") {
      const Result<Session> session = this->session();
      return session ? Result<std::string>((*session)->hello()) : tl::unexpected(session.error());
    }
    return read(op);
  }

  Result<Done> lock() {
    const std::lock_guard guard(mutex_);
    writes_ = true;
    if (session_ && session_->mode() != Mode::kWrite) {
      session_.reset();
    }
    const Result<Session> session = open();
    if (!session) {
      return tl::unexpected(session.error());
    }
    if (locked_ == *session) {
      return Done{};
    }
    return take_lock(*session, false);
  }

  void unlock() {
    const std::lock_guard guard(mutex_);
    if (locked_ && !locked_->ended()) {
      // What comes of it is nobody's matter: the lock ends with the session at the latest.
      constexpr std::chrono::seconds kLongest(10);
      static_cast<void>(
          locked_->request(fmt::format(R"("op":"unlock","lock":{})", number_), std::min(bound_, kLongest)));
    }
    locked_.reset();
    number_ = 0;
  }

  /// One request that may change the host. `more`: its members after `op` and `lock`.
  Result<Done> write(std::string_view op, std::string_view more, std::chrono::seconds bound, Explain explain) {
    Session session;
    std::uint64_t number = 0;
    {
      const std::lock_guard guard(mutex_);
      if (Result<Done> ready = lock_again(); !ready) {
        return ready;
      }
      session = locked_;
      number = number_;
    }
    Result<AgentReply> reply =
        session->request(fmt::format(R"("op":"{}","lock":{},{})", op, number, more), bound, true);
    if (!reply) {
      return tl::unexpected(std::move(reply.error()));
    }
    if (!reply->ok) {
      return tl::unexpected<Error>(host_error(ErrorCode::kRefused, explain(host_, reply->error)));
    }
    return Done{};
  }

  void hang_up() {
    const std::lock_guard guard(mutex_);
    if (session_) {
      session_->hang_up();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  Result<Session> session() {
    const std::lock_guard guard(mutex_);
    return open();
  }

  /// The live session, a new one where there is none. Once this run has locked the host it is one that may write, so
  /// that what is read goes before and after what is written.
  Result<Session> open() {
    if (session_ && !session_->ended()) {
      return session_;
    }
    session_.reset();
    const Clock::time_point begun = Clock::now();
    if (not_opened_ && begun < not_again_before_) {
      return tl::unexpected<Error>(*not_opened_);
    }
    const Result<AgentLaunch> launch = launch_of(host_, bound_, agent_bootstrap());
    if (!launch) {
      return tl::unexpected(launch.error());
    }
    Result<Session> opened =
        AgentSession::open(host_, *launch, agent_script(), writes_ ? Mode::kWrite : Mode::kRead, bound_);
    if (!opened) {
      // A host that took long to fail is not asked again at once: many steps would each wait as long.
      not_opened_ = opened.error();
      not_again_before_ = Clock::now() + (Clock::now() - begun);
      return opened;
    }
    not_opened_.reset();
    session_ = *opened;
    return opened;
  }

  /// `again`: this run had the lock, and lost it with its session. An agent that is still busy with what that session
  /// asked for keeps it a little longer.
  Result<Done> take_lock(const Session& session, bool again) {
    constexpr std::chrono::milliseconds kPause(200);
    constexpr std::chrono::seconds kPatience(10);
    const Clock::time_point until = Clock::now() + kPatience;
    for (;;) {
      Result<AgentReply> reply = session->request(R"("op":"lock")", bound_);
      if (!reply) {
        Error error = std::move(reply.error());
        error.code = ErrorCode::kUnreachable;
        return tl::unexpected<Error>(std::move(error));
      }
      if (reply->ok) {
        const std::optional<std::uint64_t> number = number_in(reply->result, "number");
        if (!number) {
          return tl::unexpected<Error>(host_error(
              ErrorCode::kUnreachable, host_trouble(host_, Code::kNotAnAgent, "the lock came without its number")));
        }
        locked_ = session;
        number_ = *number;
        return Done{};
      }
      const bool ours =
          again && reply->error.reason == "held" && reply->error.holder_process == std::to_string(process_number());
      if (!ours || Clock::now() >= until) {
        return tl::unexpected<Error>(
            host_error(reply->error.reason == "held" ? ErrorCode::kHeld : ErrorCode::kUnreachable,
                       explain_unreadable(host_, reply->error)));
      }
      std::this_thread::sleep_for(kPause);
    }
  }

  /// After a lost session: what was planned still holds only if nobody else had the lock meanwhile.
  Result<Done> lock_again() {
    if (number_ == 0) {
      return fail(ErrorCode::kUnreachable, "the host is not locked");
    }
    const Result<Session> session = open();
    if (!session) {
      return tl::unexpected(session.error());
    }
    if (locked_ == *session) {
      return Done{};
    }
    const std::uint64_t before = number_;
    if (const Result<Done> taken = take_lock(*session, true); !taken) {
      Error error = taken.error();
      error.code = ErrorCode::kUnreachable;
      return within("the host's lock was lost with its session", std::move(error));
    }
    if (number_ != before + 1) {
      number_ = 0;
      return fail(ErrorCode::kUnreachable, "the host's lock was lost with its session, and another run had it since");
    }
    return Done{};
  }

  /// The result of a request that only reads. A session that ended under it is followed by a new one, once.
  Result<std::string> read(std::string_view op) {
    for (bool again = false;; again = true) {
      const Result<Session> session = this->session();
      if (!session) {
        return tl::unexpected(session.error());
      }
      Result<AgentReply> reply = (*session)->request(fmt::format(R"("op":"{}")", op), bound_);
      if (reply && reply->ok) {
        return std::move(reply->result);
      }
      if (reply) {
        return tl::unexpected<Error>(host_error(ErrorCode::kUnreachable, explain_unreadable(host_, reply->error)));
      }
      Error error = std::move(reply.error());
      error.code = ErrorCode::kUnreachable;
      const bool broke = !error.diagnostics.empty() && error.diagnostics.front().code == Code::kSessionEnded;
      if (again || !broke) {
        return tl::unexpected<Error>(std::move(error));
      }
    }
  }

  tl::unexpected<Error> unreadable(const std::string& why) const {
    return tl::unexpected<Error>(
        host_error(ErrorCode::kUnreachable,
                   host_trouble(host_, Code::kNotAnAgent, "what the host says of itself cannot be read: " + why)));
  }

  const HostTarget host_;
  const std::chrono::seconds bound_;

  std::mutex mutex_;  ///< held while a session is opened, not while requests are under way
  Session session_;
  Session locked_;            ///< the session that holds the lock
  std::uint64_t number_ = 0;  ///< of the lock; 0 where this run has none
  bool writes_;
  std::optional<Error> not_opened_;
  Clock::time_point not_again_before_;
};

class Hosts : public PowerShellHosts {
 public:
  Hosts(std::chrono::seconds bound, bool may_write) : bound_(bound), may_write_(may_write) {}
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;
  ~Hosts() override {
    for (const auto& [name, link] : links_) {
      link->hang_up();  // they end side by side
    }
  }

  HostAnswer<ObservedState> observe(const HostTarget& host) override {
    return HostAnswer<ObservedState>::waited([&link = link(host)] { return link.observe(); });
  }
  Result<HostFacts> examine(const HostTarget& host) override { return link(host).examine(); }
  Result<std::string> ask(const HostTarget& host, std::string_view op) override { return link(host).ask(op); }
  Result<Done> lock(const HostTarget& host) override { return link(host).lock(); }
  void unlock(const HostTarget& host) override { link(host).unlock(); }

  HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& vm_id, const StopPolicy& how,
                           bool start_owed) override {
    return write(host, "stop-vm",
                 fmt::format(R"("vm":{},"turnOff":{},"timeoutSeconds":{},"startOwed":{})", json_text(vm_id),
                             how.mode == StopMode::kTurnOff, how.timeout.count(), start_owed),
                 bound_ + how.timeout);
  }

  HostAnswer<Done> start_vm(const HostTarget& host, const std::string& vm_id) override {
    return write(host, "start-vm", fmt::format(R"("vm":{})", json_text(vm_id)), bound_, explain_start_refusal);
  }

  HostAnswer<Done> forget_owed_start(const HostTarget& host, const std::string& vm_id) override {
    return write(host, "forget-owed-start", fmt::format(R"("vm":{})", json_text(vm_id)), bound_);
  }

  HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& vm_id,
                                    const std::optional<std::string>& gpu) override {
    return write(host, "assign-partition",
                 fmt::format(R"("vm":{},"gpu":{})", json_text(vm_id), gpu ? json_text(*gpu) : std::string("null")),
                 bound_);
  }
  HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& vm_id,
                                      const std::string& adapter) override {
    return write(host, "unassign-partition",
                 fmt::format(R"("vm":{},"adapter":{})", json_text(vm_id), json_text(adapter)), bound_);
  }
  HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) override {
    return write(host, "set-partition-count", fmt::format(R"("gpu":{},"count":{})", json_text(gpu), count), bound_);
  }
  HostAnswer<Done> set_offline_action(const HostTarget& host, const std::string& vm_id, OfflineAction action) override {
    return write(host, "set-offline-action",
                 fmt::format(R"("vm":{},"value":{})", json_text(vm_id), cluster_value(action)), bound_);
  }

 private:
  HostAnswer<Done> write(const HostTarget& host, std::string_view op, std::string more, std::chrono::seconds bound,
                         Explain explain = explain_refusal) {
    return HostAnswer<Done>::waited([&link = link(host), op, more = std::move(more), bound, explain] {
      return link.write(op, more, bound, explain);
    });
  }

  Link& link(const HostTarget& host) {
    const std::lock_guard guard(mutex_);
    std::unique_ptr<Link>& link = links_[fold_case(host.name)];
    if (!link) {
      link = std::make_unique<Link>(host, bound_, may_write_);
    }
    return *link;
  }

  const std::chrono::seconds bound_;
  const bool may_write_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Link>> links_;
};

}  // namespace

std::unique_ptr<PowerShellHosts> make_powershell_hosts(std::chrono::seconds bound, bool may_write) {
  return std::make_unique<Hosts>(bound, may_write);
}

}  // namespace gpup
