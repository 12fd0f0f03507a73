#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gpup {

inline constexpr std::uint32_t kMostParallel = 256;

/// The value of --parallel: a whole number from 1 to kMostParallel.
std::optional<std::uint32_t> parse_parallel(std::string_view text);

}  // namespace gpup
