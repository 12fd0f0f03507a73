#include "render/html_page.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "base/sha256.h"
#include "render/html_text.h"
#include "render/page_files.h"

namespace gpup {

namespace {

std::uint32_t nibble(char digit) { return static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

/// The digest as a policy names it: in base64.
std::string policy_hash(std::string_view text) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string hex = sha256_hex(text);
  std::string out = "'sha256-";
  // Three hex digits are two of base64; the last byte of 32 is followed by a third that is not there.
  const std::string padded = hex + "00";
  for (std::size_t i = 0; i + 3 <= padded.size(); i += 3) {
    const std::uint32_t bits = (nibble(padded[i]) << 8U) | (nibble(padded[i + 1]) << 4U) | nibble(padded[i + 2]);
    out += kDigits[bits >> 6U];
    out += kDigits[bits & 63U];
  }
  out.back() = '=';
  return out + "'";
}

}  // namespace

void append_page_begin(const PageHead& head, const std::vector<Figure>& figures, std::string& out) {
  out += fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {}; "
      "base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"generator\" content=\"gpup\">\n<title>gpup {}: {}</title>\n<style>",
      policy_hash(page_style()), policy_hash(page_script()), head.kind, html_text(head.name));
  out += page_style();
  out += fmt::format(
      "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n"
      "<p class=\"kind\">gpup {}</p>\n<h1><bdi>{}</bdi></h1>\n<p class=\"verdict {}\">{}</p>\n",
      head.kind, html_text(head.name), head.mood, html_text(head.verdict));
  if (!head.summary.empty()) {
    out += fmt::format("<p class=\"summary\">{}</p>\n", html_text(head.summary));
  }
  if (!figures.empty()) {
    out += "<dl class=\"figures\">";
    for (const Figure& figure : figures) {
      out += fmt::format("<div><dt>{}</dt><dd>{}", html_text(figure.name), html_text(figure.value));
      if (!figure.more.empty()) {
        out += fmt::format("<small>{}</small>", html_text(figure.more));
      }
      out += "</dd></div>";
    }
    out += "</dl>\n";
  }
  out += "</header>\n<main id=\"main\">\n";
}

void append_search(const std::vector<Filter>& filters, std::string& out) {
  out +=
      "<form class=\"find\" role=\"search\" hidden>\n<label for=\"query\">Find a machine, host or GPU</label>\n"
      "<input id=\"query\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"name, host, GPU, "
      "step\">\n";
  if (!filters.empty()) {
    out +=
        "<fieldset><legend>Show</legend>"
        "<label><input type=\"radio\" name=\"kind\" value=\"\" checked><span>all</span></label>";
    for (const Filter& filter : filters) {
      out += fmt::format("<label><input type=\"radio\" name=\"kind\" value=\"{}\"><span>{}</span></label>",
                         html_text(filter.kind), html_text(filter.label));
    }
    out += "</fieldset>\n";
  }
  out +=
      "<p class=\"tools\"><output id=\"found\" for=\"query\" aria-live=\"polite\"></output> "
      "<button type=\"button\" id=\"unfold\">Unfold all</button> <button type=\"button\" id=\"fold\">Fold all</button>"
      "</p>\n</form>\n";
}

void append_page_end(const std::vector<std::string>& lines, std::string& out) {
  out += "</main>\n<footer>\n";
  for (const std::string& line : lines) {
    out += fmt::format("<p>{}</p>\n", html_text(line));
  }
  out += "</footer>\n<script>";
  out += page_script();
  out += "</script>\n</body>\n</html>\n";
}

}  // namespace gpup
