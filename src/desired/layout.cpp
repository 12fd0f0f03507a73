#include "desired/layout.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "desired/draft.h"
#include "desired/fields.h"
#include "desired/file_reader.h"
#include "desired/layout_tree.h"
#include "desired/mistakes.h"
#include "desired/same_wishes.h"
#include "desired/scan_text.h"

namespace gpup {

namespace {

constexpr std::size_t kWidest = 120;  ///< columns of a line with a mapping or list in brackets
constexpr std::size_t kDeeper = 2;    ///< columns
constexpr int kMostRounds = 4;

/// Puts keys in the order of the table.
void sort_keys(LaidNode& node, const Mapping& mapping) {
  const auto number = [&](const LaidItem& item) {
    return std::find_if(mapping.fields.begin(), mapping.fields.end(),
                        [&](const Field& field) { return field.key == item.key; }) -
           mapping.fields.begin();
  };
  std::stable_sort(node.items.begin(), node.items.end(),
                   [&](const LaidItem& a, const LaidItem& b) { return number(a) < number(b); });
  for (LaidItem& item : node.items) {
    const auto index = static_cast<std::size_t>(number(item));
    const Mapping* const inner = index < mapping.fields.size() ? mapping.fields[index].mapping : nullptr;
    if (inner == nullptr) {
      continue;
    }
    if (item.value.kind == LaidNode::Kind::kMapping) {
      sort_keys(item.value, *inner);
    }
    for (LaidItem& entry : item.value.items) {
      if (entry.key.empty() && entry.value.kind == LaidNode::Kind::kMapping) {
        sort_keys(entry.value, *inner);
      }
    }
  }
}

std::string in_brackets(const LaidNode& node) {
  if (node.kind == LaidNode::Kind::kScalar) {
    return node.written;
  }
  const bool mapping = node.kind == LaidNode::Kind::kMapping;
  if (node.items.empty()) {
    return mapping ? "{}" : "[]";
  }
  std::string text(mapping ? "{ " : "[");
  for (const LaidItem& item : node.items) {
    text += &item == &node.items.front() ? "" : ", ";
    text += mapping ? item.key + ": " : std::string();
    text += in_brackets(item.value);
  }
  return text + (mapping ? " }" : "]");
}

/// Whether it can stay in brackets: nothing in it is a mapping, a block text, or has a comment.
bool is_simple(const LaidNode& node) {
  return node.flow && node.below.empty() && std::all_of(node.items.begin(), node.items.end(), [](const LaidItem& item) {
           const bool bare = item.above.empty() && item.beside.empty();
           switch (item.value.kind) {
             case LaidNode::Kind::kScalar:
               return bare && item.value.block.empty();
             case LaidNode::Kind::kList:
               return bare && is_simple(item.value);
             case LaidNode::Kind::kMapping:
               break;
           }
           return false;
         });
}

class Writer {
 public:
  std::string write(const std::vector<LaidDocument>& documents);

 private:
  void empty_line();
  void comments(const Comments& lines, std::size_t indent);
  void mapping(const LaidNode& node, std::size_t indent, bool after_dash);
  void list(const LaidNode& node, std::size_t indent);
  void scalar(const LaidItem& item, std::size_t indent);
  /// Whether it was written on the line that is begun.
  bool on_this_line(const LaidItem& item, std::size_t column);

