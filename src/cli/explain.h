#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"

namespace gpup {

/// What triggers a diagnostic: files in an empty folder, and a command line run there. A test runs it and
/// finds the code of its row, and no other, in what the command prints. Each text is shown as it stands to a person.
struct Example {
  std::string_view
      desired{};            ///< text of `desired.yaml`; empty = no such file (bytes, NUL included, are fine: "..."sv)
  std::string_view lab{};   ///< text of `lab.json`: a snapshot, or the lab of `connect: { transport: simulated, ... }`
  std::string_view plan{};  ///< text of `plan.json`
  /// The command line after `gpup`; single quotes keep spaces. Empty = `validate -f desired.yaml`;
  /// with a lab `plan -f desired.yaml --observed lab.json`; with a lab alone `observe --observed lab.json`.
  std::string_view command{};
  /// A command line that is run first, its output ignored: `plan -f desired.yaml --out plan.json`.
  std::string_view first{};
  std::string_view lab_then{};  ///< what `lab.json` becomes between the two commands; empty = it stays
  /// A program that stands in for one which is not at hand (PowerShell, ssh): a shell script of that name in `bin`, a
  /// folder that comes first in PATH.
  std::string_view program{};
  std::string_view script{};
  std::string_view journal{};  ///< text of `run-1.jsonl`, a journal
  /// The real size in bytes where the file is too large to show (the text above then tells what it would be).
  std::uint64_t desired_size = 0;
  std::uint64_t lab_size = 0;
};

/// A row of the table that `gpup explain` prints. Sentences, as in a manual: capital letter, full stop.
/// Line breaks in `meaning` and `mend` are the printer's (it fills at 80 columns); an empty line starts a paragraph.
struct Explanation {
  Code code{};
  std::string_view title;    ///< a few words, lower case, no full stop: `unknown key`
  std::string_view meaning;  ///< what gpup saw and why it minds
  Example example;
  std::string_view mend;  ///< what to do
};

// The rows of each room's codes, in the order of their numbers.
std::span<const Explanation> explain_files();
std::span<const Explanation> explain_snapshot();
std::span<const Explanation> explain_plan();
std::span<const Explanation> explain_saved_plan();
std::span<const Explanation> explain_hosts();
std::span<const Explanation> explain_runs();
std::span<const Explanation> explain_cli();

/// All rows, in the order of their numbers.
std::vector<const Explanation*> explanations();

/// The row of a code, or nullptr where nobody wrote one.
const Explanation* find_explanation(Code code);

/// The command line that triggers an example (see `Example::command`), without `gpup`.
std::string_view command_of(const Example& example);

/// What `gpup explain GP014` prints.
std::string render_explanation(const Explanation& row);

/// What `gpup explain` prints: every code with its title.
std::string render_explanations();

}  // namespace gpup
