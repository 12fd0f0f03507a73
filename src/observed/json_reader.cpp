#include "observed/json_reader.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#if defined(__unix__)
#include <sys/mman.h>
#endif

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::size_t kFewNames = 16;       ///< up to here names are compared one by one
constexpr std::size_t kMostFindings = 100;  ///< more are not kept: a hostile file must not fill the memory
constexpr std::size_t kToken = 24;          ///< bytes of a token that a message shows
constexpr std::uint64_t kLargestIndexed = 0xffffffffU - 1024U;  ///< simdjson counts in 32 bits

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | (code >> 6U));
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3fU));
    put(0x80U | ((code >> 6U) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
}

bool is_high(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }
char32_t join_pair(char32_t high, char32_t low) { return 0x10000 + ((high - 0xd800) << 10U) + (low - 0xdc00); }

/// UTF-16 after its byte order mark as UTF-8; nothing if it is not valid.
std::optional<std::string> from_utf16(std::string_view bytes, bool big_endian) {
  if (bytes.size() % 2 != 0) {
    return std::nullopt;
  }
  const auto unit = [bytes, big_endian](std::size_t at) -> char32_t {
    const char32_t first = byte(bytes[at]);
    const char32_t second = byte(bytes[at + 1]);
    return big_endian ? (first << 8U) | second : (second << 8U) | first;
  };
  std::string text;
  text.reserve(bytes.size() / 2 + bytes.size() / 16);
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    char32_t code = unit(at);
    if (is_high(code)) {
      if (at + 2 >= bytes.size() || !is_low(unit(at + 2))) {
        return std::nullopt;
      }
      at += 2;
      code = join_pair(code, unit(at));
    } else if (is_low(code)) {
      return std::nullopt;
    }
    append_utf8(text, code);
  }
  return text;
}

std::optional<char32_t> four_hex(std::string_view text) {
  if (text.size() < 4) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
  return error == std::errc{} && end == text.data() + 4 ? std::optional<char32_t>(value) : std::nullopt;
}

/// A member's name as it stands in a path: plain words as they are, others quoted and shortened.
std::string path_part(std::string_view key) {
  const bool plain =
      !key.empty() && key.size() <= 40 && !is_digit(key[0]) && std::all_of(key.begin(), key.end(), [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      });
  return plain ? std::string(key) : fmt::format("[\"{}\"]", JsonReader::shown(key, kToken));
}

constexpr std::size_t kKept = std::size_t{16} * 1024;

using Tokens = std::unique_ptr<simdjson::internal::dom_parser_implementation>;

/// What finds the tokens of a text of up to kKept bytes, for the next one, on whatever thread: hosts answer often, and
/// most answers are small. (Not one a thread: with mingw-w64, what a thread has is destroyed after it was freed.)
std::atomic<simdjson::internal::dom_parser_implementation*> spare = nullptr;

Tokens take_spare() { return Tokens(spare.exchange(nullptr)); }
void keep_spare(Tokens tokens) { Tokens(spare.exchange(tokens.release())).reset(); }

}  // namespace

JsonReader::JsonReader(std::string text, std::string path, std::uint64_t max_bytes, std::string_view root)
    : text_(std::move(text)),
      path_name_(std::move(path)),
      max_bytes_(std::min(max_bytes, kLargestIndexed)),
      root_(root) {
  where_.reserve(kMaxDepth + 1);
}

JsonReader::~JsonReader() {
  if (tokens_ && tokens_->capacity() <= kKept) {
    keep_spare(std::move(tokens_));
  }
}

