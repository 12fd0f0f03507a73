#include "render/plan_text.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/text.h"
#include "render/outage_words.h"
#include "render/plan_failure.h"
#include "render/plan_outline.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kPlain = "\x1b[0m";

// Columns on a terminal, about: one a character.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

class PlanText {
 public:
  PlanText(const Plan& plan, const PlanTextOptions& options, Sink& sink)
      : plan_(plan), options_(options), sink_(sink), fold_(folded(plan, options.full)) {}

  void write() {
    if (!plan_.acts() && plan_.differences.empty()) {
      out_ += painted(kGreen, nothing_to_do(plan_));
      out_ += '\n';
    } else {
      write_hosts();
      if (!plan_.steps.empty()) {
        write_steps();
      }
      write_owed_starts();
      write_hooks();
      if (options_.outage != nullptr && !plan_.steps.empty()) {
        write_outage(*options_.outage);
        write_failures(*options_.outage);
      }
      out_ += '\n' + painted(kBold, plan_summary(plan_)) + '\n';
      out_ += plan_.window ? escape_terminal("VMs may be stopped " + to_string(*plan_.window) + " only.") + '\n' : "";
      if (fold_) {
        out_ += "Like changes are told together; --full shows each.\n";
      }
    }
    write_warnings();
    write_not_checked();
    if (!options_.id.empty() && !plan_.steps.empty()) {
      out_ += fmt::format("\nPlan id: {}\n", options_.id);
    }
    sink_.write(out_);
  }

 private:
  std::string painted(std::string_view color, std::string_view text) const {
    return options_.color ? fmt::format("{}{}{}", color, text, kPlain) : std::string(text);
  }

  void flush() {
    if (out_.size() > kChunk) {
      sink_.write(out_);
      out_.clear();
    }
  }

  void write_hosts() {
    bool first = true;
    for (const OutlineHost& host : outline_hosts(plan_, fold_)) {
      out_ += first ? "" : "\n";
      first = false;
      std::string title = host.count == 1 ? "Host " : fmt::format("{} hosts alike: ", host.count);
      title += escape_terminal(some_of(host.names, host.count));
      out_ += painted(kBold, title);
      out_ += host.count == 1 ? "\n" : fmt::format("; on {}:\n", escape_terminal(host.names.front()));
      for (const OutlineItem& item : host.items) {
        write_item(item);
        flush();
      }
    }
  }

  void write_item(const OutlineItem& item) {
    out_ += item.count == 1 ? (item.gpu ? "  GPU " : "  VM ")
                            : fmt::format("  {} {} ", item.count, item.gpu ? "GPUs" : "VMs");
    out_ += escape_terminal(some_of(item.names, item.count));
    if (!item.fate.empty()) {
      out_ += ": " + (item.fate.starts_with("stopped") ? painted(kYellow, item.fate) : item.fate);
    }
    if (item.unlisted) {
      out_ += ", " + painted(kYellow, "not in the file");
    }
    if (!item.place.empty()) {
      out_ += fmt::format("  [{}{}]", escape_terminal(item.place), item.count == 1 ? "" : " ...");
    }
    out_ += '\n';
    std::size_t width = 0;
    for (const OutlineChange& change : item.changes) {
      width = std::max(width, columns(change.what));
    }
    for (const OutlineChange& change : item.changes) {
      out_ += "      " + escape_terminal(change.what);
      out_.append(width - columns(change.what) + 2, ' ');
      out_ += fmt::format("{} -> {}\n", escape_terminal(change.before), escape_terminal(change.after));
    }
  }

  void write_steps() {
    out_ += '\n' + painted(kBold, "Steps") + '\n';
    const std::size_t digits = std::to_string(plan_.steps.size()).size();
    outline_steps(plan_, fold_, [&](const OutlineStep& step) {
      std::string line = fmt::format("  {:>{}}  {:<21}", step.id, digits, to_string(step.op));
      if (step.count > 1) {
        line += fmt::format("{} times, the first on ", step.count);
      }
      line += escape_terminal(step.target);
      if (!step.detail.empty()) {
        line += "  " + escape_terminal(step.detail);
      }
      const std::string reason = escape_terminal(step.reason);
      if (columns(line) + 2 + columns(reason) <= options_.width) {
        out_ += fmt::format("{}  {}\n", line, reason);
      } else {
        out_ += fmt::format("{}\n{:{}}{}\n", line, "", digits + 6, reason);
      }
      flush();
    });
  }

  void write_owed_starts() {
    if (!plan_.owed_starts.empty()) {
      out_ += '\n' + painted(kBold, kOwedStartsTitle) + '\n';
    }
    for (const std::string& row : owed_start_rows(plan_)) {
      out_ += "  " + escape_terminal(row) + '\n';
    }
  }

  void write_hooks() {
    std::vector<std::vector<std::string>> table;
    for (const auto& row : hook_rows(plan_)) {
      table.emplace_back(row.begin(), row.end());
    }
    if (!table.empty()) {
      out_ += '\n' + painted(kBold, hook_title(plan_)) + '\n';
      write_table(table);
    }
  }

