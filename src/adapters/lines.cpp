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

#include <fmt/format.h>

#include "adapters/disk.h"

namespace gpup {

namespace {

using SteadyClock = std::chrono::steady_clock;

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
      disk::close(descriptor_);
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
    if (!thread_.joinable()) {
      return;
    }
    std::unique_lock lock(mutex_);
    over_ = true;
    changed_.notify_all();
    while (!changed_.wait_for(lock, kGlance, [this] { return done_; })) {
      if (SteadyClock::now() - taken_ > patience_) {
        disk::give_up_waiting(thread_);
      }
    }
    lock.unlock();
    thread_.join();
  }

  /// Until the end, and then until nothing is left or nobody takes any more.
  void work() {
    std::unique_lock lock(mutex_);
    for (bool goes_on = true; goes_on;) {
      changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
      goes_on = !waiting_.empty() && hand_on(lock);
    }
    done_ = true;
    changed_.notify_all();
  }

  /// False where what waits was not written.
  bool hand_on(std::unique_lock<std::mutex>& lock) {
    const std::string bytes = std::exchange(waiting_, {});
    const std::uint64_t lines = std::exchange(lines_, 0);
    taken_ = SteadyClock::now();
    lock.unlock();
    const int error = write(bytes);
    lock.lock();
    if (error != 0) {
      error_ = error == kNobodyTakes ? 0 : error;
      lines_ += lines;
      waiting_.clear();
    }
    return error == 0;
  }

  /// 0, the system's error, or kNobodyTakes. Never longer in one write than a pipe that is ready takes at once.
  int write(std::string_view bytes) {
    constexpr std::size_t kTakenAtOnce = 4096;
    while (!bytes.empty()) {
      std::ptrdiff_t put = 0;
      if (disk::takes_bytes(descriptor_, kGlance)) {
        put = disk::write(descriptor_, bytes.substr(0, kTakenAtOnce));
        if (put < 0 && errno != EAGAIN) {
          return errno;
        }
      }
      const std::lock_guard guard(mutex_);
      if (put > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
        taken_ = SteadyClock::now();
      } else if (over_ && SteadyClock::now() - taken_ > patience_) {
        return kNobodyTakes;
      }
    }
    return 0;
  }

  static constexpr int kNobodyTakes = -1;
  static constexpr std::chrono::milliseconds kGlance{100};

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
  bool done_ = false;              ///< the thread is
  SteadyClock::time_point taken_;  ///< when its reader last took something
  std::thread thread_;
};

/// 0, or the system's error: EWOULDBLOCK where another process has taken the file. What is no file cannot be taken.
int take_empty(int descriptor) {
  const auto entry = disk::look_at(descriptor);
  if (!entry || !entry->file) {
    return 0;
  }
  if (disk::lock(descriptor, false) == EWOULDBLOCK) {
    return EWOULDBLOCK;  // some file systems know no locks
  }
  return disk::truncate(descriptor, 0) ? 0 : errno;
}

}  // namespace

Result<std::unique_ptr<LineSink>> create_lines(const std::string& path, std::chrono::seconds patience) {
  constexpr int kStandardOutput = 1;
  const bool standard = path == "-";
  const int descriptor = standard ? kStandardOutput : disk::open_lines(path);
  const std::string name = standard ? "standard output" : path;
  if (descriptor < 0) {
    return fail(ErrorCode::kCannotRead,
                fmt::format("cannot write {}: {}", name,
                            errno == ENXIO ? "nobody reads it" : std::generic_category().message(errno)));
  }
  if (const int error = standard ? 0 : take_empty(descriptor); error != 0) {
    disk::close(descriptor);
    return error == EWOULDBLOCK
               ? fail(ErrorCode::kHeld, fmt::format("cannot write {}: another run that goes on writes to it", name))
               : fail(ErrorCode::kCannotRead,
                      fmt::format("cannot write {}: {}", name, std::generic_category().message(error)));
  }
  try {
    return std::make_unique<Lines>(name, descriptor, !standard, patience);
  } catch (const std::system_error& error) {
    if (!standard) {
      disk::close(descriptor);
    }
    return fail(ErrorCode::kCannotRead, fmt::format("cannot write {}: {}", name, error.code().message()));
  }
}

}  // namespace gpup
