#include "render/plan_markdown.h"
#include "render/markdown.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "render/outage_words.h"
#include "render/plan_failure.h"
#include "render/plan_outline.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::size_t kChunk = 64UL * 1024;

std::string codes(const std::vector<std::string>& names, std::size_t count) {
  std::vector<std::string> quoted;
  quoted.reserve(names.size());
  for (const std::string& name : names) {
    quoted.push_back(markdown_code(name));
  }
  return some_of(quoted, count);
}

class PlanMarkdown {
 public:
  PlanMarkdown(const Plan& plan, const PlanMarkdownOptions& options, Sink& sink)
      : plan_(plan), outage_(options.outage), id_(options.id), sink_(sink), fold_(folded(plan, options.full)) {}

  void write() {
    out_ += plan_.name.empty() ? "## GPU partitioning plan\n\n"
                               : fmt::format("## GPU partitioning plan {}\n\n", markdown_code(plan_.name));
    if (!plan_.acts() && plan_.differences.empty()) {
      out_ += fmt::format("{}\n", nothing_to_do(plan_));
    } else {
      out_ += fmt::format("**{}**\n", plan_summary(plan_));
      if (plan_.window) {
        out_ += fmt::format("\nVMs may be stopped {} only.\n", markdown_text(to_string(*plan_.window)));
      }
      write_hosts();
      write_steps();
      write_hooks();
      if (outage_ != nullptr && !plan_.steps.empty()) {
        write_outage();
        write_failures();
      }
    }
    write_warnings();
    write_not_checked();
    if (!id_.empty() && !plan_.steps.empty()) {
      out_ += fmt::format("\nPlan id: {}\n", markdown_code(id_));
    }
    sink_.write(out_);
  }

 private:
  void flush() {
    if (out_.size() > kChunk) {
      sink_.write(out_);
      out_.clear();
    }
  }

  void write_hooks() {
    const auto rows = hook_rows(plan_);
    if (rows.empty()) {
      return;
    }
    out_ += fmt::format("\n### {}\n\n", hook_title(plan_));
    for (const auto& [when, what] : rows) {
      out_ += fmt::format("- {}: {}\n", when, markdown_code(what));
    }
  }

  void write_hosts() {
    for (const OutlineHost& host : outline_hosts(plan_, fold_)) {
      out_ += host.count == 1 ? fmt::format("\n### Host {}\n\n", codes(host.names, 1))
                              : fmt::format("\n### {} hosts alike: {}\n\n", host.count, codes(host.names, host.count));
      for (const OutlineItem& item : host.items) {
        write_item(item);
        flush();
      }
    }
  }

  void write_item(const OutlineItem& item) {
    out_ += item.count == 1 ? (item.gpu ? "- GPU " : "- VM ")
                            : fmt::format("- {} {} ", item.count, item.gpu ? "GPUs" : "VMs");
    out_ += codes(item.names, item.count);
    if (!item.fate.empty()) {
      out_ += item.fate.starts_with("stopped") ? fmt::format(": **{}**", item.fate) : ": " + item.fate;
    }
    if (item.unlisted) {
      out_ += ", **not in the file**";
    }
    if (!item.place.empty()) {
      out_ += fmt::format(" ({}{})", markdown_code(item.place), item.count == 1 ? "" : " ...");
    }
    out_ += '\n';
    for (const OutlineChange& change : item.changes) {
      out_ += fmt::format("  - {}: {} -> {}\n",
                          change.what.starts_with("partition count of ") ? markdown_code(change.what) : change.what,
                          markdown_code(change.before), markdown_code(change.after));
    }
  }

  void write_steps() {
    out_ += fmt::format("\n<details><summary>Steps: {}</summary>\n\n", plan_.steps.size());
    outline_steps(plan_, fold_, [&](const OutlineStep& step) {
      out_ += fmt::format("- **{}** {} ", step.id, to_string(step.op));
      if (step.count > 1) {
        out_ += fmt::format("{} times, the first on ", step.count);
      }
      out_ += markdown_code(step.target);
      if (!step.detail.empty()) {
        out_ += " " + markdown_code(step.detail);
      }
      out_ += fmt::format(": {}\n", markdown_code(step.reason));
      flush();
    });
    out_ += "\n</details>\n";
  }

  void write_outage() {
    out_ += "\n### Expected outage\n\n";
    const std::vector<OutageRow> rows = outage_rows(plan_, *outage_, fold_);
    if (!rows.empty()) {
      out_ += "| VM | Median | 95% | Times | Steps that make it |\n|---|---|---|---|---|\n";
    }
    for (const OutageRow& row : rows) {
      write_row({row.vm, row.median, row.p95, row.origin, row.steps});
    }
    out_ += rows.empty() ? "" : "\n";
    out_ += fmt::format("- {}\n", markdown_text(outage_sum(plan_, *outage_)));
    for (const std::string& line : mixed_lines(plan_, *outage_)) {
      out_ += fmt::format("- {}\n", markdown_text(line));
    }
    out_ += "\n| Step | Model | Median | 95% | From |\n|---|---|---|---|---|\n";
    for (const StepTimeRow& row : step_time_rows(plan_, *outage_)) {
      write_row({row.op, row.model, row.median, row.p95, row.origin});
    }
  }

  void write_failures() {
    out_ +=
        "\n<details><summary>If a step fails</summary>\n\n"
        "| Step | You are left with | gpup | Down meanwhile | By hand | On |\n|--:|---|---|---|---|---|\n";
    const Failures failures(plan_);
    outline_steps(plan_, fold_, [&](const OutlineStep& step) {
      const Failure failure = failures.of(step.id - 1);
      const std::string number = fmt::format("{}", step.id);
      write_row({step.count > 1 ? fmt::format("{} and {} like it", number, step.count - 1) : number, failure.left,
                 failure.gpup, down_words(plan_, outage_->down[step.id - 1]), failure.command, failure.host});
    });
    out_ += "\n</details>\n";
  }

  void write_row(const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) {
      out_ += "| " + markdown_text(cell) + ' ';
    }
    out_ += "|\n";
    flush();
  }

  void write_warnings() {
    if (plan_.diagnostics.empty()) {
      return;
    }
    out_ += "\n### Warnings\n\n";
    for (const Diagnostic& warning : plan_.diagnostics) {
      out_ += fmt::format("- **{}** ", to_string(warning.code));
      if (!warning.file.empty()) {
        out_ += markdown_code(fmt::format("{}:{}", warning.file, warning.line)) + " ";
      }
      out_ += markdown_code(warning.message);
      out_ += warning.hint.empty() ? "\n" : fmt::format(": {}\n", markdown_code(warning.hint));
      flush();
    }
  }

  void write_not_checked() {
    if (plan_.not_checked.empty()) {
      return;
    }
    out_ += "\n### Not checked\n\n";
    for (const NotChecked& host : plan_.not_checked) {
      out_ += fmt::format("- host {}: {}\n", markdown_code(host.host), markdown_code(host.error));
      flush();
    }
  }

  const Plan& plan_;
  const Outage* outage_;
  const std::string& id_;
  Sink& sink_;
  bool fold_;
  std::string out_;
};

}  // namespace

void render_plan_markdown(const Plan& plan, const PlanMarkdownOptions& options, Sink& sink) {
  PlanMarkdown(plan, options, sink).write();
}

void render_plan_markdown(const Plan& plan, const PlanMarkdownOptions& options, std::string& out) {
  StringSink sink;
  render_plan_markdown(plan, options, sink);
  out += sink.text;
}

}  // namespace gpup
