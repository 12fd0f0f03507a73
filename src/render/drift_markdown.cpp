#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "render/difference_words.h"
#include "render/drift.h"
#include "render/drift_findings.h"
#include "render/markdown.h"

namespace gpup {

namespace {

class DriftMarkdown {
 public:
  DriftMarkdown(const Drift& drift, std::size_t most, Sink& out)
      : drift_(drift), words_(drift.plan), page_(out, most) {}

  void write() {
    const std::string of = drift_.plan.name.empty() ? "" : fmt::format("{}: ", markdown_brief(drift_.plan.name));
    page_.text(fmt::format("**{}{}**\n", of, drift_verdict(drift_)));
    write_not_checked();
    write_diagnostics();
    write_found("differences", "\n| Host | What | Is | Wanted | Line | Cause |\n|---|---|---|---|---|---|\n", "",
                false);
    write_found(
        "ignored differences",
        fmt::format("\n<details><summary>Ignored: {}</summary>\n\n| Host | What | Is | Wanted | Line | Accepted "
                    "|\n|---|---|---|---|---|---|\n",
                    drift_.ignored),
        "\n</details>\n", true);
    page_.finish();
  }

 private:
  void write_not_checked() {
    page_.begin("hosts that were not checked", "\n| Not checked | Why |\n|---|---|\n");
    for (const NotChecked& host : drift_.plan.not_checked) {
      row({markdown_code(host.host), markdown_text(host.error)});
    }
    page_.end();
  }

  void write_diagnostics() {
    page_.begin("warnings", "\n| Warning | Line | |\n|---|---|---|\n");
    for (const Diagnostic& diagnostic : drift_.diagnostics) {
      row({to_string(diagnostic.code),
           diagnostic.file.empty() ? "" : markdown_code(fmt::format("{}:{}", diagnostic.file, diagnostic.line)),
           markdown_text(diagnostic.message)});
    }
    page_.end();
  }

  void write_found(std::string what, std::string head, std::string tail, bool ignored) {
    page_.begin(std::move(what), std::move(head), std::move(tail));
    std::size_t left = ignored ? drift_.ignored : drift_.counted();
    for (const Drifted& drifted : drift_.found) {
      if (page_.is_full()) {
        page_.leave_out(left);
        break;
      }
      if (drifted.ignored() == ignored) {
        write_row(drifted);
        --left;
      }
    }
    page_.end();
  }

  void write_row(const Drifted& drifted) {
    const Difference& difference = drift_.plan.differences[drifted.difference];
    std::string last;
    if (drifted.ignored()) {
      append_ignore(last, drift_.desired.policy.ignores[drifted.ignore]);
    } else {
      append_cause(last, drift_, drifted);
    }
    const std::string subject = words_.subject(difference);
    const std::size_t kind = subject.find(' ') + 1;  // GPU, VM, host
    row({markdown_code(drift_.plan.hosts[drifted.host].name),
         subject.substr(0, kind) + markdown_code(subject.substr(kind)), markdown_text(words_.value(difference, false)),
         markdown_text(words_.value(difference, true)),
         markdown_code(place_words(drift_.plan, drifted.place)) + (difference.source.known() ? "" : " (default)"),
         markdown_text(last)});
  }

  void row(const std::vector<std::string>& cells) {
    line_.clear();
    append_row(line_, cells);
    page_.line(line_);
  }

  const Drift& drift_;
  DifferenceWords words_;
  MarkdownPage page_;
  std::string line_;
};

}  // namespace

void render_drift_markdown(const Drift& drift, std::size_t most, Sink& out) { DriftMarkdown(drift, most, out).write(); }

}  // namespace gpup
