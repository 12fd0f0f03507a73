#include "adapters/disk.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gpup::disk {

namespace {

constexpr mode_t kAnybodys = 0666;  // less the user's mask
constexpr mode_t kOwners = 0600;

template <class Call>
auto unless_interrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

Entry entry_of(const struct stat& status) {
  Entry entry;
  entry.folder = S_ISDIR(status.st_mode);
  entry.file = S_ISREG(status.st_mode);
  entry.size = status.st_size > 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  entry.mode = status.st_mode & 07777U;
  return entry;
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

int open_to_read(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }
int open_to_write(const std::string& path) { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY); }
int open_to_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, kOwners);
}
int open_lock(const std::string& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kAnybodys);
}
int open_lines(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, kAnybodys);
}
int make_temporary(std::string& path) { return ::mkostemp(path.data(), O_CLOEXEC); }
int close(int descriptor) { return ::close(descriptor) == 0 ? 0 : errno; }

std::ptrdiff_t read(int descriptor, char* to, std::size_t room) {
  return unless_interrupted([&] { return ::read(descriptor, to, room); });
}
std::ptrdiff_t read_at(int descriptor, std::uint64_t offset, char* to, std::size_t room) {
  return unless_interrupted([&] { return ::pread(descriptor, to, room, static_cast<off_t>(offset)); });
}
std::ptrdiff_t write(int descriptor, std::string_view bytes) {
  return unless_interrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); });
}
std::ptrdiff_t write_at(int descriptor, std::uint64_t offset, std::string_view bytes) {
  return unless_interrupted(
      [&] { return ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
}
bool takes_bytes(int descriptor, std::chrono::milliseconds most) {
  pollfd ready{descriptor, POLLOUT, 0};
  return ::poll(&ready, 1, static_cast<int>(most.count())) > 0;
}
void give_up_waiting(std::thread& /*writer*/) {}
bool truncate(int descriptor, std::uint64_t size) { return ::ftruncate(descriptor, static_cast<off_t>(size)) == 0; }

bool flush(int descriptor) { return ::fsync(descriptor) == 0; }
bool flush_bytes(int descriptor) { return ::fdatasync(descriptor) == 0; }
void begin_flush([[maybe_unused]] int descriptor, [[maybe_unused]] std::uint64_t offset,
                 [[maybe_unused]] std::uint64_t bytes) {
#if defined(__linux__)
  ::sync_file_range(descriptor, static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
#endif
}
void flush_folder_of(const std::string& path) {
  // Some file systems refuse to flush a folder, which is no loss.
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

std::optional<Entry> look_at(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? std::optional(entry_of(status)) : std::nullopt;
}
std::optional<Entry> look_at(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? std::optional(entry_of(status)) : std::nullopt;
}
bool may_write(const std::string& path) { return ::access(path.c_str(), W_OK) == 0; }
bool set_mode(int descriptor, const std::optional<Entry>& like) {
  mode_t mode = 0;
  if (like) {
    mode = like->mode;
  } else {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    mode = kAnybodys & ~mask;
  }
  return ::fchmod(descriptor, mode) == 0;
}
std::optional<Stamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return Stamp{static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino), status.st_size,
               nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

bool replace(const std::string& from, const std::string& to) { return ::rename(from.c_str(), to.c_str()) == 0; }
void remove(const std::string& path) { ::unlink(path.c_str()); }
bool make_folder(const std::string& path) { return ::mkdir(path.c_str(), 0700) == 0; }
bool list(const std::string& folder, std::vector<std::string>& names) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) {
    return false;
  }
  errno = 0;
  while (const dirent* const entry = ::readdir(open.get())) {
    // A link to nothing is told when it is read.
    if (const auto there = look_at(folder + "/" + entry->d_name); !there || there->file) {
      names.emplace_back(entry->d_name);
    }
    errno = 0;
  }
  return errno == 0;
}
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}
std::string target_of(std::string path) {
  constexpr int kMostLinks = 40;
  // By hand, since the last link may point to nothing yet.
  for (int links = 0; links < kMostLinks; ++links) {
    char text[PATH_MAX];
    const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
    if (length <= 0 || length == static_cast<ssize_t>(sizeof text)) {
      return path;
    }
    std::string next(text, static_cast<std::size_t>(length));
    if (next.front() != '/') {
      next = folder_of(path) + "/" + next;
    }
    path = std::move(next);
  }
  return path;
}
std::optional<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? std::optional<std::string>(real.get()) : std::nullopt;
}

int lock(int descriptor, bool wait) {
  return unless_interrupted([&] { return ::flock(descriptor, wait ? LOCK_EX : LOCK_EX | LOCK_NB); }) == 0 ? 0 : errno;
}
bool is_at(int descriptor, const std::string& path) {
  struct stat ours {};
  struct stat named {};
  return ::fstat(descriptor, &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
         ours.st_dev == named.st_dev;
}
bool is_full(int error) { return error == ENOSPC || error == EDQUOT; }

}  // namespace gpup::disk
