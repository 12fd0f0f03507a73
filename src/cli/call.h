#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/diagnostics.h"
#include "base/result.h"
#include "base/sink.h"
#include "cli/command_line.h"
#include "cli/exit_codes.h"
#include "cli/world.h"

namespace gpup {

/// One run of a command: what was asked, what it may touch, whether its text has colours.
struct Call {
  const Invocation& line;
  World& world;
  bool color_out = false;
  bool color_err = false;

  /// The form that -o asks for.
  std::string_view form(std::string_view otherwise) const { return line.value("output").value_or(otherwise); }

  /// The most bytes of a page of markdown, as --max-bytes says.
  std::size_t most_markdown() const;
};

/// A diagnostic without a place: of the command line, a file or a stream. Passwords in addresses are not shown.
Diagnostic placeless(Code code, std::string_view message, std::string_view hint = {});

/// Shows diagnostics on stderr.
void tell(const Call& call, const Diagnostics& diagnostics);

/// Shows what went wrong on stderr (`code` is for trouble without diagnostics) and returns the exit code: 4 for wrong
/// content, 6 for a held lock, 1 for the rest.
int give_up(const Call& call, const Error& error, Code code);

/// Where files or rules forbid: the Diagnostics document as the answer where `-o json` asks for it (further forms that
/// are json get it, too, and those for pipelines have their own), else text on stderr. Returns `code`, or 1 where it
/// could not be written.
int refuse(const Call& call, const Diagnostics& diagnostics, int code = kExitForbidden);

/// What the command works on cannot be had: wrong content is told as `refuse` does, other trouble as `give_up` does.
int cannot_work(const Call& call, const Error& error);

/// Writes the answer in one form, to stdout or to a file.
using Answer = std::function<void(std::string_view form, bool on_stdout, Sink& out)>;

/// Writes a file whole or not at all.
Result<std::unique_ptr<OutputFile>> write_file(const Call& call, std::string_view path,
                                               const std::function<void(OutputFile& file)>& write);

/// Writes the answer in the further forms that --report names. Returns `code`, or 1 where a file could not be written.
int write_reports(const Call& call, const Answer& answer, int code);

/// Gives the answer: first the files of --report, then stdout (or --out) in the form of -o. Returns `code`, or 1 where
/// a file could not be written.
int give_answer(const Call& call, std::string_view default_form, const Answer& answer, int code);

}  // namespace gpup
