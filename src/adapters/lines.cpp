#include "adapters/lines.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace gpup {

namespace {

class Lines : public LineSink {
 public:
  Lines(std::string name, int descriptor, bool owned, std::chrono::seconds patience)
      : name_(std::move(name)), descriptor_(descriptor), owned_(owned), patience_(patience), thread_([this] {
          work();
        }) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() override {
    end();
    if (owned_) {
      ::close(descriptor_);
    }
  }

  void put(std::string line) override {
    constexpr std::size_t kMostWaiting = std::size_t{4} << 20U;
    const std::lock_guard guard(mutex_);
    if (error_ != 0 || waiting_.size() + line.size() > kMostWaiting) {
      ++lost_;
      return;
    }
    waiting_ += line;
    ++lines_;
    changed_.notify_all();
  }

  Result<Done> finish() override {
    end();
    const std::uint64_t lost = lost_ + lines_;
    if (lost == 0) {
      return Done{};
    }
    return fail(ErrorCode::kCannotRead,
                fmt::format("cannot write {}: {}; {} line{} lost", name_,
                            error_ == 0 ? "its reader is too slow" : std::generic_category().message(error_), lost,
                            lost == 1 ? " is" : "s are"));
  }

 private:
  void end() {
    {
      const std::lock_guard guard(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  /// Until the end, and then until nothing is left or nobody takes any more.
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      const std::string bytes = std::exchange(waiting_, {});
      const std::uint64_t lines = std::exchange(lines_, 0);
      lock.unlock();
      const int error = write(bytes);
      lock.lock();
      if (error != 0) {
        error_ = error == kNobodyTakes ? 0 : error;
        lines_ += lines;
        waiting_.clear();
        return;
      }
    }
  }

  /// 0, the system's error, or kNobodyTakes. Never longer in one write than a pipe that is ready takes at once.
  int write(std::string_view bytes) {
    using SteadyClock = std::chrono::steady_clock;
    constexpr int kPollMs = 100;
    constexpr std::size_t kTakenAtOnce = 4096;
    SteadyClock::time_point taken = SteadyClock::now();
    while (!bytes.empty()) {
      pollfd ready{descriptor_, POLLOUT, 0};
      if (::poll(&ready, 1, kPollMs) <= 0) {
        if (is_over() && SteadyClock::now() - taken > patience_) {
          return kNobodyTakes;
        }
        continue;
      }
      const ssize_t put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kTakenAtOnce));
      if (put < 0 && errno != EINTR && errno != EAGAIN) {
        return errno;
      }
      if (put > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
        taken = SteadyClock::now();
      }
    }
    return 0;
  }

  bool is_over() {
    const std::lock_guard guard(mutex_);
    return over_;
  }

  static constexpr int kNobodyTakes = -1;

  const std::string name_;
  const int descriptor_;
  const bool owned_;
  const std::chrono::seconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t lines_ = 0;  ///< in `waiting_`; in the end those that were not written
  std::uint64_t lost_ = 0;   ///< that were not even taken
  int error_ = 0;
  bool over_ = false;
  std::thread thread_;
};

/// 0, or the system's error: EWOULDBLOCK where another process has taken the file. What is no file cannot be taken.
int take_empty(int descriptor) {
  struct stat what {};
  if (::fstat(descriptor, &what) != 0 || !S_ISREG(what.st_mode)) {
    return 0;
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return EWOULDBLOCK;  // some file systems know no locks
  }
  return ::ftruncate(descriptor, 0) == 0 ? 0 : errno;
}

}  // namespace

Result<std::unique_ptr<LineSink>> create_lines(const std::string& path, std::chrono::seconds patience) {
  constexpr mode_t kMode = 0666;
  const bool standard = path == "-";
  // Without O_NONBLOCK a pipe that nobody has opened for reading would keep us here.
  const int descriptor =
      standard ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, kMode);
  const std::string name = standard ? "standard output" : path;
  if (descriptor < 0) {
    return fail(ErrorCode::kCannotRead,
                fmt::format("cannot write {}: {}", name,
                            errno == ENXIO ? "nobody reads it" : std::generic_category().message(errno)));
  }
  if (const int error = standard ? 0 : take_empty(descriptor); error != 0) {
    ::close(descriptor);
    return error == EWOULDBLOCK
               ? fail(ErrorCode::kHeld, fmt::format("cannot write {}: another run that goes on writes to it", name))
               : fail(ErrorCode::kCannotRead,
                      fmt::format("cannot write {}: {}", name, std::generic_category().message(error)));
  }
  try {
    return std::make_unique<Lines>(name, descriptor, !standard, patience);
  } catch (const std::system_error& error) {
    if (!standard) {
      ::close(descriptor);
    }
    return fail(ErrorCode::kCannotRead, fmt::format("cannot write {}: {}", name, error.code().message()));
  }
}

}  // namespace gpup
