#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/diagnostics.h"

namespace gpup {

/// What is wrong with the files, as it is found. Keeps the first 10,000 and counts the rest.
class Mistakes {
 public:
  static constexpr std::size_t kMost = 10'000;

  explicit Mistakes(const Sources& sources) : sources_(sources) {}

  /// `echo` false: the line is never shown.
  void add(Place place, Code code, std::string message, std::string hint = {}, bool echo = true);

  /// How many there are, those that are not kept included.
  std::size_t count() const { return kept_.size() + more_; }

  /// Whether another one would only be counted.
  bool full() const { return kept_.size() >= kMost; }

  /// Takes the one back that `count()` was before it was added.
  void take_back(std::size_t number);

  /// Lines that hold a secret: nothing that is said about them shows them.
  void hide_lines(std::uint32_t file, std::uint32_t first, std::uint32_t last);

  /// `hci-east.yaml:8:11`, to name another place in a message.
  std::string name(Place place) const;

  /// All of them by file, line and column; where some were not kept the last one says how many.
  Diagnostics finish();

 private:
  struct Mistake {
    Place place;
    Code code{};
    bool echo = true;
    std::string message;
    std::string hint;
  };
  struct Lines {
    std::uint32_t file = 0;
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  bool hidden(Place place) const;

  const Sources& sources_;
  std::vector<Mistake> kept_;
  std::vector<Lines> hidden_;
  std::size_t more_ = 0;
  Code first_more_{};
};

/// A key that would hold a secret: `password`, `apiToken`, `client_secret`, ...
bool names_secret(std::string_view key);

/// Whether some `password:` or the like stands in the text.
bool holds_secret(std::string_view text);

/// The text in quotes, cut to about 60 characters.
std::string in_quotes(std::string_view text);

}  // namespace gpup
