#include <doctest/doctest.h>

#include <string>

#include "cli/command_line.h"
#include "cli/program.h"

namespace gpup::test {

TEST_CASE("a wrong command line is told in one sentence and exits 64") {
  struct Case {
    std::string_view line;
    std::string_view first;  ///< of stderr
  };
  const Case cases[] = {
      {"", "error[GP190]: no command is given"},
      {"paln", "error[GP190]: there is no command 'paln'"},
      {"Plan", "error[GP190]: there is no command 'Plan'"},
      {"''", "error[GP190]: no command is given, only ''"},
      {"frobnicate", "error[GP190]: there is no command 'frobnicate'"},
      {"--ouput plan", "error[GP190]: option '--ouput' stands where a command is wanted"},
      {"-x", "error[GP190]: option '-x' stands where a command is wanted"},
      {"--color never", "error[GP190]: no command is given, only '--color'"},
      {"--color", "error[GP190]: no command is given, only '--color'"},
      {"help plna", "error[GP190]: there is no command 'plna'"},
      {"help plan show", "error[GP190]: 'help' takes one argument, COMMAND, but 'show' is given, too"},
      {"plan", "error[GP190]: 'plan' needs -f FILE"},
      {"drift", "error[GP190]: 'drift' needs -f FILE"},
      {"validate", "error[GP190]: 'validate' needs -f FILE"},
      {"plan --observed lab.json", "error[GP190]: 'plan' needs -f FILE"},
      {"apply", "error[GP190]: 'apply' needs a PLAN or -f FILE"},
      {"apply p -f x.yaml", "error[GP190]: 'apply' takes a PLAN or -f FILE, not both"},
      {"apply --observed lab.json -f x.yaml", "error[GP190]: 'apply' has no option '--observed'"},
      {"apply p --parallel 0", "error[GP190]: option '--parallel' must be a whole number from 1 to 256, not '0'"},
      {"apply p --parallel 257", "error[GP190]: option '--parallel' must be a whole number from 1 to 256, not '257'"},
      {"apply p --parallel=-1", "error[GP190]: option '--parallel' must be a whole number from 1 to 256, not '-1'"},
      {"apply p --parallel 4x", "error[GP190]: option '--parallel' must be a whole number from 1 to 256, not '4x'"},
      {"apply p --parallel 99999999999",
       "error[GP190]: option '--parallel' must be a whole number from 1 to 256, not '99999999999'"},
      {"apply p --parallel 2 --parallel 2", "error[GP190]: option '--parallel' is given twice"},
      {"plan -f x.yaml --parallel 2", "error[GP190]: 'plan' has no option '--parallel'"},
      {"observe", "error[GP190]: 'observe' needs -f FILE, --observed FILE or --connect URI"},
      {"export", "error[GP190]: 'export' needs -f FILE, --observed FILE or --connect URI"},
      {"why vdi-01", "error[GP190]: 'why' needs -f FILE or --observed FILE"},
      {"why -f x.yaml", "error[GP190]: 'why' needs an argument, VM|GPU|STEP"},
      {"show", "error[GP190]: 'show' needs an argument, PLAN"},
      {"show ''", "error[GP190]: 'show' needs an argument, PLAN, not an empty one"},
      {"show a b", "error[GP190]: 'show' takes one argument, PLAN, but 'b' is given, too"},
      {"plan x.yaml", "error[GP190]: 'plan' takes no argument, but 'x.yaml' is given"},
      {"plan -f x.yaml y.yaml", "error[GP190]: 'plan' takes no argument, but 'y.yaml' is given"},
      {"plan -f", "error[GP190]: option '-f' needs a value, FILE"},
      {"plan --file", "error[GP190]: option '--file' needs a value, FILE"},
      {"plan -f --out p", "error[GP190]: option '-f' needs a value, FILE, before '--out'"},
      {"plan --file=", "error[GP190]: option '--file' needs a value, FILE, not an empty one"},
      {"plan -f ''", "error[GP190]: option '--file' needs a value, FILE, not an empty one"},
      {"plan -f x.yaml --ouput json", "error[GP190]: 'plan' has no option '--ouput'"},
      {"plan -f x.yaml --ouput=json", "error[GP190]: 'plan' has no option '--ouput'"},
      {"plan -f x.yaml -z", "error[GP190]: 'plan' has no option '-z'"},
      {"plan -f x.yaml -out p",
       "error[GP190]: option '--output' must be text, json, markdown, html or outage, not 'ut'"},
      {"drift -f x.yaml -o outage",
       "error[GP190]: option '--output' must be text, json, markdown, html, junit, sarif, github or gitlab, not "
       "'outage'"},
      {"plan -f x.yaml --max-outage 0m",
       "error[GP190]: option '--max-outage' takes a whole number of s, m or h, not '0m'"},
      {"apply p --max-outage 10", "error[GP190]: option '--max-outage' takes a whole number of s, m or h, not '10'"},
      {"apply p --ignore-window", "error[GP190]: option '--ignore-window' needs --reason TEXT"},
      {"apply p --reason x", "error[GP190]: option '--reason' says why --ignore-window is given, and it is not"},
      {"resume --ignore-window --reason ''", "error[GP190]: option '--reason' needs a value, TEXT, not an empty one"},
      {"apply p --expect-plan 0123",
       "error[GP190]: option '--expect-plan' takes sha256: and 64 of 0-9 and a-f, not '0123'"},
      {"apply p --expect-plan sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
       "error[GP190]: option '--expect-plan' takes sha256: and 64 of 0-9 and a-f, not "
       "'sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef'"},
      {"plan -f x.yaml --expect-plan sha256:", "error[GP190]: 'plan' has no option '--expect-plan'"},
      {"show p --max-outage 10m", "error[GP190]: 'show' has no option '--max-outage'"},
      {"plan -f x.yaml --target hv-1/vdi-01",
       "error[GP190]: option '--target' takes HOST or HOST/vm/NAME, not 'hv-1/vdi-01'"},
      {"drift -f x.yaml --target hv-1 --exclude /vm/a",
       "error[GP190]: option '--exclude' takes HOST or HOST/vm/NAME, not '/vm/a'"},
      {"apply p --exclude hv-1",
       "error[GP190]: 'apply' takes a PLAN or --exclude, not both: a saved plan is performed whole"},
      {"plan -f x.yaml --yes", "error[GP190]: 'plan' has no option '--yes'"},
      {"plan -f x.yaml --@", "error[GP190]: 'plan' has no option '--@'"},
      {"plan -f x.yaml ---", "error[GP190]: 'plan' has no option '---'"},
      {"plan -f x.yaml -o jsno",
       "error[GP190]: option '--output' must be text, json, markdown, html or outage, not 'jsno'"},
      {"plan -f x.yaml -o yaml",
       "error[GP190]: option '--output' must be text, json, markdown, html or outage, not 'yaml'"},
      {"validate -f x.yaml -o markdown", "error[GP190]: option '--output' must be text or json, not 'markdown'"},
      {"observe -f x.yaml -o text", "error[GP190]: option '--output' must be table, wide, json or yaml, not 'text'"},
      {"plan -f x.yaml -o json -o json", "error[GP190]: option '--output' is given twice"},
      {"plan -f x.yaml -o json --output=text", "error[GP190]: option '--output' is given twice"},
      {"plan -f x.yaml --out a --out b", "error[GP190]: option '--out' is given twice"},
      {"plan -f x.yaml --full --full", "error[GP190]: option '--full' is given twice"},
      {"apply -f x.yaml --yes -y", "error[GP190]: option '--yes' is given twice"},
      {"apply -f x.yaml --yes=no", "error[GP190]: option '--yes' takes no value"},
      {"plan -f x.yaml --observed a --observed b", "error[GP190]: option '--observed' is given twice"},
      {"plan -f x.yaml --detailed-exitcode=1", "error[GP190]: option '--detailed-exitcode' takes no value"},
      {"plan -f - --observed -", "error[GP190]: standard input, '-', can be read only once"},
      {"plan -f - -f -", "error[GP190]: standard input, '-', can be read only once"},
      {"plan -f x.yaml --color sometimes",
       "error[GP190]: option '--color' must be auto, always or never, not 'sometimes'"},
      {"plan -f x.yaml --log-level loud",
       "error[GP190]: option '--log-level' must be trace, debug, info, warn, error or off, not 'loud'"},
      {"plan -f x.yaml --log-format xml", "error[GP190]: option '--log-format' must be text or json, not 'xml'"},
      {"plan -f x.yaml --report json", "error[GP190]: option '--report' takes FORM=FILE, not 'json'"},
      {"plan -f x.yaml --report =a", "error[GP190]: option '--report' takes FORM=FILE, not '=a'"},
      {"plan -f x.yaml --report yaml=a",
       "error[GP190]: option '--report' must be text, json, markdown, html or outage, not 'yaml'"},
      {"plan -f x.yaml --report json=a --out a", "error[GP190]: two answers would be written to 'a'"},
      {"plan -f x.yaml --out x.yaml", "error[GP190]: the answer would be written over 'x.yaml', which is read"},
      {"drift -f x.yaml --observed s.json --report json=s.json",
       "error[GP190]: the answer would be written over 's.json', which is read"},
      {"apply x.plan --receipt x.plan", "error[GP190]: the answer would be written over 'x.plan', which is read"},
      {"plan -f x.yaml --report json=a --report text=a", "error[GP190]: two answers would be written to 'a'"},
      {"plan -f x.yaml --connect local:", "error[GP190]: 'plan' has no option '--connect'"},
      {"observe -f x.yaml --connect local:", "error[GP190]: 'observe' takes --connect or --file, not both"},
      {"observe --observed x --connect local:", "error[GP190]: 'observe' takes --connect or --observed, not both"},
      {"observe --connect telnet://a",
       "error[GP190]: option '--connect' takes [NAME=]URI: 'telnet://a' is not one of local:, simulated:FILE, "
       "ssh://[user@]address[:port] or winrm://address"},
      {"observe --connect simulated:",
       "error[GP190]: option '--connect' takes [NAME=]URI: 'simulated:' needs a FILE, the lab"},
      {"observe --connect ssh://", "error[GP190]: option '--connect' takes [NAME=]URI: '' is not an address"},
      {"observe --connect ssh://a:0",
       "error[GP190]: option '--connect' takes [NAME=]URI: port '0' is not a whole number from 1 to 65535"},
      {"observe --connect ssh://a:65536",
       "error[GP190]: option '--connect' takes [NAME=]URI: port '65536' is not a whole number from 1 to 65535"},
      {"observe --connect ssh://a:99999999999999999999",
       "error[GP190]: option '--connect' takes [NAME=]URI: port '99999999999999999999' is not a whole number from 1 "
       "to 65535"},
      {"observe --connect ssh://a:+1",
       "error[GP190]: option '--connect' takes [NAME=]URI: port '+1' is not a whole number from 1 to 65535"},
      {"observe --connect ssh://-oProxyCommand",
       "error[GP190]: option '--connect' takes [NAME=]URI: '-oProxyCommand' is not an address"},
      {"observe --connect ssh://::1",
       "error[GP190]: option '--connect' takes [NAME=]URI: an IPv6 address stands in brackets: [::1]"},
      {"observe --connect winrm://me@a",
       "error[GP190]: option '--connect' takes [NAME=]URI: 'winrm://' takes no user: it uses your own session"},
      {"observe --connect =local:",
       "error[GP190]: option '--connect' takes [NAME=]URI: the NAME before '=' is not a host name"},
      {"observe --connect a=ssh://x --connect A=ssh://y", "error[GP190]: host 'A' is named twice by --connect"},
      {"completion", "error[GP190]: 'completion' needs an argument, SHELL"},
      {"completion zhs", "error[GP190]: SHELL must be bash, zsh, fish or powershell, not 'zhs'"},
      {"explain GP999", "error[GP190]: there is no code 'GP999'"},
      {"explain banana", "error[GP190]: there is no code 'banana'"},
      {"schema desird", "error[GP190]: there is no schema 'desird'"},
      {"version now", "error[GP190]: 'version' takes no argument, but 'now' is given"},
      {"version --jsn", "error[GP190]: 'version' has no option '--jsn'"},
  };
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Ended ended = run_gpup(folder, split_words(c.line));
    CHECK_EQ(first_line(ended.err), c.first);
    CHECK_EQ(ended.code, 64);
    CHECK_EQ(ended.out, "");
  }
}

