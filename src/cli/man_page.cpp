#include "cli/man_page.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/exit_codes.h"

namespace gpup {

namespace {

/// Lines of the source that are longer have bothered programs before.
constexpr std::size_t kPageColumns = 78;

/// A character of text as roff must be given it to show just that: its quotes and dashes are other characters.
std::string_view roff_of(const char& c) {
  switch (c) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";
    case '\'':
      return "\\(aq";
    case '"':
      return "\\(dq";
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    default:
      return {&c, 1};
  }
}

std::string roff(std::string_view text) {
  std::string out;
  for (const char& c : text) {
    out += roff_of(c);
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

/// A line of text, which is no request, whatever it begins with.
void append_line(std::string& out, std::string_view line) {
  if (line.starts_with('.')) {
    out += "\\&";
  }
  out.append(line).append("\n");
}

/// One paragraph as lines, broken at spaces where each is full. What it begins with is roff already.
void append_paragraph(std::string& out, std::string_view text, std::string line = {}) {
  while (!text.empty()) {
    const std::string word = roff(next_word(text));
    if (!line.empty() && line.size() + 1 + word.size() > kPageColumns) {
      append_line(out, line);
      line.clear();
    }
    line.append(line.empty() || word.empty() ? "" : " ").append(word);
  }
  if (!line.empty()) {
    append_line(out, line);
  }
}

/// Paragraphs that are divided by empty lines.
void append_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    std::string paragraph(text.substr(0, end));
    std::replace(paragraph.begin(), paragraph.end(), '\n', ' ');
    append_paragraph(out, paragraph);
    text.remove_prefix(std::min(end + 2, text.size()));
    if (!text.empty()) {
      out += ".PP\n";
    }
  }
}

/// An entry of a list: its tag, which is roff already, and its text, indented below.
void append_entry(std::string& out, const std::string& tag, std::string_view text) {
  out += ".TP\n";
  append_line(out, tag);
  append_paragraph(out, text);
}

void append_page_options(std::string& out, std::span<const Option* const> options) {
  for (const Option* option : options) {
    std::string tag = option->letter == 0 ? "" : bold(fmt::format("-{}", option->letter)) + ", ";
    tag += bold(fmt::format("--{}", option->name));
    if (!option->is_flag()) {
      tag += " " + italic(option->value);
    }
    append_entry(out, tag, fmt::format("{}{}", option->summary, option->repeatable ? "; repeatable" : ""));
  }
}

/// Lines that are shown as they are.
void append_verbatim(std::string& out, std::string_view lines) {
  out += ".RS 2\n.nf\n";
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    append_line(out, roff(lines.substr(0, end)));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  out += ".fi\n.RE\n";
}

std::string head(const PageEdition& edition, const std::string& name, std::string_view summary) {
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string out = fmt::format(
      ".\\\" Made from the table of commands: src/cli/commands.cpp.\n"
      ".TH {} 1 {} \"gpup {}\" \"gpup manual\"\n"
      ".SH NAME\n",
      title, edition.date, edition.version);
  append_paragraph(out, summary, roff(name) + " \\-");
  return out;
}

}  // namespace

std::string man_page_name(const Command& command) { return fmt::format("gpup-{}", command.name); }

std::string render_man_page(const PageEdition& edition) {
  std::string out = head(edition, "gpup", "keep the GPU partitions of Hyper-V hosts as YAML files say");
  out += ".SH SYNOPSIS\n" + bold("gpup") + " " + italic("COMMAND") + " [" + italic("OPTIONS") + "]\n.SH DESCRIPTION\n";
  append_text(out,
              "gpup reads the desired state from YAML files, observes the hosts, plans the ordered steps between the"
              " two, and performs them, each checked before and after, with as few virtual machines stopped as"
              " possible. Real hosts are reached by PowerShell; simulated ones are JSON files that keep the platform's"
              " rules.\n\n"
              "The answer is on standard output, talk is on standard error.");
  out += ".SH COMMANDS\n";
  for (const Command& command : commands()) {
    append_entry(out, bold(man_page_name(command)) + "(1)", command.summary);
  }
  out += ".SH OPTIONS\nThese are options of every command.\n";
  append_page_options(out, common_options());
  out += ".SH EXIT STATUS\n";
  for (const ExitCode& row : kExitCodes) {
    append_entry(out, bold(std::to_string(row.code)), row.means);
  }
  out += ".SH ENVIRONMENT\n";
  append_entry(out, bold("NO_COLOR"), "When it is not empty, no text has colours.");
  append_entry(out, bold("XDG_STATE_HOME"), "The folder in which the journals of runs are.");
  out += ".SH FILES\n";
  append_entry(out, italic("$XDG_STATE_HOME/gpup/journal"),
               "A journal for each run, with the plan beside it; ~/.local/state stands for the folder where that is"
               " not set.");
  append_entry(out, italic("share/gpup/schemas"),
               "Below the folder that gpup is installed in: JSON schemas of the files that it reads and writes, which"
               " 'gpup schema' prints, too.");
  out += ".SH EXAMPLES\n";
  append_text(out, "What would change, and then just that:");
  append_verbatim(out,
                  "gpup plan -f hci-east.yaml --out change.plan\n"
                  "gpup apply change.plan\n"
                  "gpup drift -f hci-east.yaml");
  out += ".SH SEE ALSO\n";
  append_text(out,
              "'gpup help COMMAND' tells what its page tells; 'gpup explain CODE' what a diagnostic means and how to"
              " mend it.");
  return out;
}

std::string render_man_page(const PageEdition& edition, const Command& command) {
  std::string out = head(edition, man_page_name(command), command.summary);
  out += ".SH SYNOPSIS\n" + bold(fmt::format("gpup {}", command.name));
  if (!command.argument.empty()) {
    out += command.argument_needed ? " " + italic(command.argument) : " [" + italic(command.argument) + "]";
  }
  out += " [" + italic("OPTIONS") + "]\n.SH DESCRIPTION\n";
  append_text(out, command.about);
  out += ".SH OPTIONS\n";
  append_page_options(out, command.options);
  append_page_options(out, common_options());
  out += ".SH EXIT STATUS\n";
  append_text(out, "The exit codes of all commands are listed in gpup(1).");
  out += ".SH EXAMPLES\n";
  append_verbatim(out, command.examples);
  out += ".SH SEE ALSO\n" + bold("gpup") + "(1)\n";
  return out;
}

}  // namespace gpup
