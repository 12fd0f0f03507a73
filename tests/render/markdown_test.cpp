#include "render/markdown.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "render/drift.h"
#include "render/plan_markdown.h"
#include "render/report.h"
#include "render/sample_plan.h"

namespace gpup {

namespace {

// What would be a link, a mention, a reference, a picture or markup somewhere, and what ends cells and marks.
const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> kNames = {
      "vdi-01",
      "a|b",
      "a\\|b",
      "a\\",
      "\\",
      "`",
      "``",
      "a`b``c",
      "| --- | `x` |",
      " lead and trail ",
      "  ",
      "",
      "<script>alert(1)</script>",
      "</details><img src=x onerror=alert(1)>",
      "<!-- open",
      "--> closed",
      "[x](http://e.example)",
      "![x](http://e.example/p.png)",
      "<http://e.example>",
      "http://e.example/a",
      "https://e.example|b",
      "www.e.example",
      "www.e.example|x",
      "ftp://e.example",
      "mail@e.example",
      "mail@e.example|x",
      "mailto:mail@e.example",
      "xmpp:mail@e.example",
      "@everyone",
      "@org/team|x",
      "#12",
      "org/repo#12",
      "GH-12",
      "!12",
      "~label",
      "%milestone",
      "$1",
      "&1",
      "&amp;",
      "&lt;b&gt;",
      "&#64;everyone",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "da39a3e",
      ":smile:",
      ":100:",
      "**bold**",
      "__bold__",
      "snake_case_name",
      "~~gone~~",
      "# heading",
      "- entry",
      "+ entry",
      "1. entry",
      "1) entry",
      "> quote",
      "    code",
      "```\ncode",
      "line\nbreak\r\n\r\n# big",
      "tab\tbed",
      "\x1b[31mred",
      "\xe2\x80\xae turned",
      "Z\xc3\xbcrich",
      "$x^2$",
      "[^1]",
      "[ ] task",
      "{{ liquid }}",
      "{% raw %}",
  };
  return kNames;
}

/// What a browser would show of HTML that has no tags of its own left: references resolved.
std::string shown(std::string html) {
  const std::pair<std::string, std::string> references[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
  for (const auto& [from, to] : references) {
    for (std::size_t at = html.find(from); at != std::string::npos; at = html.find(from, at + to.size())) {
      html.replace(at, from.size(), to);
    }
  }
  return html;
}

bool there() { return std::system("command -v cmark-gfm >/dev/null 2>&1") == 0; }

std::string rendered(const std::string& markdown) {
  char path[] = "/tmp/gpup-markdown-XXXXXX";
  const int descriptor = mkstemp(path);
  REQUIRE(descriptor >= 0);
  std::ofstream(path) << markdown;
  const std::string command =
      std::string("cmark-gfm --unsafe -e table -e strikethrough -e autolink -e tasklist -e footnotes ") + path;
  std::string html;
  if (FILE* const pipe = popen(command.c_str(), "r")) {
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
      html += static_cast<char>(c);
    }
    CHECK_EQ(pclose(pipe), 0);
  }
  std::remove(path);
  return html;
}

/// The tags in HTML, without their attributes.
std::set<std::string> tags_of(const std::string& html) {
  std::set<std::string> tags;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t begin = at + (html[at + 1] == '/' ? 2 : 1);
    tags.insert(html.substr(begin, html.find_first_of(" >\n", begin) - begin));
  }
  return tags;
}

const std::set<std::string> kOurTags = {"p",  "strong", "code", "table", "thead",   "tbody",   "tr",
                                        "th", "td",     "ul",   "li",    "details", "summary", "!--"};

void check_tags(const std::string& html) {
  for (const std::string& tag : tags_of(html)) {
    CAPTURE(tag);
    CHECK_EQ(kOurTags.count(tag), 1);
  }
}

/// The text of a cell that holds code, or plain words.
std::string text_of(std::string cell) {
  for (const std::string tag : {"<code>", "</code>", "<!-- -->"}) {
    for (std::size_t at = cell.find(tag); at != std::string::npos; at = cell.find(tag)) {
      cell.erase(at, tag.size());
    }
  }
  return shown(cell);
}

}  // namespace