  void write_outage(const Outage& outage) {
    out_ += '\n' + painted(kBold, "Expected outage") + '\n';
    const std::vector<OutageRow> rows = outage_rows(plan_, outage, fold_);
    if (!rows.empty()) {
      std::vector<std::vector<std::string>> table = {{"VM", "median", "95%", "times", "steps that make it"}};
      for (const OutageRow& row : rows) {
        table.push_back({row.vm, row.median, row.p95, row.origin, row.steps});
      }
      write_table(table);
    }
    out_ += "  " + escape_terminal(outage_sum(plan_, outage)) + '\n';
    for (const std::string& line : mixed_lines(plan_, outage)) {
      out_ += "  " + escape_terminal(line) + '\n';
    }
    std::vector<std::vector<std::string>> times = {{"step", "model", "median", "95%", "from"}};
    for (const StepTimeRow& row : step_time_rows(plan_, outage)) {
      times.push_back({row.op, row.model, row.median, row.p95, row.origin});
    }
    write_table(times);
  }

  // The last cell goes to a line of its own where the row is too long.
  void write_table(const std::vector<std::vector<std::string>>& table) {
    std::vector<std::size_t> widths(table.front().size(), 0);
    for (const std::vector<std::string>& row : table) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], columns(escape_terminal(row[i])));
      }
    }
    for (const std::vector<std::string>& row : table) {
      std::string line = " ";
      for (std::size_t i = 0; i + 1 < row.size(); ++i) {
        const std::string cell = escape_terminal(row[i]);
        line += ' ' + cell;
        line.append(widths[i] - columns(cell) + 1, ' ');
      }
      const std::string last = escape_terminal(row.back());
      const bool fits = columns(line) + columns(last) < options_.width;
      line += fits ? ' ' + last : std::string();
      line.erase(line.find_last_not_of(' ') + 1);
      out_ += line + '\n';
      out_ += fits ? std::string() : "      " + last + '\n';
      flush();
    }
  }

  void write_failures(const Outage& outage) {
    out_ += '\n' + painted(kBold, "If a step fails") + '\n';
    const Failures failures(plan_);
    const std::size_t digits = std::to_string(plan_.steps.size()).size();
    outline_steps(plan_, fold_, [&](const OutlineStep& step) {
      const Failure failure = failures.of(step.id - 1);
      const std::string indent(digits + 4, ' ');
      const std::string words = escape_terminal(
          fmt::format("{}you are left with {}; gpup {}",
                      step.count > 1 ? fmt::format("({} like it) ", step.count - 1) : "", failure.left, failure.gpup));
      out_ += fmt::format("  {:>{}}  ", step.id, digits);
      write_filled(words, indent);
      if (const std::string down = down_words(plan_, outage.down[step.id - 1]); !down.empty()) {
        out_ += indent;
        write_filled("down meanwhile: " + escape_terminal(down), indent);
      }
      out_ +=
          fmt::format("{}by hand on {}: {}\n", indent, escape_terminal(failure.host), escape_terminal(failure.command));
      flush();
    });
  }

  // Words over as many lines as they need; the first one has begun.
  void write_filled(std::string_view text, const std::string& indent) {
    const std::size_t width = options_.width > indent.size() + 20 ? options_.width - indent.size() : 20;
    while (columns(text) > width) {
      std::size_t end = text.rfind(' ', width);
      end = end == std::string_view::npos || end == 0 ? text.find(' ', 1) : end;
      if (end == std::string_view::npos) {
        break;
      }
      out_.append(text.substr(0, end)).append("\n").append(indent);
      text.remove_prefix(end + 1);
    }
    out_.append(text).append("\n");
  }

  void write_warnings() {
    if (plan_.diagnostics.empty()) {
      return;
    }
    // A plan that was read back does not know the lines of its files; both are told alike.
    Diagnostics warnings = plan_.diagnostics;
    for (Diagnostic& warning : warnings) {
      warning.excerpt.clear();
      warning.caret = 0;
    }
    out_ += '\n' + render_diagnostics(warnings, options_.color);
  }

  void write_not_checked() {
    if (plan_.not_checked.empty()) {
      return;
    }
    out_ += '\n' + painted(kBold, "Not checked") + '\n';
    for (const NotChecked& host : plan_.not_checked) {
      out_ += fmt::format("  {}: {}\n", escape_terminal(host.host), escape_terminal(host.error));
      flush();
    }
  }

  const Plan& plan_;
  const PlanTextOptions& options_;
  Sink& sink_;
  bool fold_;
  std::string out_;
};

}  // namespace

void render_plan_text(const Plan& plan, const PlanTextOptions& options, Sink& sink) {
  PlanText(plan, options, sink).write();
}

void render_plan_text(const Plan& plan, const PlanTextOptions& options, std::string& out) {
  StringSink sink;
  render_plan_text(plan, options, sink);
  out += sink.text;
}

}  // namespace gpup
