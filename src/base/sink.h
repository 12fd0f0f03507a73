#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gpup {

/// Where rendered bytes go, chunk by chunk. A sink that fails remembers it and swallows the rest;
/// whoever owns it asks in the end.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::string_view bytes) = 0;
};

/// What is gathered of a text before it goes to a sink.
inline constexpr std::size_t kChunk = std::size_t{64} * 1024;

class StringSink : public Sink {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

/// Takes lines for somebody who may read slowly, or not at all: putting one never waits. Lines that nobody takes are
/// lost, and told in the end. Used from several threads.
class LineSink {
 public:
  virtual ~LineSink() = default;
  virtual void put(std::string line) = 0;
  /// Waits for a reader who still reads; kCannotRead, with why and how many, where lines were lost. Called once.
  virtual Result<Done> finish() = 0;
};

/// A file that is written whole or not at all: bytes go to a temporary file in the same folder, `commit` flushes
/// it to disk and renames it into place; destroyed without `commit`, nothing is left behind.
class OutputFile : public Sink {
 public:
  /// Replaces bytes that were written before, at their offset from the start.
  virtual void patch(std::uint64_t offset, std::string_view bytes) = 0;
  /// kCannotRead (exit 1) with the reason where anything failed.
  virtual Result<Done> commit() = 0;
  /// After `commit`: writes all of it once more, to another place. False where the bytes cannot be read again.
  virtual Result<bool> copy_to(Sink& /*sink*/) { return false; }
};

}  // namespace gpup