TEST_CASE("a real renderer shows every hostile name in its cell as it is, and makes nothing of it") {
  if (!there()) {
    MESSAGE("SKIPPED: no cmark-gfm");
    return;
  }
  for (const std::string& name : hostile_names()) {
    CAPTURE(name);
    std::string page = "| a | b | c |\n|---|---|---|\n";
    append_row(page, {markdown_code(name), markdown_text(name), markdown_brief(name)});
    page += "\n- " + markdown_code(name) + "\n- " + markdown_text(name) + "\n";
    const std::string html = rendered(page);
    CAPTURE(html);
    check_tags(html);
    std::vector<std::string> cells;
    for (std::size_t at = html.find("<td>"); at != std::string::npos; at = html.find("<td>", at + 1)) {
      cells.push_back(html.substr(at + 4, html.find("</td>", at) - at - 4));
    }
    REQUIRE_EQ(cells.size(), 3);
    const std::string safe = escape_terminal(name);
    const bool blank = safe.find_first_not_of(' ') == std::string::npos;
    CHECK_EQ(text_of(cells[0]), blank ? '"' + safe + '"' : safe);
    CHECK_EQ(text_of(cells[1]), blank && !name.empty() ? '"' + safe + '"' : safe);
    CHECK_EQ(text_of(cells[2]), blank ? '"' + safe + '"' : safe);
    // What is no plain word is code, at which no renderer looks for links or mentions.
    const bool calm = name == "vdi-01" || name == "Z\xc3\xbcrich" || name.empty();
    CHECK_EQ(cells[1].starts_with("<code>"), !calm);
  }
}

TEST_CASE("words of ours with calm names in them stay words") {
  for (const std::string_view text :
       {"listed at hci-east.yaml:21, holds no partition", "the partition count of its GPU changes",
        "a partition of NVIDIA A2 (4)", "3 VMs down, 95%: 9.4", "1 min 34 s", "hv-e1/vm/vdi-01"}) {
    CHECK_EQ(markdown_text(text), text);
  }
  CHECK_EQ(markdown_brief(std::string(200, 'x')), "`" + std::string(80, 'x') + "...`");
  std::string wide;
  for (int i = 0; i < 60; ++i) {
    wide += "\xc3\xbc";
  }
  CHECK_EQ(invalid_utf8_at(markdown_brief("x" + wide)), std::nullopt);
}

TEST_CASE("no name breaks out of a plan, a report or a drift that a real renderer shows") {
  if (!there()) {
    MESSAGE("SKIPPED: no cmark-gfm");
    return;
  }
  for (const std::string& name : hostile_names()) {
    CAPTURE(name);
    Plan plan = sample_plan();
    plan.name = name;
    for (HostTarget& host : plan.hosts) {
      host.name = name;
    }
    for (PlanFile& file : plan.files) {
      file.path = name;
    }
    for (PlanVm& vm : plan.vms) {
      vm.name = name;
    }
    for (PlanGpu& gpu : plan.gpus) {
      gpu.model = name;
    }
    plan.diagnostics[0].message = plan.diagnostics[0].hint = plan.diagnostics[0].file = name;
    plan.not_checked = {{name, name}};
    Report report;
    report.steps.resize(plan.steps.size());
    for (std::uint32_t i = 0; i < report.steps.size(); ++i) {
      report.steps[i].step = i;
      report.steps[i].message = name;
    }
    report.left_off = {{name, name, "711cee18-60db-43b4-be7e-cedce5e25dd1", name, start_command(name)}};
    report.restored = {{name, name, "x", Outcome::kFailed, name, {}, {}}};
    report.diagnostics = plan.diagnostics;
    DesiredState desired;
    desired.policy.ignores.push_back({"x", "x", "", "", "", name, "2026-12-31", {}});
    Drift drift{plan, desired, {}, {name}, plan.diagnostics, {}, 1};
    for (std::uint32_t i = 0; i < plan.differences.size(); ++i) {
      drift.found.push_back({i, 0, Cause::kOutside, 0, i == 0 ? 0 : kNone, plan.differences[i].source});
    }
    std::string page;
    render_plan_markdown(plan, {}, page);
    check_tags(rendered(page));
    StringSink out;
    render_report_markdown(plan, report, kMarkdownBytes, out);
    check_tags(rendered(out.text));
    out.text.clear();
    render_drift_markdown(drift, kMarkdownBytes, out);
    const std::string html = rendered(out.text);
    CAPTURE(html);
    check_tags(html);
  }
}

}  // namespace gpup
