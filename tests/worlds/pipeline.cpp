#include "worlds/pipeline.h"

#include <algorithm>

#include "base/sink.h"
#include "desired/read_desired.h"
#include "observed/read_snapshot.h"
#include "plan/make_plan.h"
#include "render/plan_json.h"

namespace worlds {

namespace {

std::string lines(const gpup::Diagnostics& diagnostics) {
  std::string out;
  for (const gpup::Diagnostic& diagnostic : diagnostics) {
    out += gpup::to_string(diagnostic.severity);
    out += " " + diagnostic.host + " " + diagnostic.name + ": " + diagnostic.message + "\n";
  }
  return out;
}

Answer refusal(std::string why, bool over_limit = false) { return {true, nullptr, std::move(why), over_limit}; }

bool is_over_limit(const gpup::Diagnostics& diagnostics) {
  return std::all_of(diagnostics.begin(), diagnostics.end(), [](const gpup::Diagnostic& diagnostic) {
    return diagnostic.severity != gpup::Severity::kError || diagnostic.code == gpup::Code::kDisruptionUnmet ||
           diagnostic.code == gpup::Code::kDisruptionNoOrder;
  });
}

}  // namespace

Answer answer(const World& world) {
  gpup::Sources sources;
  sources.add("world.yaml", to_yaml(world));
  const gpup::ReadDesired desired = gpup::read_desired(sources);
  if (gpup::has_error(desired.diagnostics)) {
    return refusal("files:\n" + lines(desired.diagnostics));
  }
  const auto observed = gpup::read_snapshot(to_snapshot_json(world), "snapshot.json");
  if (!observed) {
    return refusal("snapshot: " + observed.error().message + "\n" + lines(observed.error().diagnostics));
  }
  const gpup::Planned planned = gpup::make_plan(desired.state, *observed, sources);
  if (planned.refused()) {
    return refusal(lines(planned.diagnostics), is_over_limit(planned.diagnostics));
  }
  gpup::StringSink sink;
  gpup::write_plan(planned.plan, sink);
  return {false, nlohmann::json::parse(sink.text), lines(planned.diagnostics), false};
}

}  // namespace worlds