bool JsonReader::start() {
  static constexpr std::uint32_t kNothing[] = {0};
  index_ = kNothing;
  if (text_.size() > max_bytes_) {
    return stop(0, Code::kJsonTooLarge,
                fmt::format("it has {} bytes; at most {} are read", text_.size(), human_size(max_bytes_)));
  }
  if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff")) {
    std::optional<std::string> converted = from_utf16(std::string_view(text_).substr(2), byte(text_[0]) == 0xfe);
    if (!converted) {
      text_.clear();  // not to be shown
      return stop(0, Code::kJsonEncoding, "it begins as UTF-16 but is not valid UTF-16");
    }
    text_ = *std::move(converted);
    if (text_.size() > kLargestIndexed) {
      return stop(0, Code::kJsonTooLarge, fmt::format("it has {} bytes of UTF-8", text_.size()));
    }
  } else if (text_.starts_with("\xef\xbb\xbf")) {
    text_.erase(0, 3);
  } else if (text_.size() >= 2 && (text_[0] == '\0') != (text_[1] == '\0')) {
    text_.clear();
    return stop(0, Code::kJsonEncoding, "it looks like UTF-16 without a byte order mark; expected UTF-8",
                "write it with Out-File -Encoding utf8");
  }
  if (text_.empty()) {
    return stop(0, Code::kJsonSyntax, "it is empty; expected a JSON object");
  }
  const simdjson::implementation& implementation = *simdjson::get_active_implementation();
  tokens_ = take_spare();
  simdjson::error_code error = simdjson::SUCCESS;
  if (!tokens_ || tokens_->capacity() < text_.size()) {
    error = implementation.create_dom_parser_implementation(std::max(text_.size(), kKept), 1, tokens_);
  }
  if (error == simdjson::SUCCESS) {
    error = tokens_->stage1(reinterpret_cast<const std::uint8_t*>(text_.data()), text_.size(),
                            simdjson::stage1_mode::regular);
  }
  if (error != simdjson::SUCCESS) {
    return stop_first_stage(error == simdjson::MEMALLOC || error == simdjson::CAPACITY);
  }
  index_ = tokens_->structural_indexes.get();
  count_ = tokens_->n_structural_indexes;
  tokens_->structural_indexes[count_] = static_cast<std::uint32_t>(text_.size());
  return true;
}

/// The first stage says what is wrong, but not where.
bool JsonReader::stop_first_stage(bool out_of_memory) {
  if (out_of_memory) {
    return stop(0, Code::kJsonTooLarge, "there is not enough memory to read it");
  }
  if (const std::optional<std::size_t> bad = invalid_utf8_at(text_)) {
    return stop(static_cast<std::uint32_t>(*bad), Code::kJsonEncoding, "this byte is not valid UTF-8");
  }
  std::size_t at = 0;
  while ((at = text_.find('"', at)) != std::string::npos) {
    const std::size_t open = at;
    for (++at; at < text_.size() && text_[at] != '"'; ++at) {
      if (byte(text_[at]) < 0x20) {
        // Mostly a quote that was forgotten: the line ends inside the string.
        return stop(static_cast<std::uint32_t>(at), Code::kJsonSyntax,
                    text_[at] == '\n' || text_[at] == '\r'
                        ? "the line ends inside a string"
                        : "a control character in a string must be written as an escape");
      }
      if (text_[at] == '\\') {
        ++at;
      }
    }
    if (at >= text_.size()) {
      return stop(static_cast<std::uint32_t>(open), Code::kJsonSyntax, "this string has no end; was the file cut off?");
    }
    ++at;
  }
  return stop(0, Code::kJsonSyntax, "it is empty; expected a JSON object");
}

void JsonReader::give_back_taken() {
#if defined(__unix__)
  constexpr std::uint32_t kAtOnce = 256U * 1024;  // tokens: 1 MiB
  constexpr std::uintptr_t kPage = 64UL * 1024;   // no system's pages are larger
  if (dead_ || at_ - given_back_ < kAtOnce) {
    return;
  }
  // Whole pages between the last one and here: nothing else lies in them, and nothing before `at_` is looked at again.
  const auto first = (reinterpret_cast<std::uintptr_t>(index_ + given_back_) + kPage - 1) / kPage * kPage;
  const auto last = reinterpret_cast<std::uintptr_t>(index_ + at_) / kPage * kPage;
  if (first < last) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address that was rounded to pages
    madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    given_back_ = at_;
  }
#endif
}

bool JsonReader::full() const { return findings_.size() >= kMostFindings; }

