#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "desired/mistakes.h"

namespace gpup {

inline constexpr std::size_t kMostBytes = 16UL * 1024 * 1024;
inline constexpr std::uint32_t kMostDepth = 32;

/// What was found in a file's bytes before anything is built from them.
struct ScannedText {
  std::string_view text;       ///< without a byte order mark
  bool readable = false;       ///< worth giving to the parser
  bool ascii = true;           ///< a column is then a byte
  bool control = false;        ///< it holds control characters, which were reported
  std::size_t most_lines = 0;  ///< how many lines under `assignments` it may hold, at most about
};

/// Reports what no file may be: too large, UTF-16, not UTF-8, with control characters.
ScannedText scan_text(std::uint32_t file, std::string_view bytes, Mistakes& mistakes);

}  // namespace gpup
