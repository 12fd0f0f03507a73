#include "desired/layout_tree.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::string_view kSpaceOrTab = " \t";

/// What a scalar, or the body of a block text, takes of the text.
struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;
  LaidItem* item = nullptr;
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t line_start(std::string_view text, std::size_t at) {
  return at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
}

std::size_t line_end(std::string_view text, std::size_t at) { return std::min(text.find('\n', at), text.size()); }

std::string without_end_blanks(std::string_view line) {
  return std::string(line.substr(0, line.find_last_not_of(kSpaceOrTab) + 1));  // npos + 1 is 0
}

/// In double quotes, on one line.
std::string in_double_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        quoted += '\\';
        quoted += c;
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      default:
        quoted += c;
    }
  }
  return quoted + "\"";
}

/// Text of several lines without quotes that would be the same on one.
bool stays_plain(std::string_view text) {
  return text.find('\n') == std::string_view::npos && text.find(": ") == std::string_view::npos &&
         text.find(" #") == std::string_view::npos && text.find(" :") == std::string_view::npos && text.back() != ':';
}

/// Makes the tree of the parser's events, and finds where each scalar ends.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    file_.documents.emplace_back();
    file_.documents.back().at = static_cast<std::size_t>(std::max(mark.pos, 0));
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos), "a value that is left out, or null, has no layout",
           "write the value, or remove its key");
    add({});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { OnNull(mark, 0); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value style) override {
    begin(LaidNode::Kind::kList, mark, style);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value style) override {
    begin(LaidNode::Kind::kMapping, mark, style);
  }
  void OnMapEnd() override { end(); }

  LaidFile take() { return std::move(file_); }
  std::optional<NoLayout>& refusal() { return refusal_; }
  /// By order of their places, without items.
  const std::vector<Extent>& extents() const { return extents_; }

 private:
  void refuse(std::size_t at, std::string message, std::string hint) {
    if (!refusal_) {
      refusal_ = NoLayout{at, std::move(message), std::move(hint)};
    }
  }
  void begin(LaidNode::Kind kind, const YAML::Mark& mark, YAML::EmitterStyle::value style) {
    LaidNode node;
    node.kind = kind;
    node.at = static_cast<std::size_t>(std::max(mark.pos, 0));
    node.column = node.at - line_start(text_, node.at);
    node.flow = style == YAML::EmitterStyle::Flow;
    open_.push_back({std::move(node), false});
  }
  void end() {
    LaidNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(LaidNode node);

  std::size_t end_of_quoted(std::size_t at) const;
  std::size_t end_of_plain(std::size_t at, std::string_view value) const;
  void read_block(LaidNode& node);

  struct Open {
    LaidNode node;
    bool has_key = false;  ///< the next node is its value
  };

  std::string_view text_;
  LaidFile file_;
  std::vector<Open> open_;
  std::vector<Extent> extents_;
  std::optional<NoLayout> refusal_;
};

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       const std::string& value) {
  LaidNode node;
  node.at = static_cast<std::size_t>(std::max(mark.pos, 0));
  node.text = value;
  const char first = node.at < text_.size() ? text_[node.at] : '\0';
  if (tag != "?" && (first == '|' || first == '>')) {
    read_block(node);
    add(std::move(node));
    return;
  }
  const bool quoted = tag != "?" && (first == '"' || first == '\'');
  const std::size_t end = quoted ? end_of_quoted(node.at) : end_of_plain(node.at, value);
  const std::string_view written = text_.substr(node.at, end - node.at);
  if (written.find('\n') == std::string_view::npos) {
    node.written = written;
  } else if (invalid_utf8_at(value)) {
    refuse(node.at, "a text in quotes with this escape has no layout on several lines", "write it on one line");
  } else {
    node.written = !quoted && stays_plain(value) ? value : in_double_quotes(value);
  }
  extents_.push_back({node.at, end});
  add(std::move(node));
}

