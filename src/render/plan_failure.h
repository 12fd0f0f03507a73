#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace gpup {

/// What a failing step leaves behind. All text is unescaped.
struct Failure {
  std::string left;     ///< completes "you are left with": `VM vdi-04 off, without a partition`
  std::string gpup;     ///< completes "gpup": `starts it again without one, skips step 6 and what waits for it`
  std::string host;     ///< where the command is run
  std::string command;  ///< PowerShell: what a person would type to do it by hand, or to bring the VM back
};

/// Tells of each step of a plan what comes of it where it fails.
class Failures {
 public:
  explicit Failures(const Plan& plan);

  Failure of(std::uint32_t step) const;

 private:
  struct Power {
    std::uint32_t stop = kNone;
    std::uint32_t start = kNone;
  };

  bool is_down(std::uint32_t step) const;
  bool comes_back(std::uint32_t step) const;
  void tell_vm(std::uint32_t step, Failure& failure) const;
  void tell_count(std::uint32_t step, Failure& failure) const;
  std::string skipped(std::uint32_t step) const;

  const Plan& plan_;
  std::vector<Power> power_;               // by VM
  std::vector<std::uint32_t> first_next_;  // by step: where its part of `next_` begins
  std::vector<std::uint32_t> next_;        // the steps that wait for it
};

}  // namespace gpup
