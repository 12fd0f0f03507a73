#include "files.h"

#include <cstdlib>

#include <doctest/doctest.h>

namespace gpup {

void check_golden(const std::filesystem::path& path, const std::string& text) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  CAPTURE(path.string());
  CHECK_EQ(text, read_text(path));
}

}  // namespace gpup
