#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "base/text.h"
#include "fuzz/require.h"
#include "render/plan_json.h"
#include "render/plan_markdown.h"
#include "render/plan_reader.h"
#include "render/plan_text.h"

// Any bytes are read without harm, with the id that they have and with one that was made good; a plan that is read is
// written as the same bytes, and can be shown.

namespace {

std::string with_right_id(std::string text) {
  constexpr std::string_view kMark = "\"id\": \"sha256:";
  constexpr std::size_t kDigits = 64;
  const std::size_t mark = text.find(kMark);
  if (mark == std::string::npos || text.size() < mark + kMark.size() + kDigits) {
    return text;
  }
  const std::size_t at = mark + kMark.size();
  text.erase(at, kDigits);
  return text.insert(at, gpup::sha256_hex(text));
}

void check(const std::string& text) {
  const gpup::Result<gpup::Plan> plan = gpup::read_plan(text, "fuzz.json");
  if (!plan) {
    require(plan.error().diagnostics.size() == 1);
    check_terminal(gpup::render_diagnostics(plan.error().diagnostics));
    return;
  }
  gpup::Plan unnamed = *plan;
  unnamed.id.clear();
  gpup::StringSink again;
  require(gpup::write_plan(unnamed, static_cast<gpup::Sink&>(again)) == plan->id);
  require(again.text == text);
  for (const bool full : {false, true}) {
    std::string shown;
    gpup::render_plan_text(*plan, gpup::PlanTextOptions{full, false, 80}, shown);
    gpup::render_plan_markdown(*plan, gpup::PlanMarkdownOptions{full}, shown);
    check_terminal(shown);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  check(text);
  check(with_right_id(text));
  return 0;
}
