#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace gpup {

/// All of a file; "" where there is none.
inline std::string read_text(const std::filesystem::path& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Compares with what a file keeps; UPDATE_GOLDEN=1 in the environment writes it.
void check_golden(const std::filesystem::path& path, const std::string& text);

}  // namespace gpup
