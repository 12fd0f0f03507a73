#pragma once

#include <string>

namespace gpup::test {

/// What in a JSON document does not fit a JSON schema (draft 4 or 7, as `$schema` says), a line each; empty where all
/// does. The judge is valijson, in this one file: it takes long to compile.
std::string misfit(const std::string& schema, const std::string& document);

/// The text of schemas/NAME.v1.schema.json.
std::string schema_text(const std::string& name);

}  // namespace gpup::test
