#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "adapters/agent_launch.h"
#include "adapters/agent_reply.h"
#include "adapters/agent_wire.h"
#include "adapters/subprocess.h"
#include "base/result.h"
#include "model/connect.h"

namespace gpup {

/// A live agent: requests go in, replies come back in any order, each to whoever waits for it. Requests may be made
/// from several threads: one of those that wait reads for all of them, so that a single one costs no wake-up of another
/// thread. While nobody waits nothing is read. Once it has ended it stays so; a new one is opened then.
class AgentSession {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };

  /// Starts the program, gives it the script and waits until the agent has answered `hello`, `bound` at most.
  /// kUnreachable with a diagnostic that says what is wrong.
  static Result<std::shared_ptr<AgentSession>> open(const HostTarget& host, const AgentLaunch& launch,
                                                    std::string_view script, Mode mode, std::chrono::seconds bound);

  AgentSession(const AgentSession&) = delete;
  AgentSession& operator=(const AgentSession&) = delete;
  /// Ends its input, waits a moment for it to go, else kills it.
  ~AgentSession();

  /// Sends `{"id": N, MEMBERS}` and waits for its reply, `bound` at most. Refusals of the host are replies. Errors:
  /// kUnreachable (nothing that could be performed was sent), kInterrupted (it was sent and may have been performed).
  /// A session that said nothing at all for that long is ended; else one that writes and is not answered in time is
  /// withdrawn, so that nothing is performed later that was given up (kUnreachable), unless it has begun.
  /// `writes`: the request changes the host. While one of these has no answer, an agent is never killed: it goes when
  /// it has ended it, and keeps the host's lock until then.
  Result<AgentReply> request(std::string_view members, std::chrono::seconds bound, bool writes = false);

  /// Also where it ended by itself since the last request.
  bool ended();
  Mode mode() const { return mode_; }
  /// The result of `hello`, JSON.
  const std::string& hello() const { return hello_; }

  /// Ends its input without waiting: several sessions end side by side.
  void hang_up();

 private:
  using Clock = std::chrono::steady_clock;

  /// A request that is waited for.
  struct Waiting {
    std::condition_variable told;  ///< its reply, the end, or that nobody reads any more
    std::optional<AgentReply> reply;
    std::uint64_t end = 0;  ///< where it ends in all that was ever sent
  };

  using Lock = std::unique_lock<std::mutex>;

  AgentSession(HostTarget host, AgentLaunch launch, Mode mode, std::unique_ptr<Subprocess> process,
               const std::string& nonce, std::unique_ptr<Bell> bell);

  void await(Waiting& waiting, Lock& lock, Clock::time_point until);
  bool withdraw(std::uint64_t id, Lock& lock);
  void serve(Lock& lock, Clock::time_point until);
  void hand_over();
  void part();
  bool take_output(Lock& lock);
  void take_errors();
  void take_reply(tl::expected<AgentReply, std::string> reply);
  void send_pending();
  void end_with(Diagnostic why);
  void end_by_itself(Lock& lock, Clock::time_point until);
  void end_garbled(ReplyReader::Trouble trouble);
  void queue(std::string_view bytes);
  std::string said_last() const;
  tl::unexpected<Error> lost(const Waiting& waiting) const;

  const HostTarget host_;
  const AgentLaunch launch_;
  const Mode mode_;
  std::string hello_;

  std::mutex mutex_;                     ///< of all below, but for what is said to be whoever serves's
  std::unique_ptr<Subprocess> process_;  ///< its input under the mutex, the rest whoever serves's
  std::map<std::uint64_t, Waiting*> waiting_;
  bool serving_ = false;  ///< somebody reads
  std::uint64_t next_id_ = 1;
  std::uint64_t replies_ = 0;
  std::set<std::uint64_t> writing_;  ///< requests that write and have no answer, given up or not
  std::string pending_;              ///< not taken by the pipe yet
  std::uint64_t queued_ = 0;         ///< bytes that were ever to be sent
  std::uint64_t sent_ = 0;           ///< of these, those that the pipe took
  bool greeted_ = false;
  bool parted_ = false;  ///< the program is gone, or left to itself
  std::optional<Diagnostic> ended_;

  ReplyReader reader_;
  std::string errors_;           ///< the end of what came on stderr
  std::size_t errors_size_ = 0;  ///< since the last reply
  std::string buffer_;           ///< whoever serves's

  const std::unique_ptr<Bell> bell_;  ///< lets whoever serves look again
};

}  // namespace gpup