TEST_CASE("a misspelt word gets the nearest one") {
  struct Case {
    std::string_view line;
    std::string_view hint;
  };
  const Case cases[] = {
      {"paln", "did you mean 'plan'?"},
      {"aply", "did you mean 'apply'?"},
      {"plan -f x --ouput json", "did you mean '--output'?"},
      {"plan -f x --detailed-exit-code", "did you mean '--detailed-exitcode'?"},
      {"plan -f x -o jsno", "did you mean 'json'?"},
      {"plan -f x --yes", "'apply' takes it"},
      {"help drfit", "did you mean 'drift'?"},
      {"schema desird", "did you mean 'desired'?"},
      {"completion zhs", "did you mean 'zsh'?"},
      {"plan x.yaml", "a file is given as '-f x.yaml'"},
      {"frobnicate", "'gpup help' lists the commands"},
  };
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Ended ended = run_gpup(folder, split_words(c.line));
    CHECK_NE(ended.err.find(std::string("= ") + std::string(c.hint)), std::string::npos);
  }
}

TEST_CASE("a command line is read as its writer means it") {
  SUBCASE("values are never split, and keep their order") {
    const Parsed parsed =
        parse_command_line({"plan", "-f", "a,b.yaml", "-fc.yaml", "--file=d=e.yaml", "--file", "-", "-f=g", "-o=json"});
    REQUIRE_FALSE(parsed.error);
    CHECK_EQ(parsed.invocation.values("file"), std::vector<std::string>{"a,b.yaml", "c.yaml", "d=e.yaml", "-", "g"});
    CHECK_EQ(parsed.invocation.value("output"), "json");
  }
  SUBCASE("what follows -- is an argument, whatever it looks like") {
    const Parsed parsed = parse_command_line({"why", "-f", "x", "--", "--help"});
    REQUIRE_FALSE(parsed.error);
    CHECK_FALSE(parsed.invocation.help);
    CHECK_EQ(parsed.invocation.argument, "--help");
  }
  SUBCASE("a value may begin with a dash where it is joined to its option") {
    const Parsed parsed = parse_command_line({"plan", "--file=-x.yaml", "-f-y.yaml"});
    REQUIRE_FALSE(parsed.error);
    CHECK_EQ(parsed.invocation.values("file"), std::vector<std::string>{"-x.yaml", "-y.yaml"});
  }
  SUBCASE("letters may be joined") {
    const Parsed parsed = parse_command_line({"apply", "-yf", "x.yaml", "-ojson"});
    REQUIRE_FALSE(parsed.error);
    CHECK(parsed.invocation.has("yes"));
    CHECK_EQ(parsed.invocation.value("file"), "x.yaml");
    CHECK_EQ(parsed.invocation.value("output"), "json");
  }
  SUBCASE("options of every command may come before it") {
    const Parsed parsed = parse_command_line({"--color", "never", "--log-level=debug", "plan", "-f", "x"});
    REQUIRE_FALSE(parsed.error);
    CHECK_EQ(parsed.invocation.command->name, "plan");
    CHECK_EQ(parsed.invocation.value("color"), "never");
    CHECK_EQ(parsed.invocation.value("log-level"), "debug");
  }
  SUBCASE("--help wins over what is missing or wrong") {
    for (const auto& line :
         {std::vector<std::string>{"plan", "--help"}, {"plan", "-h"}, {"plan", "--nonsense", "-h"}}) {
      const Parsed parsed = parse_command_line(line);
      CHECK_FALSE(parsed.error);
      CHECK(parsed.invocation.help);
      CHECK_EQ(parsed.invocation.command->name, "plan");
    }
    CHECK_EQ(parse_command_line({"--help"}).invocation.command->name, "help");
    CHECK_EQ(parse_command_line({"-h"}).invocation.command->name, "help");
    CHECK_EQ(parse_command_line({"--version"}).invocation.command->name, "version");
  }
}

}  // namespace gpup::test
