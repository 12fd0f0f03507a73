#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/program.h"

namespace gpup::test {

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// kLab, whose host is told more to tell the doctor.
std::string lab_with(const nlohmann::json& facts) {
  auto lab = nlohmann::json::parse(kLab);
  lab["hosts"][0]["simulate"] = {{"facts", facts}};
  return lab.dump();
}

}  // namespace

TEST_CASE("doctor exits 0 where nothing fails, 3 where something was not checked, 4 where something fails") {
  struct Case {
    nlohmann::json facts;
    int code;
    std::string_view says;
  };
  const Case cases[] = {
      {nlohmann::json::object(), 0, " 0 fail, 0 not checked.\n"},
      {{{"host", {{"elevated", true}}}}, 0, "  pass         elevated "},
      {{{"vms", {{{"name", "vdi-01"}, {"automaticStopAction", 3}}}}}, 0, "    warn         stop-action "},
      {{{"errors", {{"host.elevated", "Zugriff verweigert"}}}}, 3, "Zugriff verweigert\n"},
      {{{"host", {{"elevated", false}}}}, 4, "  fail         elevated "},
      {{{"vms", {{{"id", "711CEE18-60db-43b4-be7e-cedce5e25dd0"}, {"shutdownService", false}}}}},
       4,
       "    fail         shutdown-service "},
      {{{"host", {{"elevated", "perhaps"}}}}, 4, "GP061: "},
  };
  for (const Case& c : cases) {
    const Folder folder;
    folder.write("desired.yaml", kDesired);
    folder.write("lab.json", lab_with(c.facts));
    CAPTURE(c.facts.dump());
    const Ended text = run_gpup(folder, {"doctor", "-f", "desired.yaml"});
    CAPTURE(text.out);
    CHECK_EQ(text.code, c.code);
    CHECK(contains(text.out, c.says));
    CHECK_EQ(text.err, "");
    const Ended json = run_gpup(folder, {"doctor", "-f", "desired.yaml", "-o", "json"});
    CHECK_EQ(json.code, c.code);
    CHECK_EQ(nlohmann::json::parse(json.out)["exitCode"], c.code);
  }
}

TEST_CASE("doctor asks the hosts of --connect as well, and a host that does not answer fails") {
  const Folder folder;
  folder.write("lab.json", kLab);
  CHECK_EQ(run_gpup(folder, {"doctor", "--connect", "simulated:lab.json"}).code, 0);
  const Ended two =
      run_gpup(folder, {"doctor", "--connect", "hv-1=simulated:lab.json", "--connect", "other=simulated:lab.json"});
  CHECK_EQ(two.code, 4);
  CHECK(contains(two.out, "other\n  fail         reachable"));
  CHECK(contains(two.out, "GP170: lab.json has no host other\n"));
  CHECK(contains(two.out, "hv-1\n  pass         reachable"));
}

TEST_CASE("doctor needs hosts, and takes no snapshot") {
  const Folder folder;
  folder.write("lab.json", kLab);
  struct Case {
    std::string_view line;
    std::string_view says;
  };
  for (const Case& c : {Case{"doctor", "error[GP190]: 'doctor' needs -f FILE or --connect URI\n"},
                        Case{"doctor --observed lab.json", "error[GP190]: 'doctor' has no option '--observed'"}}) {
    CAPTURE(c.line);
    const Ended ended = run_gpup(folder, split_words(c.line));
    CHECK_EQ(ended.code, 64);
    CAPTURE(ended.err);
    CHECK(contains(ended.err, c.says));
  }
}

TEST_CASE("doctor contacts nobody while a file holds an error") {
  const Folder folder;
  folder.write("desired.yaml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nhots: []\n");
  const Ended ended = run_gpup(folder, {"doctor", "-f", "desired.yaml"});
  CHECK_EQ(ended.code, 4);
  CHECK(contains(ended.err, "desired.yaml:3:1: error[GP014]"));
  CHECK_EQ(ended.out, "");
}

}  // namespace gpup::test
