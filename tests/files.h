#pragma once

#include <filesystem>
#include <string>

namespace gpup {

/// All of a file; "" where there is none.
std::string read_text(const std::filesystem::path& path);

/// Compares with what a file keeps; UPDATE_GOLDEN=1 in the environment writes it.
void check_golden(const std::filesystem::path& path, const std::string& text);

}  // namespace gpup
