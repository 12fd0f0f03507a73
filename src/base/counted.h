#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gpup {

/// `1 step`, `3 steps`; where the plural is not `one` with an s, `many` is it.
std::string counted(std::size_t count, std::string_view one, std::string_view many = {});

}  // namespace gpup
