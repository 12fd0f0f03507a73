#include "json_schema.h"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "paths.h"

namespace gpup::test {

std::string misfit(const std::string& schema, const std::string& document) {
  const auto schema_json = nlohmann::json::parse(schema, nullptr, false);
  const auto document_json = nlohmann::json::parse(document, nullptr, false);
  if (schema_json.is_discarded() || document_json.is_discarded()) {
    return "not JSON: " + (schema_json.is_discarded() ? schema : document);
  }
  const bool draft4 = schema_json.at("$schema").get<std::string>().find("draft-04") != std::string::npos;
  valijson::Schema rules;
  valijson::SchemaParser(draft4 ? valijson::SchemaParser::kDraft4 : valijson::SchemaParser::kDraft7)
      .populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), rules);
  valijson::ValidationResults results;
  if (valijson::Validator().validate(rules, valijson::adapters::NlohmannJsonAdapter(document_json), &results)) {
    return {};
  }
  std::string all;
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    for (const std::string& part : error.context) {
      all += part;
    }
    all += ": " + error.description + "\n";
  }
  return all;
}

std::string schema_text(const std::string& name) {
  const std::ifstream file(std::string(kSourceFolder) + "/schemas/" + name + ".v1.schema.json", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace gpup::test
