#include "cli/command_line.h"

#include <algorithm>
#include <span>

// Without this cxxopts compiles regular expressions before main.
#define CXXOPTS_NO_REGEX true
#include <fmt/format.h>
#include <cxxopts.hpp>

#include "base/text.h"

namespace gpup {

namespace {

std::string join_words(std::string_view words) {
  std::string joined;
  while (!words.empty()) {
    const std::string_view word = next_word(words);
    joined += joined.empty() ? "" : words.empty() ? " or " : ", ";
    joined += word;
  }
  return joined;
}

const Option* find_common(std::string_view name) {
  const auto found = std::find_if(common_options().begin(), common_options().end(),
                                  [&](const Option* option) { return option->name == name; });
  return found == common_options().end() ? nullptr : *found;
}

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> all;
  while (!words.empty()) {
    all.push_back(next_word(words));
  }
  return all;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  const auto near = nearest(word, known);
  return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

/// How the user wrote an option: `-o`, `--out`.
std::string spelled(const Option& option, bool by_letter) {
  return by_letter ? fmt::format("-{}", option.letter) : fmt::format("--{}", option.name);
}

/// Arguments in the one form that cxxopts takes rightly. It would read `-fa.yaml` as a positional, eat the next
/// option as a value, and give positionals and what follows `--` in one list with unknown options.
struct Spelled {
  std::vector<std::string> options;  ///< `--name=value`, `--flag`, and options that are not known, as they were
  std::vector<std::string> positionals;
  std::optional<UsageError> error;
};

class Speller {
 public:
  Speller(const Command& command, std::span<const std::string> arguments) : command_(command), left_(arguments) {}

  Spelled spell() {
    while (!left_.empty() && !result_.error) {
      const std::string argument = take();
      if (argument == "--") {
        result_.positionals.insert(result_.positionals.end(), left_.begin(), left_.end());
        break;
      }
      if (argument.starts_with("--")) {
        spell_long(argument);
      } else if (argument.size() > 1 && argument.front() == '-') {
        spell_letters(argument);
      } else {
        result_.positionals.push_back(argument);
      }
    }
    return std::move(result_);
  }

 private:
  std::string take() {
    std::string first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }

  void spell_long(const std::string& argument) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    const Option* option = find_option(command_, name);
    if (option == nullptr) {
      result_.options.push_back(argument);
    } else if (equals != std::string::npos) {
      if (option->is_flag()) {
        fail(fmt::format("option '--{}' takes no value", name), {});
      } else {
        add(*option, argument.substr(equals + 1));
      }
    } else {
      add_with_next(*option, false);
    }
  }

  void spell_letters(const std::string& argument) {
    for (std::size_t i = 1; i < argument.size() && !result_.error; ++i) {
      const Option* option = find_option(command_, argument[i]);
      if (option == nullptr) {
        // A slip such as `-out` is one word, not three letters.
        result_.options.push_back(i == 1 ? argument : fmt::format("-{}", argument.substr(i)));
        return;
      }
      if (!option->is_flag() && i + 1 < argument.size()) {
        const std::size_t value = argument[i + 1] == '=' ? i + 2 : i + 1;
        add(*option, argument.substr(value));
        return;
      }
      add_with_next(*option, true);
    }
  }

  void add_with_next(const Option& option, bool by_letter) {
    if (option.is_flag()) {
      result_.options.push_back(fmt::format("--{}", option.name));
      return;
    }
    if (left_.empty()) {
      fail(fmt::format("option '{}' needs a value, {}", spelled(option, by_letter), option.value), {});
    } else if (left_.front().size() > 1 && left_.front().front() == '-') {
      fail(fmt::format("option '{}' needs a value, {}, before '{}'", spelled(option, by_letter), option.value,
                       left_.front()),
           fmt::format("a value that begins with a dash is written --{}=VALUE", option.name));
    } else {
      add(option, take());
    }
  }

  void add(const Option& option, const std::string& value) {
    if (value.empty()) {
      fail(fmt::format("option '--{}' needs a value, {}, not an empty one", option.name, option.value), {});
      return;
    }
    result_.options.push_back(fmt::format("--{}={}", option.name, value));
  }

