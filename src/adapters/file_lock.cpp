#include "adapters/file_lock.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "adapters/clock.h"
#include "adapters/disk.h"
#include "adapters/this_process.h"
#include "base/text.h"

namespace gpup {

namespace {

std::string holder_of(int descriptor) {
  char text[128];
  const std::ptrdiff_t got = disk::read_at(descriptor, 0, text, sizeof text);
  std::string holder(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  holder.resize(std::min(holder.size(), holder.find('\n')));
  return holder.empty() ? "held by another process" : "held by " + escape_terminal(holder);
}

}  // namespace

FileLock::~FileLock() {
  // Removed while it is held: whoever waits on the removed file sees that its name is gone, and takes a new one.
  disk::remove(path_);
  disk::close(descriptor_);
}

Result<std::unique_ptr<FileLock>> FileLock::try_acquire(const std::string& path) { return take(path, false); }

Result<std::unique_ptr<FileLock>> FileLock::acquire(const std::string& path) { return take(path, true); }

Result<std::unique_ptr<FileLock>> FileLock::take(const std::string& path, bool wait) {
  for (;;) {
    const int descriptor = disk::open_lock(path);
    if (descriptor < 0) {
      return fail(ErrorCode::kCannotRead, fmt::format("cannot make the lock {}: {}", escape_terminal(path),
                                                      std::generic_category().message(errno)));
    }
    if (const int error = disk::lock(descriptor, wait); error != 0) {
      const std::string holder = holder_of(descriptor);
      disk::close(descriptor);
      if (error == EWOULDBLOCK) {
        return fail(ErrorCode::kHeld, holder);
      }
      return fail(ErrorCode::kCannotRead,
                  fmt::format("cannot lock {}: {}", escape_terminal(path), std::generic_category().message(error)));
    }
    if (!disk::is_at(descriptor, path)) {
      disk::close(descriptor);
      continue;
    }
    const std::string holder = fmt::format("process {} since {}\n", process_number(), now_utc());
    // Who holds it is a courtesy: the lock stands without it.
    if (disk::truncate(descriptor, 0)) {
      disk::write_at(descriptor, 0, holder);
    }
    return std::unique_ptr<FileLock>(new FileLock(path, descriptor));
  }
}

}  // namespace gpup
