#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
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
  std::int64_t code = -1;
  int signal = 0;
  bool operator==(const Ending&) const = default;
};

/// Wakes a thread that waits for a process. It stays rung until somebody who waited has heard it.
class Bell {
 public:
  /// nullptr where the system has no more of what it takes.
  static std::unique_ptr<Bell> make();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell();

  void ring();

 private:
  friend class Subprocess;
  explicit Bell(const std::array<std::intptr_t, 2>& ends) : ends_(ends) {}
  void silence();

  std::array<std::intptr_t, 2> ends_;
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

  /// Whether its output streams are both closed: nobody holds them any more.
  bool is_silent() const;

  /// What is waited for: taken while nobody changes the process, and waited for while others may.
  struct Watch {
    std::intptr_t out = -1;
    std::intptr_t err = -1;
    std::intptr_t in = -1;
  };
  /// `input`: also for room in its input.
  Watch watch(bool input) const;
  /// What came. More than is true may be told.
  struct Ready {
    bool any = false;
    bool out = false;
    bool err = false;
    bool in = false;
  };
  static Ready wait_for(const Watch& watch, Bell* bell, std::chrono::milliseconds most);

  /// Waits until it has ended; false after `most`.
  bool wait(std::chrono::milliseconds most);
  /// Whether it has ended. Until it is waited for, what it left behind can be killed.
  bool gone() const;
  /// Asks it, and all that it started in its session's process group, to end. (On Windows there is no way to ask: it is
  /// ended.)
  void terminate();
  /// Ends it and all that it started in its session's process group, at once.
  void kill();
  /// Ends its input and lets it live on: from now on it is nobody's. Its output stays open, as long as we are there.
  void release();
  Ending ending() const { return ending_; }

 private:
  struct Parts;  ///< the system's names of it
  explicit Subprocess(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  bool ended_ = false;
  Ending ending_;
};

}  // namespace gpup