  void fail(std::string message, std::string hint) {
    result_.error = UsageError{std::move(message), std::move(hint), &command_};
  }

  const Command& command_;
  std::span<const std::string> left_;
  Spelled result_;
};

UsageError unknown_option(const Command& command, std::string_view written) {
  const std::string_view word = written.substr(0, written.find('='));
  std::vector<std::string> names;
  for (const std::span<const Option* const> options : {command.options, common_options()}) {
    for (const Option* option : options) {
      names.push_back(fmt::format("--{}", option->name));
    }
  }
  std::string hint = suggestion(word.starts_with("--") ? std::string(word) : fmt::format("-{}", word),
                                std::vector<std::string_view>(names.begin(), names.end()));
  if (hint.empty() && word.starts_with("--")) {
    for (const Command& other : commands()) {
      if (find_option(other, word.substr(2)) != nullptr) {
        hint = fmt::format("'{}' takes it", other.name);
        break;
      }
    }
  }
  return {fmt::format("'{}' has no option '{}'", command.name, word), hint, &command};
}

/// Options through cxxopts: every one takes text, since its own number parsing wraps and its lists split at commas.
std::optional<UsageError> parse_options(const Command& command, const std::vector<std::string>& arguments,
                                        Invocation& invocation) {
  std::vector<const char*> argv = {"gpup"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  try {
    cxxopts::Options options("gpup");
    options.allow_unrecognised_options();
    auto add = options.add_options();
    for (const std::span<const Option* const> known : {command.options, common_options()}) {
      for (const Option* option : known) {
        const auto value = cxxopts::value<std::string>();
        add(std::string(option->name), "", option->is_flag() ? value->implicit_value("") : value);
      }
    }
    const cxxopts::ParseResult result = options.parse(static_cast<int>(argv.size()), argv.data());
    if (!result.unmatched().empty()) {
      return unknown_option(command, result.unmatched().front());
    }
    for (const cxxopts::KeyValue& given : result.arguments()) {
      invocation.options.emplace_back(find_option(command, given.key()), given.value());
    }
  } catch (const cxxopts::exceptions::exception& error) {
    return UsageError{error.what(), {}, &command};
  }
  return std::nullopt;
}

std::optional<UsageError> check_option(const Command& command, const Option& option, std::string_view value) {
  if (option.words.empty() || option.is_flag()) {
    return std::nullopt;
  }
  std::string_view word = value;
  if (option.completes == Completes::kFormFile) {
    const std::size_t equals = value.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == value.size()) {
      return UsageError{fmt::format("option '--{}' takes {}, not '{}'", option.name, option.value, value),
                        fmt::format("FORM is {}", join_words(option.words)), &command};
    }
    word = value.substr(0, equals);
  }
  if (has_word(option.words, word)) {
    return std::nullopt;
  }
  const std::string hint = suggestion(word, split_words(option.words));
  return UsageError{fmt::format("option '--{}' must be {}, not '{}'", option.name, join_words(option.words), word),
                    hint, &command};
}

std::optional<UsageError> check_options(const Command& command, const Invocation& invocation) {
  for (auto given = invocation.options.begin(); given != invocation.options.end(); ++given) {
    const Option* const option = given->first;
    if (!option->repeatable &&
        std::any_of(invocation.options.begin(), given, [&](const auto& before) { return before.first == option; })) {
      return UsageError{fmt::format("option '--{}' is given twice", option->name), {}, &command};
    }
    if (auto error = check_option(command, *option, given->second)) {
      return error;
    }
  }
  return std::nullopt;
}

std::optional<UsageError> check_positionals(const Command& command, const std::vector<std::string>& positionals,
                                            Invocation& invocation) {
  const std::size_t most = command.argument.empty() ? 0 : command.takes_many() ? positionals.size() : 1;
  if (positionals.size() > most) {
    const std::string& extra = positionals[most];
    const bool file = find_option(command, 'f') != nullptr;
    return UsageError{most == 0 ? fmt::format("'{}' takes no argument, but '{}' is given", command.name, extra)
                                : fmt::format("'{}' takes one argument, {}, but '{}' is given, too", command.name,
                                              command.argument, extra),
                      file ? fmt::format("a file is given as '-f {}'", extra) : std::string(), &command};
  }
  if (command.argument_needed && positionals.empty()) {
    return UsageError{fmt::format("'{}' needs an argument, {}", command.name, command.argument),
                      command.words.empty() ? std::string() : fmt::format("it is {}", join_words(command.words)),
                      &command};
  }
  if (positionals.empty()) {
    return std::nullopt;
  }
  if (std::any_of(positionals.begin(), positionals.end(), [](const std::string& one) { return one.empty(); })) {
    return UsageError{
        fmt::format("'{}' needs an argument, {}, not an empty one", command.name, command.argument), {}, &command};
  }
  if (!command.words.empty() && !has_word(command.words, positionals.front())) {
    std::string hint = suggestion(positionals.front(), split_words(command.words));
    return UsageError{
        command.completes == Completes::kCommand
            ? fmt::format("there is no command '{}'", positionals.front())
            : fmt::format("{} must be {}, not '{}'", command.argument, join_words(command.words), positionals.front()),
        hint, &command};
  }
  invocation.argument = positionals.front();
  invocation.arguments = positionals;
  return std::nullopt;
}

/// Where the command stands: options that every command takes may come before it. The size where there is none.
std::size_t command_index(const std::vector<std::string>& arguments) {
  std::size_t i = 0;
  while (i < arguments.size() && arguments[i].starts_with("--")) {
    const Option* option = find_common(std::string_view(arguments[i]).substr(2));
    if (option == nullptr && arguments[i].find('=') == std::string::npos) {
      break;
    }
    i += option != nullptr && !option->is_flag() ? 2 : 1;
  }
  return std::min(i, arguments.size());
}

/// A command line without a known command.
UsageError no_command(const std::vector<std::string>& arguments, const std::string& name) {
  if (name.empty()) {
    return {arguments.empty() ? std::string("no command is given")
                              : fmt::format("no command is given, only '{}'", arguments.front()),
            "'gpup help' lists the commands", nullptr};
  }
  if (name.front() == '-') {
    return {fmt::format("option '{}' stands where a command is wanted", name), "'gpup help' lists the commands",
            nullptr};
  }
  std::vector<std::string_view> names;
  for (const Command& each : commands()) {
    names.push_back(each.name);
  }
  const std::string hint = suggestion(name, names);
  return {fmt::format("there is no command '{}'", name), hint.empty() ? "'gpup help' lists the commands" : hint,
          nullptr};
}

bool asks_for_help(const std::vector<std::string>& options) {
  return std::find(options.begin(), options.end(), "--help") != options.end();
}

}  // namespace

