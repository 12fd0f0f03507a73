#pragma once

#include <cstdint>

namespace gpup {

/// A place in one of the files of a run: `file` is an index into `Sources`, lines
/// and columns count from 1, columns in characters. Line 0 means nowhere.
struct Place {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool known() const { return line != 0; }
  auto operator<=>(const Place&) const = default;
};

}  // namespace gpup