bool JsonReader::finish() {
  if (at_ < count_) {
    return stop(offset(), Code::kJsonSyntax,
                fmt::format("nothing may follow the end of the object, found '{}'", shown(raw(), kToken)));
  }
  return true;
}

Diagnostics JsonReader::take_diagnostics() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const Finding& a, const Finding& b) { return a.offset < b.offset; });
  Sources sources;
  const std::uint32_t file = sources.add(path_name_, std::move(text_));
  const std::string& text = sources.files()[file].text;
  Diagnostics diagnostics;
  diagnostics.reserve(findings_.size());
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::size_t seen = 0;
  for (Finding& finding : findings_) {
    for (; seen < finding.offset && seen < text.size(); ++seen) {
      if (text[seen] == '\n') {
        ++line;
        column = 1;
      } else if ((byte(text[seen]) & 0xc0U) != 0x80) {
        ++column;
      }
    }
    const bool whole = finding.code == Code::kJsonTooLarge;
    const Place place{file, whole ? 0 : line, whole ? 0 : column};
    Diagnostic diagnostic =
        sources.at(place, finding.code, Severity::kError, std::move(finding.message), std::move(finding.hint));
    diagnostic.file = path_name_;
    diagnostics.push_back(std::move(diagnostic));
  }
  findings_.clear();
  return diagnostics;
}

bool JsonReader::stop(std::uint32_t offset, Code code, std::string message, std::string hint) {
  if (findings_.size() >= kMostFindings) {
    findings_.pop_back();
  }
  findings_.push_back({offset, code, std::move(message), std::move(hint)});
  dead_ = true;
  return false;
}

void JsonReader::note_at(std::uint32_t offset, Code code, std::string message, std::string hint) {
  if (findings_.size() < kMostFindings) {
    findings_.push_back({offset, code, std::move(message), std::move(hint)});
  }
}

std::string JsonReader::shown(std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    return std::string(text);
  }
  std::size_t end = most;
  while (end > 0 && (byte(text[end]) & 0xc0U) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end)) + "...";
}

std::string JsonReader::where() const {
  std::string path;
  for (const Segment& segment : where_) {
    if (segment.is_item) {
      path += fmt::format("[{}]", segment.index);
    } else {
      const std::string part = path_part(segment.key);
      path += path.empty() || part.front() == '[' ? part : '.' + part;
    }
  }
  return path;
}

std::string JsonReader::quoted_where() const { return where_.empty() ? std::string(root_) : '\'' + where() + '\''; }

/// The grammar wants something else here.
bool JsonReader::unexpected(std::string_view expected) {
  if (at_ >= count_) {
    return stop(static_cast<std::uint32_t>(text_.size()), Code::kJsonSyntax,
                fmt::format("the text ends here, expected {}; was the file cut off?", expected));
  }
  return stop(offset(), Code::kJsonSyntax, fmt::format("expected {}, found '{}'", expected, shown(raw(), kToken)));
}

/// Takes the bracket that the reader stands at.
bool JsonReader::enter(char open) {
  if (depth_ == kMaxDepth) {
    return stop(offset(), Code::kJsonTooDeep,
                fmt::format("this {} is nested too deep; at most {} levels are read", open == '{' ? "object" : "list",
                            kMaxDepth));
  }
  ++depth_;
  ++at_;
  return true;
}

/// Takes a member's name and its colon. The name is valid as long as the reader lives.
bool JsonReader::key(std::string_view& name) {
  if (peek() != '"') {
    return peek() == '}' ? stop(offset(), Code::kJsonSyntax, "a comma before '}' is not allowed in JSON")
                         : unexpected("a member's name in double quotes");
  }
  const std::optional<std::string_view> text = raw_string();
  if (!text) {
    return false;
  }
  name = text->data() == unescaped_.data() ? keys_.keep(*text) : *text;
  if (peek() != ':') {
    return unexpected("':' after a member's name");
  }
  ++at_;
  return true;
}

/// Takes the comma or the closing bracket after a value.
bool JsonReader::after_value(char close, bool& more) {
  const char next = peek();
  if (next == close) {
    ++at_;
    more = false;
    return true;
  }
  if (next != ',') {
    return unexpected(close == '}' ? "',' or '}' after a member" : "',' or ']' after an item");
  }
  ++at_;
  if (close == ']' && peek() == ']') {
    return stop(offset(), Code::kJsonSyntax, "a comma before ']' is not allowed in JSON");
  }
  return true;
}

