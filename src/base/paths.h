#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gpup {

/// What may divide the parts of a path on this system.
inline constexpr std::string_view kPathDividers = std::filesystem::path::preferred_separator == '/' ? "/" : "/\\";

/// A path of text that is UTF-8, as all of ours is. (On Windows a path takes narrow text for something else.)
std::filesystem::path path_of(std::string_view text);

/// And back, divided by '/' on every system, so that the same files make the same plan.
std::string path_text(const std::filesystem::path& path);

/// Whether it begins at a root: `/labs/lab.json`, `C:\labs\lab.json`.
bool is_from_root(std::string_view path);

/// Whether it names a folder, too: `./lab.json`.
bool has_folder(std::string_view path);

}  // namespace gpup
