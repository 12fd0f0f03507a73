#pragma once

#include <string>

#include "plan/durations.h"

namespace gpup {

/// How long steps took, by the journals in a folder (`journal_file.h`): each that ended as `done`, from when it had its
/// turn on the host to its outcome. Looks at the newest 200 journals, none larger than 64 MiB, 256 MiB in all; lines
/// that are torn or odd, journals and a folder that cannot be read are passed over.
Durations read_durations(const std::string& folder);

}  // namespace gpup