std::size_t Builder::end_of_quoted(std::size_t at) const {
  const char quote = text_[at];
  for (std::size_t i = at + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote == '"' || i + 1 == text_.size() || text_[i + 1] != '\'') {
        return i + 1;
      }
      ++i;
    }
  }
  return text_.size();
}

/// Its lines are folded: where the value has a space or line ends, the text has any blanks and line ends.
std::size_t Builder::end_of_plain(std::size_t at, std::string_view value) const {
  if (text_.substr(at, value.size()) == value) {
    return at + value.size();
  }
  const auto folds = [](char c) { return is_blank(c) || c == '\n'; };
  std::size_t end = at;
  for (std::size_t i = 0; i < value.size() && end < text_.size();) {
    if (!folds(value[i])) {
      ++i;
      ++end;
      continue;
    }
    while (i < value.size() && folds(value[i])) {
      ++i;
    }
    while (end < text_.size() && folds(text_[end])) {
      ++end;
    }
  }
  return end;
}

void Builder::read_block(LaidNode& node) {
  const std::size_t mark_end = std::min(text_.find_first_not_of("|>+-0123456789", node.at), text_.size());
  node.written = text_.substr(node.at, mark_end - node.at);
  const bool keeps_end = node.written.find('+') != std::string::npos;
  if (node.written.find_first_of("0123456789") != std::string::npos) {
    refuse(node.at, "a block text that says its own indentation has no layout",
           "write it without the number, or in quotes");
    return;
  }
  if (node.text.find_first_not_of(" \t\n") == std::string::npos) {
    refuse(node.at, "a block text without a word has no layout", "write it in quotes");
    return;
  }
  extents_.push_back({node.at, mark_end});
  const std::size_t body = std::min(line_end(text_, mark_end) + 1, text_.size());
  const std::size_t word = text_.find_first_not_of(" \n", body);
  const std::size_t indent = word - line_start(text_, word);
  std::size_t end = body;
  std::size_t kept = 0;
  for (std::size_t at = body; at < text_.size();) {
    const std::size_t stop = line_end(text_, at);
    const std::string_view line = text_.substr(at, stop - at);
    const std::size_t spaces = std::min(line.find_first_not_of(' '), line.size());
    if (spaces < line.size() && spaces < indent) {
      break;
    }
    node.block.emplace_back(line.substr(std::min(indent, line.size())));
    at = std::min(stop + 1, text_.size());
    if (spaces < line.size() || keeps_end) {
      kept = node.block.size();
      end = at;
    }
  }
  node.block.resize(kept);
  extents_.push_back({body, end});
}

void Builder::add(LaidNode node) {
  if (open_.empty()) {
    file_.documents.back().root = std::move(node);
    return;
  }
  Open& in = open_.back();
  if (in.node.kind == LaidNode::Kind::kMapping && in.has_key) {
    in.node.items.back().value = std::move(node);
    in.has_key = false;
    return;
  }
  LaidItem& item = in.node.items.emplace_back();
  item.at = node.at;
  if (in.node.kind == LaidNode::Kind::kMapping) {
    item.key = std::move(node.text);
    in.has_key = true;
  } else {
    item.value = std::move(node);
  }
}

/// Tells each item where it is, and collects the items of the scalars, a block text's twice, in the order of the text.
void link(LaidNode& node, LaidItem* parent, std::vector<LaidItem*>& scalars) {
  for (LaidItem& item : node.items) {
    item.parent = parent;
    item.in = &node;
    if (!item.key.empty()) {
      scalars.push_back(&item);
    }
    if (item.value.kind != LaidNode::Kind::kScalar) {
      link(item.value, &item, scalars);
      continue;
    }
    scalars.push_back(&item);
    if (!item.value.block.empty()) {
      scalars.push_back(&item);
    }
  }
}

/// Gives the comments of one document to what they stand above, beside or below.
class Placing {
 public:
  Placing(std::string_view text, LaidDocument& document, Comments& comments)
      : text_(text), document_(document), comments_(comments) {}

