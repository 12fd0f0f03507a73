#include "base/codes.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace gpup {

namespace {
constexpr auto kAll = std::to_array<Code>({
#define GPUP_CODE(name, number) Code::name,
#include "base/codes.def"
#undef GPUP_CODE
});
}  // namespace

std::string to_string(Code code) { return fmt::format("GP{:03}", static_cast<unsigned>(code)); }

std::optional<Code> parse_code(std::string_view text) {
  if (text.size() > 2 && (text[0] == 'G' || text[0] == 'g') && (text[1] == 'P' || text[1] == 'p')) {
    text.remove_prefix(2);
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  const auto* const found =
      std::find_if(kAll.begin(), kAll.end(), [&](Code code) { return static_cast<unsigned>(code) == number; });
  return found == kAll.end() ? std::nullopt : std::optional(*found);
}

}  // namespace gpup
