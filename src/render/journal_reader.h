#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "execute/recorded_run.h"

namespace gpup {

inline constexpr std::uint64_t kLargestJournal = 256ULL * 1024 * 1024;

/// A journal's text as the run that it tells. A last line without its end was torn by a crash: what it would say is
/// not known, and it is left out. Any other line that is not an entry, or an entry out of place, is kBadContent with
/// its place in `path` (kJournalSyntax). Unknown members are allowed.
Result<RecordedRun> read_journal(std::string_view text, const std::string& path, std::string run);

}  // namespace gpup
