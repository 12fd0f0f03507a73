#include "base/diagnostics.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::uint32_t kLinesAStart = 64;
constexpr std::size_t kWholeLine = 120;  // characters; a longer line is shown as a window around the column
constexpr std::size_t kBefore = 50;      // characters of the window before the column
constexpr std::size_t kWindow = 100;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kCut = "...";

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

/// The offset in bytes that lies `characters` after `from`, at most the end.
std::size_t forward(std::string_view text, std::size_t from, std::size_t characters) {
  std::size_t at = from;
  while (at < text.size() && characters > 0) {
    ++at;
    while (at < text.size() && !starts_character(text[at])) {
      ++at;
    }
    --characters;
  }
  return at;
}

/// The offset in bytes that lies `characters` before `from`, at least 0.
std::size_t backward(std::string_view text, std::size_t from, std::size_t characters) {
  std::size_t at = from;
  while (at > 0 && characters > 0) {
    --at;
    while (at > 0 && !starts_character(text[at])) {
      --at;
    }
    --characters;
  }
  return at;
}

/// A tab takes one column, as it does in `file:line:column`.
std::string shown(std::string_view excerpt) {
  std::string spaced(excerpt);
  std::replace(spaced.begin(), spaced.end(), '\t', ' ');
  return escape_terminal(spaced);
}

std::string subject(const Diagnostic& diagnostic) {
  if (!diagnostic.file.empty()) {
    return diagnostic.line == 0 ? diagnostic.file
                                : fmt::format("{}:{}:{}", diagnostic.file, diagnostic.line, diagnostic.column);
  }
  const std::string_view name = diagnostic.object == "gpu" ? short_gpu_name(diagnostic.name) : diagnostic.name;
  std::string path;
  for (const std::string_view part : {std::string_view(diagnostic.host), std::string_view(diagnostic.object), name}) {
    if (!part.empty()) {
      path += path.empty() ? "" : "/";
      path += part;
    }
  }
  return path;
}

struct Paint {
  std::string_view bold, severity, hint, off;
};

Paint paint_for(Severity severity, bool color) {
  if (!color) {
    return {};
  }
  return {"\x1b[1m", severity == Severity::kError ? "\x1b[1;31m" : "\x1b[1;33m", "\x1b[36m", "\x1b[0m"};
}

void render(const Diagnostic& diagnostic, bool color, std::string& out) {
  const Paint paint = paint_for(diagnostic.severity, color);
  const auto to = std::back_inserter(out);
  if (const std::string about = subject(diagnostic); !about.empty()) {
    fmt::format_to(to, "{}{}:{} ", paint.bold, escape_terminal(about), paint.off);
  }
  fmt::format_to(to, "{}{}[{}]:{} {}\n", paint.severity, to_string(diagnostic.severity), to_string(diagnostic.code),
                 paint.off, escape_terminal(diagnostic.message));
  std::size_t gutter = 4;
  if (!diagnostic.excerpt.empty()) {
    const std::string number = std::to_string(diagnostic.line);
    gutter = std::max(gutter, number.size());
    fmt::format_to(to, "{:>{}} | {}\n", number, gutter, shown(diagnostic.excerpt));
    if (diagnostic.caret != 0) {
      const std::size_t prefix = forward(diagnostic.excerpt, 0, diagnostic.caret - 1);
      const std::size_t indent = display_width(shown(std::string_view(diagnostic.excerpt).substr(0, prefix)));
      fmt::format_to(to, "{:{}} | {:{}}{}^{}\n", "", gutter, "", indent, paint.severity, paint.off);
    }
  }
  if (!diagnostic.hint.empty()) {
    fmt::format_to(to, "{:{}} = {}{}{}\n", "", gutter, paint.hint, escape_terminal(diagnostic.hint), paint.off);
  }
}

}  // namespace

