#pragma once

#include <memory>
#include <string>

#include "execute/journal.h"

namespace gpup {

/// A journal in a folder, one file a run, JSON lines, each flushed to disk before its call returns. The folder
/// (readable by its owner only) and the file are made by the first entry.
std::unique_ptr<Journal> make_journal_file(const std::string& folder);

/// Where journals go: `$XDG_STATE_HOME/gpup/journal`, or below the user's home; empty where neither is known.
std::string default_journal_folder();

}  // namespace gpup
