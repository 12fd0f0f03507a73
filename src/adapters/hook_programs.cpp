#include "adapters/hook_programs.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "adapters/subprocess.h"
#include "base/text.h"

namespace gpup {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kGrace(5000);  ///< from the wish that it ends to its end
constexpr milliseconds kGlance(20);   ///< between two looks at whether it has ended
constexpr std::size_t kLongestLine = 1000;
constexpr std::size_t kMostLines = 500;
constexpr std::size_t kHeardAtOnce = 4096;
constexpr std::size_t kMostPieces = 64;  ///< that a pipe can hold, and then some

/// Makes lines of what comes in pieces. Lines that are too long are cut, and after so many there are no more.
class LinesOfPieces {
 public:
  LinesOfPieces(const std::function<void(std::string_view)>& said, std::size_t& told) : said_(said), told_(told) {}

  void feed(std::string_view piece) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      add(piece.substr(0, end));
      finish();
      piece.remove_prefix(end + 1);
    }
    if (!piece.empty()) {
      add(piece);
    }
  }
  /// What has no line break yet is a line.
  void finish() {
    if (began_) {
      tell(line_);
    }
    line_.clear();
    began_ = false;
  }

 private:
  void add(std::string_view part) {
    began_ = true;
    line_ += part.substr(0, kLongestLine - std::min(kLongestLine, line_.size()));
  }
  void tell(std::string_view line) {
    if (told_ < kMostLines) {
      said_(line.substr(0, line.find_last_not_of('\r') + 1));
    } else if (told_ == kMostLines) {
      said_("(more was said, and is not shown)");
    }
    ++told_;
  }

  const std::function<void(std::string_view)>& said_;
  std::size_t& told_;  // by both streams of a program
  std::string line_;
  bool began_ = false;
};

/// One program, until it has ended.
class Program {
 public:
  Program(Subprocess& process, const HookCall& call, const std::function<void(std::string_view)>& said)
      : process_(process), call_(call), out_(said, told_), err_(said, told_), until_(Clock::now() + call.timeout) {}

  Result<Done> run() {
    while (is_at_work()) {
      listen();
    }
    // What it left behind may hold its output, and go on writing.
    for (std::size_t piece = 0; piece < kMostPieces && take(); ++piece) {
    }
    out_.finish();
    err_.finish();
    return result();
  }

 private:
  enum class End { kTookTooLong, kCancelled };

  /// Sees to it that it ends in time. What it started may go on where it ends by itself, and not where it must.
  bool is_at_work() {
    const Clock::time_point now = Clock::now();
    if (!end_) {
      if (process_.wait(milliseconds(0))) {
        return false;
      }
      if (call_.cancelled != nullptr && *call_.cancelled) {
        end_ = End::kCancelled;
      } else if (now >= until_) {
        end_ = End::kTookTooLong;
      } else {
        return true;
      }
      until_ = now + kGrace;
      process_.terminate();
    }
    // Whoever still holds its output was started by it, and may have something to tidy up, too.
    const bool all_gone = process_.gone() && process_.is_silent();
    if (!all_gone && now < until_) {
      return true;
    }
    process_.kill();
    process_.wait(kGrace);
    return false;
  }

  void listen() {
    if (Subprocess::wait_for(process_.watch(false), nullptr, kGlance).any) {
      take();
    }
  }

  /// A piece of each stream; false where nothing has come.
  bool take() {
    std::array<char, kHeardAtOnce> piece{};
    std::size_t got = 0;
    bool some = false;
    if (process_.read_out(piece.data(), piece.size(), got) == Subprocess::Piped::kSome) {
      out_.feed({piece.data(), got});
      some = true;
    }
    if (process_.read_err(piece.data(), piece.size(), got) == Subprocess::Piped::kSome) {
      err_.feed({piece.data(), got});
      some = true;
    }
    return some;
  }

  Result<Done> result() const {
    if (end_ == End::kCancelled) {
      return fail(ErrorCode::kInterrupted, "was told to end, as the run was cancelled");
    }
    if (end_ == End::kTookTooLong) {
      constexpr std::uint64_t kSecond = 1000;
      return fail(ErrorCode::kRefused,
                  fmt::format("took longer than {} and was ended",
                              human_time(static_cast<std::uint64_t>(call_.timeout.count()) * kSecond)));
    }
    const Ending ending = process_.ending();
    if (ending.code == 0) {
      return Done{};
    }
    return fail(ErrorCode::kRefused, ending.signal != 0 ? fmt::format("was ended by signal {}", ending.signal)
                                     : ending.code < 0  ? std::string("ended, and nobody knows how")
                                                        : fmt::format("exited with {}", ending.code));
  }

  Subprocess& process_;
  const HookCall& call_;
  std::size_t told_ = 0;
  LinesOfPieces out_;
  LinesOfPieces err_;
  Clock::time_point until_;
  std::optional<End> end_;  ///< why it must end
};

class HookPrograms : public Hooks {
 public:
  Result<Done> look_for(const std::vector<std::string>& argv) const override {
    const auto missing = Subprocess::look_for(argv);
    return missing ? cannot_start(argv, *missing) : Result<Done>(Done{});
  }

  Result<Done> run(const HookCall& call, const std::function<void(std::string_view)>& said) override {
    for (const auto& [name, value] : call.environment) {
      if (value.find('\0') != std::string::npos) {
        return fail(ErrorCode::kRefused, fmt::format("could not be started: {} would hold U+0000", name));
      }
    }
    const auto process = Subprocess::start(call.argv, call.environment, Subprocess::Input::kNothing);
    if (!process) {
      return cannot_start(call.argv, process.error());
    }
    return Program(**process, call, said).run();
  }

 private:
  static tl::unexpected<Error> cannot_start(const std::vector<std::string>& argv, const Subprocess::NotStarted& why) {
    return fail(ErrorCode::kRefused, fmt::format("could not be started: {}: {}",
                                                 argv.empty() ? std::string_view() : argv.front(), why.message));
  }
};

}  // namespace

std::unique_ptr<Hooks> make_hook_programs() { return std::make_unique<HookPrograms>(); }

}  // namespace gpup
