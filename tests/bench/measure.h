#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sched.h>

namespace gpup::bench {

using Command = std::vector<std::string>;

/// What a process took.
struct Cost {
  double seconds = 0;  ///< by the wall
  std::uint64_t peak_bytes = 0;
  int exit_code = -1;
};

/// While this lives, the calling thread, and what it starts, stays on the processor that it is on. In a virtual machine
/// a write that wakes a sleeper on another processor costs up to 100 microseconds (seen): that is the hypervisor's
/// work, not the program's.
class OneProcessor {
 public:
  OneProcessor();
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;
  ~OneProcessor();

 private:
  cpu_set_t before_{};
};

/// Runs a command, its output thrown away.
Cost run(const Command& command);

/// The median of several runs, by the wall, of commands that take turns: in each round every command runs once, so
/// that a machine that slows down slows all of them.
std::vector<Cost> run_in_turns(const std::vector<Command>& commands, std::size_t rounds);

/// Instructions that a command executes, as callgrind counts them.
struct Instructions {
  std::uint64_t all = 0;
  /// Those in libcrypto. Valgrind has no SHA instructions, so that the library takes its way without them there: about
  /// 28 instructions a byte instead of 2.
  std::uint64_t digest = 0;
};

/// nullopt where valgrind could not run it.
std::optional<Instructions> count_instructions(const Command& command, const std::string& folder);

}  // namespace gpup::bench
