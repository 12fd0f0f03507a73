#include "render/plan_markdown.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "render/markdown.h"
#include "render/outage_words.h"
#include "render/plan_failure.h"
#include "render/plan_outline.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

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
      : plan_(plan),
        outage_(options.outage),
        id_(options.id),
        page_(sink, options.most),
        fold_(folded(plan, options.full)) {}

  void write() {
    write_verdict();
    write_not_checked();
    write_warnings();
    if (plan_.acts() || !plan_.differences.empty()) {
      write_changes();
    }
    write_owed_starts();
    write_hooks();
    if (!plan_.steps.empty()) {
      if (outage_ != nullptr) {
        write_outage();
      }
      write_steps();
      if (outage_ != nullptr) {
        write_failures();
      }
    }
    page_.finish(id_.empty() || plan_.steps.empty() ? std::string()
                                                    : fmt::format("\nPlan id: {}\n", markdown_brief(id_)));
  }

 private:
  void write_verdict() {
    std::string words(nothing_to_do(plan_));
    if (plan_.acts() || !plan_.differences.empty()) {
      words = plan_summary(plan_);
      words.replace(0, std::min(words.find(':') + 2, words.size()), "");
      if (outage_ != nullptr) {
        words.replace(words.size() - 1, 1, fmt::format("; {}", down_verdict(*outage_)));
        if (outage_->longest != kNone) {
          words += fmt::format(" ({})", markdown_brief(vm_address(plan_, outage_->vms[outage_->longest].vm)));
        }
        words += '.';
      }
    }
    if (!plan_.not_checked.empty()) {
      words += fmt::format(" {} not checked.", counted(plan_.not_checked.size(), "host"));
    }
    page_.text(fmt::format("**Plan{}: {}**\n", plan_.name.empty() ? "" : " " + markdown_brief(plan_.name), words));
  }

  void write_owed_starts() {
    if (plan_.owed_starts.empty()) {
      return;
    }
    page_.begin("owed starts", fmt::format("\n{}\n\n", kOwedStartsTitle));
    for (const std::string& row : owed_start_rows(plan_)) {
      page_.line(fmt::format("- {}\n", markdown_code(row)));
    }
    page_.end();
  }

  void write_hooks() {
    if (plan_.window && (plan_.acts() || !plan_.differences.empty())) {
      page_.text(fmt::format("\nVMs may be stopped {} only.\n", markdown_brief(to_string(*plan_.window))));
    }
    const auto rows = hook_rows(plan_);
    if (rows.empty()) {
      return;
    }
    page_.begin("hooks", fmt::format("\n{}\n\n", hook_title(plan_)));
    for (const auto& [when, what] : rows) {
      page_.line(fmt::format("- {}: {}\n", when, markdown_code(what)));
    }
    page_.end();
  }

  void row(const std::vector<std::string>& cells) {
    line_.clear();
    append_row(line_, cells);
    page_.line(line_);
  }

  /// A row for each change, and for what is only stopped or started.
  void write_changes() {
    page_.begin("changes",
                "\n| Host | What | Change | Is | Wanted | Meanwhile | Line |\n|---|---|---|---|---|---|---|\n");
    for (const OutlineHost& host : outline_hosts(plan_, fold_)) {
      const std::string on = host.count == 1 ? codes(host.names, 1)
                                             : fmt::format("{} alike: {}", host.count, codes(host.names, host.count));
      for (const OutlineItem& item : host.items) {
        if (page_.is_full()) {
          page_.leave_out(std::max<std::size_t>(item.changes.size(), 1));
        } else {
          write_item(on, item);
        }
      }
    }
    page_.end();
  }

  void write_item(const std::string& on, const OutlineItem& item) {
    const std::string what =
        item.count == 1 ? fmt::format("{} {}", item.gpu ? "GPU" : "VM", codes(item.names, 1))
                        : fmt::format("{} {} {}", item.count, item.gpu ? "GPUs" : "VMs", codes(item.names, item.count));
    std::string fate = item.fate.starts_with("stopped") ? fmt::format("**{}**", item.fate) : item.fate;
    if (item.unlisted) {
      fate += fate.empty() ? "**not in the file**" : ", **not in the file**";
    }
    const std::string place =
        item.place.empty() ? std::string() : markdown_code(item.place) + (item.count == 1 ? "" : " ...");
    for (const OutlineChange& change : item.changes) {
      row({on, what, markdown_text(change.what), markdown_text(change.before), markdown_text(change.after), fate,
           place});
    }
    if (item.changes.empty()) {
      row({on, what, "", "", "", fate, place});
    }
  }

  static std::string details(std::string_view summary) {
    return fmt::format("\n<details><summary>{}</summary>\n\n", summary);
  }

  void write_outage() {
    const std::vector<OutageRow> rows = outage_rows(plan_, *outage_, fold_);
    page_.begin(
        "VMs that go down",
        details("Expected outage") + "| VM | Median | 95% | Times | Steps that make it |\n|---|---|---|---|---|\n",
        "\n</details>\n");
    for (const OutageRow& each : rows) {
      row({markdown_text(each.vm), each.median, each.p95, each.origin, markdown_text(each.steps)});
    }
    page_.end();
    page_.begin("lines about times", details("When counts differ, and where times are from"), "\n</details>\n");
    for (const std::string& line : mixed_lines(plan_, *outage_)) {
      page_.line(fmt::format("- {}\n", markdown_text(line)));
    }
    std::string_view head = "\n| Step | Model | Median | 95% | From |\n|---|---|---|---|---|\n";
    for (const StepTimeRow& each : step_time_rows(plan_, *outage_)) {
      line_ = head;
      head = {};
      append_row(line_, {each.op, markdown_text(each.model), each.median, each.p95, markdown_text(each.origin)});
      page_.line(line_);
    }
    page_.end();
  }

  void write_steps() {
    page_.begin("steps", details(fmt::format("Steps: {}", plan_.steps.size())), "\n</details>\n");
    outline_steps(plan_, fold_, [&](const OutlineStep& step) {
      if (page_.is_full()) {
        page_.leave_out(1);
        return;
      }
      line_ = fmt::format("- **{}** {} ", step.id, to_string(step.op));
      if (step.count > 1) {
        line_ += fmt::format("{} times, the first on ", step.count);
      }
      line_ += markdown_code(step.target);
      if (!step.detail.empty()) {
        line_ += " " + markdown_text(step.detail);
      }
      line_ += fmt::format(": {}\n", markdown_text(step.reason));
      page_.line(line_);
    });
    page_.end();
  }

  void write_failures() {
    page_.begin("rows of what is left where a step fails",
                details("If a step fails") +
                    "| Step | You are left with | gpup | Down meanwhile | By hand | On |\n"
                    "|--:|---|---|---|---|---|\n",
                "\n</details>\n");
    const Failures failures(plan_);
    outline_steps(plan_, fold_, [&](const OutlineStep& step) {
      if (page_.is_full()) {
        page_.leave_out(1);
        return;
      }
      const Failure failure = failures.of(step.id - 1);
      const std::string number = fmt::format("{}", step.id);
      row({step.count > 1 ? fmt::format("{} and {} like it", number, step.count - 1) : number,
           markdown_text(failure.left), markdown_text(failure.gpup),
           markdown_text(down_words(plan_, outage_->down[step.id - 1])),
           failure.command.empty() ? "" : markdown_code(failure.command),
           failure.host.empty() ? "" : markdown_code(failure.host)});
    });
    page_.end();
  }

  void write_warnings() {
    page_.begin("warnings", "\n| Warning | Line | | |\n|---|---|---|---|\n");
    for (const Diagnostic& warning : plan_.diagnostics) {
      row({fmt::format("**{}**", to_string(warning.code)),
           warning.file.empty() ? "" : markdown_code(fmt::format("{}:{}", warning.file, warning.line)),
           markdown_text(warning.message), markdown_text(warning.hint)});
    }
    page_.end();
  }

  void write_not_checked() {
    page_.begin("hosts that were not checked", "\n| Not checked | Why |\n|---|---|\n");
    for (const NotChecked& host : plan_.not_checked) {
      row({markdown_code(host.host), markdown_text(host.error)});
    }
    page_.end();
  }

  const Plan& plan_;
  const Outage* outage_;
  const std::string& id_;
  MarkdownPage page_;
  bool fold_;
  std::string line_;
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
