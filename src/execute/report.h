#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "model/hooks.h"
#include "plan/plan.h"

namespace gpup {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// `2026-11-22T08:41:00.250Z`.
std::string to_string(Time time);
/// The same back, with or without milliseconds; nothing for any other text.
std::optional<Time> parse_time(std::string_view text);

enum class Outcome : std::uint8_t {
  kDone,
  kAlready,  ///< found as wanted; nothing was sent
  kFailed,   ///< it did not happen, or not fully
  kUnknown,  ///< the session was lost and it could not be read back
  kSkipped,  ///< a step that it depends on did not end well, or the run was cancelled
};
inline constexpr std::size_t kOutcomes = 5;
std::string_view to_string(Outcome outcome);  ///< `done`

/// Done or already: what depends on it may go on.
inline bool ended_well(Outcome outcome) { return outcome == Outcome::kDone || outcome == Outcome::kAlready; }

/// What came of one step. The rest of what it says was read back from the host, not claimed.
struct StepResult {
  std::uint32_t step = 0;  ///< index into Plan::steps
  Outcome outcome = Outcome::kSkipped;
  std::string message;       ///< why it did not end well; empty otherwise
  std::optional<Code> code;  ///< what that is called, where something was tried: the host's own code where it has one
  std::string hint;          ///< how to mend it; may be empty
  Time started{};            ///< equal to `ended` where nothing was tried
  Time ended{};
  bool sent = false;             ///< a request went out
  std::optional<bool> assigned;  ///< assign-partition, start-vm: its adapter is there
  std::optional<bool> resolved;  ///< start-vm: it runs and its adapter has GPU, partition id and VRAM
  std::string adapter;           ///< the id of that adapter
  std::string gpu;               ///< the GPU that it was resolved to
  std::optional<std::uint32_t> partition_id;
  std::optional<std::uint64_t> vram;  ///< bytes of that partition; set-partition-count: of each of the GPU's
};

/// A VM that the run had stopped and whose own start did not come to pass: the try to start it in the end.
struct Restored {
  std::string host;
  std::string vm;
  std::string vm_id;
  Outcome outcome = Outcome::kFailed;
  std::string message;
  Time started{};
  Time ended{};
  std::optional<Code> code = std::nullopt;  ///< of `message`, as for steps
  std::string hint = {};
  std::uint32_t undone = kNone;  ///< the assign-partition step whose adapter was taken back so that it starts
};

/// A VM that the run had stopped and that does not run, as far as is known.
struct LeftOff {
  std::string host;
  std::string vm;
  std::string vm_id;
  std::string message;                      ///< why
  std::string command;                      ///< the command that starts it, to be run on `host`; unescaped
  std::optional<Code> code = std::nullopt;  ///< of `message`
  std::string hint = {};                    ///< how to mend that
};

/// A hook that was run, or is about to be: for a VM, or for the run as a whole.
struct HookResult {
  HookKind kind = HookKind::kBefore;
  std::string host;  ///< empty: for the run
  std::string vm;
  std::string vm_id;
  std::uint32_t step = kNone;  ///< the step around which it is run, or that did not end well
  Outcome outcome = Outcome::kFailed;
  std::string message;  ///< why it did not end well; empty otherwise
  std::optional<Code> code;
  Time started{};
  Time ended{};

  bool of_run() const { return host.empty(); }
};

/// Why nothing was touched.
enum class Refusal : std::uint8_t {
  kNotRefused,
  kOutsideWindow,  ///< `policy.window` lets no VM be stopped now
  kHeld,           ///< somebody else holds a host's lock
  kFactBroken,     ///< the plan no longer fits
  kCannotStart     ///< the journal or a lock could not be written, or the program of a hook is missing
};
std::string_view to_string(Refusal refusal);  ///< `lock-held`; empty for kNotRefused

/// What came of performing a plan.
struct Report {
  Refusal refusal = Refusal::kNotRefused;
  Diagnostics diagnostics;  ///< why it was refused: each broken fact, each held lock; or each step that failed or is
                            ///< unknown, each VM that is left off
  bool cancelled = false;   ///< asked to stop before every step was tried
  std::vector<StepResult> steps;  ///< one a step of the plan, by its index; empty where it was refused
  std::vector<Restored> restored;
  std::vector<LeftOff> left_off;
  std::vector<HookResult> hooks;  ///< in the order in which they ended
  std::size_t forgotten = 0;      ///< of `Plan::owed_starts`
  Time started{};
  Time ended{};
};

/// How many steps came to each outcome, by its number.
std::array<std::uint64_t, kOutcomes> count_outcomes(const Report& report);

/// The command that starts a VM, to be run in PowerShell on its host.
std::string start_command(std::string_view vm_id);

/// 0 all done · 1 nothing could be sent, for a cause on our side · 3 all done, but the plan had hosts that were not
/// checked · 5 a fact is broken · 6 a lock is held, or no VM may be stopped now · 7 a step failed, is unknown or was
/// skipped, or a hook after a start failed · 8 cancelled.
int exit_code(const Plan& plan, const Report& report);

}  // namespace gpup
