#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/place.h"

namespace gpup {

enum class Severity : std::uint8_t { kError, kWarning };

std::string_view to_string(Severity severity);

/// One thing that is wrong, or worth a warning, told to the user. Empty text and
/// line 0 mean "none"; they are `null` in JSON. Holds text as it was read: whoever
/// prints it escapes it.
struct Diagnostic {
  Code code{};
  Severity severity = Severity::kError;
  std::string message;  ///< lower case, no full stop; what is wrong, then what was expected
  std::string file;     ///< the path as the user gave it
  std::uint32_t line = 0;
  std::uint32_t column = 0;  ///< characters, from 1
  std::string excerpt;       ///< the line, or a window of a long one; empty where it must not be echoed
  std::uint32_t caret = 0;   ///< column of the caret in `excerpt`, characters from 1
  std::string host;
  std::string object;  ///< "gpu", "vm", "host", "cluster", ...
  std::string name;
  std::string hint;  ///< how to mend it
  bool operator==(const Diagnostic&) const = default;
};

using Diagnostics = std::vector<Diagnostic>;

bool has_error(const Diagnostics& diagnostics);

/// The files of a run, by the index that `Place::file` holds. Keeps the text of the
/// files it was given so that a diagnostic can show its line.
class Sources {
 public:
  struct File {
    std::string path;    ///< as the user gave it; "-" for standard input
    std::string sha256;  ///< of the bytes, lower-case hex; empty if it was not computed
    std::string text;
  };

  /// Adds a file and returns its index.
  std::uint32_t add(std::string path, std::string text);

  const std::vector<File>& files() const { return files_; }
  File& file(std::uint32_t index) { return files_[index]; }

  /// A diagnostic at a place: path, line, column, excerpt and caret are filled in. An unknown place leaves them empty.
  /// `echo` false leaves the excerpt out; so does a line with an address that holds a password, which no message shows.
  Diagnostic at(Place place, Code code, Severity severity, std::string message, std::string hint = {},
                bool echo = true) const;

  /// The whole line of a place, without its end; empty where there is none.
  std::string_view line_text(Place place) const;

  /// `hci-east.yaml:14`, as reasons name a line; "" for an unknown place.
  std::string short_name(Place place) const;

 private:
  /// Where every 64th line of a file starts, found when first asked for.
  struct Lines {
    bool known = false;
    std::vector<std::uint32_t> starts;
  };
  /// Where a column of a line was found last, so that many places in one long line cost one walk.
  struct Cursor {
    std::uint32_t file = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::size_t offset = 0;
  };

  /// The line that was asked for last: many places may be in one, and it may be long.
  struct LastLine {
    std::uint32_t file = 0;
    std::uint32_t line = 0;  ///< 0: none was
    std::size_t begin = 0;
    std::size_t size = 0;
    bool may_be_shown = true;
  };

  std::string_view find_line(Place place) const;
  const LastLine& last_line(Place place) const;
  std::size_t offset_of(Place place, std::string_view line) const;

  std::vector<File> files_;
  mutable std::vector<Lines> lines_;
  mutable Cursor cursor_;
  mutable LastLine last_line_;
};

/// The diagnostics as people read them: `file:line:column: error[GP012]: message`, the
/// line with a caret, the hint; each escaped for a terminal. At most `most` are shown,
/// then a line that says how many more there are. Colour only if asked for.
std::string render_diagnostics(const Diagnostics& diagnostics, bool color = false, std::size_t most = 100);

}  // namespace gpup
