#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "cli/program.h"
#include "paths.h"

namespace gpup::test {

namespace {

/// What in a document does not fit a schema; empty where it fits.
std::string misfit(const std::string& schema_text, const std::string& document_text) {
  const auto schema_json = nlohmann::json::parse(schema_text, nullptr, false);
  const auto document = nlohmann::json::parse(document_text, nullptr, false);
  if (schema_json.is_discarded() || document.is_discarded()) {
    return "not JSON: " + document_text;
  }
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), schema);
  valijson::ValidationResults results;
  if (valijson::Validator().validate(schema, valijson::adapters::NlohmannJsonAdapter(document), &results)) {
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

}  // namespace

TEST_CASE("every answer in json fits its schema") {
  const Folder folder;
  folder.write("desired.yaml", kDesired);
  folder.write("lab.json", kLab);
  folder.write("done.json", kDoneLab);
  folder.write("running.json", as_running(kLab));
  folder.write("bad.yaml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nhots: []\n");
  struct Case {
    std::string_view line;
    std::string schema;
  };
  const Case cases[] = {
      {"validate -f desired.yaml -o json", "diagnostics"},
      {"validate -f bad.yaml -o json", "diagnostics"},
      {"observe -f desired.yaml -o json", "snapshot"},
      {"observe --connect ssh://nowhere -o json", "snapshot"},
      {"plan -f desired.yaml -o json", "plan"},
      {"plan -f desired.yaml --observed done.json -o json", "plan"},
      {"plan -f desired.yaml -o outage", "outage"},
      {"plan -f desired.yaml --observed done.json -o outage", "outage"},
      {"plan -f desired.yaml --observed running.json -o outage --out p", "outage"},
      {"show p -o outage", "outage"},
      {"plan -f desired.yaml --observed running.json -o outage --max-outage 1s", "diagnostics"},
      {"drift -f desired.yaml -o json", "drift"},
      {"drift -f desired.yaml --observed done.json -o json", "drift"},
      {"why vdi-01 -f desired.yaml -o json", "why"},
      {"why 18416dc3 -f desired.yaml -o json", "why"},
      {"why 1 -f desired.yaml -o json", "why"},
      {"doctor -f desired.yaml -o json", "doctor"},
      {"doctor --connect ssh://nowhere -o json", "doctor"},
      {"doctor --connect simulated:lab.json -o json", "doctor"},
      {"version --json", "version"},
      {"history --state-dir state -o json", "history"},
      {"apply -f desired.yaml --yes --state-dir state -o json", "report"},
      {"apply -f desired.yaml --yes --state-dir state -o json", "report"},
      {"history --state-dir state -o json", "history"},
      {"history latest --state-dir state -o json", "history"},
      {"rollback latest --state-dir state --yes -o json", "report"},
      {"restore-power -f desired.yaml --state-dir state --yes -o json", "report"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Ended schema = run_gpup(folder, {"schema", c.schema});
    CHECK_EQ(schema.code, 0);
    const Ended answer = run_gpup(folder, split_words(c.line));
    CAPTURE(answer.err);
    CHECK_EQ(misfit(schema.out, answer.out), "");
  }
}

TEST_CASE("gpup schema lists what it has and prints each as it is in schemas/") {
  const Folder folder;
  const Ended list = run_gpup(folder, {"schema"});
  CHECK_EQ(list.code, 0);
  for (const std::string_view name : {"desired", "diagnostics", "doctor", "drift", "history", "journal", "outage",
                                      "plan", "report", "snapshot", "version", "why"}) {
    CAPTURE(name);
    CHECK_NE(("\n" + list.out).find("\n" + std::string(name) + "\n"), std::string::npos);
    CHECK_EQ(run_gpup(folder, {"schema", std::string(name)}).out,
             read_text(std::string(kSourceFolder) + "/schemas/" + std::string(name) + ".v1.schema.json"));
  }
}

}  // namespace gpup::test
