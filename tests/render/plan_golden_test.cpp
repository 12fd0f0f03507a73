#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "desired/read_desired.h"
#include "execute/schedule.h"
#include "files.h"
#include "json_schema.h"
#include "observed/read_snapshot.h"
#include "paths.h"
#include "plan/make_plan.h"
#include "plan/outage.h"
#include "render/outage_json.h"
#include "render/plan_json.h"
#include "render/plan_markdown.h"
#include "render/plan_reader.h"
#include "render/plan_text.h"
#include "render/sample_plan.h"

namespace gpup {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> cases() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(fs::path(kSourceFolder) / "tests/golden/plan")) {
    folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Planned plan_of(const fs::path& folder) {
  Sources sources;
  const std::string text = read_text(folder / "desired.yaml");
  const std::uint32_t index = sources.add("desired.yaml", text);
  sources.file(index).sha256 = sha256_hex(text);
  const ReadDesired desired = read_desired(sources);
  REQUIRE_MESSAGE(!has_error(desired.diagnostics), render_diagnostics(desired.diagnostics));
  const Result<ObservedState> observed = read_snapshot(read_text(folder / "observed.json"), "observed.json");
  REQUIRE(observed.has_value());
  Planned planned = make_plan(desired.state, *observed, sources);
  REQUIRE_MESSAGE(!planned.refused(), render_diagnostics(planned.diagnostics));
  return planned;
}

std::string json_of(const Plan& plan) {
  StringSink sink;
  write_plan(plan, static_cast<Sink&>(sink));
  return sink.text;
}

std::string outage_json(const Plan& plan, const Outage& outage) {
  StringSink sink;
  render_outage_json(plan, outage, sink);
  return sink.text;
}

/// What the plan costs where nothing was measured.
Outage outage_of(const Plan& plan) {
  return expect_outage(plan, {}, [&] { return Schedule(plan, Limits{}); });
}

bool fits_schema(const std::string& text, const std::string& name = "plan") {
  return test::misfit(test::schema_text(name), text).empty();
}

}  // namespace

TEST_CASE("plans are told as they were, in text and markdown, when made and when read back") {
  const std::vector<fs::path> folders = cases();
  CHECK(folders.size() >= 7);
  for (const fs::path& folder : folders) {
    CAPTURE(folder.filename().string());
    const Planned planned = plan_of(folder);
    std::string text;
    const Outage outage = outage_of(planned.plan);
    render_plan_text(planned.plan, PlanTextOptions{false, false, 120, &outage}, text);
    check_golden(folder / "plan.txt", text);
    std::string markdown;
    render_plan_markdown(planned.plan, {false, &outage}, markdown);
    check_golden(folder / "plan.md", markdown);

    const std::string json = json_of(planned.plan);
    CHECK(fits_schema(json));
    const Result<Plan> read = read_plan(json, "plan.json");
    CAPTURE((read ? std::string() : read.error().diagnostics.front().message));
    REQUIRE(read.has_value());
    CHECK_EQ(json_of(*read), json);
    std::string shown;
    const Outage again = outage_of(*read);
    render_plan_text(*read, PlanTextOptions{false, false, 120, &again}, shown);
    CHECK_EQ(shown, text);
    CHECK(fits_schema(outage_json(*read, again), "outage"));
    CHECK_EQ(outage_json(*read, again), outage_json(planned.plan, outage));
  }
}

TEST_CASE("a plan with something of everything fits the schema, one with a member too many does not") {
  const std::string text = json_of(sample_plan());
  CHECK(fits_schema(text));
  auto document = nlohmann::json::parse(text);
  document["steps"][0]["color"] = "red";
  CHECK(!fits_schema(document.dump()));

  const std::string outage = outage_json(sample_plan(), outage_of(sample_plan()));
  CHECK(fits_schema(outage, "outage"));
  document = nlohmann::json::parse(outage);
  CHECK_EQ(document["steps"].size(), sample_plan().steps.size());
  document["steps"][0]["failure"]["color"] = "red";
  CHECK(!fits_schema(document.dump(), "outage"));
}

}  // namespace gpup
