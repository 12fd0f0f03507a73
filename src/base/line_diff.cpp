#include "base/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kAround = 3;
// Larger differences are shown as one: all lines of the one text, then all of the other.
constexpr std::size_t kMostCompared = 4'000'000;

/// A line of the answer: its mark, and where it stands in both texts.
struct Row {
  char mark = ' ';
  std::string_view text;
  std::size_t before = 0;
  std::size_t after = 0;
};

/// With its end; the last one may have none.
Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

class Comparison {
 public:
  Comparison(const Lines& before, const Lines& after) : before_(before), after_(after) {}

  std::vector<Row> rows() {
    std::size_t first = 0;
    while (first < before_.size() && first < after_.size() && before_[first] == after_[first]) {
      keep(first, first);
      ++first;
    }
    std::size_t before_end = before_.size();
    std::size_t after_end = after_.size();
    while (before_end > first && after_end > first && before_[before_end - 1] == after_[after_end - 1]) {
      --before_end;
      --after_end;
    }
    middle(first, before_end, after_end);
    for (; before_end < before_.size(); ++before_end, ++after_end) {
      keep(before_end, after_end);
    }
    return std::move(rows_);
  }

 private:
  void keep(std::size_t before, std::size_t after) { rows_.push_back({' ', before_[before], before, after}); }
  void remove(std::size_t before, std::size_t after) { rows_.push_back({'-', before_[before], before, after}); }
  void add(std::size_t before, std::size_t after) { rows_.push_back({'+', after_[after], before, after}); }

  /// By the longest common subsequence of the lines from `first` to both ends.
  void middle(std::size_t first, std::size_t before_end, std::size_t after_end) {
    const std::size_t height = before_end - first;
    const std::size_t width = after_end - first;
    std::size_t row = 0;
    std::size_t column = 0;
    if ((height + 1) * (width + 1) <= kMostCompared) {
      // Of the lines from (row, column) on: how many are common.
      std::vector<std::uint32_t> common((height + 1) * (width + 1));
      const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return common[i * (width + 1) + j]; };
      for (std::size_t i = height; i-- > 0;) {
        for (std::size_t j = width; j-- > 0;) {
          at(i, j) =
              before_[first + i] == after_[first + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
        }
      }
      while (row < height && column < width) {
        if (before_[first + row] == after_[first + column]) {
          keep(first + row++, first + column++);
        } else if (at(row + 1, column) >= at(row, column + 1)) {
          remove(first + row++, first + column);
        } else {
          add(first + row, first + column++);
        }
      }
    }
    while (row < height) {
      remove(first + row++, first + column);
    }
    while (column < width) {
      add(first + row, first + column++);
    }
  }

  const Lines& before_;
  const Lines& after_;
  std::vector<Row> rows_;
};

/// `12,3`, or `12` for one line; an empty part is told by the line before it.
std::string range(std::size_t first, std::size_t count) {
  return count == 1 ? fmt::format("{}", first + 1) : fmt::format("{},{}", count == 0 ? first : first + 1, count);
}

void write_part(const std::vector<Row>& rows, std::size_t begin, std::size_t end, std::string& out) {
  std::size_t removed = 0;
  std::size_t added = 0;
  for (std::size_t i = begin; i < end; ++i) {
    removed += rows[i].mark != '+' ? 1U : 0U;
    added += rows[i].mark != '-' ? 1U : 0U;
  }
  fmt::format_to(std::back_inserter(out), "@@ -{} +{} @@\n", range(rows[begin].before, removed),
                 range(rows[begin].after, added));
  for (std::size_t i = begin; i < end; ++i) {
    const bool ended = rows[i].text.ends_with('\n');
    out += rows[i].mark;
    out += escape_terminal(rows[i].text.substr(0, rows[i].text.size() - (ended ? 1 : 0)));
    out += ended ? "\n" : "\n\\ No newline at end of file\n";
  }
}

}  // namespace

std::string line_diff(std::string_view name, std::string_view before, std::string_view after) {
  const Lines before_lines = lines_of(before);
  const Lines after_lines = lines_of(after);
  const std::vector<Row> rows = Comparison(before_lines, after_lines).rows();
  std::string out;
  const auto differs = [](const Row& row) { return row.mark != ' '; };
  for (auto change = std::find_if(rows.begin(), rows.end(), differs); change != rows.end();) {
    if (out.empty()) {
      out = fmt::format("--- {0}\n+++ {0}\n", escape_terminal(name));
    }
    // A part goes on as long as the next change is near.
    auto last = change;
    auto next = std::find_if(change + 1, rows.end(), differs);
    while (next != rows.end() && static_cast<std::size_t>(next - last) <= 2 * kAround + 1) {
      last = next;
      next = std::find_if(next + 1, rows.end(), differs);
    }
    const auto first = static_cast<std::size_t>(change - rows.begin());
    const auto end = static_cast<std::size_t>(last - rows.begin()) + 1;
    write_part(rows, first - std::min(first, kAround), std::min(end + kAround, rows.size()), out);
    change = next;
  }
  return out;
}

}  // namespace gpup
