#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sink.h"

namespace gpup {

/// The whole of a file or pipe. kCannotRead names the path and why (missing, a folder, no permission); more than
/// `max_bytes`, which are never held, is kBadContent without a diagnostic.
Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes);

/// The whole of standard input, bounded as `read_file` is.
Result<std::string> read_stdin(std::uint64_t max_bytes);

/// True where `path` is a folder (or a link to one).
bool is_folder(const std::string& path);

/// True where another process has taken the file (`disk::lock`), for one the journal of a run that is under way.
bool is_taken(const std::string& path);

/// The names in a folder, folders left out, sorted by bytes, not deeper. kCannotRead where it cannot be listed.
Result<std::vector<std::string>> list_folder(const std::string& path);

/// A file that is written whole or not at all. A file that is there keeps its mode; a symbolic link stays and
/// what it points to is replaced; a pipe or device is written straight through (and cannot be patched). Whatever
/// becomes of this process, and of the machine unless `Endures::kThisProcess` (much faster), the old file or the new
/// one is there.
enum class Endures : std::uint8_t { kPowerCut, kThisProcess };
Result<std::unique_ptr<OutputFile>> create_output(const std::string& path, Endures endures = Endures::kPowerCut);

/// Writes to a descriptor that it does not own (1 = standard output), buffered. Remembers the first error and
/// swallows the rest.
class StreamSink : public Sink {
 public:
  explicit StreamSink(int descriptor) : descriptor_(descriptor) {}
  StreamSink(const StreamSink&) = delete;
  StreamSink& operator=(const StreamSink&) = delete;
  ~StreamSink() override;

  void write(std::string_view bytes) override;
  /// Writes out what is buffered; kCannotRead (exit 1) where anything could not be written: a full disk, a
  /// closed pipe. The process must ignore SIGPIPE.
  Result<Done> finish();

 private:
  void flush();

  int descriptor_;
  int error_ = 0;
  std::string buffer_;
};

}  // namespace gpup
