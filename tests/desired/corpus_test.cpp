#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <nlohmann/json.hpp>

#include "desired/read_desired.h"
#include "files.h"
#include "json_schema.h"
#include "model/platform_rules.h"
#include "paths.h"

// One corpus, two judges: the parser and the schema. Whatever the schema can express, both decide alike.

namespace {

using nlohmann::json;

std::vector<std::filesystem::path> files_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(gpup::kSourceFolder) /
                                                               "tests/desired/corpus" / folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// YAML 1.2's core schema for a scalar without quotes, written apart from the parser's.
json resolve(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") {
    return true;
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return false;
  }
  if (text.find_first_not_of("0123456789", text.find_first_of("+-") == 0 ? 1 : 0) == std::string::npos &&
      text.size() < 18 && text != "+" && text != "-") {
    return std::stoll(text, nullptr, 10);
  }
  if (text.starts_with("0x") || text.starts_with("0o")) {
    char* end = nullptr;
    const long long number = std::strtoll(text.c_str() + 2, &end, text[1] == 'x' ? 16 : 8);
    return *end == '\0' && end != text.c_str() + 2 ? json(number) : json(text);
  }
  const std::string body = text.substr(text.find_first_of("+-") == 0 ? 1 : 0);
  if (body == ".inf" || body == ".Inf" || body == ".INF" || body == ".nan" || body == ".NaN" || body == ".NAN") {
    return 1.5;
  }
  const bool may_be_float = text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
                            text.find_first_of("0123456789") != std::string::npos;
  if (may_be_float) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (*end == '\0') {
      return number;
    }
  }
  return text;
}

/// Every document of a text as JSON; nothing where it is not YAML, or has keys that JSON cannot have.
class ToJson : public YAML::EventHandler {
 public:
  std::optional<std::vector<json>> convert(const std::string& text) {
    std::istringstream stream(text);
    try {
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(*this)) {
      }
    } catch (const YAML::Exception&) {
      return std::nullopt;
    }
    return strange_key_ ? std::nullopt : std::optional(documents_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { add(nullptr); }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override { add("alias"); }
  void OnScalar(const YAML::Mark&, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    add(tag == "?" && !wants_key() ? resolve(value) : json(value));
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open_.push_back({json::array(), {}, false});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open_.push_back({json::object(), {}, false});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    json value;
    std::string key;
    bool has_key;
  };

  bool wants_key() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().has_key; }

  void close() {
    json value = std::move(open_.back().value);
    open_.pop_back();
    add(std::move(value));
  }

  void add(json value) {
    if (open_.empty()) {
      documents_.push_back(std::move(value));
    } else if (open_.back().value.is_array()) {
      open_.back().value.push_back(std::move(value));
    } else if (!open_.back().has_key) {
      strange_key_ = strange_key_ || !value.is_string();
      open_.back().key = value.is_string() ? value.get<std::string>() : value.dump();
      open_.back().has_key = true;
    } else {
      open_.back().value[open_.back().key] = std::move(value);
      open_.back().has_key = false;
    }
  }

  std::vector<Open> open_;
  std::vector<json> documents_;
  bool strange_key_ = false;
};

bool fits_schema(const std::vector<json>& documents) {
  static const std::string schema = gpup::test::schema_text("desired");
  return !documents.empty() && std::all_of(documents.begin(), documents.end(), [](const json& document) {
    return gpup::test::misfit(schema, document.dump(-1, ' ', false, json::error_handler_t::replace)).empty();
  });
}

std::string complaints(const std::filesystem::path& path) {
  gpup::Sources sources;
  sources.add(path.filename().string(), gpup::read_text(path));
  return gpup::render_diagnostics(gpup::read_desired(sources).diagnostics);
}

}  // namespace

TEST_CASE("good files are taken by parser and schema") {
  for (const auto& path : files_in("good")) {
    CAPTURE(path.filename().string());
    CHECK_EQ(complaints(path), "");
    const auto documents = ToJson().convert(gpup::read_text(path));
    REQUIRE(documents);
    CHECK(fits_schema(*documents));
  }
}

TEST_CASE("bad files are refused by parser and schema") {
  for (const auto& path : files_in("bad")) {
    CAPTURE(path.filename().string());
    CHECK_NE(complaints(path), "");
    const auto documents = ToJson().convert(gpup::read_text(path));
    CHECK_FALSE((documents && fits_schema(*documents)));
  }
}

TEST_CASE("files that are wrong in what a schema cannot say are refused by the parser alone") {
  for (const auto& path : files_in("bad_beyond_schema")) {
    CAPTURE(path.filename().string());
    CHECK_NE(complaints(path), "");
    if (const auto documents = ToJson().convert(gpup::read_text(path))) {
      CHECK(fits_schema(*documents));
    }
  }
}

TEST_CASE("the schema knows the releases that the program knows") {
  std::vector<std::string> known = {"auto"};
  for (const gpup::Release& release : gpup::releases()) {
    known.emplace_back(release.id);
  }
  std::vector<std::string> listed;
  const json schema = json::parse(gpup::test::schema_text("desired"));
  for (const json& word : schema.at("properties").at("platform").at("enum")) {
    listed.push_back(word.get<std::string>());
  }
  CHECK(listed == known);
}
