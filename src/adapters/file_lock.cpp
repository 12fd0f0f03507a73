#include "adapters/file_lock.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "adapters/clock.h"
#include "base/text.h"

namespace gpup {

namespace {

std::string holder_of(int descriptor) {
  char text[128];
  const ssize_t got = ::pread(descriptor, text, sizeof text, 0);
  std::string holder(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  holder.resize(std::min(holder.size(), holder.find('\n')));
  return holder.empty() ? "held by another process" : "held by " + escape_terminal(holder);
}

}  // namespace

FileLock::~FileLock() {
  // Removed while it is held: whoever waits on the removed file sees that its name is gone, and takes a new one.
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

Result<std::unique_ptr<FileLock>> FileLock::try_acquire(const std::string& path) { return take(path, false); }

Result<std::unique_ptr<FileLock>> FileLock::acquire(const std::string& path) { return take(path, true); }

Result<std::unique_ptr<FileLock>> FileLock::take(const std::string& path, bool wait) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) {
      return fail(ErrorCode::kCannotRead, fmt::format("cannot make the lock {}: {}", escape_terminal(path),
                                                      std::generic_category().message(errno)));
    }
    int locked = 0;
    do {
      locked = ::flock(descriptor, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    } while (locked != 0 && errno == EINTR);
    if (locked != 0) {
      const int error = errno;
      const std::string holder = holder_of(descriptor);
      ::close(descriptor);
      if (error == EWOULDBLOCK) {
        return fail(ErrorCode::kHeld, holder);
      }
      return fail(ErrorCode::kCannotRead,
                  fmt::format("cannot lock {}: {}", escape_terminal(path), std::generic_category().message(error)));
    }
    struct stat ours {};
    struct stat named {};
    const bool current = ::fstat(descriptor, &ours) == 0 && ::stat(path.c_str(), &named) == 0 &&
                         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    if (!current) {
      ::close(descriptor);
      continue;
    }
    const std::string holder = fmt::format("process {} since {}\n", ::getpid(), now_utc());
    // Who holds it is a courtesy: the lock stands without it.
    if (::ftruncate(descriptor, 0) == 0) {
      [[maybe_unused]] const ssize_t put = ::pwrite(descriptor, holder.data(), holder.size(), 0);
    }
    return std::unique_ptr<FileLock>(new FileLock(path, descriptor));
  }
}

}  // namespace gpup
