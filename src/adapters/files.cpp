#include "adapters/files.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::size_t kPiece = std::size_t{64} * 1024;

std::string reason(int error) {
  switch (error) {
    case ENOENT:
      return "no such file or folder";
    case EACCES:
    case EPERM:
      return "permission denied";
    case EISDIR:
      return "it is a folder";
    case ENOSPC:
    case EDQUOT:
      return "no space is left";
    case EPIPE:
      return "whoever reads it has gone";
    default:
      break;
  }
  return std::generic_category().message(error);
}

tl::unexpected<Error> cannot(const char* deed, const std::string& path, const std::string& why) {
  return fail(ErrorCode::kCannotRead, fmt::format("cannot {} {}: {}", deed, escape_terminal(path), why));
}

tl::unexpected<Error> cannot(const char* deed, const std::string& path, int error) {
  return cannot(deed, path, reason(error));
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int number() const { return number_; }
  bool ok() const { return number_ >= 0; }
  int close() {
    const int open = std::exchange(number_, -1);
    return open < 0 || ::close(open) == 0 ? 0 : errno;
  }

 private:
  int number_;
};

tl::unexpected<Error> too_large(const std::string& path, std::uint64_t max_bytes) {
  return fail(ErrorCode::kBadContent,
              fmt::format("cannot read {}: it is larger than {}", escape_terminal(path), human_size(max_bytes)));
}

Result<std::string> read_all(int descriptor, const std::string& name, std::uint64_t max_bytes) {
  struct stat status {};
  std::string text;
  // A regular file's size is known: one byte more than it tells whether it grew over the bound.
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    if (static_cast<std::uint64_t>(status.st_size) > max_bytes) {
      return too_large(name, max_bytes);
    }
    text.reserve(static_cast<std::size_t>(status.st_size) + kPiece);
  }
  std::size_t size = 0;
  for (;;) {
    if (text.size() - size < kPiece) {
      text.resize(std::max(size + kPiece, std::min(text.capacity(), size + 16 * kPiece)));
    }
    const ssize_t got = ::read(descriptor, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return cannot("read", name, errno);
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
    if (size > max_bytes) {
      return too_large(name, max_bytes);
    }
  }
  text.resize(size);
  return text;
}

/// Writes everything, or gives errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Where writing to `path` ends up: links are followed by hand, since the last one may point to nothing yet.
std::string target_of(std::string path) {
  constexpr int kMostLinks = 40;
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

/// Bytes gathered before they are written; keeps the first error.
class Buffered {
 public:
  void write(int descriptor, std::string_view bytes) {
    if (buffer_.size() + bytes.size() > kPiece) {
      flush(descriptor);
    }
    if (bytes.size() >= kPiece) {
      put(descriptor, bytes);
    } else {
      buffer_ += bytes;
    }
  }
  void flush(int descriptor) {
    put(descriptor, buffer_);
    buffer_.clear();
  }
  int error() const { return error_; }
  void fail(int error) {
    if (error_ == 0) {
      error_ = error;
    }
  }

 private:
  void put(int descriptor, std::string_view bytes) {
    if (error_ == 0) {
      error_ = write_all(descriptor, bytes);
    }
  }

  std::string buffer_;
  int error_ = 0;
};

/// A regular file, replaced by a finished one beside it.
class ReplacedFile : public OutputFile {
 public:
  ReplacedFile(std::string path, std::string target, std::string temporary, int descriptor)
      : path_(std::move(path)), target_(std::move(target)), temporary_(std::move(temporary)), descriptor_(descriptor) {}
  ~ReplacedFile() override {
    if (!temporary_.empty()) {
      ::unlink(temporary_.c_str());
    }
  }

  void write(std::string_view bytes) override {
    out_.write(descriptor_.number(), bytes);
    written_ += bytes.size();
    begin_flush();
  }

  void patch(std::uint64_t offset, std::string_view bytes) override {
    out_.flush(descriptor_.number());
    while (!bytes.empty() && out_.error() == 0) {
      const ssize_t put = ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) {
        continue;
      }
      if (put <= 0) {
        out_.fail(put < 0 ? errno : EIO);
        return;
      }
      offset += static_cast<std::uint64_t>(put);
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  Result<Done> commit() override {
    if (temporary_.empty()) {
      return cannot("write", path_, "it was written already");
    }
    out_.flush(descriptor_.number());
    if (out_.error() == 0 && ::fsync(descriptor_.number()) != 0) {
      out_.fail(errno);
    }
    if (out_.error() != 0) {
      return cannot("write", path_, out_.error());
    }
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
      return cannot("write", path_, errno);
    }
    temporary_.clear();
    // The new name must survive a power cut as well; some file systems refuse to flush a folder, which is no loss.
    const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.ok()) {
      ::fsync(folder.number());
    }
    return Done{};
  }

  Result<bool> copy_to(Sink& sink) override {
    std::string chunk(kCopyChunk, '\0');
    for (off_t at = 0;;) {
      const ssize_t got = ::pread(descriptor_.number(), chunk.data(), chunk.size(), at);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return cannot("read", path_, errno);
      }
      if (got == 0) {
        return true;
      }
      sink.write(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
      at += got;
    }
  }

 private:
  static constexpr std::size_t kCopyChunk = std::size_t{256} * 1024;

  /// A large file's bytes are on their way to the disk while the rest is still made: `commit` then waits for less.
  void begin_flush() {
#if defined(__linux__)
    constexpr std::uint64_t kAtOnce = std::uint64_t{8} * 1024 * 1024;
    if (written_ - begun_ >= kAtOnce) {
      ::sync_file_range(descriptor_.number(), static_cast<off_t>(begun_), static_cast<off_t>(written_ - begun_),
                        SYNC_FILE_RANGE_WRITE);
      begun_ = written_;
    }
#endif
  }

  std::string path_;
  std::string target_;
  std::string temporary_;  ///< empty once it was renamed
  Descriptor descriptor_;
  Buffered out_;
  std::uint64_t written_ = 0;
  std::uint64_t begun_ = 0;  ///< so many of the bytes were given to the disk
};

