#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "files.h"
#include "json_schema.h"
#include "observed/read_snapshot.h"
#include "paths.h"

// One corpus, two judges: the reader and the schema. Whatever the schema can express, both decide alike.

namespace {

std::vector<std::filesystem::path> files_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(gpup::kSourceFolder) /
                                                               "tests/observed/corpus" / folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string what_the_reader_says(const std::string& text) {
  const gpup::Result<gpup::ObservedState> read = gpup::read_snapshot(text, "s.json");
  return read ? std::string() : gpup::render_diagnostics(read.error().diagnostics);
}

bool fits_schema(const std::string& text) {
  static const std::string schema = gpup::test::schema_text("snapshot");
  return gpup::test::misfit(schema, text).empty();
}

}  // namespace

TEST_CASE("the reader and the schema decide alike") {
  for (const std::filesystem::path& path : files_in("good")) {
    CAPTURE(path.filename().string());
    const std::string text = gpup::read_text(path);
    CHECK_EQ(what_the_reader_says(text), "");
    CHECK(fits_schema(text));
  }
  for (const std::filesystem::path& path : files_in("bad")) {
    CAPTURE(path.filename().string());
    const std::string text = gpup::read_text(path);
    CHECK_NE(what_the_reader_says(text), "");
    CHECK_FALSE(fits_schema(text));
  }
}

TEST_CASE("the reader refuses what no schema can express") {
  for (const std::filesystem::path& path : files_in("bad_beyond_schema")) {
    CAPTURE(path.filename().string());
    CHECK_NE(what_the_reader_says(gpup::read_text(path)), "");
  }
}

TEST_CASE("the schema's own example is a snapshot") {
  const auto schema = nlohmann::json::parse(gpup::test::schema_text("snapshot"));
  for (const auto& example : schema["examples"]) {
    CHECK_EQ(what_the_reader_says(example.dump()), "");
  }
}
