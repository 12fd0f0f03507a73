#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "base/sink.h"
#include "plan/drift.h"
#include "render/markdown.h"

namespace gpup {

// The answer of `gpup drift`: what differs, each with what is there, what is wanted, the line that wants it and its
// cause. Hosts that were not read stand apart: nothing about them is in sync. So does what policy.ignore accepts.

/// For people; escaped for a terminal. The last line says `No drift`, or how many differences there are.
void render_drift_text(const Drift& drift, bool color, Sink& out);

/// For pull requests and issues: the verdict first; names from outside cannot break out. At most `most` bytes.
void render_drift_markdown(const Drift& drift, std::size_t most, Sink& out);

/// `schemas/drift.v1.schema.json`. Differences have the form that they have in a plan, with their cause.
void render_drift_json(const Drift& drift, Sink& out);

// For pipelines. Each tells the same findings at the same lines (`drift_findings.h`).

/// JUnit: a case for each host, GPU line and VM line of the files, for VMs that no line lists, and for warnings. What
/// was not checked or is ignored is skipped.
void render_drift_junit(const Drift& drift, Sink& out);

/// SARIF 2.1.0. Rules are the properties that differ and our codes; what is ignored is suppressed, hosts that were not
/// checked are open.
void render_drift_sarif(const Drift& drift, Sink& out);

/// Annotations of a GitHub workflow, a line each.
void render_drift_github(const Drift& drift, Sink& out);

/// GitLab's code quality report. Fingerprints stay as they are when lines move.
void render_drift_gitlab(const Drift& drift, Sink& out);

/// True for the four above, which tell also why nothing was compared.
bool is_pipeline_form(std::string_view form);

/// One of the four.
void render_drift_pipeline(std::string_view form, const Drift& drift, Sink& out);

/// What Prometheus' node_exporter reads from a file: partitions, what is used and free, drift by property and cause,
/// what was not checked, starts that are owed. `observed_at`: seconds since 1970; nothing where it is not known.
void render_drift_metrics(const Drift& drift, const ObservedState& observed, std::optional<std::int64_t> observed_at,
                          Sink& out);

}  // namespace gpup
