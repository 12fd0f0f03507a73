#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/man_page.h"
#include "cli/program.h"

namespace gpup::test {

namespace {

constexpr PageEdition kEdition = {"9.8.7", "2026-11-26"};

struct Page {
  std::string name;
  std::string text;
};

std::vector<Page> all_pages() {
  std::vector<Page> pages = {{"gpup", render_man_page(kEdition)}};
  for (const Command& command : commands()) {
    pages.push_back({man_page_name(command), render_man_page(kEdition, command)});
  }
  return pages;
}

/// The page as a reader sees it in a source without its escapes.
std::string plain(std::string text) {
  for (const auto& [escape, character] :
       {std::pair{"\\-", "-"}, {"\\(aq", "'"}, {"\\fB", ""}, {"\\fI", ""}, {"\\fR", ""}}) {
    for (std::size_t at = text.find(escape); at != std::string::npos; at = text.find(escape, at)) {
      text.replace(at, std::string_view(escape).size(), character);
    }
  }
  return text;
}

bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

TEST_CASE("a command's manual page is made from its row, and shows each character as it is") {
  static constexpr Option kOption{"odd", 'o', "A-B", ".starts with a dot, has \"quotes\" and a \\", true};
  static constexpr std::array kOptions = {&kOption};
  static constexpr Command kCommand{
      "turn-round",
      "do it 'by hand'",
      "WHAT",
      false,
      {},
      Completes::kNothing,
      kOptions,
      "First.\n\n.TH is no request, and 'quotes' at\n'the begin of a line are none; `~^` stay.",
      "gpup turn-round --odd '.x\\y'\n.second"};
  const std::string text = render_man_page(kEdition, kCommand);
  CHECK_EQ(text.substr(0, text.find("\\fB\\-\\-color")),
           ".\\\" Made from the table of commands: src/cli/commands.cpp.\n"
           ".TH GPUP-TURN-ROUND 1 2026-11-26 \"gpup 9.8.7\" \"gpup manual\"\n"
           ".SH NAME\n"
           "gpup\\-turn\\-round \\- do it \\(aqby hand\\(aq\n"
           ".SH SYNOPSIS\n"
           "\\fBgpup turn\\-round\\fR [\\fIWHAT\\fR] [\\fIOPTIONS\\fR]\n"
           ".SH DESCRIPTION\n"
           "First.\n"
           ".PP\n"
           "\\&.TH is no request, and \\(aqquotes\\(aq at \\(aqthe begin of a line are none;\n"
           "\\(ga\\(ti\\(ha\\(ga stay.\n"
           ".SH OPTIONS\n"
           ".TP\n"
           "\\fB\\-o\\fR, \\fB\\-\\-odd\\fR \\fIA\\-B\\fR\n"
           "\\&.starts with a dot, has \\(dqquotes\\(dq and a \\e; repeatable\n"
           ".TP\n");
  CHECK_NE(text.find("\n.RS 2\n.nf\n"
                     "gpup turn\\-round \\-\\-odd \\(aq.x\\ey\\(aq\n"
                     "\\&.second\n"
                     ".fi\n.RE\n"),
           std::string::npos);
}

TEST_CASE("manual pages name all commands, options and exit codes, in short lines of ASCII") {
  const std::string main = plain(render_man_page(kEdition));
  for (const Command& command : commands()) {
    CHECK_NE(main.find("\n" + man_page_name(command) + "(1)\n"), std::string::npos);
    const std::string page = plain(render_man_page(kEdition, command));
    for (const std::span<const Option* const> options : {command.options, common_options()}) {
      for (const Option* option : options) {
        CAPTURE(option->name);
        CHECK_NE(page.find("--" + std::string(option->name)), std::string::npos);
      }
    }
  }
  for (const ExitCode& row : kExitCodes) {
    CHECK_NE(main.find("\n" + std::to_string(row.code) + "\n"), std::string::npos);
  }
  for (const Page& page : all_pages()) {
    CAPTURE(page.name);
    std::istringstream lines(page.text);
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK_LE(line.size(), 100);  // an example may be long
      CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }));
      CHECK_FALSE(line.empty());
    }
  }
}

TEST_CASE("man and mandoc have nothing to say against any manual page") {
  const Folder folder;
  for (const Page& page : all_pages()) {
    folder.write(page.name + ".1", page.text);
  }
  if (!has_program("man") || !has_program("mandoc")) {
    MESSAGE("SKIPPED: man or mandoc is not installed (tests/release/run installs both)");
    return;
  }
  const std::string there = "cd '" + folder.path() + "' && ";
  CHECK_EQ(std::system((there +
                        "for f in *.1; do LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "
                        "./$f >/dev/null; done 2>said")
                           .c_str()),
           0);
  CHECK_EQ(folder.read("said"), "");
  CHECK_EQ(std::system((there + "mandoc -T lint *.1 >said 2>&1").c_str()), 0);
  CHECK_EQ(folder.read("said"), "");
  folder.write("wrong.1", ".TH WRONG 1\n.SH NAME\nwrong \\- is it\n.NOSUCH\n");
  CHECK_NE(std::system((there + "mandoc -T lint wrong.1 >said 2>&1").c_str()), 0);
  CHECK_NE(folder.read("said"), "");
}

}  // namespace gpup::test
