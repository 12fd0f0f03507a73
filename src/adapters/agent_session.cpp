#include "adapters/agent_session.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/agent_errors.h"
#include "adapters/this_process.h"
#include "base/json_writer.h"
#include "observed/read_snapshot.h"

namespace gpup {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostErrors = ReplyReader::kLargestNoise;
constexpr milliseconds kLastWords(2000);   ///< how long a program that closed its output may take to go
constexpr milliseconds kFarewell(1000);    ///< and one whose input was ended
constexpr milliseconds kWithdrawal(5000);  ///< how long an agent that is busy may take to say whether it had begun

std::string new_nonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) {
    nonce += fmt::format("{:08x}", static_cast<std::uint32_t>(random()));
  }
  return nonce;
}

void append_text_or_null(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("\"{}\":", name);
  append_json_string_or_null(out, text);
}

/// Where the near end opens a PSSession to; `null` where the agent runs on the host itself.
void append_remoting(std::string& out, const AgentLaunch& launch, const Connect& connect) {
  if (launch.way != AgentLaunch::Way::kSession) {
    out += "null";
    return;
  }
  out += '{';
  append_text_or_null(out, "computerName", connect.host_name.empty() ? connect.address : std::string());
  out += ',';
  append_text_or_null(out, "hostName", connect.host_name);
  out += ",\"port\":";
  append_json_number_or_null(out, connect.port);
  out += ',';
  append_text_or_null(out, "user", connect.user);
  out += ',';
  append_text_or_null(out, "identityFile", connect.identity_file);
  out += ',';
  append_text_or_null(out, "configurationName", connect.configuration_name);
  out += '}';
}

/// Who we are is told so that whoever finds the host locked knows by whom.
std::string hello_members(const HostTarget& host, const AgentLaunch& launch, AgentSession::Mode mode,
                          const std::string& nonce) {
  std::string out = fmt::format(R"("op":"hello","nonce":"{}","mode":"{}",)", nonce,
                                mode == AgentSession::Mode::kWrite ? "write" : "read");
  append_text_or_null(out, "host", host.name);
  out += ",\"client\":{";
  append_text_or_null(out, "host", machine_name());
  out += fmt::format(",\"process\":{},", process_number());
  append_text_or_null(out, "user", user_name());
  out += "},\"remoting\":";
  append_remoting(out, launch, host.connect);
  return out;
}

}  // namespace

Result<std::shared_ptr<AgentSession>> AgentSession::open(const HostTarget& host, const AgentLaunch& launch,
                                                         std::string_view script, Mode mode,
                                                         std::chrono::seconds bound) {
  auto process = Subprocess::start(launch.argv, launch.environment);
  if (!process) {
    return tl::unexpected<Error>(
        host_error(ErrorCode::kUnreachable, explain_not_started(host, launch, process.error())));
  }
  std::unique_ptr<Bell> bell = Bell::make();
  if (!bell) {
    return fail(ErrorCode::kUnreachable, "no pipe could be made");
  }
  const std::string nonce = new_nonce();
  const std::shared_ptr<AgentSession> session(
      new AgentSession(host, launch, mode, std::move(*process), nonce, std::move(bell)));
  {
    const std::lock_guard guard(session->mutex_);
    session->queue(script_lines(script));
  }
  Result<AgentReply> reply = session->request(hello_members(host, launch, mode, nonce), bound);
  if (!reply) {
    Error error = std::move(reply.error());
    error.code = ErrorCode::kUnreachable;  // nothing of weight was asked
    return tl::unexpected<Error>(std::move(error));
  }
  if (!reply->ok) {
    const std::lock_guard guard(session->mutex_);
    return tl::unexpected<Error>(host_error(
        ErrorCode::kUnreachable, explain_no_session(host, reply->error, session->errors_, session->reader_.noise())));
  }
  if (number_in(reply->result, "protocol") != 1) {
    return tl::unexpected<Error>(host_error(
        ErrorCode::kUnreachable, host_trouble(host, Code::kNotAnAgent, "what answers does not speak protocol 1")));
  }
  session->hello_ = std::move(reply->result);
  const std::lock_guard guard(session->mutex_);
  session->greeted_ = true;
  return session;
}

AgentSession::AgentSession(HostTarget host, AgentLaunch launch, Mode mode, std::unique_ptr<Subprocess> process,
                           const std::string& nonce, std::unique_ptr<Bell> bell)
    : host_(std::move(host)),
      launch_(std::move(launch)),
      mode_(mode),
      process_(std::move(process)),
      reader_(nonce, kLargestReply),
      buffer_(kPipeBytes, '\0'),
      bell_(std::move(bell)) {}

AgentSession::~AgentSession() {
  hang_up();
  Lock lock(mutex_);
  const Clock::time_point until = Clock::now() + kFarewell;
  while (!ended_ && Clock::now() < until) {
    serve(lock, until);
  }
  part();
}

