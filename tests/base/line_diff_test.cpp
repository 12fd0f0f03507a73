#include "base/line_diff.h"

#include <cstdio>
#include <random>
#include <string>

#include <doctest/doctest.h>

namespace gpup {

TEST_CASE("texts are compared line by line") {
  struct Case {
    std::string_view name;
    std::string_view before;
    std::string_view after;
    std::string_view diff;
  };
  const Case cases[] = {
      {"the same", "a\nb\n", "a\nb\n", ""},
      {"one line among others", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
       "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
      {"changes that are far from each other are two parts", "a\n1\n2\n3\n4\n5\n6\n7\nb\n",
       "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
       "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
      {"from nothing", "", "a\n", "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n"},
      {"no end of line", "a", "a\n", "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
      {"what commands a terminal is escaped", "a\n", "\x1b[2J\n", "--- f\n+++ f\n@@ -1 +1 @@\n-a\n+\\u{1b}[2J\n"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    CHECK(line_diff("f", row.before, row.after) == row.diff);
  }
}

TEST_CASE("texts that differ much are shown as one change") {
  std::string before;
  std::string after;
  for (int i = 0; i < 3'000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const std::string diff = line_diff("f", before, after);
  CHECK(diff.find("@@ -1,3000 +1,3000 @@\n-a0\n-a1\n") != std::string::npos);
  CHECK(diff.find("-a2999\n+b0\n") != std::string::npos);
}

}  // namespace gpup
