#include "base/paths.h"

namespace gpup {

std::filesystem::path path_of(std::string_view text) {
  return std::u8string_view(reinterpret_cast<const char8_t*>(text.data()), text.size());
}

std::string path_text(const std::filesystem::path& path) {
  const std::u8string text = path.generic_u8string();
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

bool is_from_root(std::string_view path) {
  const std::filesystem::path parts = path_of(path);
  return parts.has_root_directory() || parts.has_root_name();
}

bool has_folder(std::string_view path) { return path.find_first_of(kPathDividers) != std::string_view::npos; }

}  // namespace gpup