/// A pipe or a device: what it was given cannot be taken back.
class StraightFile : public OutputFile {
 public:
  StraightFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  void write(std::string_view bytes) override { held_ += bytes; }
  void patch(std::uint64_t offset, std::string_view bytes) override {
    if (offset <= held_.size() && bytes.size() <= held_.size() - offset) {
      held_.replace(static_cast<std::size_t>(offset), bytes.size(), bytes);
    }
  }
  Result<Done> commit() override {
    const int error = write_all(descriptor_.number(), held_);
    held_.clear();
    if (error != 0) {
      return cannot("write", path_, error);
    }
    return Done{};
  }

 private:
  std::string path_;
  Descriptor descriptor_;
  std::string held_;  ///< nothing goes out before all is there and patched
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes) {
  if (path.find('\0') != std::string::npos) {
    return cannot("read", path, ENOENT);
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) {
    return cannot("read", path, errno);
  }
  return read_all(file.number(), path, max_bytes);
}

Result<std::string> read_stdin(std::uint64_t max_bytes) { return read_all(0, "standard input", max_bytes); }

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) {
    return cannot("read", path, errno);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(folder)) {
    std::string name = entry->d_name;
    struct stat status {};
    // A folder or a pipe is nobody's file; a link to nothing is told when it is read.
    const bool other = ::stat((path + "/" + name).c_str(), &status) == 0 && !S_ISREG(status.st_mode);
    if (!other) {
      names.push_back(std::move(name));
    }
    errno = 0;
  }
  const int error = errno;
  ::closedir(folder);
  if (error != 0) {
    return cannot("read", path, error);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::unique_ptr<OutputFile>> create_output(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return cannot("write", path, ENOENT);
  }
  const std::string target = target_of(path);
  struct stat status {};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) {
    return cannot("write", path, errno);
  }
  if (exists && S_ISDIR(status.st_mode)) {
    return cannot("write", path, EISDIR);
  }
  if (exists && !S_ISREG(status.st_mode)) {
    const int descriptor = ::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
      return cannot("write", path, errno);
    }
    return std::make_unique<StraightFile>(path, descriptor);
  }
  if (exists && ::access(target.c_str(), W_OK) != 0) {
    // Renaming over a file that we may not write would go around whoever protected it.
    return cannot("write", path, errno);
  }
  std::string temporary = folder_of(target) + "/.gpup-XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) {
    return cannot("write", path, errno);
  }
  auto file = std::make_unique<ReplacedFile>(path, target, temporary, descriptor);
  mode_t mode = 0;
  if (exists) {
    mode = status.st_mode & 07777;
  } else {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    mode = 0666 & ~mask;
  }
  if (::fchmod(descriptor, mode) != 0) {
    return cannot("write", path, errno);
  }
  return file;
}

StreamSink::~StreamSink() { flush(); }

void StreamSink::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kPiece) {
    flush();
  }
  if (bytes.size() < kPiece) {
    buffer_ += bytes;
  } else if (error_ == 0) {
    error_ = write_all(descriptor_, bytes);
  }
}

void StreamSink::flush() {
  if (error_ == 0) {
    error_ = write_all(descriptor_, buffer_);
  }
  buffer_.clear();
}

Result<Done> StreamSink::finish() {
  flush();
  if (error_ != 0) {
    return cannot("write", descriptor_ == 1 ? "standard output" : "standard error", error_);
  }
  return Done{};
}

}  // namespace gpup
