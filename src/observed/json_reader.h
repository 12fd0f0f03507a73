#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text_pool.h"

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace gpup {

/// The largest numbers of the formats, for JsonReader::number.
inline constexpr std::uint64_t kMost16 = std::numeric_limits<std::uint16_t>::max();
inline constexpr std::uint64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint64_t kMost64 = std::numeric_limits<std::uint64_t>::max();

/// A member of an object that a reader knows. `read` is called with the reader standing at the value and takes it;
/// false means that reading cannot go on.
template <class Owner, class Row>
struct Member {
  std::string_view name;
  bool required;
  bool (*read)(Owner& owner, Row& row);
};

/// Walks a JSON text once, token by token, and minds everything: the grammar of RFC 8259 to the letter (unknown members
/// included), repeated members, the depth, the encoding. simdjson finds the tokens (its first stage, which also checks
/// UTF-8 and that strings end); the grammar is ours, since On-Demand neither looks into what is skipped nor says where
/// a mistake stands.
///
/// Mistakes of meaning (types, ranges, ...) are noted and reading goes on; mistakes of grammar end it: the functions
/// that walk return false then, and `take_error` has the reason.
class JsonReader {
 public:
  static constexpr std::size_t kMaxDepth = 64;

  /// `root` is what messages call the whole of it.
  JsonReader(std::string text, std::string path, std::uint64_t max_bytes, std::string_view root = "the snapshot");
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  /// Finds the tokens. False where the text is too large, empty, not UTF-8, ...
  bool start();

  /// After the root: nothing but white space may follow.
  bool finish();

  /// What is wrong, in the order of the text; empty if nothing is.
  bool failed() const { return !findings_.empty(); }
  Diagnostics take_diagnostics();

  // Where the reader stands.

  /// The first byte of the token: one of `{ [ ] } : , "`, or of a number or word; 0 at the end.
  char peek() const { return at_ < count_ ? text_[index_[at_]] : '\0'; }
  std::uint32_t offset() const { return index_[at_]; }
  /// The token's bytes as they stand in the text, without the white space after it.
  std::string_view raw() const;

  /// Gives back the memory of the tokens that were taken, where the system lets it: a large snapshot's tokens take
  /// half as much as its text, which is there beside all that was made of it. Cheap to call often.
  void give_back_taken();

  // Values. `std::nullopt` means that the value was something else, which was noted, or that reading is over
  // (`dead`); the value is taken in any case. `expected` completes "must be ...".

  std::optional<std::string_view> string(std::string_view expected = "a string");
  std::optional<bool> boolean();
  std::optional<std::uint64_t> number(std::uint64_t least, std::uint64_t most);
  /// Takes a `null`, if one is there.
  bool null();
  /// Takes any value and minds its grammar.
  bool skip();
  bool dead() const { return dead_; }

  /// Walks an object whose members are the table's; unknown ones are skipped. Missing ones are noted with `what`
  /// ("a host"). `present` gets a bit for each row that was there.
  template <class Owner, class Row, std::size_t N>
  bool object(const std::array<Member<Owner, Row>, N>& members, Owner& owner, Row& row, std::string_view what,
              std::uint64_t* present = nullptr);

  /// Walks an object whose members' names are not known beforehand; `item(name)` takes one value, false to stop.
  template <class Item>
  bool members(Item item);

  /// Walks a list; `item()` takes one value, false to stop.
  template <class Item>
  bool list(Item item);

  // Mistakes.

  /// At the token where the reader stands.
  void note(Code code, std::string message, std::string hint = {}) {
    note_at(offset(), code, std::move(message), std::move(hint));
  }
  void note_at(std::uint32_t offset, Code code, std::string message, std::string hint = {});
  /// `'hosts[0].name' must be a string, not a list`, and takes the value.
  bool wrong_type(std::string_view expected);
  /// The start of a text, short enough for a message.
  static std::string shown(std::string_view text, std::size_t most = 60);
  /// Where the reader is: `hosts[0].gpus[1].partitionCount`.
  std::string where() const;
  /// `'hosts[0].name'`, or `the snapshot` (what the root is called) at the root.
  std::string quoted_where() const;

  std::size_t findings() const { return findings_.size(); }
  /// True where no more mistakes are kept: no need to put one in words.
  bool full() const;
  /// Forgets the mistakes since the `first` one for which `drop(offset, code)` holds.
  template <class Drop>
  void forget(std::size_t first, Drop drop);

 private:
  struct Segment {
    std::string_view key;  ///< of an object's member; a list's item has none
    std::uint32_t index = 0;
    bool is_item = false;
  };
  struct Name {
    std::string_view text;
    std::uint32_t offset = 0;
  };
  struct Finding {
    std::uint32_t offset = 0;
    Code code{};
    std::string message;
    std::string hint;
  };

  bool stop(std::uint32_t offset, Code code, std::string message, std::string hint = {});
  bool stop_first_stage(bool out_of_memory);
  bool unexpected(std::string_view expected);
  bool enter(char open);
  bool key(std::string_view& name);
  bool after_value(char close, bool& more);
  bool unknown_name(std::size_t first, Name name);
  void close_names(std::size_t first);
  void repeated(Name name);
  void missing(std::uint32_t offset, std::string_view name, std::string_view what);
  std::optional<std::string_view> raw_string();
  bool word(std::string_view expected);
  bool check_number(std::string_view text);
  bool valid_number(std::string_view text) const;
  std::string_view kind() const;

  std::string text_;
  std::string path_name_;
  std::uint64_t max_bytes_;
  std::string_view root_;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> tokens_;
  const std::uint32_t* index_ = nullptr;  ///< offsets of the tokens, then the end
  std::uint32_t count_ = 0;
  std::uint32_t at_ = 0;
  std::uint32_t given_back_ = 0;  ///< tokens before this one are gone
  std::vector<Segment> where_;
  std::vector<Name> names_;  ///< of the objects that are open
  std::size_t depth_ = 0;
  std::string unescaped_;  ///< the last string that held escapes
  TextPool keys_;          ///< names that held escapes
  std::vector<Finding> findings_;
  bool dead_ = false;
};

template <class Owner, class Row, std::size_t N>
bool JsonReader::object(const std::array<Member<Owner, Row>, N>& members, Owner& owner, Row& row, std::string_view what,
                        std::uint64_t* present) {
  static_assert(N <= 64);
  if (peek() != '{') {
    return wrong_type("an object");
  }
  const std::uint32_t start = offset();
  const std::size_t first_name = names_.size();
  if (!enter('{')) {
    return false;
  }
  std::uint64_t seen = 0;
  std::size_t guess = 0;  // members mostly come in the table's order
  bool more = peek() != '}';
  if (!more) {
    ++at_;
  }
  while (more) {
    const std::uint32_t place = offset();
    std::string_view name;
    if (!key(name)) {
      return false;
    }
    std::size_t found = N;
    for (std::size_t tried = 0; tried < N; ++tried) {
      const std::size_t candidate = guess + tried < N ? guess + tried : guess + tried - N;
      if (members[candidate].name == name) {
        found = candidate;
        break;
      }
    }
    if (found < N) {
      const std::uint64_t bit = std::uint64_t{1} << found;
      guess = found + 1 < N ? found + 1 : 0;
      where_.push_back({name, 0, false});
      if ((seen & bit) != 0) {
        where_.pop_back();
        repeated({name, place});
        where_.push_back({name, 0, false});
        if (!skip()) {
          return false;
        }
      } else if (!members[found].read(owner, row)) {
        return false;
      }
      seen |= bit;
    } else {
      if (!unknown_name(first_name, {name, place})) {
        return false;
      }
      where_.push_back({name, 0, false});
      if (!skip()) {
        return false;
      }
    }
    where_.pop_back();
    if (dead_ || !after_value('}', more)) {
      return false;
    }
  }
  close_names(first_name);
  --depth_;
  for (std::size_t i = 0; i < N; ++i) {
    if (members[i].required && (seen & (std::uint64_t{1} << i)) == 0) {
      missing(start, members[i].name, what);
    }
  }
  if (present != nullptr) {
    *present = seen;
  }
  return true;
}

template <class Item>
bool JsonReader::members(Item item) {
  if (peek() != '{') {
    return wrong_type("an object");
  }
  const std::size_t first_name = names_.size();
  if (!enter('{')) {
    return false;
  }
  bool more = peek() != '}';
  if (!more) {
    ++at_;
  }
  while (more) {
    const std::uint32_t place = offset();
    std::string_view name;
    if (!key(name) || !unknown_name(first_name, {name, place})) {
      return false;
    }
    where_.push_back({name, 0, false});
    if (!item(name)) {
      return false;
    }
    where_.pop_back();
    if (dead_ || !after_value('}', more)) {
      return false;
    }
  }
  close_names(first_name);
  --depth_;
  return true;
}

template <class Item>
bool JsonReader::list(Item item) {
  if (peek() != '[') {
    return wrong_type("a list");
  }
  if (!enter('[')) {
    return false;
  }
  bool more = peek() != ']';
  if (!more) {
    ++at_;
  }
  where_.push_back({{}, 0, true});
  while (more) {
    if (!item() || dead_ || !after_value(']', more)) {
      return false;
    }
    ++where_.back().index;
  }
  where_.pop_back();
  --depth_;
  return true;
}

template <class Drop>
void JsonReader::forget(std::size_t first, Drop drop) {
  std::size_t kept = first;
  for (std::size_t i = first; i < findings_.size(); ++i) {
    if (!drop(findings_[i].offset, findings_[i].code)) {
      if (kept != i) {
        findings_[kept] = std::move(findings_[i]);
      }
      ++kept;
    }
  }
  findings_.resize(kept);
}

/// For a table of members: reads a string into a member of the row; null leaves it as it is.
template <auto Into, class Row>
bool take_text(JsonReader& reader, Row& row) {
  if (!reader.null()) {
    if (const auto text = reader.string()) {
      row.*Into = std::string(*text);
    }
  }
  return !reader.dead();
}

}  // namespace gpup
