#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "render/report.h"
#include "render/why.h"

namespace gpup {

namespace {

std::string title(const WhySubject& subject) {
  if (subject.object == "step") {
    return fmt::format("step {} on {}", subject.name, subject.host);
  }
  std::string text = (subject.object == "vm" ? "VM " : "GPU ") + subject.name;
  if (!subject.id.empty()) {
    text += fmt::format(" ({})", subject.id);
  }
  if (!subject.host.empty()) {
    text += " on " + subject.host;
  }
  return text;
}

std::string reason_of(const Plan& plan, std::uint32_t step) {
  std::string reason;
  append_reason(plan, step, reason);
  return reason;
}

/// A section: its word before the first line, the rest below it.
class Section {
 public:
  Section(std::string_view word, std::string& out) : word_(word), out_(out) {}

  void line(std::string_view escaped) {
    out_ += fmt::format("  {:<6} {}\n", word_, escaped);
    word_ = {};
  }

 private:
  std::string_view word_;
  std::string& out_;
};

void append_strings(std::string& out, std::string_view name, const std::vector<std::string>& strings) {
  out.append(",\n \"").append(name).append("\": [");
  for (std::size_t i = 0; i < strings.size(); ++i) {
    out += i == 0 ? "" : ", ";
    append_json_string(out, strings[i]);
  }
  out += "]";
}

void append_lines(std::string& out, const std::vector<WhyLine>& lines) {
  out += ",\n \"lines\": [";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += i == 0 ? "{\"file\": " : ", {\"file\": ";
    append_json_string(out, lines[i].file);
    out += ", \"line\": ";
    append_json_number(out, lines[i].place.line);
    out += ", \"column\": ";
    append_json_number(out, lines[i].place.column);
    out += ", \"text\": ";
    append_json_string(out, lines[i].excerpt);
    out += ", \"says\": ";
    append_json_string(out, lines[i].says);
    out += "}";
  }
  out += "]";
}

void append_steps(std::string& out, const Plan& plan, const std::vector<std::uint32_t>& steps) {
  out += ",\n \"steps\": [";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = plan.steps[steps[i]];
    out += i == 0 ? "{\"id\": " : ", {\"id\": ";
    append_json_number(out, steps[i] + 1UL);
    out += ", \"op\": ";
    append_json_string(out, to_string(step.op));
    out += ", \"host\": ";
    append_json_string(out, plan.hosts[host_of(plan, step)].name);
    out += ", \"reason\": ";
    append_json_string(out, reason_of(plan, steps[i]));
    out += "}";
  }
  out += "]";
}

}  // namespace

void render_why_text(const std::vector<WhySubject>& subjects, const Plan& plan, bool color, Sink& out) {
  const std::string_view bold = color ? "\x1b[1m" : "";
  const std::string_view off = color ? "\x1b[0m" : "";
  std::string text;
  for (const WhySubject& subject : subjects) {
    text += fmt::format("{}{}{}{}\n", text.empty() ? "" : "\n", bold, escape_terminal(title(subject)), off);
    Section file("file", text);
    for (const WhyLine& line : subject.lines) {
      file.line(fmt::format(
          "{}:{}: {} ({})", escape_terminal(line.file), line.place.line,
          escape_terminal(line.excerpt.substr(std::min(line.excerpt.find_first_not_of(" \t"), line.excerpt.size()))),
          line.says));
    }
    Section seen("seen", text);
    for (const std::string& fact : subject.seen) {
      seen.line(escape_terminal(fact));
    }
    Section because("so", text);
    for (const std::string& reason : subject.reasons) {
      because.line(escape_terminal(reason));
    }
    Section steps("steps", text);
    for (const std::uint32_t step : subject.steps) {
      steps.line(fmt::format("{}  {}: {}", step + 1, step_line(plan, step), escape_terminal(reason_of(plan, step))));
    }
    if (subject.steps.empty()) {
      steps.line("none");
    }
  }
  out.write(text);
}

void render_why_json(const std::vector<WhySubject>& subjects, const Plan& plan, Sink& out) {
  std::string text = "{\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Why\",\n\"subjects\": [";
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const WhySubject& subject = subjects[i];
    text += i == 0 ? "\n{\"object\": " : ",\n{\"object\": ";
    append_json_string(text, subject.object);
    text += ", \"host\": ";
    append_json_string_or_null(text, subject.host);
    text += ", \"name\": ";
    append_json_string(text, subject.name);
    text += ", \"vmId\": ";
    append_json_string_or_null(text, subject.id);
    append_lines(text, subject.lines);
    append_strings(text, "seen", subject.seen);
    append_strings(text, "reasons", subject.reasons);
    append_steps(text, plan, subject.steps);
    text += "}";
  }
  text += "]}\n";
  out.write(text);
}

}  // namespace gpup
