#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "paths.h"

namespace {

namespace fs = std::filesystem;

/// Calls `visit(pointer, property)` for every named property that the schema describes, at any depth.
template <class Visit>
void for_each_property(const nlohmann::json& schema, const std::string& pointer, const Visit& visit) {
  if (schema.is_array()) {
    for (std::size_t i = 0; i < schema.size(); ++i) {
      for_each_property(schema[i], pointer + "/" + std::to_string(i), visit);
    }
  }
  if (!schema.is_object()) {
    return;
  }
  for (const auto& [key, value] : schema.items()) {
    if (key == "examples" || key == "enum" || key == "const" || key == "default") {
      continue;
    }
    if (key == "properties" && value.is_object()) {
      for (const auto& [name, property] : value.items()) {
        visit(pointer + "/properties/" + name, property);
      }
    }
    for_each_property(value, pointer + "/" + key, visit);
  }
}

TEST_CASE(
    "every schema is draft 7 with a title, and describes every property, so that an editor's hover says something") {
  int schemas = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(gpup::kSourceFolder) / "schemas")) {
    CAPTURE(entry.path().string());
    std::ifstream file(entry.path());
    const auto schema = nlohmann::json::parse(file, nullptr, false);
    REQUIRE_FALSE(schema.is_discarded());
    ++schemas;
    CHECK_EQ(schema.value("$schema", ""), "http://json-schema.org/draft-07/schema#");
    CHECK(schema.contains("title"));
    CHECK(schema.contains("description"));
    const auto describes = [&](const nlohmann::json& property) {
      if (property.is_object() && property.contains("$ref")) {
        const std::string target = property["$ref"].get<std::string>();
        if (target.starts_with("#/")) {
          const nlohmann::json::json_pointer there(target.substr(1));
          return property.contains("description") ||
                 (schema.contains(there) && schema.at(there).contains("description"));
        }
      }
      return property.is_boolean() || property.contains("description");
    };
    for_each_property(schema, "#", [&](const std::string& pointer, const nlohmann::json& property) {
      // A subschema that only picks a branch (`if`, `not`, `oneOf`) repeats names that are described elsewhere.
      const bool branch = pointer.find("/if/") != std::string::npos || pointer.find("/then/") != std::string::npos ||
                          pointer.find("/not/") != std::string::npos || pointer.find("Of/") != std::string::npos ||
                          pointer.find("/else/") != std::string::npos;
      if (!branch) {
        CHECK_MESSAGE(describes(property), pointer);
      }
    });
  }
  CHECK_GE(schemas, 4);
}

}  // namespace
