#include "render/html_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace gpup {

namespace {

struct Entity {
  char character;
  std::string_view text;
};
constexpr auto kEntities = std::to_array<Entity>({
    {'&', "&amp;"},
    {'<', "&lt;"},
    {'>', "&gt;"},
    {'"', "&quot;"},
    {'\'', "&#39;"},
    {'`', "&#96;"},
    {'#', "&#35;"},  // of `##vso[` and `##[`
});
constexpr std::string_view kDivides = "#:";

bool plain(char c) {
  return c >= 0x20 && c < 0x7f && c != ':' &&
         std::none_of(kEntities.begin(), kEntities.end(), [&](const Entity& entity) { return entity.character == c; });
}

/// What acts on a terminal made visible. `escape_terminal` would also show `::` and `##[` in another form, for the sake
/// of logs: it gets the text without these characters, which can be entities here.
std::string visible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kDivides), text.size());
    out += escape_terminal(text.substr(0, end));
    if (end < text.size()) {
      out += text[end];
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string with_entities(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  char before = 0;
  for (const char c : text) {
    const auto* const entity =
        std::find_if(kEntities.begin(), kEntities.end(), [&](const Entity& known) { return known.character == c; });
    if (entity != kEntities.end()) {
      out += entity->text;
    } else if (c == ':' && (before == ':' || before == 0)) {
      out += "&#58;";
    } else {
      out += c;
    }
    before = c;
  }
  return out;
}

/// How long the character is that begins with this byte of valid UTF-8.
std::size_t length_of(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1U : byte < 0xe0 ? 2U : byte < 0xf0 ? 3U : 4U;
}

}  // namespace

std::string html_text(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), plain)) {
    return std::string(text);
  }
  return with_entities(visible(text));
}

std::string html_cut(std::string_view text, std::size_t columns) {
  const std::string whole = visible(text);
  if (display_width(whole) <= columns) {
    return with_entities(whole);
  }
  std::size_t width = 0;
  std::size_t end = 0;
  while (end < whole.size()) {
    const std::size_t length = length_of(whole[end]);
    width += display_width(std::string_view(whole).substr(end, length));
    if (width + 1 > columns) {
      break;
    }
    end += length;
  }
  return with_entities(std::string_view(whole).substr(0, end)) + "\xe2\x80\xa6";
}

}  // namespace gpup
