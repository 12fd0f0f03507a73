#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gpup {

/// A pipe holds no more.
inline constexpr std::size_t kPipeBytes = std::size_t{64} * 1024;

/// How a program ended: it exited with `code`, or a signal ended it; neither while that is not known.
struct Ending {
  int code = -1;
  int signal = 0;
  bool operator==(const Ending&) const = default;
};

/// A child process whose standard streams are pipes to us (its input may be nothing at all). It has a session of its
/// own, so that Ctrl-C in a terminal does not reach it and it can ask nobody anything there; it sees the end of its
/// input when we are gone, however that came. Our ends never block. Once there was a child, this process ignores
/// SIGPIPE: a child that is gone is an error of `write`.
class Subprocess {
 public:
  /// Why a program could not be started.
  enum class Trouble : unsigned char { kNotFound, kNotAllowed, kOther };
  struct NotStarted {
    Trouble trouble = Trouble::kOther;
    std::string message;  ///< the system's words
  };

  using Environment = std::vector<std::pair<std::string, std::string>>;

  enum class Input : unsigned char { kPipe, kNothing };

  /// Starts a program (looked for in PATH where its name has no slash) with `environment` set besides our own.
  static tl::expected<std::unique_ptr<Subprocess>, NotStarted> start(const std::vector<std::string>& argv,
                                                                     const Environment& environment = {},
                                                                     Input input = Input::kPipe);

  /// Why that program could not be started, as far as can be told without doing it.
  static std::optional<NotStarted> look_for(const std::vector<std::string>& argv);

  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  /// Kills what still runs, and waits for it.
  ~Subprocess();

  /// How much of `bytes` its input took; 0 where it is full, nothing where nobody will read it any more.
  enum class Piped : unsigned char { kSome, kNothingNow, kEnded };
  Piped write(std::string_view bytes, std::size_t& taken);
  /// Ends its input. Bytes that it took are still read.
  void close_input();

  /// What came on a stream: kSome puts at most `room` bytes at `to`.
  Piped read_out(char* to, std::size_t room, std::size_t& got);
  Piped read_err(char* to, std::size_t room, std::size_t& got);

  /// To be polled; -1 where the stream is closed.
  int in() const { return in_; }
  int out() const { return out_; }
  int err() const { return err_; }

  /// Waits until it has ended; false after `most`.
  bool wait(std::chrono::milliseconds most);
  /// Whether it has ended. Until it is waited for, what it left behind can be killed.
  bool gone() const;
  /// Asks it, and all that it started in its session's process group, to end.
  void terminate();
  /// Ends it and all that it started in its session's process group, at once.
  void kill();
  /// Ends its input and lets it live on: from now on it is nobody's. Its output stays open, as long as we are there.
  void release();
  Ending ending() const { return ending_; }

 private:
  Subprocess(long pid, int in, int out, int err) : pid_(pid), in_(in), out_(out), err_(err) {}
  bool reap();
  static Piped read(int& descriptor, char* to, std::size_t room, std::size_t& got);

  long pid_;
  int in_;
  int out_;
  int err_;
  bool ended_ = false;
  Ending ending_;
};

}  // namespace gpup