void AgentSession::hang_up() {
  const std::lock_guard guard(mutex_);
  pending_.clear();
  process_->close_input();
}

bool AgentSession::ended() {
  Lock lock(mutex_);
  if (!serving_ && !ended_) {
    serve(lock, Clock::now());
    hand_over();
  }
  return ended_.has_value();
}

// Asking ------------------------------------------------------------------------------------------------------------

Result<AgentReply> AgentSession::request(std::string_view members, std::chrono::seconds bound, bool writes) {
  const Clock::time_point until = Clock::now() + bound;
  Waiting waiting;
  Lock lock(mutex_);
  if (ended_) {
    return tl::unexpected<Error>(host_error(ErrorCode::kUnreachable, *ended_));
  }
  const std::uint64_t id = next_id_++;
  const std::uint64_t replies_before = replies_;
  queue(frame(fmt::format("{{\"id\":{},{}}}", id, members)));
  waiting.end = queued_;
  waiting_.emplace(id, &waiting);
  if (writes) {
    writing_.insert(id);
  }
  await(waiting, lock, until);
  const bool alive = !waiting.reply && !ended_ && waiting.end <= sent_ && replies_ != replies_before;
  const bool withdrawn = writes && alive && withdraw(id, lock);
  waiting_.erase(id);
  hand_over();
  if (waiting.reply) {
    return *std::move(waiting.reply);
  }
  if (ended_) {
    return lost(waiting);
  }
  Diagnostic silent = host_trouble(
      host_, Code::kNoAnswer,
      fmt::format("no answer within {} s{}{}", bound.count(), withdrawn ? ", and it had not begun" : "", said_last()),
      "look at the host; --request-timeout gives it longer");
  const bool sent = waiting.end <= sent_ && !withdrawn;
  if (!sent) {
    writing_.erase(id);
  }
  if (!withdrawn && (!sent || replies_ == replies_before)) {
    // Whoever says nothing at all would not answer the next one either, and what is not sent yet must not go out later.
    end_with(silent);
    hand_over();
  }
  return tl::unexpected<Error>(host_error(sent ? ErrorCode::kInterrupted : ErrorCode::kUnreachable, std::move(silent)));
}

/// Takes back a request that its agent may not have begun. True where it never will.
bool AgentSession::withdraw(std::uint64_t id, Lock& lock) {
  Waiting answer;
  const std::uint64_t own = next_id_++;
  queue(frame(fmt::format(R"({{"id":{},"op":"withdraw","request":{}}})", own, id)));
  waiting_.emplace(own, &answer);
  await(answer, lock, Clock::now() + kWithdrawal);
  waiting_.erase(own);
  const bool withdrawn = answer.reply && answer.reply->ok && number_in(answer.reply->result, "withdrawn") == 1;
  if (withdrawn) {
    writing_.erase(id);
  }
  return withdrawn;
}

/// Until it has its reply, the session has ended, or `until`.
void AgentSession::await(Waiting& waiting, Lock& lock, Clock::time_point until) {
  while (!waiting.reply && !ended_ && Clock::now() < until) {
    if (serving_) {
      waiting.told.wait_until(lock, until);
    } else {
      serve(lock, until);
    }
  }
}

/// Whoever leaves lets another one read, or, at the end, parts from the program.
void AgentSession::hand_over() {
  if (serving_) {
    return;
  }
  if (ended_) {
    part();
    return;
  }
  for (const auto& [id, waiting] : waiting_) {
    if (!waiting->reply) {
      waiting->told.notify_one();
      return;
    }
  }
}

tl::unexpected<Error> AgentSession::lost(const Waiting& waiting) const {
  // A line that the pipe took in part only is cut off, and an agent performs no such line.
  return tl::unexpected<Error>(
      host_error(waiting.end <= sent_ ? ErrorCode::kInterrupted : ErrorCode::kUnreachable, *ended_));
}

std::string AgentSession::said_last() const {
  std::string said = host_text(errors_);
  if (said.empty()) {
    said = host_text(reader_.noise());
  }
  return said.empty() ? said : "; it said last: " + said;
}

void AgentSession::queue(std::string_view bytes) {
  queued_ += bytes.size();
  if (pending_.empty()) {
    std::size_t taken = 0;
    while (!bytes.empty() && process_->write(bytes, taken) == Subprocess::Piped::kSome) {
      sent_ += taken;
      bytes.remove_prefix(taken);
    }
  }
  if (!bytes.empty()) {
    pending_ += bytes;
    bell_->ring();
  }
}

void AgentSession::end_with(Diagnostic why) {
  if (!ended_) {
    ended_ = std::move(why);
  }
  for (const auto& [id, waiting] : waiting_) {
    waiting->told.notify_one();
  }
  bell_->ring();
}

