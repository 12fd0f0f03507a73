#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace gpup {

/// Stand-ins for what names machines, people and places in documents of ours: `host-1`, `vm-2`, `path-3`. One name has
/// one stand-in in all documents of one object of this, numbered by first sight, so that nothing of the name is in it
/// and nobody can find it by trying names.
///
/// What is let through is listed, not what is kept back: words of the formats, numbers, times, models of GPUs. Texts
/// for people keep their words, but for the names that the documents have anywhere, and whatever looks like an id, a
/// path, an address, or stands in quotes.
class Pseudonyms {
 public:
  using Words = std::set<std::string, std::less<>>;

  /// `words`: of the formats, names of members among them.
  explicit Pseudonyms(Words words) : words_(std::move(words)) {}

  /// Takes the names of a document, JSON or lines of JSON, whose kinds are known by where they stand. All documents are
  /// learned before one is written. False where it is no such document.
  bool learn(std::string_view document);

  /// The document with stand-ins; nothing where it is none.
  std::optional<std::string> write(std::string_view document);

  /// A text for people with stand-ins.
  std::string text(std::string_view text);

 private:
  class Walk;

  std::string stand_in(std::string_view kind, std::string_view value);
  const std::string* find(std::string_view value) const;
  std::string known_names(std::string_view text) const;
  std::string unknown_names(std::string_view text);
  std::string word(std::string_view word);
  void take_word(std::string_view& text, std::size_t size, std::string& out);
  std::string words(std::string_view text);
  bool is_word(std::string_view text) const { return words_.contains(text); }

  Words words_;
  Words models_;
  std::map<std::string, std::string, std::less<>> names_;
  std::map<std::string, std::size_t, std::less<>> counts_;
  std::set<std::size_t> lengths_;  ///< of the names
  std::set<std::string, std::less<>> stand_ins_;
};

}  // namespace gpup
