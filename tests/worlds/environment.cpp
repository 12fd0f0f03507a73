#include "worlds/environment.h"

#include <cstdlib>
#include <string_view>

namespace worlds {

bool long_form() {
  const char* form = std::getenv("GPUP_WORLDS");
  return form != nullptr && std::string_view(form) == "long";
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace worlds
