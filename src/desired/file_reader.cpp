#include "desired/file_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <istream>
#include <streambuf>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"
#include "desired/scalars.h"

namespace gpup {

namespace {

constexpr std::string_view kBlank = " \t";

// Before the parser tells of a bracket at the start of a line it reads to where that is closed, at some 300 bytes
// for each bracket. So the brackets that are open since the last event are bounded where the text is handed out.
constexpr std::ptrdiff_t kMostOpen = 10'000;

struct TooManyOpen {};

/// Lets an istream read text that stays where it is. Throws TooManyOpen.
class TextBuffer : public std::streambuf {
 public:
  /// `events` counts the parser's events.
  TextBuffer(std::string_view text, const std::size_t& events) : events_(events) {
    // The stream only reads; the interface is older than const.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }

 protected:
  std::streamsize xsgetn(char* to, std::streamsize most) override {
    const std::streamsize size = std::min<std::streamsize>(most, egptr() - gptr());
    if (events_ != events_seen_) {
      events_seen_ = events_;
      open_ = 0;
    }
    for (std::streamsize i = 0; i < size; ++i) {
      const char c = gptr()[i];
      to[i] = c;
      open_ += c == '[' || c == '{' ? 1 : 0;
      open_ -= c == ']' || c == '}' ? 1 : 0;
    }
    setg(eback(), gptr() + size, egptr());
    if (open_ > kMostOpen) {
      throw TooManyOpen{};
    }
    return size;
  }

 private:
  const std::size_t& events_;
  std::size_t events_seen_ = 0;
  std::ptrdiff_t open_ = 0;
};

// What yaml-cpp 0.7 says, and what it means to a person.
struct Wording {
  std::string_view parser;
  Code code;
  std::string_view message;
  std::string_view hint;
};
constexpr auto kWordings = std::to_array<Wording>({
    {"end of map not found", Code::kYamlSyntax, "expected 'key: value', in line with the keys above", ""},
    {"end of sequence not found", Code::kYamlSyntax, "expected '- ', in line with the entries above", ""},
    {"end of sequence flow not found", Code::kYamlSyntax, "expected ',' or ']' in a list", ""},
    {"end of map flow not found", Code::kYamlSyntax, "expected ',' or '}' in a mapping", ""},
    {"illegal map value", Code::kYamlSyntax, "a ':' may not stand here",
     "a value that holds ': ' is written in quotes; keys of one mapping begin in one column"},
    {"illegal map key", Code::kYamlSyntax, "a key may not stand here", ""},
    {"illegal block entry", Code::kYamlSyntax, "a '- ' may not stand here",
     "a list begins on a line of its own, below its key"},
    {"illegal flow end", Code::kYamlSyntax, "a ']' or '}' that closes nothing", ""},
    {"illegal EOF in scalar", Code::kUnclosedQuote, "a quote is not closed before the file ends", ""},
    {"illegal document indicator in scalar", Code::kUnclosedQuote, "a quote is not closed before the document ends",
     ""},
    {"unknown token", Code::kYamlSyntax, "no value begins with this character", "write the value in quotes"},
    {"bad file", Code::kTooDeep, "lists and mappings nest deeper than 32", ""},
    {"the referenced anchor is not defined", Code::kAnchorOrAlias, "aliases (*) are not read",
     "write the value out where it is needed"},
    {"alias not found after *", Code::kAnchorOrAlias, "aliases (*) are not read", "write a value with '*' in quotes"},
    {"anchor not found after &", Code::kAnchorOrAlias, "anchors (&) are not read", "write a value with '&' in quotes"},
    {"cannot assign multiple anchors to the same node", Code::kAnchorOrAlias, "anchors (&) are not read", ""},
    {"cannot assign multiple tags to the same node", Code::kTag, "tags (!) are not read", ""},
    {"unexpected character in block scalar", Code::kYamlSyntax, "expected the end of the line after '|' or '>'", ""},
    {"YAML major version too large", Code::kYamlSyntax, "expected YAML 1.2", ""},
});

Wording wording_of(std::string_view parser) {
  const auto* const found = std::find_if(kWordings.begin(), kWordings.end(),
                                         [&](const Wording& wording) { return wording.parser == parser; });
  if (found != kWordings.end()) {
    return *found;
  }
  const bool tag = parser.find("tag") != std::string_view::npos && parser.find("TAG") == std::string_view::npos;
  if (tag) {
    return {parser, Code::kTag, "tags (!) are not read", ""};
  }
  return {parser, Code::kYamlSyntax, parser, ""};
}

/// yaml-cpp 0.7 makes single bytes of the escapes \\N and \\_; they mean U+0085 and U+00A0.
std::string with_whole_characters(std::string_view value) {
  std::string mended;
  while (const auto at = invalid_utf8_at(value)) {
    mended += value.substr(0, *at);
    const auto byte = static_cast<unsigned char>(value[*at]);
    mended += static_cast<char>(0xc0U | byte >> 6U);
    mended += static_cast<char>(0x80U | (byte & 0x3fU));
    value.remove_prefix(*at + 1);
  }
  mended += value;
  return mended;
}

class FileReader final : public YAML::EventHandler {
 public:
  FileReader(const ScannedText& scanned, Reading& reading)
      : text_(scanned.text),
        ascii_(scanned.ascii),
        control_(scanned.control),
        has_tabs_(text_.find('\t') != std::string_view::npos),
        reading_(reading),
        mistakes_(reading.mistakes) {}

