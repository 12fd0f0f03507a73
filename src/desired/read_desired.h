#pragma once

#include "base/diagnostics.h"
#include "desired/desired_state.h"

namespace gpup {

/// What the files say, and everything that is wrong with them.
struct ReadDesired {
  DesiredState state;       ///< worth using only where no diagnostic is an error
  Diagnostics diagnostics;  ///< of all files, by file, line and column
};

/// Reads every file of `sources` as one desired state; `Place::file` is its index there. A file whose path is
/// `-` names its paths relative to the working folder, any other relative to itself. At most 10,000 mistakes are
/// kept; where there are more, the last one says how many. Contacts nothing.
ReadDesired read_desired(const Sources& sources);

}  // namespace gpup
