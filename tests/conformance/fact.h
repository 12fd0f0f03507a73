#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gpup::conformance {

/// How it is known: documented by the vendor, seen in a transcript or measured, or inferred.
enum class Mark : std::uint8_t { kDocumented, kSeen, kInferred };

/// The worlds that facts begin in: labs.cpp says what is in them.
enum class Lab : std::uint8_t { kAlone, kCluster, kOlder, kBare };

/// A row of the table: something that is known of Hyper-V, and what a host makes of it when it is asked through
/// `HostWriter`. An inferred fact stands in two rows at least, one for each way it may be, or in one whose way is
/// `either`: gpup does the same whichever it is.
struct Fact {
  std::string_view says;     ///< a sentence
  std::string_view section;  ///< of domain/hyperv-gpup.md
  Mark mark;
  std::string_view way;
  Lab lab;
  /// How the lab differs: lines of a JSON pointer and a value. Both sides read it: `simulate` is for simulated hosts,
  /// `doubles` for the doubles behind real ones. $0 and $1 are the names of the first host's GPUs.
  std::string_view change;
  /// What is asked, divided by `; `. In front of a colon stands the host, from 1; side.cpp has the words.
  std::string_view deeds;
  std::string_view told;  ///< the answers, divided by `; `
  /// Where an agent asks the host first and so refuses what the host would do: its answers.
  std::string_view agent_told = {};
  std::string_view agent_says = {};  ///< what must stand in an agent's errors
};

std::span<const Fact> facts();

}  // namespace gpup::conformance
