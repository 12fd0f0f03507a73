#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sink.h"

namespace gpup {

/// GitHub takes comments of 65,536 characters.
inline constexpr std::size_t kMarkdownBytes = 60'000;
/// Less would not hold a verdict and what was left out.
inline constexpr std::size_t kLeastMarkdownBytes = 2'000;

/// Text from outside, or with some in it, within a line or a table's cell: as plain words where nothing in it is
/// markup, HTML, a link, a mention or a reference to anything, else as code.
std::string markdown_text(std::string_view text);

/// Text from outside as code, also in a table's cell: nothing in it is looked at by any renderer.
std::string markdown_code(std::string_view text);

/// The same, of at most about 80 bytes: the rest is cut off.
std::string markdown_brief(std::string_view text);

/// A page of at most so many bytes: parts that are told by lines (rows of a table, entries of a list) are cut off where
/// there is no room for more, and the end says how many lines of which part were left out.
class MarkdownPage {
 public:
  MarkdownPage(Sink& sink, std::size_t most) : sink_(sink), most_(most) {}

  /// Ours alone, and short: it is written in any case.
  void text(std::string_view text);

  /// Begins a part. `head` is written before its first line, `tail` after the last one; neither where it has none.
  void begin(std::string what, std::string head, std::string tail = {});
  /// A line of the part, with its end. False where there was no room: then none after it is written.
  bool line(std::string_view line);
  /// So many lines are not even given.
  void leave_out(std::size_t lines) { left_out_ += lines; }
  /// True where a line would not be written: it need not be made, only counted by `leave_out`.
  bool is_full() const { return left_out_ > 0; }
  /// Ends the part.
  void end();

  /// Ends the page, with a line of ours, and short, behind what was left out.
  void finish(std::string_view last = {});

 private:
  void put(std::string_view text);
  bool has_room(std::size_t bytes) const;

  Sink& sink_;
  std::size_t most_;
  std::size_t used_ = 0;
  std::string out_;
  std::string what_, head_, tail_;
  std::size_t lines_ = 0;
  std::size_t left_out_ = 0;
  std::vector<std::pair<std::string, std::size_t>> cut_;
};

/// `| a | b |` with its end; the cells are markdown.
void append_row(std::string& out, const std::vector<std::string>& cells);

}  // namespace gpup
