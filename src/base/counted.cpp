#include "base/counted.h"

#include <fmt/format.h>

namespace gpup {

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return count == 1 || many.empty() ? fmt::format("{} {}{}", count, one, count == 1 ? "" : "s")
                                    : fmt::format("{} {}", count, many);
}

}  // namespace gpup