  /// `scalars` are those of the document; it reaches from `begin` to `end`.
  std::optional<NoLayout> run(std::vector<Extent>::const_iterator first, std::vector<Extent>::const_iterator last,
                              std::size_t begin, std::size_t end);

 private:
  void comment(std::size_t at);
  void beside(std::string_view words, std::size_t at);
  void above(std::string words, std::size_t at);
  void add(Comments& to, std::string words, std::size_t at) const;
  LaidNode* open_below(std::size_t column, const LaidItem* next_item) const;
  bool empty_line_above(std::size_t at) const;
  void spaces(LaidNode& node);

  std::string_view text_;
  LaidDocument& document_;
  Comments& comments_;
  const Extent* last_ = nullptr;  ///< the scalar before
  const Extent* next_ = nullptr;
  std::size_t body_end_ = 0;  ///< of the scalar before
  std::size_t closed_ = 0;    ///< brackets since then
  bool line_taken_ = false;   ///< something before the comment stands on its line
};

std::optional<NoLayout> Placing::run(std::vector<Extent>::const_iterator first,
                                     std::vector<Extent>::const_iterator last, std::size_t begin, std::size_t end) {
  std::size_t at = begin;
  for (auto scalar = first;; ++scalar) {
    next_ = scalar == last ? nullptr : &*scalar;
    const std::size_t stop = next_ == nullptr ? end : next_->begin;
    closed_ = 0;
    line_taken_ = last_ != nullptr && (at == 0 || text_[at - 1] != '\n');
    for (; at < stop; ++at) {
      const char c = text_[at];
      if (c == '\n') {
        line_taken_ = false;
      } else if (c == ']' || c == '}') {
        ++closed_;
        line_taken_ = true;
      } else if (c == '#') {  // also right behind a quote or bracket: the parser minds no blank there
        comment(at);
        at = line_end(text_, at) - 1;
      } else if (c == '%' && line_start(text_, at) == at) {
        return NoLayout{at, "a directive (%) has no layout", "remove the line: all files are YAML 1.2"};
      }
    }
    if (next_ == nullptr) {
      break;
    }
    last_ = next_;
    at = std::max(at, last_->end);
    body_end_ = at;
  }
  last_ = nullptr;
  body_end_ = 0;
  spaces(document_.root);
  // What is above the first line belongs to the file; where an empty line divides it, its end belongs to the line.
  Comments& head = document_.head;
  const auto divider = std::find(head.rbegin(), head.rend(), std::string());
  if (!head.empty() && !head.back().empty() && divider != head.rend() && !document_.root.items.empty()) {
    LaidItem& item = document_.root.items.front();
    item.above.insert(item.above.begin(), divider.base(), head.end());
    item.space_above = true;
    head.erase(divider.base() - 1, head.end());
  }
  return std::nullopt;
}

void Placing::comment(std::size_t at) {
  const std::size_t end = line_end(text_, at);
  std::string words = without_end_blanks(text_.substr(at, end - at));
  comments_.push_back(words);
  if (line_taken_) {
    beside(words, at);
  } else {
    above(std::move(words), at);
  }
}

void Placing::beside(std::string_view words, std::size_t at) {
  LaidItem* item = last_->item;
  for (std::size_t closed = closed_; closed > 0 && item != nullptr && item->in->flow; --closed) {
    item = item->parent;
  }
  if (item == nullptr) {
    document_.root.below.emplace_back(words);
    return;
  }
  std::size_t gap = at;
  while (gap > 0 && text_[gap - 1] == ' ') {
    --gap;
  }
  if (!item->beside.empty()) {
    item->above.push_back(item->beside.substr(item->beside.find('#')));
  }
  item->beside = std::string(std::max<std::size_t>(at - gap, 1), ' ') + std::string(words);
}

void Placing::add(Comments& to, std::string words, std::size_t at) const {
  if (!to.empty() && empty_line_above(at)) {
    to.emplace_back();
  }
  to.push_back(std::move(words));
}