std::optional<std::string_view> Invocation::value(std::string_view name) const {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& given) { return given.first->name == name; });
  return found == options.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::vector<std::string> Invocation::values(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [option, value] : options) {
    if (option->name == name) {
      found.push_back(value);
    }
  }
  return found;
}

Parsed parse_command_line(const std::vector<std::string>& arguments) {
  std::vector<std::string> rest = arguments;
  const std::size_t at = command_index(arguments);
  std::string name;
  if (at < arguments.size()) {
    name = arguments[at];
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
  }
  Parsed parsed;
  if (name == "-h" || (name.empty() && asks_for_help(arguments))) {
    parsed.invocation.command = find_command("help");
    return parsed;
  }
  if (name == "--version") {
    parsed.invocation.command = find_command("version");
    return parsed;
  }
  const Command* command = find_command(name);
  if (command == nullptr) {
    parsed.error = no_command(arguments, name);
    return parsed;
  }
  parsed.invocation.command = command;
  Spelled spelled_out = Speller(*command, rest).spell();
  if (asks_for_help(spelled_out.options)) {
    parsed.invocation.help = true;
    return parsed;
  }
  if (spelled_out.error) {
    parsed.error = std::move(spelled_out.error);
  } else if (auto wrong = parse_options(*command, spelled_out.options, parsed.invocation)) {
    parsed.error = std::move(wrong);
  } else if (auto unfit = check_options(*command, parsed.invocation)) {
    parsed.error = std::move(unfit);
  } else {
    parsed.error = check_positionals(*command, spelled_out.positionals, parsed.invocation);
  }
  return parsed;
}

}  // namespace gpup
