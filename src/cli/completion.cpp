#include "cli/completion.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/schemas.h"

namespace gpup {

namespace {

std::string replaced(std::string_view text, char what, std::string_view by) {
  std::string out;
  for (const char c : text) {
    if (c == what) {
      out += by;
    } else {
      out += c;
    }
  }
  return out;
}

std::string quoted_sh(std::string_view text) { return "'" + replaced(text, '\'', "'\\''") + "'"; }
std::string quoted_fish(std::string_view text) {
  return "'" + replaced(replaced(text, '\\', "\\\\"), '\'', "\\'") + "'";
}
std::string quoted_powershell(std::string_view text) { return "'" + replaced(text, '\'', "''") + "'"; }

std::vector<std::string> split(std::string_view words) {
  std::vector<std::string> all;
  while (!words.empty()) {
    all.emplace_back(next_word(words));
  }
  return all;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    names.emplace_back(command.name);
  }
  return names;
}

/// What a command's positional may be, where that is a list.
std::vector<std::string> argument_words(const Command& command) {
  if (command.completes == Completes::kCode) {
    std::vector<std::string> codes;
    for (const Explanation* row : explanations()) {
      codes.push_back(to_string(row->code));
    }
    return codes;
  }
  if (command.name == "schema") {
    std::vector<std::string> names;
    for (const Schema& schema : schemas()) {
      names.emplace_back(schema.name);
    }
    return names;
  }
  return split(command.words);
}

std::vector<const Option*> options_of(const Command& command) {
  std::vector<const Option*> all(command.options.begin(), command.options.end());
  all.insert(all.end(), common_options().begin(), common_options().end());
  return all;
}

std::vector<std::string> spellings(const Option& option) {
  std::vector<std::string> all;
  if (option.letter != 0) {
    all.push_back(fmt::format("-{}", option.letter));
  }
  all.push_back(fmt::format("--{}", option.name));
  return all;
}

/// The words that a value may begin with: for --report `json=`.
std::vector<std::string> value_words(const Option& option) {
  std::vector<std::string> words = split(option.words);
  if (option.completes == Completes::kFormFile) {
    for (std::string& word : words) {
      word += '=';
    }
  }
  return words;
}

std::vector<std::string> all_spellings(const Command& command) {
  std::vector<std::string> all;
  for (const Option* option : options_of(command)) {
    for (std::string& spelling : spellings(*option)) {
      all.push_back(std::move(spelling));
    }
  }
  return all;
}

// bash

std::string bash_case(const Command& command) {
  std::string out = fmt::format("    {})\n      case $previous in\n", command.name);
  for (const Option* option : options_of(command)) {
    if (option->is_flag()) {
      continue;
    }
    const bool file = option->completes == Completes::kFile;
    out += fmt::format("        {}) words={} files={} ;;\n", join(spellings(*option), "|"),
                       quoted_sh(join(value_words(*option), " ")), file ? "yes" : "no");
  }
  std::vector<std::string> words = argument_words(command);
  for (std::string& spelling : all_spellings(command)) {
    words.push_back(std::move(spelling));
  }
  out += fmt::format("        *) words={} files={} ;;\n      esac\n      ;;\n", quoted_sh(join(words, " ")),
                     command.completes == Completes::kFile ? "yes" : "no");
  return out;
}

std::string bash() {
  const std::string names = join(command_names(), "|");
  std::string out = fmt::format(
      "# Completes gpup in bash: source <(gpup completion bash)\n"
      "_gpup() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= words= files=no i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${{COMP_WORDS[i]}} in\n"
      "      {}) command=${{COMP_WORDS[i]}}; break ;;\n"
      "    esac\n"
      "  done\n"
      "  # bash divides --name=value into three words.\n"
      "  if [[ $current == = ]]; then\n"
      "    current=\n"
      "  elif [[ $previous == = && COMP_CWORD -gt 1 ]]; then\n"
      "    previous=${{COMP_WORDS[COMP_CWORD-2]}}\n"
      "  fi\n"
      "  case $command in\n",
      names);
  std::vector<std::string> first = command_names();
  for (const Option* option : common_options()) {
    first.push_back(fmt::format("--{}", option->name));
  }
  out += fmt::format("    '') words={} ;;\n", quoted_sh(join(first, " ")));
  for (const Command& command : commands()) {
    out += bash_case(command);
  }
  out +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  if [[ $files == yes ]]; then\n"
      "    local file\n"
      "    while IFS= read -r file; do COMPREPLY+=(\"$file\"); done < <(compgen -f -- \"$current\")\n"
      "    compopt -o filenames 2>/dev/null\n"
      "  fi\n"
      "  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
      "  return 0\n"
      "}\n"
      "complete -F _gpup gpup\n";
  return out;
}

// zsh

/// Text in a specification of _arguments, where colons and brackets mean something.
std::string zsh_text(std::string_view text) {
  return replaced(replaced(replaced(replaced(text, '\\', "\\\\"), ':', "\\:"), '[', "\\["), ']', "\\]");
}

std::string zsh_action(Completes completes, const std::vector<std::string>& words) {
  if (completes == Completes::kFile) {
    return "_files";
  }
  return words.empty() ? std::string(" ") : "(" + join(words, " ") + ")";
}

std::string zsh_option(const Option& option) {
  const std::vector<std::string> names = spellings(option);
  std::string text = zsh_text(option.summary);
  std::string value = option.is_flag() ? std::string()
                                       : fmt::format(":{}:{}", zsh_text(option.value),
                                                     zsh_action(option.completes, value_words(option)));
  std::string out;
  for (const std::string& name : names) {
    const bool is_long = name.starts_with("--");
    std::string spec = option.repeatable ? "*" : names.size() > 1 ? fmt::format("({})", join(names, " ")) : "";
    spec += name + (option.is_flag() ? "" : is_long ? "=" : "+") + "[" + text + "]" + value;
    out += "        " + quoted_sh(spec) + " \\\n";
  }
  return out;
}

std::string zsh() {
  std::string out =
      "#compdef gpup\n"
      "# Completes gpup in zsh: save it as _gpup in a folder of $fpath.\n"
      "_gpup() {\n"
      "  local context state state_descr line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C '1: :->command' '*:: :->rest'\n"
      "  case $state in\n"
      "    command)\n"
      "      local -a names\n"
      "      names=(\n";
  for (const Command& command : commands()) {
    out += fmt::format("        {}\n", quoted_sh(fmt::format("{}:{}", command.name, command.summary)));
  }
  out +=
      "      )\n"
      "      _describe command names\n"
      "      ;;\n"
      "    rest)\n"
      "      case $words[1] in\n";
  for (const Command& command : commands()) {
    out += fmt::format("      {})\n        _arguments -s \\\n", command.name);
    for (const Option* option : options_of(command)) {
      out += zsh_option(*option);
    }
    if (command.argument.empty()) {
      out += "        && return\n        ;;\n";
    } else {
      out += "        " +
             quoted_sh(fmt::format("1:{}:{}", zsh_text(command.argument),
                                   zsh_action(command.completes, argument_words(command)))) +
             "\n        ;;\n";
    }
  }
  out +=
      "      esac\n"
      "      ;;\n"
      "  esac\n"
      "}\n"
      "if [[ $funcstack[1] == _gpup ]]; then\n"
      "  _gpup \"$@\"\n"
      "else\n"
      "  compdef _gpup gpup\n"
      "fi\n";
  return out;
}

// fish

std::string fish_option(const Option& option, std::string_view condition) {
  std::string out = fmt::format("complete -c gpup -n {} -l {}", quoted_fish(condition), option.name);
  if (option.letter != 0) {
    out += fmt::format(" -s {}", option.letter);
  }
  if (!option.is_flag()) {
    out += option.completes == Completes::kFile ? " -r -F" : " -x";
    if (!option.words.empty()) {
      out += " -a " + quoted_fish(join(value_words(option), " "));
    }
  }
  return out + " -d " + quoted_fish(option.summary) + "\n";
}

std::string fish() {
  std::string out =
      "# Completes gpup in fish: save it as ~/.config/fish/completions/gpup.fish\n"
      "complete -c gpup -f\n";
  for (const Command& command : commands()) {
    out += fmt::format("complete -c gpup -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       quoted_fish(command.summary));
  }
  for (const Option* option : common_options()) {
    out += fish_option(*option, "true");
  }
  for (const Command& command : commands()) {
    const std::string condition = fmt::format("__fish_seen_subcommand_from {}", command.name);
    for (const Option* option : command.options) {
      out += fish_option(*option, condition);
    }
    if (command.completes == Completes::kFile) {
      out += fmt::format("complete -c gpup -n {} -F\n", quoted_fish(condition));
    }
    if (const std::vector<std::string> words = argument_words(command); !words.empty()) {
      out += fmt::format("complete -c gpup -n {} -a {}\n", quoted_fish(condition), quoted_fish(join(words, " ")));
    }
  }
  return out;
}

// PowerShell

std::string powershell_list(const std::vector<std::string>& words) {
  std::vector<std::string> quoted(words.size());
  std::transform(words.begin(), words.end(), quoted.begin(), [](const std::string& w) { return quoted_powershell(w); });
  return "@(" + join(quoted, ", ") + ")";
}

std::string powershell() {
  std::string out =
      "# Completes gpup in PowerShell: gpup completion powershell | Out-String | Invoke-Expression\n"
      "Register-ArgumentCompleter -Native -CommandName gpup -ScriptBlock {\n"
      "    param($wordToComplete, $commandAst, $cursorPosition)\n"
      "    $commands = [ordered]@{\n";
  for (const Command& command : commands()) {
    out += fmt::format("        {} = {}\n", quoted_powershell(command.name), quoted_powershell(command.summary));
  }
  out +=
      "    }\n"
      "    $options = @{\n";
  for (const Command& command : commands()) {
    out += fmt::format("        {} = {}\n", quoted_powershell(command.name), powershell_list(all_spellings(command)));
  }
  out +=
      "    }\n"
      "    $arguments = @{\n";
  for (const Command& command : commands()) {
    if (const std::vector<std::string> words = argument_words(command); !words.empty()) {
      out += fmt::format("        {} = {}\n", quoted_powershell(command.name), powershell_list(words));
    }
  }
  out +=
      "    }\n"
      "    $values = @{\n";
  for (const Command& command : commands()) {
    for (const Option* option : options_of(command)) {
      if (option->words.empty()) {
        continue;
      }
      for (const std::string& spelling : spellings(*option)) {
        out += fmt::format("        {} = {}\n", quoted_powershell(fmt::format("{} {}", command.name, spelling)),
                           powershell_list(value_words(*option)));
      }
    }
  }
  out +=
      "    }\n"
      "    $words = @($commandAst.CommandElements | ForEach-Object { $_.Extent.Text })\n"
      "    $before = @($words | Select-Object -Skip 1)\n"
      "    if ($wordToComplete -ne '' -and $before.Count -gt 0) {\n"
      "        $before = @($before | Select-Object -First ($before.Count - 1))\n"
      "    }\n"
      "    $command = $before | Where-Object { $commands.Contains($_) } | Select-Object -First 1\n"
      "    if (-not $command) {\n"
      "        $found = @($commands.Keys)\n"
      "    }\n"
      "    elseif ($values.ContainsKey(\"$command $($before[-1])\")) {\n"
      "        $found = $values[\"$command $($before[-1])\"]\n"
      "    }\n"
      "    else {\n"
      "        $found = @($arguments[$command]) + $options[$command]\n"
      "    }\n"
      "    $found | Where-Object { $_ -and $_.StartsWith($wordToComplete, 'Ordinal') } | ForEach-Object {\n"
      "        $tip = $_\n"
      "        if ($commands.Contains($_)) { $tip = $commands[$_] }\n"
      "        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $tip)\n"
      "    }\n"
      "}\n";
  return out;
}

}  // namespace

std::string render_completion(std::string_view shell) {
  if (shell == "bash") {
    return bash();
  }
  if (shell == "zsh") {
    return zsh();
  }
  if (shell == "fish") {
    return fish();
  }
  return shell == "powershell" ? powershell() : std::string();
}

}  // namespace gpup
