#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "desired/desired_state.h"
#include "model/platform_rules.h"
#include "observed/host_facts.h"

namespace gpup {

// `gpup doctor`: whether hosts, clusters and VMs are fit for partitions. Checks are rows of tables, each a pure
// function of what hosts told and what the file wants; rows that are platform rules are rows of `model/platform_rules`.

enum class Verdict : std::uint8_t {
  kPass,
  kWarn,        ///< it may go well; or `gpup apply` mends it
  kFail,        ///< a plan would be refused, or a step would fail
  kNotChecked,  ///< it could not be read
};
std::string_view to_string(Verdict verdict);  ///< `not-checked`

/// What a check is about.
enum class CheckObject : std::uint8_t { kCluster, kHost, kGpu, kVm };
std::string_view to_string(CheckObject object);  ///< `gpu`

/// What is the same for all results of a check.
struct Check {
  std::string_view id;     ///< `R07` where it is a platform rule, else a word: `elevated`
  std::string_view title;  ///< a word that says what it is about; the id where that is one
  CheckObject object;
  std::string_view statement;  ///< what should be so
  std::string_view document;   ///< where that is from
  Certainty certainty;
  bool is_rule = false;
};

/// All checks in the order in which they are made.
std::vector<Check> doctor_checks();

/// One check of one thing. Text from hosts is as it was read: whoever prints it escapes it.
struct CheckResult {
  Check check;
  std::string host;   ///< empty for a cluster
  std::string name;   ///< of the cluster, GPU or VM; empty for a host, and for hosts that are in no cluster
  std::string model;  ///< of a GPU
  std::string vm_id;
  Verdict verdict = Verdict::kPass;
  std::string seen;          ///< what was seen, or why it could not be read
  std::string mend;          ///< empty where nothing is to be done
  std::optional<Code> code;  ///< of a host that did not answer
};

/// A check that could not be made of some thing for a reason that nobody mends, so that it counts as no result.
struct LeftOut {
  std::string_view check;  ///< its id
  std::string_view why;    ///< completes `left out, since ...`
  auto operator<=>(const LeftOut&) const = default;
};

struct Checkup {
  std::string name;                  ///< metadata.name; empty without a file
  std::vector<CheckResult> results;  ///< clusters first, then each host with its GPUs and VMs
  std::vector<LeftOut> left_out;     ///< each once

  std::size_t count(Verdict verdict) const;
};

/// A host that was asked.
struct Examined {
  HostTarget target;
  std::optional<HostFacts> facts;
  Error error;  ///< why there are none
  ClockTime asked{};
  ClockTime answered{};
};

/// Makes every check. `desired` is nullptr where there is no file: then nothing is wanted, and all is looked at.
Checkup check_up(const DesiredState* desired, const std::vector<Examined>& hosts);

}  // namespace gpup