  void run(std::string_view parsed_text);

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override;
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { end_collection(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { end_collection(); }

 private:
  enum class Kind : std::uint8_t { kScalar, kList, kMapping };
  /// What the key that awaits its value is.
  enum class Key : std::uint8_t { kNone, kKnown, kUnknown, kRefused };

  // Places.
  Place place(const YAML::Mark& mark);
  std::uint32_t column_of(std::size_t line_start, std::size_t offset);
  std::size_t offset_of(const YAML::Mark& mark) const {
    return mark.pos < 0 ? text_.size() : std::min(static_cast<std::size_t>(mark.pos), text_.size());
  }
  char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\n'; }

  // What no node may have.
  bool check_properties(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  bool check_quote(std::size_t offset, const YAML::Mark& mark);
  std::size_t end_of_quoted(std::size_t offset) const;
  bool null_word_at(std::size_t offset) const;

  // Following the table.
  void scalar(const Scalar& scalar, std::size_t offset, bool usable);
  void key(const Scalar& scalar, std::size_t offset);
  void unknown_key(const Scalar& scalar);
  void value(const Scalar& scalar, bool usable);
  void missing_value(const YAML::Mark& mark);
  void begin_collection(Kind kind, const YAML::Mark& mark, bool flow);
  void begin_in_mapping(Frame& frame, Kind kind, Place there, bool flow);
  void begin_in_list(Frame& frame, Kind kind, Place there, bool flow);
  void push_mapping(const Mapping& mapping, void* parent, Place there, bool flow);
  void push_list(const Field& field, Place there, bool flow);
  void end_collection();
  void end_mapping(const Frame& frame);
  void value_done(bool good, Place there);
  void skip_from_here(bool because_of_mistake);
  void wrong_kind(const Field& field, Kind kind, Place there);
  void too_deep(Place there);
  void close_secret(const YAML::Mark& mark);
  void syntax_error(const YAML::Exception& error);
  bool indented_by_tab(std::size_t offset) const;

  Frame& top() { return frames_[depth_ - 1]; }

  std::string_view text_;
  bool ascii_;
  bool control_;  ///< the text holds control characters, which were reported
  bool has_tabs_;
  Reading& reading_;
  Mistakes& mistakes_;

  // The document, its lists and mappings: the table is five deep, and what it does not know is skipped.
  std::array<Frame, 8> frames_;
  std::size_t depth_ = 0;       ///< of frames that the table knows
  std::uint32_t nesting_ = 0;   ///< of all lists and mappings
  std::uint32_t skipping_ = 0;  ///< how many lists and mappings deep we are in something that is skipped
  bool skipped_is_key_ = false;
  bool deep_said_ = false;               ///< of what is being skipped
  std::size_t skip_reason_ = kNoReason;  ///< the mistake that made us skip
  bool documents_ = false;
  bool stuck_ = false;  ///< the parser would go no further
  Place document_place_;

  Key key_ = Key::kNone;
  std::size_t field_ = 0;  ///< of a known key
  std::string key_text_;   ///< of an unknown key
  Place key_place_;
  std::size_t key_offset_ = 0;
  std::int32_t key_column_ = 0;  ///< bytes, from 0
  bool key_plain_ = true;
  std::uint32_t tab_line_ = 0;  ///< of the last line that was refused for a tab
  bool quiet_ = false;          ///< in the value of `<<`: nothing more is said of it

  bool secret_open_ = false;  ///< in the value of a key such as `password`
  std::uint32_t secret_line_ = 0;
  std::size_t events_ = 0;       ///< how many there were
  std::size_t last_offset_ = 0;  ///< of the last scalar, list or mapping

  // Where a column was counted last: columns are characters, marks are bytes.
  std::size_t counted_line_ = 0;
  std::size_t counted_to_ = 0;
  std::uint32_t counted_ = 0;

  static constexpr std::size_t kNoReason = static_cast<std::size_t>(-1);
};

// ---- places ----

Place FileReader::place(const YAML::Mark& mark) {
  const std::size_t offset = offset_of(mark);
  if (ascii_) {
    return {reading_.file, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
  }
  const std::size_t line_start = offset - std::min(offset, static_cast<std::size_t>(std::max(mark.column, 0)));
  return {reading_.file, static_cast<std::uint32_t>(mark.line + 1), column_of(line_start, offset)};
}

std::uint32_t FileReader::column_of(std::size_t line_start, std::size_t offset) {
  if (counted_line_ != line_start || counted_to_ > offset || counted_ == 0) {
    counted_line_ = line_start;
    counted_to_ = line_start;
    counted_ = 1;
  }
  for (; counted_to_ < offset; ++counted_to_) {
    counted_ += (static_cast<unsigned char>(text_[counted_to_]) & 0xc0U) != 0x80U ? 1U : 0U;
  }
  return counted_;
}

// ---- guards ----

/// Says what is wrong with a node's anchor or tag; false if its value is not to be decoded.
bool FileReader::check_properties(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
  if (anchor != 0 && !quiet_) {
    mistakes_.add(place(mark), Code::kAnchorOrAlias, "anchors (&) are not read",
                  "write the value out where it is needed");
  }
  const bool none = tag.size() == 1 && (tag[0] == '?' || (tag[0] == '!' && at(offset_of(mark)) != '!'));
  if (!none && anchor == 0 && !quiet_) {
    mistakes_.add(place(mark), Code::kTag, "tags (!) are not read",
                  "write a text in quotes, anything else without tag");
  }
  return none || anchor != 0;
}

/// The offset after the closing quote, or npos where there is none.
std::size_t FileReader::end_of_quoted(std::size_t offset) const {
  const char quote = text_[offset];
  for (std::size_t i = offset + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote == '"' || at(i + 1) != '\'') {
        return i + 1;
      }
      ++i;
    }
  }
  return std::string_view::npos;
}

/// The parser takes the end of the file for the closing quote; what follows the quote is lost.
bool FileReader::check_quote(std::size_t offset, const YAML::Mark& mark) {
  const char first = at(offset);
  if ((first != '"' && first != '\'') || end_of_quoted(offset) != std::string_view::npos) {
    return true;
  }
  mistakes_.add(place(mark), Code::kUnclosedQuote, "this quote is never closed");
  reading_.draft.files_whole = false;
  return false;
}

bool FileReader::null_word_at(std::size_t offset) const {
  std::string_view word = text_.substr(offset, 5);
  word = word.substr(0, std::min(word.find_first_of(" \t\r\n,]}#:"), word.size()));
  return !word.empty() && plain_kind(word) == PlainKind::kNull;
}

// ---- events ----

void FileReader::OnDocumentStart(const YAML::Mark& mark) {
  const std::size_t offset = offset_of(mark);
  if (documents_ && !text_.substr(offset).starts_with("---")) {
    // Only `...` may stand between two documents without `---`.
    std::size_t end = offset;
    std::string_view line;
    while (end > 0 && (line.empty() || line.front() == '#' || line.front() == '%')) {
      const std::size_t start = end < 2 ? 0 : text_.rfind('\n', end - 2) + 1;
      line = text_.substr(start, end - start);
      line = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
      line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
      end = start;
    }
    if (!line.starts_with("...")) {
      mistakes_.add(place(mark), Code::kYamlSyntax, "expected the end of the file, or '---' before the next document");
    }
  }
  documents_ = true;
  document_place_ = place(mark);
  depth_ = 0;
  nesting_ = 0;
  skipping_ = 0;
  key_ = Key::kNone;
}

void FileReader::OnDocumentEnd() {}

void FileReader::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  ++events_;
  if (skipping_ != 0) {
    return;
  }
  const std::size_t offset = offset_of(mark);
  const bool word = null_word_at(offset);
  if (anchor != 0) {
    check_properties(mark, "?", anchor);
  }
  if (depth_ == 0 && text_.substr(offset).starts_with(',')) {
    // The parser leaves it where it is, and would begin one document after another at it.
    mistakes_.add(place(mark), Code::kYamlSyntax, "a ',' outside of brackets divides nothing");
    stuck_ = true;
    return;
  }
  if (depth_ == 0) {
    mistakes_.add(document_place_, Code::kNoDocument, "this document is empty",
                  "remove it, or begin it with apiVersion: gpup/v1");
    return;
  }
  Frame& frame = top();
  if (frame.mapping != nullptr && key_ == Key::kNone) {
    if (word) {
      key({text_.substr(offset, text_.substr(offset, 4).starts_with('~') ? 1 : 4), place(mark)}, offset);
      key_column_ = mark.column;
    } else {
      mistakes_.add(place(mark), Code::kYamlSyntax, "a ':' without a key before it");
      key_ = Key::kRefused;
    }
    return;
  }
  const bool after_key = frame.mapping == nullptr || offset > key_offset_;
  const auto line = static_cast<std::uint32_t>(mark.line + 1);
  const bool of_this_key =
      frame.mapping == nullptr || line == key_place_.line || frame.flow || mark.column > key_column_;
  const bool entry = frame.mapping != nullptr || frame.flow || mark.column > static_cast<int>(frame.at.column) - 1;
  if (word && after_key && of_this_key && entry) {
    close_secret(mark);
    const std::string_view spelled = text_.substr(offset, text_[offset] == '~' ? 1 : 4);
    scalar({spelled, place(mark), true, true}, offset, true);
    return;
  }
  missing_value(mark);
}

/// A key, or an entry of a list, after which nothing stands.
void FileReader::missing_value(const YAML::Mark& mark) {
  Frame& frame = top();
  if (frame.mapping == nullptr) {
    std::size_t offset = offset_of(mark);
    Place there = place(mark);
    if (!frame.flow) {
      // The mark is that of what comes next; the dash is before it.
      const std::size_t dash = text_.rfind('-', offset == 0 ? 0 : offset - 1);
      if (dash != std::string_view::npos && offset - dash < 200) {
        const auto breaks = std::count(text_.begin() + static_cast<std::ptrdiff_t>(dash),
                                       text_.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
        there.line -= static_cast<std::uint32_t>(breaks);
        const std::size_t line_start = text_.rfind('\n', dash) + 1;
        there.column = static_cast<std::uint32_t>(dash - line_start + 1);
      }
    }
    mistakes_.add(there, Code::kEmptyValue, fmt::format("an entry of '{}' is empty", frame.list->key));
    return;
  }
  std::size_t end = key_offset_;
  if (key_plain_) {
    end += key_text_.size();
  } else if (at(end) == '"' || at(end) == '\'') {
    end = end_of_quoted(end);
  }
  const std::size_t colon = end == std::string_view::npos ? end : text_.find_first_not_of(" \t\r\n", end);
  if (at(colon) != ':' && key_ != Key::kRefused) {
    const bool secret = names_secret(key_text_);  // it may be the value that was run together with its key
    mistakes_.add(
        key_place_, Code::kYamlSyntax,
        fmt::format("expected ':' {}", secret ? "and a blank after this key" : "after " + in_quotes(key_text_)), {},
        !secret);
  } else if (key_ == Key::kUnknown) {
    unknown_key({key_text_, key_place_});
  } else if (key_ == Key::kKnown) {
    const Field& field = frame.mapping->fields[field_];
    mistakes_.add(key_place_, Code::kEmptyValue,
                  fmt::format("'{}' must be {}, and nothing stands after it", field.key, field.expected));
  }
  value_done(false, key_place_);
}

void FileReader::OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) {
  if (!quiet_) {
    mistakes_.add(place(mark), Code::kAnchorOrAlias, "aliases (*) are not read",
                  "write the value out where it is needed");
  }
  if (skipping_ != 0 || depth_ == 0) {
    return;
  }
  if (top().mapping != nullptr && key_ == Key::kNone) {
    key_ = Key::kRefused;
    return;
  }
  if (key_ == Key::kUnknown) {
    unknown_key({key_text_, key_place_});
  }
  value_done(false, place(mark));
}

void FileReader::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          const std::string& value) {
  ++events_;
  const std::size_t offset = offset_of(mark);
  const bool plain = tag == "?";
  bool usable = true;
  if (anchor != 0 || !plain) {
    usable = check_properties(mark, tag, anchor);
    usable = check_quote(offset, mark) && usable;
  }
  if (secret_open_) {
    close_secret(mark);
  }
  last_offset_ = offset;
  if (skipping_ != 0) {
    return;
  }
  if (depth_ == 0) {
    mistakes_.add(place(mark), Code::kWrongKind, "a document must be a mapping that begins with apiVersion: gpup/v1");
    return;
  }
  key_column_ = key_ == Key::kNone ? mark.column : key_column_;
  if (!plain && invalid_utf8_at(value)) {
    const std::string mended = with_whole_characters(value);
    scalar({mended, place(mark), plain}, offset, usable);
    return;
  }
  scalar({value, place(mark), plain}, offset, usable);
}

void FileReader::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                 YAML::EmitterStyle::value style) {
  check_properties(mark, tag, anchor);
  begin_collection(Kind::kList, mark, style == YAML::EmitterStyle::Flow);
}

void FileReader::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                            YAML::EmitterStyle::value style) {
  check_properties(mark, tag, anchor);
  begin_collection(Kind::kMapping, mark, style == YAML::EmitterStyle::Flow);
}

// ---- scalars ----

void FileReader::scalar(const Scalar& scalar, std::size_t offset, bool usable) {
  Frame& frame = top();
  if (frame.mapping != nullptr && key_ == Key::kNone) {
    key(scalar, offset);
  } else {
    value(scalar, usable);
  }
}

void FileReader::key(const Scalar& scalar, std::size_t offset) {
  Frame& frame = top();
  key_place_ = scalar.place;
  key_offset_ = offset;
  key_plain_ = scalar.plain;
  key_text_ = scalar.text;
  const std::span<const Field> fields = frame.mapping->fields;
  std::size_t field = 0;
  while (field < fields.size() && fields[field].key != scalar.text) {
    ++field;
  }
  if (field == fields.size()) {
    key_ = Key::kUnknown;
    if (scalar.text == "<<" && scalar.plain) {
      mistakes_.add(scalar.place, Code::kMergeKey, "merge keys (<<) are not read", "write the keys out");
      key_ = Key::kRefused;
      quiet_ = true;
    } else if (names_secret(scalar.text)) {
      secret_open_ = true;
      secret_line_ = scalar.place.line;
    }
    return;
  }
  field_ = field;
  if (frame.has(field)) {
    mistakes_.add(scalar.place, Code::kRepeatedKey,
                  fmt::format("key '{}' is repeated, first at {}", scalar.text, mistakes_.name(frame.key_at[field])));
    key_ = Key::kRefused;
    return;
  }
  key_ = Key::kKnown;
  frame.seen |= 1U << field;
  frame.key_at[field] = scalar.place;
  frame.value_at[field] = scalar.place;
}

void FileReader::unknown_key(const Scalar& scalar) {
  Frame& frame = top();
  if (names_secret(scalar.text)) {
    mistakes_.add(scalar.place, Code::kSecretKey,
                  fmt::format("unknown key {}: no secret is ever written in this file", in_quotes(scalar.text)),
                  "authentication is the transport's: an SSH agent or key file, Kerberos, the user's own session",
                  false);
    return;
  }
  if (mistakes_.full()) {
    mistakes_.add(scalar.place, Code::kUnknownKey, {});
    return;
  }
  std::vector<std::string_view> known;
  std::string list;
  for (const Field& field : frame.mapping->fields) {
    known.push_back(field.key);
    list += list.empty() ? "known here: " : ", ";
    list += field.key;
  }
  std::string hint = std::move(list);
  if (scalar.text.size() <= kLongestGuess) {
    if (const auto near = nearest(scalar.text, known)) {
      hint = fmt::format("did you mean '{}'?", *near);
      frame.meant |= 1U << static_cast<std::size_t>(std::find(known.begin(), known.end(), *near) - known.begin());
    }
  }
  mistakes_.add(scalar.place, Code::kUnknownKey, fmt::format("unknown key {}", in_quotes(scalar.text)),
                std::move(hint));
}

void FileReader::value(const Scalar& scalar, bool usable) {
  Frame& frame = top();
  if (frame.mapping == nullptr) {
    ++frame.entries;
    const Field& field = *frame.list;
    if (field.shape != Shape::kScalars) {
      wrong_kind(field, Kind::kScalar, scalar.place);
    } else if (usable) {
      field.decode(reading_, field, scalar, frame.target);
    }
    return;
  }
  bool good = false;
  if (key_ == Key::kUnknown) {
    unknown_key({key_text_, key_place_});
  } else if (key_ == Key::kKnown) {
    const Field& field = frame.mapping->fields[field_];
    if (field.shape != Shape::kScalar) {
      wrong_kind(field, Kind::kScalar, scalar.place);
    } else if (usable) {
      good = field.decode(reading_, field, scalar, frame.target);
    }
  }
  value_done(good, scalar.place);
}

/// The value of a key ends; the next event is a key.
void FileReader::value_done(bool good, Place there) {
  if (key_ == Key::kKnown) {
    Frame& frame = top();
    frame.value_at[field_] = there;
    frame.good |= (good ? 1U : 0U) << field_;
  }
  key_ = Key::kNone;
  quiet_ = false;
}

// ---- lists and mappings ----

void FileReader::wrong_kind(const Field& field, Kind kind, Place there) {
  constexpr std::array<std::string_view, 3> kSpoken = {"a single value", "a list", "a mapping"};
  if (has_tabs_ && kind == Kind::kScalar && indented_by_tab(last_offset_)) {
    mistakes_.add(there, Code::kYamlSyntax, "a tab may not indent", "indent with spaces");
    tab_line_ = there.line;
    return;
  }
  const std::string_view is = kSpoken.at(static_cast<std::size_t>(kind));
  const bool entry = top().mapping == nullptr;
  const std::string_view wanted = entry ? field.each : field.expected;
  mistakes_.add(there, Code::kWrongKind,
                fmt::format("{}'{}' must be {}, not {}", entry ? "an entry of " : "", field.key, wanted, is));
}

void FileReader::too_deep(Place there) {
  if (deep_said_) {
    return;
  }
  deep_said_ = true;
  if (skip_reason_ != kNoReason) {
    mistakes_.take_back(skip_reason_);
    skip_reason_ = kNoReason;
  }
  mistakes_.add(there, Code::kTooDeep, fmt::format("lists and mappings nest deeper than {}", kMostDepth));
}

void FileReader::skip_from_here(bool because_of_mistake) {
  skipping_ = 1;
  deep_said_ = false;
  skip_reason_ = because_of_mistake ? mistakes_.count() - 1 : kNoReason;
}

void FileReader::begin_collection(Kind kind, const YAML::Mark& mark, bool flow) {
  ++events_;
  if (secret_open_) {
    close_secret(mark);
  }
  last_offset_ = offset_of(mark);
  if (++nesting_ > kMostDepth) {
    too_deep(place(mark));
  }
  if (skipping_ != 0) {
    ++skipping_;
    return;
  }
  const Place there = place(mark);
  skipped_is_key_ = false;
  if (depth_ == 0) {
    if (kind == Kind::kMapping) {
      push_mapping(kDocument, &reading_.draft.state, there, flow);
    } else {
      mistakes_.add(there, Code::kWrongKind, "a document must be a mapping, not a list");
      skip_from_here(true);
    }
    return;
  }
  Frame& frame = top();
  if (frame.mapping != nullptr) {
    begin_in_mapping(frame, kind, there, flow);
  } else {
    begin_in_list(frame, kind, there, flow);
  }
}

void FileReader::begin_in_mapping(Frame& frame, Kind kind, Place there, bool flow) {
  if (key_ == Key::kNone) {
    mistakes_.add(there, Code::kWrongKind, "a key must be a word, not a list or a mapping");
    skip_from_here(true);
    skipped_is_key_ = true;
    return;
  }
  if (key_ == Key::kUnknown) {
    unknown_key({key_text_, key_place_});
    key_ = Key::kRefused;
    skip_from_here(true);
    return;
  }
  if (key_ == Key::kRefused) {
    skip_from_here(false);
    return;
  }
  const Field& field = frame.mapping->fields[field_];
  frame.value_at[field_] = there;
  if (field.shape == Shape::kMapping && kind == Kind::kMapping) {
    push_mapping(*field.mapping, frame.target, there, flow);
  } else if ((field.shape == Shape::kMappings || field.shape == Shape::kScalars) && kind == Kind::kList) {
    push_list(field, there, flow);
  } else {
    wrong_kind(field, kind, there);
    skip_from_here(true);
  }
}

void FileReader::begin_in_list(Frame& frame, Kind kind, Place there, bool flow) {
  ++frame.entries;
  const Field& field = *frame.list;
  if (field.shape == Shape::kMappings && kind == Kind::kMapping) {
    push_mapping(*field.mapping, frame.target, there, flow);
  } else {
    wrong_kind(field, kind, there);
    skip_from_here(true);
  }
}

void FileReader::push_mapping(const Mapping& mapping, void* parent, Place there, bool flow) {
  assert(depth_ < frames_.size());
  // Where the key that holds this mapping goes on is kept in its frame.
  if (depth_ > 0) {
    top().open_field = field_;
  }
  Frame& frame = frames_[depth_++];
  frame.mapping = &mapping;
  frame.list = nullptr;
  frame.target = mapping.begin(reading_, parent);
  frame.at = there;
  frame.seen = frame.good = frame.meant = 0;
  frame.flow = flow;
  frame.mistakes_before = mistakes_.count();
  key_ = Key::kNone;
}

void FileReader::push_list(const Field& field, Place there, bool flow) {
  assert(depth_ < frames_.size());
  void* const target = top().target;
  top().open_field = field_;
  Frame& frame = frames_[depth_++];
  frame.mapping = nullptr;
  frame.list = &field;
  frame.target = target;
  frame.at = there;
  frame.entries = 0;
  frame.flow = flow;
  frame.mistakes_before = mistakes_.count();
  key_ = Key::kNone;
}

void FileReader::end_collection() {
  --nesting_;
  if (skipping_ != 0) {
    if (--skipping_ != 0) {
      return;
    }
    if (depth_ == 0 || top().mapping == nullptr) {
      return;
    }
    if (skipped_is_key_) {
      skipped_is_key_ = false;
      key_ = Key::kRefused;
      return;
    }
    value_done(false, key_ == Key::kKnown ? top().value_at[field_] : key_place_);
    return;
  }
  const Frame& frame = top();
  if (frame.mapping != nullptr) {
    end_mapping(frame);
  } else if (frame.entries == 0 && !frame.list->may_be_empty) {
    mistakes_.add(frame.at, Code::kEmptyValue,
                  fmt::format("'{}' must be {}, and it is empty", frame.list->key, frame.list->expected));
  }
  const bool good = mistakes_.count() == frame.mistakes_before;
  const Place there = frame.at;
  --depth_;
  if (depth_ == 0) {
    return;
  }
  if (top().mapping != nullptr) {
    key_ = Key::kKnown;
    field_ = top().open_field;
    value_done(good, there);
  } else {
    key_ = Key::kNone;
  }
}

void FileReader::end_mapping(const Frame& frame) {
  for (std::size_t i = 0; i < frame.mapping->fields.size(); ++i) {
    const Field& field = frame.mapping->fields[i];
    if (field.required && !frame.tried(i)) {
      mistakes_.add(
          frame.at, Code::kMissingKey, fmt::format("'{}' is missing in {}", field.key, frame.mapping->name),
          field.decode != nullptr && depth_ == 1 ? fmt::format("{}: {}", field.key, field.expected) : std::string());
    }
  }
  if (frame.mapping->end != nullptr) {
    frame.mapping->end(reading_, frame);
  }
}

// ---- secrets and syntax ----

/// The value of a key such as `password` ended before this event.
void FileReader::close_secret(const YAML::Mark& mark) {
  // The first event after the key is its value, or in it.
  if (skipping_ != 0 || key_ != Key::kNone) {
    return;
  }
  const auto line = static_cast<std::uint32_t>(mark.line + 1);
  mistakes_.hide_lines(reading_.file, secret_line_, std::max(secret_line_, line - 1));
  secret_open_ = false;
}

void FileReader::syntax_error(const YAML::Exception& error) {
  const Wording wording = wording_of(error.msg);
  reading_.draft.files_whole = false;
  const std::size_t offset = offset_of(error.mark);
  if (wording.code == Code::kTooDeep) {
    too_deep(error.mark.is_null() ? Place{reading_.file, 1, 1} : place(error.mark));
    return;
  }
  const std::size_t from = std::min(last_offset_, offset);
  const bool secret = secret_open_ || holds_secret(text_.substr(from, offset - from));
  const Place there = error.mark.is_null() ? Place{reading_.file, 1, 1} : place(error.mark);
  if (has_tabs_ && indented_by_tab(offset)) {
    if (tab_line_ != there.line) {
      mistakes_.add(there, Code::kYamlSyntax, "a tab may not indent", "indent with spaces", !secret);
    }
    return;
  }
  mistakes_.add(there, wording.code, std::string(wording.message), std::string(wording.hint), !secret);
}

bool FileReader::indented_by_tab(std::size_t offset) const {
  // Farther from the start of its line nobody would look for an indentation.
  const std::size_t most = 1'000;
  const std::string_view before = text_.substr(offset - std::min(offset, most), std::min(offset, most));
  const std::size_t line_end = before.rfind('\n');
  if (line_end == std::string_view::npos) {
    return false;
  }
  const std::string_view line = before.substr(line_end + 1);
  return line.substr(0, std::min(line.find_first_not_of(kBlank), line.size())).find('\t') != std::string_view::npos;
}

void FileReader::run(std::string_view parsed_text) {
  TextBuffer buffer(parsed_text, events_);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (!stuck_ && parser.HandleNextDocument(*this)) {
    }
  } catch (const YAML::Exception& error) {
    syntax_error(error);
  } catch (const TooManyOpen&) {
    reading_.draft.files_whole = false;
    documents_ = true;
    YAML::Mark mark;
    mark.pos = static_cast<int>(last_offset_);
    const std::string_view before = text_.substr(0, last_offset_);
    mark.line = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    mark.column = static_cast<int>(before.size() - (before.rfind('\n') + 1));  // npos + 1 is 0
    deep_said_ = false;
    too_deep(place(mark));
  }
  if (secret_open_) {
    mistakes_.hide_lines(reading_.file, secret_line_, 0xffffffff);
  }
  if (!documents_ && !control_ && reading_.draft.files_whole) {
    mistakes_.add({reading_.file, 1, 1}, Code::kNoDocument, "the file holds no document",
                  "begin it with apiVersion: gpup/v1", false);
  }
}

}  // namespace

void read_file(const ScannedText& scanned, Reading& reading) {
  FileReader reader(scanned, reading);
  if (!scanned.control) {
    reader.run(scanned.text);
    return;
  }
  // Control characters were reported; the parser takes some of them for the end of the file.
  std::string clean(scanned.text);
  bool line_start = true;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    const bool line_end = byte == '\n' || (byte == '\r' && i + 1 < clean.size() && clean[i + 1] == '\n');
    if ((byte < 0x20 && byte != '\t' && !line_end) || byte == 0x7f) {
      clean[i] = line_start ? ' ' : 'x';
    } else {
      line_start = line_end;
    }
  }
  reader.run(clean);
}

}  // namespace gpup