/// Remembers a name of an open object whose first unknown name stands at `first`; a repeated one is noted at once
/// in small objects, at the end in large ones.
bool JsonReader::unknown_name(std::size_t first, Name name) {
  if (names_.size() - first < kFewNames) {
    const bool known = std::any_of(names_.begin() + static_cast<std::ptrdiff_t>(first), names_.end(),
                                   [&name](const Name& other) { return other.text == name.text; });
    if (known) {
      repeated(name);
      return !dead_;
    }
  }
  names_.push_back(name);
  return true;
}

void JsonReader::close_names(std::size_t first) {
  if (names_.size() - first > kFewNames) {
    const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, names_.end(), [](const Name& a, const Name& b) {
      const int order = a.text.compare(b.text);
      return order != 0 ? order < 0 : a.offset < b.offset;
    });
    for (auto name = begin; name + 1 != names_.end(); ++name) {
      if (name->text == (name + 1)->text) {
        repeated(*(name + 1));
      }
    }
  }
  names_.resize(first);
}

void JsonReader::repeated(Name name) {
  if (full()) {
    return;
  }
  note_at(name.offset, Code::kJsonRepeated,
          fmt::format("the member '{}' stands twice in {}", shown(name.text), quoted_where()));
}

void JsonReader::missing(std::uint32_t offset, std::string_view name, std::string_view what) {
  if (full()) {
    return;
  }
  note_at(offset, Code::kJsonMissing,
          where_.empty() ? fmt::format("{} has no '{}'", root_, name)
                         : fmt::format("'{}' has no '{}'; {} must have one", where(), name, what));
}

/// The token's bytes, without the white space after it.
std::string_view JsonReader::raw() const {
  std::uint32_t end = index_[at_ + 1];
  while (end > index_[at_] && is_space(text_[end - 1])) {
    --end;
  }
  return std::string_view(text_).substr(index_[at_], end - index_[at_]);
}

/// Takes the string that the reader stands at. Valid until the next one is taken, longer where it holds no escape.
std::optional<std::string_view> JsonReader::raw_string() {
  const std::string_view whole = raw();
  const std::uint32_t start = offset();
  ++at_;
  std::string_view rest = whole.substr(1, whole.size() - 2);
  if (std::memchr(rest.data(), '\\', rest.size()) == nullptr) {
    return rest;
  }
  unescaped_.clear();
  const auto bad = [&](std::string_view tail, Code code, std::string message) {
    stop(start + static_cast<std::uint32_t>(tail.data() - whole.data()), code, std::move(message));
    return std::nullopt;
  };
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    unescaped_.append(rest.substr(0, plain));
    rest.remove_prefix(plain);
    if (rest.empty()) {
      break;
    }
    const std::string_view escape = rest;
    const char letter = escape[1];  // a string cannot end in a lone backslash
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t simple = kLetters.find(letter); simple != std::string_view::npos) {
      unescaped_ += kMeanings[simple];
      rest.remove_prefix(2);
      continue;
    }
    const std::optional<char32_t> unit = letter == 'u' ? four_hex(escape.substr(2)) : std::nullopt;
    if (!unit) {
      return bad(escape, Code::kJsonSyntax,
                 fmt::format("'{}' is no escape of JSON", shown(escape.substr(0, letter == 'u' ? 6 : 2))));
    }
    rest.remove_prefix(6);
    char32_t code = *unit;
    if (is_high(code) && rest.starts_with("\\u")) {
      if (const std::optional<char32_t> low = four_hex(rest.substr(2)); low && is_low(*low)) {
        code = join_pair(code, *low);
        rest.remove_prefix(6);
      }
    }
    if (is_high(code) || is_low(code)) {
      return bad(escape, Code::kJsonEncoding,
                 fmt::format("'{}' is half of a surrogate pair; it stands for no character", escape.substr(0, 6)));
    }
    append_utf8(unescaped_, code);
  }
  return unescaped_;
}

