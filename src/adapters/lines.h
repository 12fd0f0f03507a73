#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/sink.h"

namespace gpup {

/// Lines to a file, which is made or emptied (kHeld where another such sink still has it: a run that is refused must
/// not empty the file of the run that goes on), or to a pipe that has a reader; `-` is standard output. They are
/// written by a thread of its own; what waits for the reader is bounded. `patience`: how long the end waits for a
/// reader who takes nothing. The process must ignore SIGPIPE and SIGXFSZ.
Result<std::unique_ptr<LineSink>> create_lines(const std::string& path,
                                               std::chrono::seconds patience = std::chrono::seconds(5));

}  // namespace gpup
