#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sink.h"

namespace gpup {

/// What stands at the top of a page, before everything else.
struct PageHead {
  std::string_view kind;  ///< `plan`
  std::string_view name;  ///< the plan's
  std::string verdict;    ///< one sentence
  std::string_view mood;  ///< its class in page.css: good, note or bad
  std::string summary;    ///< a second one; may be empty
};

/// A figure of the row below it.
struct Figure {
  std::string_view name;
  std::string value;
  std::string more;  ///< may be empty
};

// A whole page: one file that asks nothing of any network. Its policy allows the one style and the one script that
// are in it, by their hashes, and nothing else. All text given is unescaped.

void append_page_begin(const PageHead& head, const std::vector<Figure>& figures, std::string& out);

/// The field and buttons that page.js works with; without it they stay hidden. `filters`: class and label.
struct Filter {
  std::string_view kind;
  std::string_view label;
};
void append_search(const std::vector<Filter>& filters, std::string& out);

/// `lines`: what the page was made of, a paragraph each.
void append_page_end(const std::vector<std::string>& lines, std::string& out);

}  // namespace gpup