  std::string text_;
};

void Writer::empty_line() {
  if (!text_.empty() && !text_.ends_with("\n\n")) {
    text_ += '\n';
  }
}

void Writer::comments(const Comments& lines, std::size_t indent) {
  for (const std::string& line : lines) {
    if (line.empty()) {
      empty_line();
    } else {
      text_.append(indent, ' ').append(line).append("\n");
    }
  }
}

bool fits(const LaidNode& node, std::size_t column) {
  return is_simple(node) && column + display_width(in_brackets(node)) <= kWidest;
}

bool Writer::on_this_line(const LaidItem& item, std::size_t column) {
  if (item.value.kind == LaidNode::Kind::kScalar) {
    text_ += item.value.written + item.beside + "\n";
    return true;
  }
  if (!fits(item.value, column)) {
    return false;
  }
  text_ += in_brackets(item.value) + item.beside + "\n";
  return true;
}

/// The lines of a block text.
void Writer::scalar(const LaidItem& item, std::size_t indent) {
  for (const std::string& line : item.value.block) {
    text_ += line.empty() ? "\n" : std::string(indent, ' ') + line + "\n";
  }
}

void Writer::mapping(const LaidNode& node, std::size_t indent, bool after_dash) {
  for (const LaidItem& item : node.items) {
    const bool first = &item == &node.items.front();
    if (!first && item.space_above) {
      empty_line();
    }
    if (!(first && after_dash)) {
      comments(item.above, indent);
      text_.append(indent, ' ');
    }
    text_ += item.key + ":";
    const std::size_t column = indent + item.key.size() + 2;
    if (item.value.kind == LaidNode::Kind::kScalar || fits(item.value, column)) {
      text_ += ' ';
      on_this_line(item, column);
      scalar(item, indent + kDeeper);
      continue;
    }
    text_ += item.beside + "\n";
    if (item.value.kind == LaidNode::Kind::kMapping) {
      mapping(item.value, indent + kDeeper, false);
    } else {
      list(item.value, indent + kDeeper);
    }
  }
  comments(node.below, indent);
}

void Writer::list(const LaidNode& node, std::size_t indent) {
  for (const LaidItem& item : node.items) {
    const bool first = &item == &node.items.front();
    if (!first && item.space_above) {
      empty_line();
    }
    comments(item.above, indent);
    const std::size_t column = indent + kDeeper;
    const bool opened = item.value.kind != LaidNode::Kind::kScalar && !fits(item.value, column);
    if (opened) {
      // What stands above its first key stands above the entry, and so does what stood beside its brackets.
      comments(item.value.items.front().above, indent);
      comments(item.beside.empty() ? Comments() : Comments{item.beside.substr(item.beside.find('#'))}, indent);
    }
    text_.append(indent, ' ').append("- ");
    if (!opened) {
      on_this_line(item, column);
      scalar(item, column);
    } else if (item.value.kind == LaidNode::Kind::kMapping) {
      mapping(item.value, column, true);
    } else {
      text_ += in_brackets(item.value) + "\n";  // no list of lists is in the format
    }
  }
  comments(node.below, indent);
}

std::string Writer::write(const std::vector<LaidDocument>& documents) {
  for (const LaidDocument& document : documents) {
    const bool first = &document == &documents.front();
    text_ += first ? "" : "---\n";
    comments(document.head, 0);
    if (!document.head.empty() && !document.root.items.empty() && document.root.items.front().space_above) {
      empty_line();
    }
    mapping(document.root, 0, false);
  }
  while (text_.ends_with("\n\n")) {
    text_.pop_back();
  }
  return std::move(text_);
}

/// A file that is read by itself.
struct OneFile {
  explicit OneFile(const std::string& path, std::string text) { sources.add(path, std::move(text)); }

  void read() {
    Mistakes mistakes(sources);
    const ScannedText scanned = scan_text(0, sources.files()[0].text, mistakes);
    if (scanned.readable) {
      Reading reading(draft, mistakes, 0, {});
      read_file(scanned, reading);
    }
    diagnostics = mistakes.finish();
  }

  Sources sources;
  Draft draft;
  Diagnostics diagnostics;
};

std::string with_line_feeds(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  std::string lines;
  lines.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\r' || at + 1 == text.size() || text[at + 1] != '\n') {
      lines += text[at];
    }
  }
  return lines;
}

Place place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  return {0, static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1),
          static_cast<std::uint32_t>(std::count_if(line.begin(), line.end(), begins_character) + 1)};
}

tl::unexpected<Error> cannot(const Sources& sources, Place place, const std::string& why, std::string hint) {
  return fail(
      {sources.at(place, Code::kNoLayout, Severity::kError, "the file cannot be laid out: " + why, std::move(hint))});
}

}  // namespace

Result<std::string> lay_out(const std::string& path, const std::string& text) {
  OneFile before(path, text);
  before.read();
  if (has_error(before.diagnostics)) {
    return fail(std::move(before.diagnostics));
  }
  const std::string_view doubt = "its text would not be read as the same, or lose a comment";
  const Place start{0, 1, 1};
  std::string laid = with_line_feeds(text);
  Comments all;
  for (int round = 0; round < kMostRounds; ++round) {
    auto tree = read_layout(laid);
    if (!tree) {
      const NoLayout& why = tree.error();
      return cannot(before.sources, round == 0 ? place_of(laid, why.at) : start,
                    round == 0 ? why.message : std::string(doubt), why.hint);
    }
    if (round == 0) {
      all = tree->comments;
    } else if (tree->comments != all) {
      return cannot(before.sources, start, std::string(doubt), {});
    }
    for (LaidDocument& document : tree->documents) {
      sort_keys(document.root, kDocument);
    }
    std::string next = Writer().write(tree->documents);
    if (next == laid) {
      OneFile after(path, laid);
      after.read();
      if (has_error(after.diagnostics) || !same_wishes(before.draft, after.draft)) {
        return cannot(before.sources, start, std::string(doubt), {});
      }
      return laid;
    }
    laid = std::move(next);
  }
  return cannot(before.sources, start, "no layout of it stays as it is", {});
}

}  // namespace gpup
