#include "desired/mistakes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr auto kSecretWords = std::to_array<std::string_view>(
    {"pass", "pwd", "secret", "token", "credential", "apikey", "privatekey", "accesskey", "cipher", "passphrase"});

constexpr std::size_t kLongestQuoted = 60;

bool part_of_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool between_key_and_colon(char c) { return c == ' ' || c == '\t' || c == '\'' || c == '"'; }

}  // namespace

bool names_secret(std::string_view key) {
  std::string word = fold_case(key);
  std::erase_if(word, [](char c) { return c == '_' || c == '-' || c == '.' || c == ' '; });
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](std::string_view secret) { return word.find(secret) != std::string::npos; });
}

bool holds_secret(std::string_view text) {
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    std::size_t end = colon;
    while (end > 0 && between_key_and_colon(text[end - 1])) {
      --end;
    }
    std::size_t begin = end;
    while (begin > 0 && part_of_key(text[begin - 1])) {
      --begin;
    }
    if (begin != end && names_secret(text.substr(begin, end - begin))) {
      return true;
    }
  }
  return false;
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= kLongestQuoted) {
    return fmt::format("'{}'", text);
  }
  std::size_t end = kLongestQuoted;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return fmt::format("'{}...'", text.substr(0, end));
}

void Mistakes::add(Place place, Code code, std::string message, std::string hint, bool echo) {
  if (!full()) {
    kept_.push_back({place, code, echo, std::move(message), std::move(hint)});
  } else if (++more_ == 1) {
    first_more_ = code;
  }
}

void Mistakes::take_back(std::size_t number) {
  if (number < kept_.size()) {
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(number));
  } else if (more_ > 0) {
    --more_;
  }
}

void Mistakes::hide_lines(std::uint32_t file, std::uint32_t first, std::uint32_t last) {
  if (!hidden_.empty() && hidden_.back().file == file && hidden_.back().last + 1 >= first) {
    hidden_.back().last = std::max(hidden_.back().last, last);
  } else {
    hidden_.push_back({file, first, last});
  }
}

std::string Mistakes::name(Place place) const {
  return place.known() ? fmt::format("{}:{}", sources_.short_name(place), place.column) : std::string();
}

bool Mistakes::hidden(Place place) const {
  // They were added in order, and those that touch are one.
  const auto after = std::upper_bound(hidden_.begin(), hidden_.end(), place, [](Place at, const Lines& lines) {
    return std::tie(at.file, at.line) < std::tie(lines.file, lines.first);
  });
  return after != hidden_.begin() && std::prev(after)->file == place.file && std::prev(after)->last >= place.line;
}

Diagnostics Mistakes::finish() {
  std::stable_sort(kept_.begin(), kept_.end(), [](const Mistake& a, const Mistake& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) < std::tie(b.place.file, b.place.line, b.place.column);
  });
  Diagnostics diagnostics;
  diagnostics.reserve(kept_.size() + 1);
  Place line;
  bool secret = false;
  for (Mistake& mistake : kept_) {
    if (mistake.place.file != line.file || mistake.place.line != line.line) {
      line = mistake.place;
      secret = hidden(line) || (line.known() && holds_secret(sources_.line_text(line)));
    }
    diagnostics.push_back(sources_.at(mistake.place, mistake.code, Severity::kError, std::move(mistake.message),
                                      std::move(mistake.hint), mistake.echo && !secret));
  }
  if (more_ > 0) {
    Diagnostic rest;
    rest.code = first_more_;
    rest.message = fmt::format("{} more mistakes are in the files", more_);
    diagnostics.push_back(std::move(rest));
  }
  return diagnostics;
}

}  // namespace gpup