// Serving: whoever waits and finds nobody at it moves bytes, so that an agent is not kept waiting by a full pipe ------

/// Waits for bytes once, and takes what came.
void AgentSession::serve(Lock& lock, Clock::time_point until) {
  const Subprocess::Watch watch = process_->watch(!pending_.empty());
  serving_ = true;
  lock.unlock();
  const auto ready = Subprocess::wait_for(watch, bell_.get(), std::chrono::ceil<milliseconds>(until - Clock::now()));
  lock.lock();
  if (ready.in) {
    send_pending();
  }
  if (ready.err) {
    take_errors();
  }
  if (ready.out && !take_output(lock)) {
    end_by_itself(lock, until);
  }
  serving_ = false;
}

/// Nobody reads any more. The program goes, unless it still changes the host.
void AgentSession::part() {
  if (parted_) {
    return;
  }
  parted_ = true;
  process_->close_input();
  if (process_->wait(milliseconds(0))) {
    return;
  }
  if (writing_.empty()) {
    process_->kill();
    process_->wait(kLastWords);
  } else {
    process_->release();
  }
}

void AgentSession::send_pending() {
  std::size_t taken = 0;
  switch (process_->write(pending_, taken)) {
    case Subprocess::Piped::kSome:
      sent_ += taken;
      pending_.erase(0, taken);
      break;
    case Subprocess::Piped::kNothingNow:
      break;
    case Subprocess::Piped::kEnded:
      pending_.clear();  // its output tells the end
      break;
  }
}

/// False at the end of its output.
bool AgentSession::take_output(Lock& lock) {
  std::size_t got = 0;
  const Subprocess::Piped piped = process_->read_out(buffer_.data(), buffer_.size(), got);
  if (piped != Subprocess::Piped::kSome) {
    return piped != Subprocess::Piped::kEnded;
  }
  std::vector<std::string> replies;
  if (!reader_.feed(std::string_view(buffer_).substr(0, got), replies) && reader_.trouble()) {
    end_garbled(*reader_.trouble());
  }
  for (std::string& json : replies) {
    lock.unlock();  // it may be long
    tl::expected<AgentReply, std::string> reply = read_reply(std::move(json));
    lock.lock();
    take_reply(std::move(reply));
  }
  return true;
}

void AgentSession::take_errors() {
  std::array<char, 4096> piece{};
  std::size_t got = 0;
  while (process_->read_err(piece.data(), piece.size(), got) == Subprocess::Piped::kSome) {
    keep_end(errors_, {piece.data(), got}, ReplyReader::kKeptNoise);
    errors_size_ += got;
    if (errors_size_ > kMostErrors) {
      end_garbled(ReplyReader::Trouble::kNoise);
      return;
    }
  }
}

void AgentSession::take_reply(tl::expected<AgentReply, std::string> reply) {
  if (ended_) {
    return;
  }
  ++replies_;
  errors_size_ = 0;
  const std::uint64_t id = reply ? reply->id : 0;
  writing_.erase(id);
  const auto asked = waiting_.find(id);
  if (asked != waiting_.end()) {
    if (!asked->second->reply) {
      asked->second->reply = *std::move(reply);
      asked->second->told.notify_one();
    }
  } else if (!reply) {
    end_with(host_trouble(host_, Code::kNotAnAgent, "a reply cannot be read: " + host_text(reply.error())));
  } else if (id == 0) {
    // It does not know the number of the line that it could not read, nor do we.
    end_with(explain_unreadable(host_, reply->error));
  } else if (id >= next_id_) {
    end_with(host_trouble(host_, Code::kNotAnAgent, fmt::format("a reply to request {}, which was never made", id)));
  }
  // Any other was given up, or answered before.
}

void AgentSession::end_garbled(ReplyReader::Trouble trouble) {
  const auto end = [this](std::string words) {
    end_with(host_trouble(host_, Code::kNotAnAgent, std::move(words) + said_last(),
                          "see what the host prints to whoever logs in: try the connection by hand"));
  };
  switch (trouble) {
    case ReplyReader::Trouble::kNoise:
      end("more than 1 MiB came that is no reply");
      return;
    case ReplyReader::Trouble::kTooLarge:
      end("a reply is larger than 64 MiB");
      return;
    case ReplyReader::Trouble::kBroken:
      end("a reply is not as long as it says");
      return;
  }
}

void AgentSession::end_by_itself(Lock& lock, Clock::time_point until) {
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  lock.unlock();
  const bool gone = process_->wait(std::clamp(left, milliseconds(0), kLastWords));
  lock.lock();
  take_errors();
  end_with(explain_ended(host_, launch_, gone ? process_->ending() : Ending{}, greeted_, errors_, reader_.noise()));
}

}  // namespace gpup
