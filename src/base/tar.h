#pragma once

#include <cstdint>
#include <string_view>

#include "base/sink.h"

namespace gpup {

/// An archive in the form that every tar reads (POSIX.1-1988, "ustar"), for members of ours: plain files of less than
/// 8 GiB with short names. A library for it would bring a dozen others along at every start of the program.
class Tar {
 public:
  static constexpr std::size_t kLongestName = 100;

  /// `time`: of all members, in seconds since 1970.
  Tar(Sink& sink, std::uint64_t time) : sink_(sink), time_(time) {}

  /// A file. `name` is relative, at most kLongestName bytes.
  void add(std::string_view name, std::string_view bytes);
  /// Ends the archive.
  void finish();

 private:
  Sink& sink_;
  std::uint64_t time_;
};

}  // namespace gpup
