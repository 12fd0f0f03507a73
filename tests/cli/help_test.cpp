#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/program.h"
#include "files.h"
#include "paths.h"

namespace gpup::test {

TEST_CASE("help reads as it did") {
  const std::string golden = std::string(kSourceFolder) + "/tests/golden/help/";
  check_golden(golden + "gpup.txt", render_help());
  for (const Command& command : commands()) {
    check_golden(golden + std::string(command.name) + ".txt", render_help(command));
  }
}

TEST_CASE("no line of help is longer than 80 columns but an example") {
  for (const Command& command : commands()) {
    std::string text = render_help(command);
    text.erase(text.find("\nExamples:"));
    CAPTURE(text);
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      CHECK_LE(end - begin, 80);
      begin = end + 1;
    }
  }
}

TEST_CASE("every command has help by all its names, on stdout") {
  const Folder folder;
  for (const Command& command : commands()) {
    const std::string name(command.name);
    CAPTURE(name);
    const Ended help = run_gpup(folder, {"help", name});
    CHECK_EQ(help.code, 0);
    CHECK_EQ(help.err, "");
    CHECK_EQ(run_gpup(folder, {name, "--help"}).out, help.out);
    CHECK_EQ(run_gpup(folder, {name, "-h"}).out, help.out);
  }
  CHECK_EQ(run_gpup(folder, {"--help"}).out, run_gpup(folder, {"help"}).out);
}

TEST_CASE("completion scripts are made of the table, and their shells can read them") {
  struct Case {
    std::string shell;
    std::string check;
  };
  const Case cases[] = {{"bash", "bash -n"}, {"zsh", "zsh -n"}, {"fish", "fish --no-execute"}, {"powershell", ""}};
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.shell);
    const std::string script = render_completion(c.shell);
    for (const Command& command : commands()) {
      CHECK_NE(script.find(command.name), std::string::npos);
      for (const Option* option : command.options) {
        CHECK_NE(script.find(option->name), std::string::npos);
      }
    }
    folder.write("script", script);
    const std::string program = c.check.substr(0, c.check.find(' '));
    const bool there = !program.empty() && std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
    if (there) {
      CHECK_EQ(std::system((c.check + " '" + folder.path() + "/script'").c_str()), 0);
    }
  }
}

TEST_CASE("bash completes commands, options, their values and codes") {
  const Folder folder;
  folder.write("script", render_completion("bash"));
  struct Case {
    std::string words;  ///< as COMP_WORDS, the last one is completed
    std::string wanted;
  };
  const Case cases[] = {
      {"gpup pl", "plan"},
      {"gpup plan --det", "--detailed-exitcode"},
      {"gpup plan -o js", "json"},
      {"gpup plan --output = m", "markdown"},
      {"gpup plan --report j", "json="},
      {"gpup completion f", "fish"},
      {"gpup help dri", "drift"},
      {"gpup explain GP19", "GP190 GP191 GP192 GP193 GP194 GP195 GP196 GP197"},
      {"gpup observe -o w", "wide"},
      {"gpup validate -f scr", "script"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.words);
    const std::string command = "cd '" + folder.path() + "' && bash -c '. ./script; COMP_WORDS=(" + c.words +
                                "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _gpup; echo \"${COMPREPLY[*]}\"' > out 2>&1";
    CHECK_EQ(std::system(command.c_str()), 0);
    CHECK_EQ(folder.read("out"), c.wanted + "\n");
  }
}

}  // namespace gpup::test
