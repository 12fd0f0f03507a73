#include "render/report_markdown.h"

#include <string>

#include "render/report.h"

namespace gpup {

namespace {

std::string html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '@':  // mentions nobody
        out += "&#64;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

void render_report_markdown(const Plan& plan, const Report& report, Sink& out) {
  StringSink text;
  render_report_text(plan, report, text);
  out.write("<pre>\n" + html(text.text) + "</pre>\n");
}

}  // namespace gpup
