#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "execute/recorded_run.h"
#include "plan/durations.h"

namespace gpup {

/// Reads the text of a journal, whose path is for messages.
using JournalReader = std::function<Result<RecordedRun>(std::string_view text, const std::string& path)>;

/// How long steps took, by the journals in a folder (`journal_file.h`): each that ended as `done`, from when it had its
/// turn on the host to its outcome. Looks at the newest 200 journals, none larger than 64 MiB, 256 MiB in all; journals
/// and a folder that cannot be read are passed over.
Durations read_durations(const std::string& folder, const JournalReader& read);

}  // namespace gpup