void Placing::above(std::string words, std::size_t at) {
  const std::size_t column = at - line_start(text_, at);
  LaidItem* item = next_ == nullptr ? nullptr : next_->item;
  // An entry begins with its first key.
  while (item != nullptr && item->parent != nullptr && item == &item->in->items.front() && item->parent->key.empty()) {
    item = item->parent;
  }
  if (last_ == nullptr && (item == nullptr || item->in == &document_.root)) {
    add(document_.head, std::move(words), at);
    return;
  }
  // Farther to the right than what follows: it is below what came before.
  const bool deeper = item == nullptr || (!item->in->flow && column > item->in->column);
  LaidNode* below = deeper && last_ != nullptr ? open_below(column, item) : nullptr;
  if (below == nullptr && item == nullptr) {
    below = &document_.root;
  }
  if (below != nullptr) {
    if (below->below.empty() && empty_line_above(at)) {
      below->below.emplace_back();
    }
    add(below->below, std::move(words), at);
    return;
  }
  if (item->above.empty()) {
    item->space_above = empty_line_above(at);
  }
  add(item->above, std::move(words), at);
}

/// The innermost list or mapping that ends before `next_item` and begins no farther to the right.
LaidNode* Placing::open_below(std::size_t column, const LaidItem* next_item) const {
  for (const LaidItem* item = last_->item; item != nullptr; item = item->parent) {
    for (const LaidItem* around = next_item; around != nullptr; around = around->parent) {
      if (around->in == item->in) {
        return nullptr;
      }
    }
    if (!item->in->flow && item->in->column <= column) {
      return item->in;
    }
  }
  return nullptr;
}

bool Placing::empty_line_above(std::size_t at) const {
  const std::size_t start = line_start(text_, at);
  if (start == 0 || start <= body_end_) {
    return false;
  }
  const std::size_t above = line_start(text_, start - 1);
  return text_.substr(above, start - 1 - above).find_first_not_of(kSpaceOrTab) == std::string_view::npos;
}

void Placing::spaces(LaidNode& node) {
  for (LaidItem& item : node.items) {
    const bool first = &item == &node.items.front();
    const bool heads = first && &node == &document_.root && !document_.head.empty();
    const bool space = empty_line_above(item.at);
    if (Comments& above = heads ? document_.head : item.above; !above.empty()) {
      if (space) {
        above.emplace_back();
      }
    } else {
      // Above the first one nothing is divided.
      item.space_above = space && !first;
    }
    spaces(item.value);
  }
}

}  // namespace

tl::expected<LaidFile, NoLayout> read_layout(std::string_view text) {
  Builder builder(text);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    return tl::unexpected<NoLayout>(NoLayout{0, error.msg, {}});
  }
  if (builder.refusal()) {
    return tl::unexpected<NoLayout>(std::move(*builder.refusal()));
  }
  LaidFile file = builder.take();
  std::vector<Extent> extents = builder.extents();
  std::vector<LaidItem*> scalars;
  std::vector<std::size_t> ends;  // of each document's scalars
  ends.reserve(file.documents.size());
  for (LaidDocument& document : file.documents) {
    link(document.root, nullptr, scalars);
    ends.push_back(scalars.size());
  }
  if (scalars.size() != extents.size()) {
    return tl::unexpected<NoLayout>(NoLayout{0, "it is not known where each of its values ends", {}});
  }
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    extents[i].item = scalars[i];
  }
  auto first = extents.cbegin();
  for (std::size_t i = 0; i < file.documents.size(); ++i) {
    LaidDocument& document = file.documents[i];
    const auto last = extents.cbegin() + static_cast<std::ptrdiff_t>(ends[i]);
    const std::size_t begin = i == 0 ? 0 : document.at;
    const std::size_t end = i + 1 < file.documents.size() ? file.documents[i + 1].at : text.size();
    if (auto refusal = Placing(text, document, file.comments).run(first, last, begin, end)) {
      return tl::unexpected<NoLayout>(std::move(*refusal));
    }
    first = last;
  }
  std::sort(file.comments.begin(), file.comments.end());
  return file;
}

}  // namespace gpup
