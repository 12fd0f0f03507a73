#pragma once

#include <cstdio>
#include <string_view>

#include <fmt/format.h>

namespace gpup::bench {

/// Prints figures and remembers whether one that decides missed its goal.
class Figures {
 public:
  void title(std::string_view text) { fmt::print("\n{}\n", text); }

  void at_most(std::string_view name, double value, double goal, bool decides = true) {
    print(name, value, "at most", goal, value <= goal, decides);
  }
  void at_least(std::string_view name, double value, double goal, bool decides = true) {
    print(name, value, "at least", goal, value >= goal, decides);
  }
  void note(std::string_view name, double value, std::string_view unit) {
    fmt::print("  {:<58} {:>9.3f}   {}\n", name, value, unit);
    std::fflush(stdout);
  }
  void failed(std::string_view what) {
    ++missed_;
    fmt::print("  {:<58} FAILED\n", what);
    std::fflush(stdout);
  }
  int missed() const { return missed_; }

 private:
  void print(std::string_view name, double value, std::string_view side, double goal, bool passed, bool decides) {
    missed_ += !passed && decides ? 1 : 0;
    fmt::print("  {:<58} {:>9.3f}   goal {} {:.2f}   {}{}\n", name, value, side, goal, passed ? "PASS" : "MISS",
               decides ? "" : "  (does not decide)");
    std::fflush(stdout);
  }

  int missed_ = 0;
};

}  // namespace gpup::bench
