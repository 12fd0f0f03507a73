#include "adapters/files.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "adapters/disk.h"
#include "base/text.h"

namespace gpup {

namespace {

constexpr std::size_t kPiece = std::size_t{64} * 1024;

std::string reason(int error) {
  if (disk::is_full(error)) {
    return "no space is left";
  }
  switch (error) {
    case ENOENT:
      return "no such file or folder";
    case EACCES:
    case EPERM:
      return "permission denied";
    case EISDIR:
      return "it is a folder";
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
    return open < 0 ? 0 : disk::close(open);
  }

 private:
  int number_;
};

tl::unexpected<Error> too_large(const std::string& path, std::uint64_t max_bytes) {
  return fail(ErrorCode::kBadContent,
              fmt::format("cannot read {}: it is larger than {}", escape_terminal(path), human_size(max_bytes)));
}

Result<std::string> read_all(int descriptor, const std::string& name, std::uint64_t max_bytes) {
  std::string text;
  // A regular file's size is known: one byte more than it tells whether it grew over the bound.
  if (const auto entry = disk::look_at(descriptor); entry && entry->file && entry->size > 0) {
    if (entry->size > max_bytes) {
      return too_large(name, max_bytes);
    }
    text.reserve(static_cast<std::size_t>(entry->size) + kPiece);
  }
  std::size_t size = 0;
  for (;;) {
    if (text.size() - size < kPiece) {
      text.resize(std::max(size + kPiece, std::min(text.capacity(), size + 16 * kPiece)));
    }
    const std::ptrdiff_t got = disk::read(descriptor, text.data() + size, text.size() - size);
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
      error_ = disk::write_all(descriptor, bytes);
    }
  }

  std::string buffer_;
  int error_ = 0;
};

/// A regular file, replaced by a finished one beside it.
class ReplacedFile : public OutputFile {
 public:
  ReplacedFile(std::string path, std::string target, std::string temporary, int descriptor, Endures endures)
      : path_(std::move(path)),
        target_(std::move(target)),
        temporary_(std::move(temporary)),
        descriptor_(descriptor),
        flushed_(endures == Endures::kPowerCut) {}
  ~ReplacedFile() override {
    if (!temporary_.empty()) {
      descriptor_.close();  // some systems keep what is open
      disk::remove(temporary_);
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
      const std::ptrdiff_t put = disk::write_at(descriptor_.number(), offset, bytes);
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
    if (out_.error() == 0 && flushed_ && !disk::flush(descriptor_.number())) {
      out_.fail(errno);
    }
    if (out_.error() != 0) {
      return cannot("write", path_, out_.error());
    }
    if (!disk::replace(temporary_, target_)) {
      return cannot("write", path_, errno);
    }
    temporary_.clear();
    if (flushed_) {
      disk::flush_folder_of(target_);  // the new name must survive a power cut as well
    }
    return Done{};
  }

  Result<bool> copy_to(Sink& sink) override {
    std::string chunk(kCopyChunk, '\0');
    for (std::uint64_t at = 0;;) {
      const std::ptrdiff_t got = disk::read_at(descriptor_.number(), at, chunk.data(), chunk.size());
      if (got < 0) {
        return cannot("read", path_, errno);
      }
      if (got == 0) {
        return true;
      }
      sink.write(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
      at += static_cast<std::uint64_t>(got);
    }
  }

 private:
  static constexpr std::size_t kCopyChunk = std::size_t{256} * 1024;

  /// A large file's bytes are on their way to the disk while the rest is still made: `commit` then waits for less.
  void begin_flush() {
    constexpr std::uint64_t kAtOnce = std::uint64_t{8} * 1024 * 1024;
    if (flushed_ && written_ - begun_ >= kAtOnce) {
      disk::begin_flush(descriptor_.number(), begun_, written_ - begun_);
      begun_ = written_;
    }
  }

  std::string path_;
  std::string target_;
  std::string temporary_;  ///< empty once it was renamed
  Descriptor descriptor_;
  const bool flushed_;
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
    const int error = disk::write_all(descriptor_.number(), held_);
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
  const Descriptor file(disk::open_to_read(path));
  if (!file.ok()) {
    return cannot("read", path, errno);
  }
  return read_all(file.number(), path, max_bytes);
}

Result<std::string> read_stdin(std::uint64_t max_bytes) { return read_all(0, "standard input", max_bytes); }

bool is_folder(const std::string& path) {
  const auto entry = disk::look_at(path);
  return entry && entry->folder;
}

bool is_taken(const std::string& path) {
  const Descriptor file(disk::open_to_read(path));
  return file.ok() && disk::lock(file.number(), false) == EWOULDBLOCK;
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  std::vector<std::string> names;
  if (!disk::list(path, names)) {
    return cannot("read", path, errno);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::unique_ptr<OutputFile>> create_output(const std::string& path, Endures endures) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return cannot("write", path, ENOENT);
  }
  const std::string target = disk::target_of(path);
  const std::optional<disk::Entry> before = disk::look_at(target);
  if (!before && errno != ENOENT) {
    return cannot("write", path, errno);
  }
  if (before && before->folder) {
    return cannot("write", path, EISDIR);
  }
  if (before && !before->file) {
    const int descriptor = disk::open_to_write(target);
    if (descriptor < 0) {
      return cannot("write", path, errno);
    }
    return std::make_unique<StraightFile>(path, descriptor);
  }
  if (before && !disk::may_write(target)) {
    // Renaming over a file that we may not write would go around whoever protected it.
    return cannot("write", path, errno);
  }
  std::string temporary = disk::folder_of(target) + "/.gpup-XXXXXX";
  const int descriptor = disk::make_temporary(temporary);
  if (descriptor < 0) {
    return cannot("write", path, errno);
  }
  auto file = std::make_unique<ReplacedFile>(path, target, temporary, descriptor, endures);
  if (!disk::set_mode(descriptor, before)) {
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
    error_ = disk::write_all(descriptor_, bytes);
  }
}

void StreamSink::flush() {
  if (error_ == 0) {
    error_ = disk::write_all(descriptor_, buffer_);
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
