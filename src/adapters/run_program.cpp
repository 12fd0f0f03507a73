#include "adapters/run_program.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

using std::chrono::milliseconds;
using Piped = Subprocess::Piped;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostKept = std::size_t{1024} * 1024;
constexpr milliseconds kShortGlance(1);

/// A program that is fed and listened to in turns: no stream waits for another.
class Conversation {
 public:
  Conversation(Subprocess& process, std::string_view input) : process_(process), input_(input), piece_(kPipeBytes) {}

  /// False where it has not ended by then.
  bool hold(Clock::time_point until) {
    for (;;) {
      const bool fed = feed();
      const bool heard = listen();
      if (!fed && !heard && process_.wait(kShortGlance)) {
        break;
      }
      if (Clock::now() >= until) {
        return false;
      }
    }
    while (listen()) {  // what it wrote last
    }
    return true;
  }

  ProgramRun take() { return {process_.ending(), std::move(out_), std::move(err_)}; }

 private:
  bool feed() {
    std::size_t taken = 0;
    if (input_.empty()) {
      process_.close_input();
      return false;
    }
    const Piped piped = process_.write(input_.substr(0, kPipeBytes), taken);
    if (piped == Piped::kEnded) {
      input_ = {};  // nobody reads it any more: what that means is in how it ends
      return false;
    }
    input_.remove_prefix(taken);
    return taken > 0;
  }

  bool listen() {
    std::size_t got = 0;
    bool some = false;
    if (process_.read_out(piece_.data(), piece_.size(), got) == Piped::kSome) {
      keep(out_, got);
      some = true;
    }
    if (process_.read_err(piece_.data(), piece_.size(), got) == Piped::kSome) {
      keep(err_, got);
      some = true;
    }
    return some;
  }

  void keep(std::string& text, std::size_t got) const {
    text.append(piece_.data(), std::min(got, kMostKept - text.size()));
  }

  Subprocess& process_;
  std::string_view input_;
  std::vector<char> piece_;
  std::string out_;
  std::string err_;
};

}  // namespace

Result<ProgramRun> run_program(const std::vector<std::string>& argv, std::string_view input, milliseconds most) {
  const auto process = Subprocess::start(argv);
  if (!process) {
    return fail(ErrorCode::kRefused, fmt::format("{} could not be started: {}",
                                                 escape_terminal(argv.empty() ? std::string_view() : argv.front()),
                                                 process.error().message));
  }
  Conversation conversation(**process, input);
  if (!conversation.hold(Clock::now() + most)) {
    (*process)->kill();
    return fail(ErrorCode::kInterrupted,
                fmt::format("{} took longer than {} and was ended", escape_terminal(argv.front()),
                            human_time(static_cast<std::uint64_t>(most.count()))));
  }
  return conversation.take();
}

}  // namespace gpup
