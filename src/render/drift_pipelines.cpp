#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "base/text.h"
#include "render/drift.h"
#include "render/drift_findings.h"
#include "render/report_path.h"

namespace gpup {

namespace {

/// As GitHub's runner reads it: a message ends at the line's end, a property at a comma or colon, too.
void append_github(std::string& out, std::string_view text, bool property) {
  for (const char c : escape_terminal(text)) {
    if (c == '%' || (property && (c == ':' || c == ','))) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
}

std::string_view github_word(FindingKind kind) {
  switch (kind) {
    case FindingKind::kDrift:
    case FindingKind::kError:
      break;
    case FindingKind::kIgnored:
      return "notice";
    case FindingKind::kNotChecked:
    case FindingKind::kWarning:
      return "warning";
  }
  return "error";
}

std::string_view gitlab_severity(FindingKind kind) {
  switch (kind) {
    case FindingKind::kDrift:
    case FindingKind::kError:
      break;
    case FindingKind::kIgnored:
      return "info";
    case FindingKind::kNotChecked:
    case FindingKind::kWarning:
      return "minor";
  }
  return "major";
}

}  // namespace

void render_drift_github(const Drift& drift, Sink& out) {
  constexpr std::size_t kShown = 10;  // of each word, a step
  const auto counts = count_findings(drift);
  const auto of = [&](FindingKind kind) { return counts.at(static_cast<std::size_t>(kind)); };
  if (of(FindingKind::kDrift) + of(FindingKind::kError) > kShown || of(FindingKind::kIgnored) >= kShown ||
      of(FindingKind::kNotChecked) + of(FindingKind::kWarning) > kShown) {
    out.write(
        fmt::format("::notice title=gpup drift::{} GitHub shows the first {} errors, warnings and notices of a "
                    "step; all are in its log.\n",
                    drift_verdict(drift), kShown));
  }
  std::string line;
  tell_findings(drift, [&](const DriftFinding& finding) {
    line.assign("::").append(github_word(finding.kind)).append(" ");
    if (!finding.file.empty()) {
      line += "file=";
      append_github(line, report_path(finding.file), true);
      if (finding.line > 0) {
        fmt::format_to(std::back_inserter(line), ",line={},col={}", finding.line, finding.column);
      }
      line += ",";
    }
    line.append("title=gpup drift%3A ").append(finding.rule).append("::");
    append_github(line, finding.message, false);
    line += '\n';
    out.write(line);
  });
}

void render_drift_gitlab(const Drift& drift, Sink& out) {
  std::string text = "[";
  const char* between = "\n";
  std::map<std::string, std::size_t> seen;  // of diagnostics: two may say the same of two lines
  tell_findings(drift, [&](const DriftFinding& finding) {
    std::string identity = fmt::format("gpup/v1\n{}\n{}", finding.rule, finding.address);
    if (finding.kind == FindingKind::kWarning || finding.kind == FindingKind::kError) {
      identity += fmt::format("\n{}", seen[identity]++);
    }
    // Every finding needs a place in a file there.
    const std::string_view file = !finding.file.empty()       ? finding.file
                                  : !drift.plan.files.empty() ? std::string_view(drift.plan.files[0].path)
                                                              : std::string_view("-");
    text.append(between).append("{\"description\": ");
    append_json_string(text, finding.message);
    text.append(", \"check_name\": \"").append(finding.rule).append("\", \"fingerprint\": \"");
    text.append(sha256_hex(identity)).append("\", \"severity\": \"").append(gitlab_severity(finding.kind));
    text += R"(", "location": {"path": )";
    append_json_string(text, report_path(file));
    text += R"(, "lines": {"begin": )";
    append_json_number(text, finding.line > 0 ? finding.line : 1);
    text += "}}}";
    out.write(text);
    text.clear();
    between = ",\n";
  });
  out.write(text + (text.empty() ? "\n]\n" : "]\n"));
}

bool is_pipeline_form(std::string_view form) {
  return form == "junit" || form == "sarif" || form == "github" || form == "gitlab";
}

void render_drift_pipeline(std::string_view form, const Drift& drift, Sink& out) {
  if (form == "junit") {
    render_drift_junit(drift, out);
  } else if (form == "sarif") {
    render_drift_sarif(drift, out);
  } else if (form == "github") {
    render_drift_github(drift, out);
  } else {
    render_drift_gitlab(drift, out);
  }
}

}  // namespace gpup
