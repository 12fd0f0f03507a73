#include "render/markdown.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::size_t kShownOfName = 80;
constexpr std::size_t kRoomForEnd = 700;  // for what was left out: a few parts, named by us

/// Bytes that begin markup, HTML, mentions or references in some renderer.
constexpr auto kRisky = [] {
  std::array<bool, 256> risky{};
  for (const char c : std::string_view("`*_[]{}<>|\\~&@#!$^")) {
    risky[static_cast<unsigned char>(c)] = true;
  }
  return risky;
}();

/// `:smile:` is a picture.
bool names_emoji(std::string_view rest) {
  std::size_t at = 1;
  while (at < rest.size() && (is_letter(rest[at]) || is_digit(rest[at]) || rest[at] == '+' || rest[at] == '-')) {
    ++at;
  }
  return at > 1 && at < rest.size() && rest[at] == ':';
}

/// Numbers of commits, seven digits of them at least.
bool names_commit(std::string_view rest) {
  constexpr std::size_t kFewest = 7;
  return rest.size() >= kFewest && std::all_of(rest.begin(), rest.begin() + kFewest, is_hex);
}

/// What a renderer would take for a link where the words alone stand.
bool links(std::string_view rest) {
  const auto begins = [&](std::string_view word) { return same_name(rest.substr(0, word.size()), word); };
  return begins("www.") || begins("://") || begins("gh-") || (rest[0] == ':' && names_emoji(rest)) ||
         (rest[0] == '%' && rest.size() > 1 && (is_letter(rest[1]) || is_digit(rest[1]) || rest[1] == '"'));
}

/// True for what is words in every renderer, wherever in a line it stands.
bool is_calm(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') {
    return false;
  }
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool list = text[0] == '-' || text[0] == '+' || text[0] == '=' ||
                    (digits > 0 && digits < text.size() && (text[digits] == '.' || text[digits] == ')'));
  if (list) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool word_begins = i == 0 || !is_hex(text[i - 1]);
    if (kRisky[static_cast<unsigned char>(text[i])] || links(text.substr(i)) ||
        (word_begins && names_commit(text.substr(i)))) {
      return false;
    }
  }
  return true;
}

/// For text with a pipe, at which cells are split even within marks of code: every mark as a character reference,
/// which is never markup; a comment parts what would be an address otherwise.
std::string html_code(std::string_view safe) {
  std::string out = "<code>";
  for (const char c : safe) {
    if (c == ' ' || is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "&#{};{}", static_cast<unsigned>(static_cast<unsigned char>(c)),
                     c == '@' ? "<!-- -->" : "");
    }
  }
  return out + "</code>";
}

std::string code_of(std::string_view safe) {
  if (safe.find_first_not_of(' ') == std::string_view::npos) {
    return fmt::format("`\"{}\"`", safe);
  }
  if (safe.find('|') != std::string_view::npos) {
    return html_code(safe);
  }
  // Marks that are longer than any run of backticks in it.
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : safe) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const bool pad = safe.front() == '`' || safe.back() == '`' || (safe.front() == ' ' && safe.back() == ' ');
  std::string out(longest + 1, '`');
  out += pad ? " " : "";
  out += safe;
  out += pad ? " " : "";
  out.append(longest + 1, '`');
  return out;
}

}  // namespace

std::string markdown_text(std::string_view text) {
  std::string safe = escape_terminal(text);
  return safe.empty() || is_calm(safe) ? safe : code_of(safe);
}

std::string markdown_code(std::string_view text) { return code_of(escape_terminal(text)); }

std::string markdown_brief(std::string_view text) {
  std::string safe = escape_terminal(text);
  if (safe.size() > kShownOfName) {
    std::size_t end = kShownOfName;
    while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xc0U) == 0x80) {
      --end;
    }
    safe.resize(end);
    safe += "...";
  }
  return code_of(safe);
}

void append_row(std::string& out, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) {
    out += "| ";
    out += cell;
    out += ' ';
  }
  out += "|\n";
}

void MarkdownPage::put(std::string_view text) {
  used_ += text.size();
  out_ += text;
  if (out_.size() > kChunk) {
    sink_.write(out_);
    out_.clear();
  }
}

bool MarkdownPage::has_room(std::size_t bytes) const { return used_ + bytes + tail_.size() + kRoomForEnd <= most_; }

void MarkdownPage::text(std::string_view text) { put(text); }

void MarkdownPage::begin(std::string what, std::string head, std::string tail) {
  what_ = std::move(what);
  head_ = std::move(head);
  tail_ = std::move(tail);
  lines_ = 0;
  left_out_ = 0;
}

bool MarkdownPage::line(std::string_view line) {
  if (is_full() || !has_room(line.size() + (lines_ == 0 ? head_.size() : 0))) {
    ++left_out_;
    return false;
  }
  if (lines_ == 0) {
    put(head_);
  }
  put(line);
  ++lines_;
  return true;
}

void MarkdownPage::end() {
  if (lines_ > 0) {
    put(tail_);
  }
  if (left_out_ > 0) {
    cut_.emplace_back(what_, left_out_);
  }
  tail_.clear();
}

void MarkdownPage::finish(std::string_view last) {
  if (!cut_.empty()) {
    std::string words;
    for (const auto& [what, lines] : cut_) {
      words += fmt::format("{}{} of {}", words.empty() ? "" : ", ", lines, what);
    }
    put(fmt::format(
        "\n**Left out**, since {} bytes are all that there may be (`--max-bytes`): {}. `-o text` tells all.\n", most_,
        words));
  }
  put(last);
  sink_.write(out_);
  out_.clear();
}

}  // namespace gpup
