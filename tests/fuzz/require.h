#pragma once

#include <cstdlib>
#include <string>

#include "base/text.h"

/// Ends the program, which is what a fuzzer looks for.
inline void require(bool kept) {
  if (!kept) {
    std::abort();
  }
}

/// What may be shown on a terminal: UTF-8 without control characters but for line ends.
inline void check_terminal(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    require(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
  }
  require(!gpup::invalid_utf8_at(text));
}
