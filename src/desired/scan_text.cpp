#include "desired/scan_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

using namespace std::string_view_literals;

namespace gpup {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

enum Kind : std::uint8_t { kPlain, kLineEnd, kBrace, kDash, kReturn, kControl, kHigh };

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) {
    kinds.at(byte) = kControl;
  }
  for (std::size_t byte = 0x80; byte < 256; ++byte) {
    kinds.at(byte) = kHigh;
  }
  kinds['\t'] = kPlain;
  kinds['\n'] = kLineEnd;
  kinds['\r'] = kReturn;
  kinds[0x7f] = kControl;
  kinds['{'] = kBrace;
  kinds['-'] = kDash;
  return kinds;
}();

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

Place place_of(std::uint32_t file, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  const std::string_view line = before.substr(line_start);
  return {file, static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1),
          static_cast<std::uint32_t>(std::count_if(line.begin(), line.end(), starts_character) + 1)};
}

bool is_utf16(std::string_view bytes) {
  if (bytes.size() < 2) {
    return false;
  }
  const bool mark = bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff");
  // Without a mark: the header's first letters with a NUL beside each.
  const bool little = bytes.size() >= 4 && bytes[0] != 0 && bytes[1] == 0 && bytes[2] != 0 && bytes[3] == 0;
  const bool big = bytes.size() >= 4 && bytes[0] == 0 && bytes[1] != 0 && bytes[2] == 0 && bytes[3] != 0;
  return mark || little || big;
}

/// One pass over the bytes of a file that is UTF-8.
class Scan {
 public:
  Scan(std::uint32_t file, ScannedText& scanned, Mistakes& mistakes)
      : file_(file), text_(scanned.text), scanned_(scanned), mistakes_(mistakes) {}

  void run() {
    for (std::size_t at = 0; at < text_.size(); ++at) {
      if (const Kind kind = kKinds[byte_at(text_, at)]; kind != kPlain) {
        see(kind, at);
      }
    }
    scanned_.most_lines = std::max(dashes_, braces_);
  }

 private:
  void see(Kind kind, std::size_t at) {
    switch (kind) {
      case kLineEnd:
        ++line_;
        line_start_ = at + 1;
        break;
      case kBrace:
        ++braces_;
        break;
      case kDash:
        dashes_ += begins_entry(at) ? 1U : 0U;
        break;
      case kReturn:
        if (at + 1 == text_.size() || text_[at + 1] != '\n') {
          report(at, 0x0d, "lines end with a line feed, or a carriage return and a line feed");
        }
        break;
      case kControl:
        report(at, byte_at(text_, at), {});
        break;
      case kHigh:
        scanned_.ascii = false;
        // U+0080 to U+009F; YAML allows U+0085 outside of names.
        if (byte_at(text_, at) == 0xc2 && byte_at(text_, at + 1) < 0xa0 && byte_at(text_, at + 1) != 0x85) {
          report(at, byte_at(text_, at + 1), {});
        }
        break;
      case kPlain:
        break;
    }
  }

  bool begins_entry(std::size_t at) const {
    return at + 1 < text_.size() && text_[at + 1] == ' ' && (at == line_start_ || text_[at - 1] == ' ');
  }

  void report(std::size_t at, unsigned code_point, std::string hint) {
    scanned_.control = true;
    if (mistakes_.full()) {
      mistakes_.add({}, Code::kControlCharacter, {});
      return;
    }
    mistakes_.add(place(at), Code::kControlCharacter,
                  fmt::format("the control character U+{:04X} may not stand in a file", code_point), std::move(hint));
  }

  Place place(std::size_t at) {
    if (counted_line_ != line_) {
      counted_line_ = line_;
      counted_to_ = line_start_;
      column_ = 1;
    }
    for (; counted_to_ < at; ++counted_to_) {
      column_ += (byte_at(text_, counted_to_) & 0xc0U) != 0x80U ? 1U : 0U;
    }
    return {file_, line_, column_};
  }

  std::uint32_t file_;
  std::string_view text_;
  ScannedText& scanned_;
  Mistakes& mistakes_;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t dashes_ = 0;
  std::size_t braces_ = 0;
  std::uint32_t counted_line_ = 0;
  std::size_t counted_to_ = 0;
  std::uint32_t column_ = 1;
};

}  // namespace

ScannedText scan_text(std::uint32_t file, std::string_view bytes, Mistakes& mistakes) {
  ScannedText scanned;
  if (bytes.size() > kMostBytes) {
    mistakes.add({file, 1, 1}, Code::kTooLarge, fmt::format("the file holds {} bytes, more than 16 MiB", bytes.size()),
                 "split it; several -f files, or a folder, form one desired state", false);
    return scanned;
  }
  if (bytes.starts_with("\xff\xfe\0\0"sv) || bytes.starts_with("\0\0\xfe\xff"sv)) {
    mistakes.add({file, 1, 1}, Code::kNotUtf8, "the file is UTF-32, expected UTF-8",
                 "convert it: iconv -f UTF-32 -t UTF-8 old.yaml > new.yaml", false);
    return scanned;
  }
  if (is_utf16(bytes)) {
    mistakes.add({file, 1, 1}, Code::kUtf16, "the file is UTF-16, expected UTF-8",
                 "convert it: iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml, or in PowerShell: "
                 "Get-Content old.yaml | Set-Content -Encoding utf8 new.yaml",
                 false);
    return scanned;
  }
  scanned.text = bytes;
  if (bytes.starts_with(kByteOrderMark)) {
    scanned.text.remove_prefix(kByteOrderMark.size());
  }
  if (const auto at = invalid_utf8_at(scanned.text)) {
    mistakes.add(place_of(file, scanned.text, *at), Code::kNotUtf8,
                 fmt::format("the byte 0x{:02x} is not UTF-8", byte_at(scanned.text, *at)), "save the file as UTF-8");
    scanned.text = {};
    return scanned;
  }
  scanned.readable = true;
  Scan(file, scanned, mistakes).run();
  return scanned;
}

}  // namespace gpup
