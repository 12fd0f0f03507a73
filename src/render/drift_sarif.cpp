#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "render/drift.h"
#include "render/drift_findings.h"
#include "render/report_path.h"

namespace gpup {

namespace {

struct Rule {
  std::string_view id;
  std::string_view title;
};

constexpr Rule kRules[] = {
    {"offlineAction", "a VM has another OfflineAction than the file wants"},
    {"partitionCount", "a GPU has another partition count than the file wants"},
    {"partitions", "a VM holds other partitions than the file wants"},
    {"state", "a VM runs or is off, other than the file wants"},
};

class Sarif {
 public:
  Sarif(const Drift& drift, Sink& sink) : drift_(drift), sink_(sink) {}

  void write() {
    out_ =
        "{\n\"$schema\": "
        "\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\",\n"
        "\"version\": \"2.1.0\",\n\"runs\": [{\n"
        "\"tool\": {\"driver\": {\"name\": \"gpup\", \"rules\": [";
    write_rules();
    out_ += "]}},\n\"columnKind\": \"unicodeCodePoints\",\n\"results\": [";
    const char* between = "\n";
    tell_findings(drift_, [&](const DriftFinding& finding) {
      out_ += between;
      between = ",\n";
      write_result(finding);
      if (out_.size() > kChunk) {
        sink_.write(out_);
        out_.clear();
      }
    });
    out_ += "\n]\n}]\n}\n";
    sink_.write(out_);
  }

 private:
  void write_rules() {
    const char* between = "\n";
    for (const Rule& rule : kRules) {
      out_.append(between).append(R"({"id": ")").append(rule.id).append(R"(", "shortDescription": {"text": ")");
      out_.append(rule.title).append("\"}}");
      between = ",\n";
    }
    std::set<Code> codes;
    for (const Diagnostic& diagnostic : drift_.diagnostics) {
      codes.insert(diagnostic.code);
    }
    if (!drift_.plan.not_checked.empty()) {
      codes.insert(Code::kHostUnreadable);
    }
    for (const Code code : codes) {
      const std::string id = to_string(code);
      out_.append(between).append(R"({"id": ")").append(id).append(R"(", "help": {"text": "gpup explain )");
      out_.append(id).append("\"}}");
    }
    out_ += "\n";
  }

  void write_result(const DriftFinding& finding) {
    out_.append(R"({"ruleId": ")").append(finding.rule).append("\", ").append(level(finding.kind));
    out_ += ", \"message\": {\"text\": ";
    append_json_string(out_, finding.message);
    out_ += "}";
    if (!finding.file.empty()) {
      out_ += R"(, "locations": [{"physicalLocation": {"artifactLocation": {"uri": ")";
      out_ += uri(finding.file);
      out_ += "\"}";
      if (finding.line > 0) {
        out_ += ", \"region\": {\"startLine\": ";
        append_json_number(out_, finding.line);
        out_ += ", \"startColumn\": ";
        append_json_number(out_, finding.column);
        out_ += "}";
      }
      out_ += "}}]";
    }
    out_ += ", \"partialFingerprints\": {\"gpup/v1\": ";
    append_json_string(out_, finding.address);
    out_ += "}";
    if (finding.ignore != nullptr) {
      out_ += R"(, "suppressions": [{"kind": "external", "justification": )";
      append_json_string(out_, finding.ignore->reason);
      out_ += "}]";
    }
    out_ += "}";
  }

  static std::string_view level(FindingKind kind) {
    switch (kind) {
      case FindingKind::kDrift:
      case FindingKind::kError:
        break;
      case FindingKind::kIgnored:
        return R"("level": "note")";
      case FindingKind::kNotChecked:  // a level is for what was found
        return R"("kind": "open", "level": "none")";
      case FindingKind::kWarning:
        return R"("level": "warning")";
    }
    return R"("level": "error")";
  }

  const std::string& uri(std::string_view file) {
    if (file != file_) {
      file_ = file;
      uri_ = path_uri(file);
    }
    return uri_;
  }

  const Drift& drift_;
  Sink& sink_;
  std::string out_, file_, uri_;
};

}  // namespace

void render_drift_sarif(const Drift& drift, Sink& out) { Sarif(drift, out).write(); }

}  // namespace gpup