std::string_view to_string(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

bool has_error(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
}

std::uint32_t Sources::add(std::string path, std::string text) {
  files_.push_back(File{std::move(path), {}, std::move(text)});
  lines_.emplace_back();
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string_view Sources::line_text(Place place) const {
  const LastLine& line = last_line(place);
  return std::string_view(files_[place.file].text).substr(line.begin, line.size);
}

const Sources::LastLine& Sources::last_line(Place place) const {
  if (last_line_.line != place.line || last_line_.file != place.file) {
    const std::string_view line = find_line(place);
    const std::string& text = files_[place.file].text;
    last_line_.file = place.file;
    last_line_.line = place.line;
    last_line_.begin = line.empty() ? 0 : static_cast<std::size_t>(line.data() - text.data());
    last_line_.size = line.size();
    // A key that was given for something else is still a key.
    last_line_.may_be_shown = !text.starts_with("-----BEGIN ") && hide_passwords(line) == line;
  }
  return last_line_;
}

std::string_view Sources::find_line(Place place) const {
  const std::string& text = files_[place.file].text;
  Lines& lines = lines_[place.file];
  if (!lines.known) {
    lines.known = true;
    const std::size_t skip = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    lines.starts.push_back(static_cast<std::uint32_t>(skip));
    std::uint32_t number = 0;
    for (std::size_t at = text.find('\n', skip); at != std::string::npos; at = text.find('\n', at + 1)) {
      if (++number % kLinesAStart == 0) {
        lines.starts.push_back(static_cast<std::uint32_t>(at + 1));
      }
    }
  }
  const std::uint32_t index = place.line - 1;
  if (index / kLinesAStart >= lines.starts.size()) {
    return {};
  }
  std::size_t start = lines.starts[index / kLinesAStart];
  for (std::uint32_t left = index % kLinesAStart; left > 0; --left) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string::npos) {
      return {};
    }
    start = end + 1;
  }
  std::string_view line = std::string_view(text).substr(start);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

std::size_t Sources::offset_of(Place place, std::string_view line) const {
  const std::uint32_t column = std::max(place.column, 1U);
  const bool onwards = cursor_.file == place.file && cursor_.line == place.line && cursor_.column <= column &&
                       cursor_.column != 0 && cursor_.offset <= line.size();
  const std::uint32_t from = onwards ? cursor_.column : 1;
  const std::size_t offset = forward(line, onwards ? cursor_.offset : 0, column - from);
  // Only a place inside the line is a point to go on from.
  cursor_ = offset < line.size() ? Cursor{place.file, place.line, column, offset} : Cursor{};
  return offset;
}

Diagnostic Sources::at(Place place, Code code, Severity severity, std::string message, std::string hint,
                       bool echo) const {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.severity = severity;
  message = hide_passwords(message);
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  if (!place.known() || place.file >= files_.size()) {
    return diagnostic;
  }
  diagnostic.file = files_[place.file].path;
  diagnostic.line = place.line;
  diagnostic.column = place.column;
  if (!echo) {
    return diagnostic;
  }
  if (!last_line(place).may_be_shown) {
    return diagnostic;
  }
  const std::string_view line = line_text(place);
  const std::size_t offset = offset_of(place, line);
  const std::size_t begin = backward(line, offset, kBefore);
  const std::size_t end = forward(line, offset, kWindow - kBefore);
  const bool whole = line.size() <= kWholeLine || (begin == 0 && end == line.size());
  if (whole) {
    diagnostic.excerpt = line;
    diagnostic.caret = static_cast<std::uint32_t>(count_characters(line.substr(0, offset)) + 1);
    return diagnostic;
  }
  const std::string_view left = begin == 0 ? std::string_view() : kCut;
  diagnostic.excerpt = left;
  diagnostic.excerpt += line.substr(begin, end - begin);
  diagnostic.excerpt += end == line.size() ? std::string_view() : kCut;
  diagnostic.caret = static_cast<std::uint32_t>(left.size() + count_characters(line.substr(begin, offset - begin)) + 1);
  return diagnostic;
}

std::string Sources::short_name(Place place) const {
  if (!place.known() || place.file >= files_.size()) {
    return {};
  }
  return fmt::format("{}:{}", files_[place.file].path, place.line);
}

std::string render_diagnostics(const Diagnostics& diagnostics, bool color, std::size_t most) {
  std::string out;
  const std::size_t shown_count = std::min(most, diagnostics.size());
  for (std::size_t i = 0; i < shown_count; ++i) {
    render(diagnostics[i], color, out);
  }
  if (const std::size_t more = diagnostics.size() - shown_count; more > 0) {
    fmt::format_to(std::back_inserter(out), "and {} more\n", more);
  }
  return out;
}

}  // namespace gpup