std::string_view JsonReader::kind() const {
  switch (peek()) {
    case '{':
      return "an object";
    case '[':
      return "a list";
    case '"':
      return "a string";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

bool JsonReader::wrong_type(std::string_view expected) {
  const std::uint32_t place = at_ < count_ ? offset() : static_cast<std::uint32_t>(text_.size());
  if (full()) {
    return skip();
  }
  const std::string_view found = kind();
  const std::string name = quoted_where();
  const std::size_t before = findings_.size();
  if (!skip()) {
    return false;
  }
  // Before what was found inside the value.
  findings_.insert(findings_.begin() + static_cast<std::ptrdiff_t>(before),
                   {place, Code::kJsonType, fmt::format("{} must be {}, not {}", name, expected, found), {}});
  return true;
}

bool JsonReader::valid_number(std::string_view text) const {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) {
      ++at;
    }
    return at - first;
  };
  if (at < text.size() && text[at] == '-') {
    ++at;
  }
  const bool zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) {
    return false;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) {
      return false;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
      ++at;
    }
    if (digits() == 0) {
      return false;
    }
  }
  return at == text.size();
}

/// Takes the word or number that the reader stands at.
bool JsonReader::word(std::string_view expected) {
  if (at_ >= count_ || raw() != expected) {
    return unexpected("a value");
  }
  ++at_;
  return true;
}

bool JsonReader::check_number(std::string_view text) {
  if (valid_number(text)) {
    return true;
  }
  const char first = text.empty() ? '\0' : text[0];
  if (is_digit(first) || first == '-' || first == '+' || first == '.') {
    return stop(offset(), Code::kJsonSyntax, fmt::format("'{}' is no number of JSON", shown(text, kToken)));
  }
  return unexpected("a value");
}

bool JsonReader::skip() {
  struct Nothing {
  } nothing;
  static constexpr std::array<Member<Nothing, Nothing>, 0> kNone{};
  switch (peek()) {
    case '{':
      return object(kNone, nothing, nothing, {});
    case '[':
      return list([this] { return skip(); });
    case '"':
      return raw_string().has_value();
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      if (at_ >= count_ || !check_number(raw())) {
        return dead_ ? false : unexpected("a value");
      }
      ++at_;
      return true;
  }
}

std::optional<std::string_view> JsonReader::string(std::string_view expected) {
  if (peek() != '"') {
    wrong_type(expected);
    return std::nullopt;
  }
  const std::uint32_t place = offset();
  const std::optional<std::string_view> text = raw_string();
  if (text && text->data() == unescaped_.data() && text->find('\0') != std::string_view::npos) {
    note_at(place, Code::kJsonRange, fmt::format("{} must not hold U+0000", quoted_where()));
    return std::nullopt;
  }
  return text;
}

std::optional<bool> JsonReader::boolean() {
  const char first = peek();
  if (first != 't' && first != 'f') {
    wrong_type("true or false");
    return std::nullopt;
  }
  return word(first == 't' ? "true" : "false") ? std::optional(first == 't') : std::nullopt;
}

std::optional<std::uint64_t> JsonReader::number(std::uint64_t least, std::uint64_t most) {
  const char first = peek();
  if (first != '-' && !is_digit(first)) {
    wrong_type("a whole number");
    return std::nullopt;
  }
  const std::string_view text = raw();
  if (!check_number(text)) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = std::all_of(text.begin() + (first == '-' ? 1 : 0), text.end(), is_digit);
  if (!whole) {
    note(Code::kJsonType,
         fmt::format("{} must be a whole number in digits alone, not {}", quoted_where(), shown(text, kToken)));
  } else if (error != std::errc{} || value < least || value > most) {
    note(Code::kJsonRange,
         fmt::format("{} must be from {} to {}, not {}", quoted_where(), least, most, shown(text, kToken)));
  } else {
    ++at_;
    return value;
  }
  ++at_;
  return std::nullopt;
}

bool JsonReader::null() { return peek() == 'n' && word("null"); }

}  // namespace gpup
