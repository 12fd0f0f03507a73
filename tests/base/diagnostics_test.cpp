#include "base/diagnostics.h"

#include <string>

#include <doctest/doctest.h>

using gpup::Code;
using gpup::Diagnostic;
using gpup::Diagnostics;
using gpup::Place;
using gpup::Severity;
using gpup::Sources;

namespace {

std::string shown(const std::string& text, std::uint32_t line, std::uint32_t column) {
  Sources sources;
  const std::uint32_t file = sources.add("lab.yaml", text);
  return gpup::render_diagnostics({sources.at({file, line, column}, Code::kUnknownKey, Severity::kError, "wrong")});
}

}  // namespace

TEST_CASE("a diagnostic shows its line, a caret and how to mend it") {
  Sources sources;
  sources.add("other.yaml", "");
  const std::uint32_t file = sources.add(
      "lab.yaml", std::string(8, '\n') + "    partitionCount: many\n" + std::string(6, '\n') + "    powr: off\n");
  const Diagnostics diagnostics = {
      sources.at({file, 9, 21}, Code::kNotAWholeNumber, Severity::kError,
                 "'partitionCount' must be a whole number, at least 1"),
      sources.at({file, 16, 5}, Code::kUnknownKey, Severity::kError, "unknown key 'powr'", "did you mean 'power'?")};
  CHECK_EQ(gpup::render_diagnostics(diagnostics),
           "lab.yaml:9:21: error[GP012]: 'partitionCount' must be a whole number, at least 1\n"
           "   9 |     partitionCount: many\n"
           "     |                     ^\n"
           "lab.yaml:16:5: error[GP014]: unknown key 'powr'\n"
           "  16 |     powr: off\n"
           "     |     ^\n"
           "     = did you mean 'power'?\n");
}

TEST_CASE("the caret stands under its character") {
  struct Case {
    const char* name;
    std::string text;
    std::uint32_t column;
    std::string rendered;
  };
  const Case cases[] = {
      {"letters of two bytes", "caf\xc3\xa9: x", 7, "   1 | caf\xc3\xa9: x\n     |       ^\n"},
      {"letters as wide as two", "\xe6\x97\xa5: x", 4, "   1 | \xe6\x97\xa5: x\n     |     ^\n"},
      {"a tab", "\ta: x", 5, "   1 |  a: x\n     |     ^\n"},
      {"what is escaped", "\x1b[a: x", 6, "   1 | \\u{1b}[a: x\n     |           ^\n"},
      {"the end of the line", "a:", 3, "   1 | a:\n     |   ^\n"},
      {"beyond the end of the line", "a:", 9, "   1 | a:\n     |   ^\n"},
      {"a carriage return at the end", "a: x\r\nb", 4, "   1 | a: x\n     |    ^\n"},
      {"a byte order mark",
       "\xef\xbb\xbf"
       "a: x",
       4, "   1 | a: x\n     |    ^\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string rendered = shown(c.text, 1, c.column);
    CHECK_EQ(rendered.substr(rendered.find('\n') + 1), c.rendered);
  }
}

TEST_CASE("of a long line a window around the column is shown") {
  const std::string line = std::string(300, 'a') + "X" + std::string(300, 'b');
  Sources sources;
  const std::uint32_t file = sources.add("lab.yaml", line + "\n");
  const Diagnostic diagnostic = sources.at({file, 1, 301}, Code::kUnknownKey, Severity::kError, "wrong");
  CHECK_EQ(diagnostic.excerpt, "..." + std::string(50, 'a') + "X" + std::string(49, 'b') + "...");
  CHECK_EQ(diagnostic.excerpt[diagnostic.caret - 1], 'X');
  const Diagnostic before = sources.at({file, 1, 1}, Code::kUnknownKey, Severity::kError, "wrong");
  CHECK_EQ(before.excerpt, std::string(50, 'a') + "...");
  CHECK_EQ(before.caret, 1);
}

TEST_CASE("every line of a long file is found, in any order") {
  std::string text;
  for (int i = 1; i <= 1000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  Sources sources;
  const std::uint32_t file = sources.add("lab.yaml", text);
  for (const std::uint32_t line : {1000U, 1U, 64U, 65U, 66U, 128U, 129U, 640U, 999U}) {
    CHECK_EQ(sources.line_text({file, line, 1}), "line " + std::to_string(line));
  }
  CHECK_EQ(sources.line_text({file, 1001, 1}), "");
  CHECK_EQ(sources.line_text({file, 5000, 1}), "");
}

TEST_CASE("a diagnostic without file names what it is about") {
  Diagnostic diagnostic;
  diagnostic.code = Code::kCountNotValid;
  diagnostic.message = "wrong";
  CHECK_EQ(gpup::render_diagnostics({diagnostic}), "error[GP120]: wrong\n");
  diagnostic.host = "hv-e1";
  diagnostic.object = "gpu";
  diagnostic.name = "G\x1b";
  diagnostic.hint = "mend\nit";
  diagnostic.severity = Severity::kWarning;
  CHECK_EQ(gpup::render_diagnostics({diagnostic}), "hv-e1/gpu/G\\u{1b}: warning[GP120]: wrong\n     = mend\\u{a}it\n");
}

TEST_CASE("a line that must not be echoed is not") {
  Sources sources;
  const std::uint32_t file = sources.add("lab.yaml", "password: x\n");
  CHECK_EQ(gpup::render_diagnostics(
               {sources.at({file, 1, 1}, Code::kSecretKey, Severity::kError, "unknown key", "", false)}),
           "lab.yaml:1:1: error[GP026]: unknown key\n");
}

TEST_CASE("a hundred are shown, then how many more there are") {
  Diagnostic diagnostic;
  diagnostic.code = Code::kUsage;
  diagnostic.message = "wrong";
  std::string hundred;
  for (int i = 0; i < 100; ++i) {
    hundred += "error[GP190]: wrong\n";
  }
  CHECK_EQ(gpup::render_diagnostics(Diagnostics(100, diagnostic)), hundred);
  CHECK_EQ(gpup::render_diagnostics(Diagnostics(103, diagnostic)), hundred + "and 3 more\n");
}

TEST_CASE("places are named as reasons name them") {
  Sources sources;
  const std::uint32_t file = sources.add("dir/lab.yaml", "");
  CHECK_EQ(sources.short_name({file, 14, 3}), "dir/lab.yaml:14");
  CHECK_EQ(sources.short_name({file, 0, 0}), "");
  CHECK_EQ(sources.short_name({7, 1, 1}), "");
}

TEST_CASE("colour only where it is asked for") {
  Diagnostic diagnostic;
  diagnostic.code = Code::kUsage;
  diagnostic.message = "wrong";
  CHECK_EQ(gpup::render_diagnostics({diagnostic}, true), "\x1b[1;31merror[GP190]:\x1b[0m wrong\n");
}
