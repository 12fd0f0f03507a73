#include "cli/explain.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/fill.h"

namespace gpup {

namespace {

constexpr std::array kTables = {explain_files, explain_snapshot, explain_plan, explain_saved_plan,
                                explain_hosts, explain_runs,     explain_cli};

/// An example's file as a person can read it: bytes that a terminal would obey are spelled out.
void append_file(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) {
    return;
  }
  out.append("  ").append(name).append(":\n");
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    shown.append(escape_terminal(text.substr(0, end))).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  append_indented(out, shown, 6);
}

}  // namespace

std::vector<const Explanation*> explanations() {
  std::vector<const Explanation*> rows;
  for (const auto table : kTables) {
    for (const Explanation& row : table()) {
      rows.push_back(&row);
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Explanation* a, const Explanation* b) { return a->code < b->code; });
  return rows;
}

const Explanation* find_explanation(Code code) {
  const std::vector<const Explanation*> rows = explanations();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Explanation* row) { return row->code == code; });
  return found == rows.end() ? nullptr : *found;
}

std::string_view command_of(const Example& example) {
  if (!example.command.empty()) {
    return example.command;
  }
  const bool lab = !example.lab.empty();
  const bool desired = !example.desired.empty();
  if (lab) {
    return desired ? "plan -f desired.yaml --observed lab.json" : "observe --observed lab.json";
  }
  return "validate -f desired.yaml";
}

std::string render_explanation(const Explanation& row) {
  std::string out = to_string(row.code) + ": ";
  out.append(row.title).append("\n\n");
  append_filled(out, row.meaning, 0);
  out += "\nExample:\n";
  append_file(out, "desired.yaml", row.example.desired);
  append_file(out, "lab.json", row.example.lab);
  append_file(out, "plan.json", row.example.plan);
  append_file(out, "run-1.jsonl", row.example.journal);
  if (!row.example.program.empty()) {
    append_file(out, fmt::format("bin/{}, with bin first in PATH", row.example.program), row.example.script);
  }
  if (!row.example.first.empty()) {
    out.append("  $ gpup ").append(row.example.first).append("\n");
  }
  append_file(out, "lab.json, changed", row.example.lab_then);
  out.append("  $ gpup ").append(command_of(row.example)).append("\n\nTo mend it:\n");
  append_filled(out, row.mend, 2);
  return out;
}

std::string render_explanations() {
  std::string out;
  for (const Explanation* row : explanations()) {
    out.append(to_string(row->code)).append("  ").append(row->title).append("\n");
  }
  return out;
}

}  // namespace gpup
