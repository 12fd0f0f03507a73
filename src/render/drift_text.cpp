#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/scope.h"
#include "render/difference_words.h"
#include "render/drift.h"
#include "render/markdown.h"

namespace gpup {

namespace {

/// The differences of each host in turn, in the plan's order within one.
std::vector<const Difference*> by_host(const Plan& plan, const DifferenceWords& words) {
  std::vector<const Difference*> all;
  all.reserve(plan.differences.size());
  for (const Difference& difference : plan.differences) {
    all.push_back(&difference);
  }
  std::stable_sort(all.begin(), all.end(),
                   [&](const Difference* a, const Difference* b) { return words.host(*a) < words.host(*b); });
  return all;
}

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string last_line(const Plan& plan) {
  std::string not_checked;
  if (!plan.not_checked.empty()) {
    not_checked = fmt::format("; {} not checked", counted(plan.not_checked.size(), "host"));
  }
  if (plan.differences.empty()) {
    return plan.not_checked.empty() && covers_all(plan)
               ? "No drift."
               : fmt::format("No drift found{}{}.", covers_all(plan) ? "" : " in what is covered", not_checked);
  }
  return fmt::format("Drift: {}{}.", counted(plan.differences.size(), "difference"), not_checked);
}

struct Paint {
  std::string_view bold, is, wanted, faint, off;
};

Paint paint_for(bool color) { return color ? Paint{"\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"} : Paint{}; }

void write_warnings(const Plan& plan, bool color, Sink& out) {
  if (!plan.diagnostics.empty()) {
    out.write("\n" + render_diagnostics(plan.diagnostics, color));
  }
}

}  // namespace

void render_drift_text(const Plan& plan, bool color, Sink& out) {
  const Paint paint = paint_for(color);
  const DifferenceWords words(plan);
  std::uint32_t host = kNone;
  std::string text;
  for (const Difference* difference : by_host(plan, words)) {
    if (words.host(*difference) != host) {
      host = words.host(*difference);
      text += fmt::format("{}{}{}\n", paint.bold, escape_terminal(plan.hosts[host].name), paint.off);
    }
    const std::string source = words.source(*difference);
    text += fmt::format("  {}\n    is      {}{}{}\n    wanted  {}{}{}  {}{}{}\n",
                        escape_terminal(words.subject(*difference)), paint.is,
                        escape_terminal(words.value(*difference, false)), paint.off, paint.wanted,
                        escape_terminal(words.value(*difference, true)), paint.off, paint.faint,
                        source.empty() ? "(default)" : escape_terminal(source), paint.off);
    out.write(text);
    text.clear();
  }
  for (const NotChecked& not_checked : plan.not_checked) {
    out.write(fmt::format("{}{}{}\n  not checked: {}\n", paint.bold, escape_terminal(not_checked.host), paint.off,
                          escape_terminal(not_checked.error)));
  }
  write_warnings(plan, color, out);
  out.write((plan.differences.empty() && plan.not_checked.empty() && plan.diagnostics.empty() ? "" : "\n") +
            last_line(plan) + "\n");
}

void render_drift_markdown(const Plan& plan, Sink& out) {
  const DifferenceWords words(plan);
  out.write(fmt::format("### gpup drift: {}\n\n", markdown_text(plan.name)));
  if (!plan.differences.empty()) {
    out.write("| Host | What | Is | Wanted | Line |\n|---|---|---|---|---|\n");
    for (const Difference* difference : by_host(plan, words)) {
      const std::string source = words.source(*difference);
      out.write(fmt::format("| {} | {} | {} | {} | {} |\n", markdown_text(plan.hosts[words.host(*difference)].name),
                            markdown_text(words.subject(*difference)), markdown_text(words.value(*difference, false)),
                            markdown_text(words.value(*difference, true)),
                            source.empty() ? "(default)" : markdown_text(source)));
    }
    out.write("\n");
  }
  if (!plan.not_checked.empty()) {
    out.write("| Not checked | Why |\n|---|---|\n");
    for (const NotChecked& not_checked : plan.not_checked) {
      out.write(fmt::format("| {} | {} |\n", markdown_text(not_checked.host), markdown_text(not_checked.error)));
    }
    out.write("\n");
  }
  for (const Diagnostic& diagnostic : plan.diagnostics) {
    out.write(fmt::format("- {} {}: {}\n", to_string(diagnostic.severity), to_string(diagnostic.code),
                          markdown_text(diagnostic.message)));
  }
  out.write((plan.diagnostics.empty() ? "" : "\n") + last_line(plan) + "\n");
}

}  // namespace gpup
