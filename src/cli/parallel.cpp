#include "cli/parallel.h"

#include <charconv>

namespace gpup {

std::optional<std::uint32_t> parse_parallel(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  const bool whole = error == std::errc() && stopped == end;
  return whole && number >= 1 && number <= kMostParallel ? std::optional(number) : std::nullopt;
}

}  // namespace gpup
