#pragma once

#include <span>
#include <string_view>

namespace gpup {

/// A JSON schema, put into the program when it is built.
struct Schema {
  std::string_view name;  ///< `desired`: the file's name up to its first dot
  std::string_view text;
};

/// All of schemas/, sorted by name.
std::span<const Schema> schemas();

/// The schema of that name, or nullptr.
const Schema* find_schema(std::string_view name);

}  // namespace gpup
