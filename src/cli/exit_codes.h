#pragma once

#include <string_view>

namespace gpup {

// What a command's end means to whoever called it.
inline constexpr int kExitDone = 0;        ///< done, nothing differs
inline constexpr int kExitError = 1;       ///< a file could not be read or written, or the like
inline constexpr int kExitDiffers = 2;     ///< differences (drift; plan --detailed-exitcode; fmt --check)
inline constexpr int kExitNotChecked = 3;  ///< no difference found, but not everything could be checked
inline constexpr int kExitForbidden = 4;   ///< the file or a rule is broken, nothing touched
inline constexpr int kExitStale = 5;       ///< the saved plan no longer fits, nothing touched
inline constexpr int kExitNotAllowed = 6;  ///< lock held or approval missing, nothing touched
inline constexpr int kExitPartly = 7;      ///< partly applied
inline constexpr int kExitCancelled = 8;   ///< cancelled at a step's boundary
inline constexpr int kExitUsage = 64;      ///< wrong command line

/// An exit code, as help tells it.
struct ExitCode {
  int code;
  std::string_view means;
};

inline constexpr ExitCode kExitCodes[] = {
    {kExitDone, "done, nothing differs"},
    {kExitError, "error: a file could not be read or written, or the like"},
    {kExitDiffers, "differences (drift; plan --detailed-exitcode; fmt --check)"},
    {kExitNotChecked, "no difference found, but not everything could be checked"},
    {kExitForbidden, "the file or a rule is broken, nothing touched"},
    {kExitStale, "the saved plan no longer fits, nothing touched"},
    {kExitNotAllowed, "lock held or approval missing, nothing touched"},
    {kExitPartly, "partly applied"},
    {kExitCancelled, "cancelled at a step's boundary (a second signal leaves at once: 128 and its number)"},
    {kExitUsage, "wrong command line"},
};

}  // namespace gpup
