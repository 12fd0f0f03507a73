#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace gpup {

/// An exclusive lock on a path, held by the system: it dies with the process, so a crash leaves no stale lock. The
/// file names its holder and is removed when the lock is released.
class FileLock {
 public:
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  /// Takes the lock, or fails at once: kHeld with `held by process 4711 since 2026-11-22T08:41:00Z`; kCannotRead
  /// where the file cannot be made.
  static Result<std::unique_ptr<FileLock>> try_acquire(const std::string& path);

  /// Takes the lock, waiting for whoever holds it.
  static Result<std::unique_ptr<FileLock>> acquire(const std::string& path);

 private:
  FileLock(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  static Result<std::unique_ptr<FileLock>> take(const std::string& path, bool wait);

  std::string path_;
  int descriptor_;
};

}  // namespace gpup
