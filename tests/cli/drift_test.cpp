#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "cli/program.h"
#include "files.h"
#include "json_schema.h"
#include "paths.h"

namespace gpup::test {

namespace {

// A host with a card of the wrong count, a VM that holds nothing (and runs, which the file does not want), one that is
// as wanted and one that no line lists; a second host that cannot be read.
const std::string kFile =
    "apiVersion: gpup/v1\n"                                         // 1
    "kind: GpuPartitioning\n"                                       // 2
    "metadata: { name: lab }\n"                                     // 3
    "hosts:\n"                                                      // 4
    "  - name: hv-1\n"                                              // 5
    "    connect: { transport: simulated, file: snapshot.json }\n"  // 6
    "  - name: hv-2\n"                                              // 7
    "    connect: { transport: simulated, file: snapshot.json }\n"  // 8
    "gpus:\n"                                                       // 9
    "  - model: NVIDIA A2\n"                                        // 10
    "    partitionCount: 4\n"                                       // 11
    "    hosts: [hv-1]\n"                                           // 12
    "  - model: NVIDIA A10\n"                                       // 13
    "    hosts: [hv-2]\n"                                           // 14
    "assignments:\n"                                                // 15
    "  - vm: \"vdi|<b>&01\"\n"                                      // 16
    "    power: off\n"                                              // 17
    "  - vm: vdi-02\n"                                              // 18
    "  - vm: elsewhere\n"                                           // 19
    "policy:\n"                                                     // 20
    "  homogeneous: warn\n";                                        // 21

const std::string kIgnores =
    "  ignore:\n"                                                                      // 22
    "    - { object: hv-1/gpu/4&1&0&0, reason: \"card, swapped: 50%\" }\n"             // 23
    "    - { object: hv-1/vm/old-01, reason: \"over\", until: 2020-01-01 }\n"          // 24
    "    - { object: hv-1/vm/vdi-02, property: state, reason: \"never differs\" }\n";  // 25

const std::string kPci = R"(\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&1&0&0#{064092b3})";

std::string vm_of(const std::string& name, char id, const std::string& state, const std::string& partitions) {
  return "{\"name\": \"" + name + "\", \"id\": \"711cee18-60db-43b4-be7e-cedce5e25dd" + id + "\", \"state\": \"" +
         state + "\", \"clustered\": false, \"generation\": 2, \"offlineAction\": null, \"partitions\": [" +
         partitions + "]}";
}

std::string adapter(char id) {
  return std::string("{\"id\": \"a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9") + id + "\", \"gpu\": \"" + kPci +
         "\", \"partitionId\": null, \"vram\": null}";
}

std::string snapshot(const std::string& count = "8") {
  return "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Snapshot\", \"takenAt\": \"2026-11-22T08:41:00Z\", \"cluster\": "
         "null,\n \"hosts\": [{\"name\": \"hv-1\", \"build\": 25398, \"edition\": \"azure-stack-hci\", \"reachable\": "
         "true,\n  \"gpus\": [{\"name\": \"" +
         kPci +
         "\", \"model\": \"NVIDIA A2\", \"device\": \"10de:25b6\", \"subsystem\": \"157e10de\", \"status\": "
         "\"partitioned\", \"validPartitionCounts\": [16, 8, 4, 2, 1], \"partitionCount\": " +
         count +
         ", \"totalVram\": 15918030848, \"availableVram\": 15918030848, \"partitionVram\": null}],\n \"vms\": [" +
         vm_of("vdi|<b>&01", '1', "Running", "") + ",\n " + vm_of("vdi-02", '2', "Off", adapter('2')) + ",\n " +
         vm_of("old-01", '3', "Off", adapter('3')) +
         "]},\n {\"name\": \"hv-2\", \"reachable\": false, \"error\": \"no route\\n::error::to host\"}]}";
}

/// What a form says: kind, rule, file, line.
using Found = std::multiset<std::tuple<std::string, std::string, std::string, int>>;

Found from_json(const std::string& text) {
  Found found;
  const auto document = nlohmann::json::parse(text);
  for (const auto& each : document["differences"]) {
    found.emplace(each["ignored"].is_null() ? "drift" : "ignored", each["property"], each["place"]["file"],
                  each["place"]["line"]);
  }
  for (const auto& each : document["diagnostics"]) {
    found.emplace("warning", each["code"], each["file"], each["line"]);
  }
  for (std::size_t i = 0; i < document["notChecked"].size(); ++i) {
    found.emplace("not checked", "GP170", "desired.yaml", 7);
  }
  return found;
}

Found from_sarif(const std::string& text) {
  Found found;
  const auto document = nlohmann::json::parse(text);
  for (const auto& each : document["runs"][0]["results"]) {
    const auto& place = each["locations"][0]["physicalLocation"];
    const std::string level = each["level"].get<std::string>();
    found.emplace(level == "error"                ? "drift"
                  : level == "warning"            ? "warning"
                  : each.contains("suppressions") ? "ignored"
                                                  : "not checked",
                  each["ruleId"].get<std::string>(), place["artifactLocation"]["uri"].get<std::string>(),
                  place["region"]["startLine"].get<int>());
  }
  return found;
}

Found from_gitlab(const std::string& text) {
  Found found;
  std::set<std::string> fingerprints;
  for (const auto& each : nlohmann::json::parse(text)) {
    const std::string severity = each["severity"].get<std::string>();
    const std::string rule = each["check_name"].get<std::string>();
    found.emplace(severity == "major"  ? "drift"
                  : severity == "info" ? "ignored"
                  : rule == "GP170"    ? "not checked"
                                       : "warning",
                  rule, each["location"]["path"].get<std::string>(), each["location"]["lines"]["begin"].get<int>());
    CHECK(fingerprints.insert(each["fingerprint"].get<std::string>()).second);
  }
  return found;
}

Found from_github(const std::string& text) {
  Found found;
  const std::regex form(
      R"re(::(error|warning|notice) file=([^,:]*),line=(\d+),col=\d+,title=gpup drift%3A (\w+)::(.+))re");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::smatch parts;
    REQUIRE(std::regex_match(line, parts, form));
    found.emplace(parts[1] == "error"    ? "drift"
                  : parts[1] == "notice" ? "ignored"
                  : parts[4] == "GP170"  ? "not checked"
                                         : "warning",
                  parts[4], parts[2], std::stoi(parts[3]));
  }
  return found;
}

/// Without what JUnit alone tells: lines that were not checked.
Found from_junit(const std::string& text) {
  Found found;
  std::smatch parts;
  const std::regex host(R"re(<testcase classname="hosts" name="[^"]*" file="([^"]*)" line="(\d+)"><skipped)re");
  const std::regex told(R"re(<testcase classname="diagnostics" name="(GP\d+)[^"]*" file="([^"]*)" line="(\d+)")re");
  const std::regex each(R"re(^(?:.*<(failure|skipped)[^>]*>)?([\w.]+):(\d+): (\w+): )re");
  std::istringstream lines(text);
  std::string kind;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, parts, host)) {
      found.emplace("not checked", "GP170", parts[1], std::stoi(parts[2]));
    } else if (std::regex_search(line, parts, told)) {
      found.emplace("warning", parts[1], parts[2], std::stoi(parts[3]));
    } else if (std::regex_search(line, parts, each)) {
      kind = parts[1].matched ? parts[1].str() : kind;
      found.emplace(kind == "failure" ? "drift" : "ignored", parts[4], parts[2], std::stoi(parts[3]));
    }
  }
  return found;
}

int run_shell(const std::string& command) { return std::system(command.c_str()); }

bool there(const std::string& program) { return run_shell("command -v " + program + " >/dev/null 2>&1") == 0; }

std::string sarif_misfit(const std::string& text) {
  return misfit(read_text(std::string(kSourceFolder) + "/tests/cli/schemas/sarif-2.1.0-rtm.5.json"), text);
}

const std::vector<std::string> kEveryForm = {
    "drift",         "-f",        "desired.yaml", "--observed", "snapshot.json",   "-o",
    "json",          "--report",  "text=d.txt",   "--report",   "junit=d.xml",     "--report",
    "sarif=d.sarif", "--report",  "github=d.log", "--report",   "gitlab=d.gitlab", "--report",
    "markdown=d.md", "--metrics", "d.prom"};

}  // namespace

TEST_CASE("one drift writes every form at once, and all tell the same findings at the same lines") {
  const Folder folder;
  folder.write("desired.yaml", kFile + kIgnores);
  folder.write("snapshot.json", snapshot());
  const Ended drift = run_gpup(folder, kEveryForm);
  CAPTURE(drift.err);
  CHECK_EQ(drift.code, 2);
  const Found expected = {{"ignored", "partitionCount", "desired.yaml", 11},
                          {"drift", "partitions", "desired.yaml", 16},
                          {"drift", "state", "desired.yaml", 17},
                          {"drift", "partitions", "desired.yaml", 5},
                          {"not checked", "GP170", "desired.yaml", 7},
                          {"warning", "GP145", "desired.yaml", 19},
                          {"warning", "GP220", "desired.yaml", 24}};
  CHECK(from_json(drift.out) == expected);
  CHECK(from_sarif(folder.read("d.sarif")) == expected);
  CHECK(from_gitlab(folder.read("d.gitlab")) == expected);
  CHECK(from_github(folder.read("d.log")) == expected);
  CHECK(from_junit(folder.read("d.xml")) == expected);
  for (const std::string name : {"d.txt", "d.md"}) {
    const std::string text = folder.read(name);
    CAPTURE(text);
    CHECK_NE(text.find("Drift: 3 differences (1 not in the file), 1 ignored; 1 host not checked."), std::string::npos);
    for (const auto& [kind, rule, file, line] : expected) {
      CHECK((kind == "not checked" || text.find(file + ":" + std::to_string(line)) != std::string::npos));
    }
  }
  CHECK_EQ(sarif_misfit(folder.read("d.sarif")), "");
  CHECK_NE(sarif_misfit("{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {}}]}"), "");
}

TEST_CASE("a pipeline reads of each line of the file whether it is as wanted, differs, or was not checked") {
  const Folder folder;
  folder.write("desired.yaml", kFile + kIgnores);
  folder.write("snapshot.json", snapshot());
  const Ended drift = run_gpup(folder, split_words("drift -f desired.yaml --observed snapshot.json -o junit"));
  CHECK_EQ(drift.code, 2);
  const std::string& xml = drift.out;
  CAPTURE(xml);
  const auto has = [&](const std::string& text) { return xml.find(text) != std::string::npos; };
  CHECK(has("<testsuites name=\"gpup drift: lab\" tests=\"10\" failures=\"2\" errors=\"0\" skipped=\"4\">"));
  CHECK(has("<testcase classname=\"hosts\" name=\"hv-1\" file=\"desired.yaml\" line=\"5\"/>"));
  CHECK(has("name=\"GPU NVIDIA A2\" file=\"desired.yaml\" line=\"10\"><skipped message=\"hv-1: GPU NVIDIA A2"));
  CHECK(has("accepted: card, swapped: 50%"));
  CHECK(has("name=\"GPU NVIDIA A10\" file=\"desired.yaml\" line=\"13\"><skipped message=\"not checked\"/>"));
  CHECK(has("name=\"VM vdi|&lt;b&gt;&amp;01\" file=\"desired.yaml\" line=\"16\"><failure type=\"partitions\""));
  CHECK(has("<testcase classname=\"assignments\" name=\"VM vdi-02\" file=\"desired.yaml\" line=\"18\"/>"));
  CHECK(has("name=\"VM elsewhere\" file=\"desired.yaml\" line=\"19\"><skipped message=\"not checked\"/>"));
  CHECK(has("<testcase classname=\"unlisted\" name=\"VM old-01 on hv-1\" file=\"desired.yaml\" line=\"5\"><failure"));
}

TEST_CASE("what is accepted is no drift, until its day is over") {
  struct Case {
    std::string ignore;
    int code;
    std::string_view verdict;
  };
  const std::string at = "  ignore:\n    - { reason: agreed, object: ";
  const Case cases[] = {
      {"", 2, "Drift: 4 differences (1 not in the file)"},
      {at + "hv-1 }\n", 3, "No drift found, 4 ignored; 1 host not checked."},
      {at + "HV-1, until: 2999-12-31 }\n", 3, "No drift found, 4 ignored"},
      {at + "hv-1, until: 2020-12-31 }\n", 2, "warning[GP220]: 'hv-1' was accepted to differ until 2020-12-31"},
      {at + "hv-1, property: partitions }\n", 2, "Drift: 2 differences, 2 ignored"},
      {at + "hv-1/vm/old-01 }\n", 2, "Drift: 3 differences, 1 ignored"},
      {at + "hv-1/vm/711CEE18-60DB-43B4-BE7E-CEDCE5E25DD3 }\n", 2, "Drift: 3 differences, 1 ignored"},
      {at + "hv-1/vm/old-02 }\n", 2, "warning[GP221]: 'hv-1/vm/old-02' is accepted to differ, and hv-1 has no such VM"},
      {at + "hv-1/gpu/4&1&0&1 }\n", 2, "has no such GPU"},
      {at + "hv-2/vm/old-02 }\n", 2, "Drift: 4 differences"},
  };
  const Folder folder;
  folder.write("snapshot.json", snapshot());
  for (const Case& c : cases) {
    CAPTURE(c.ignore);
    folder.write("desired.yaml", kFile + c.ignore);
    const Ended drift = run_gpup(folder, split_words("drift -f desired.yaml --observed snapshot.json"));
    CAPTURE(drift.out);
    CHECK_EQ(drift.code, c.code);
    CHECK_NE(drift.out.find(c.verdict), std::string::npos);
    CHECK_EQ(drift.out.find("GP221") != std::string::npos, c.verdict.find("such") != std::string::npos);
  }
  folder.write("desired.yaml", kFile + at + "hv-1 }\n");
  CHECK_EQ(run_gpup(folder, split_words("plan -f desired.yaml --observed snapshot.json --detailed-exitcode")).code, 2);
}

TEST_CASE("a drift says what changed outside, and where the file is newer than the last run") {
  const Folder folder;
  folder.write("desired.yaml", kDesired);
  folder.write("lab.json", kLab);
  const auto causes = [&](const std::string& file = "desired.yaml") {
    const Ended drift = run_gpup(folder, {"drift", "-f", file, "--state-dir", "state", "-o", "json"});
    const auto document = nlohmann::json::parse(drift.out);
    std::set<std::string> all;
    for (const auto& each : document["differences"]) {
      all.insert(each["property"].get<std::string>() + " " + each["cause"].get<std::string>() +
                 (each["run"].is_null() ? "" : " run"));
    }
    return all;
  };
  using Causes = std::set<std::string>;
  CHECK(causes() == Causes{"partitionCount unknown", "partitions unknown"});
  REQUIRE_EQ(run_gpup(folder, split_words("apply -f desired.yaml --yes --state-dir state")).code, 0);
  CHECK(causes().empty());

  // The run set the count and added the partition; now both are otherwise.
  const std::string done = folder.read("lab.json");
  std::string other = std::regex_replace(done, std::regex("\"partitionCount\": *4"), "\"partitionCount\": 8");
  folder.write("lab.json", other);
  CHECK(causes() == Causes{"partitionCount outside run"});
  folder.write("lab.json",
               std::regex_replace(done, std::regex("\"partitions\": *\\[[^\\]]*\\]"), "\"partitions\": []"));
  CHECK(causes() == Causes{"partitions outside run"});
  // What no run had to touch was as wanted after the last one, since the files are the same.
  folder.write("lab.json", as_running(done));
  std::string off(kDesired);
  off += "    power: off\n";
  folder.write("off.yaml", off);
  CHECK(causes("off.yaml") == Causes{"state file-newer run"});

  // The hosts are as the run left them, and the file wants another count.
  folder.write("lab.json", done);
  std::string two(kDesired);
  folder.write("two.yaml", two.replace(two.find("Count: 4"), 8, "Count: 2"));
  CHECK(causes("two.yaml") == Causes{"partitionCount file-newer run"});

  // A journal that is wrong, or whose plan is gone, is passed over.
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/state")) {
    if (entry.path().extension() == ".jsonl") {
      folder.write("state/" + entry.path().filename().string(), "nonsense\n");
    }
  }
  CHECK(causes("two.yaml") == Causes{"partitionCount unknown"});
}

TEST_CASE("where the files are broken, forms for pipelines say so at their lines") {
  const Folder folder;
  folder.write("desired.yaml", kFile + "  ignre: []\n");
  const Ended drift = run_gpup(folder, kEveryForm);
  CHECK_EQ(drift.code, 4);
  CHECK_EQ(folder.read("d.log").substr(0, 72),
           "::error file=desired.yaml,line=22,col=3,title=gpup drift%3A GP014::unkno");
  CHECK_EQ(sarif_misfit(folder.read("d.sarif")), "");
  CHECK_EQ(nlohmann::json::parse(folder.read("d.sarif"))["runs"][0]["results"][0]["ruleId"], "GP014");
  CHECK_EQ(nlohmann::json::parse(folder.read("d.gitlab"))[0]["location"]["lines"]["begin"], 22);
  CHECK_NE(folder.read("d.xml").find("failures=\"1\""), std::string::npos);
  CHECK_FALSE(folder.has("d.prom"));
  CHECK_FALSE(folder.has("d.txt"));
}

TEST_CASE("nothing of a hostile name or error leaves its line, element or string") {
  const Folder folder;
  folder.write("desired.yaml", kFile);
  std::string evil = snapshot();
  const std::string name = "old-01";
  evil.replace(evil.find(name), name.size(), "a,b:c%0A]]>\\u001b[31m\\r\\n::error::x\\ufffe\\uffff\\\"'<&##vso[x]");
  folder.write("snapshot.json", evil);
  CHECK_EQ(run_gpup(folder, kEveryForm).code, 2);
  for (const std::string file : {"d.txt", "d.xml", "d.sarif", "d.log", "d.gitlab", "d.md", "d.prom"}) {
    CAPTURE(file);
    const std::string text = folder.read(file);
    CHECK_EQ(text.find('\x1b'), std::string::npos);
    CHECK_EQ(text.find('\r'), std::string::npos);
    CHECK_EQ(text.find("##vso["), std::string::npos);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      CHECK((file == "d.log" || !line.starts_with("::")));
    }
  }
  CHECK_EQ(from_github(folder.read("d.log")).size(), 6);
  CHECK_EQ(sarif_misfit(folder.read("d.sarif")), "");
  if (!there("xmllint")) {
    MESSAGE("SKIPPED: no xmllint");
    return;
  }
  CHECK_EQ(run_shell("xmllint --noout " + folder.path() + "/d.xml"), 0);
}

TEST_CASE("metrics of a drift are what promtool accepts") {
  const Folder folder;
  folder.write("desired.yaml", kFile + kIgnores);
  folder.write("snapshot.json", snapshot());
  run_gpup(folder, kEveryForm);
  const std::string metrics = folder.read("d.prom");
  CAPTURE(metrics);
  for (const std::string line : {
           "gpup_partitions{name=\"lab\",host=\"hv-1\",model=\"NVIDIA A2\"} 8\n",
           "gpup_partitions_used{name=\"lab\",host=\"hv-1\",model=\"NVIDIA A2\"} 2\n",
           "gpup_partitions_free{name=\"lab\",host=\"hv-1\",model=\"NVIDIA A2\"} 6\n",
           "gpup_drift_differences{name=\"lab\",property=\"partitionCount\",cause=\"ignored\"} 1\n",
           "gpup_drift_differences{name=\"lab\",property=\"partitions\",cause=\"unlisted\"} 1\n",
           "gpup_drift_differences{name=\"lab\",property=\"partitions\",cause=\"outside\"} 0\n",
           "gpup_hosts_not_checked{name=\"lab\"} 1\n",
           "gpup_host_checked{name=\"lab\",host=\"hv-2\"} 0\n",
           "gpup_starts_owed{name=\"lab\",host=\"hv-1\"} 0\n",
           "gpup_ignores_expired{name=\"lab\"} 1\n",
           "gpup_observation_timestamp_seconds{name=\"lab\"} 1795336860\n",
       }) {
    CAPTURE(line);
    CHECK_NE(metrics.find(line), std::string::npos);
  }
  if (!there("promtool")) {
    MESSAGE("SKIPPED: no promtool");
    return;
  }
  CHECK_EQ(run_shell("promtool check metrics < " + folder.path() + "/d.prom"), 0);
}

TEST_CASE("a page of markdown holds no more than --max-bytes, and says what was left out") {
  const Folder folder;
  std::string file(kDesired);
  std::string lab(kLab);
  const std::size_t at = lab.find("{\"name\": \"vdi-01\"");
  const std::string one = lab.substr(at, lab.find("]}]}", at) + 2 - at);
  for (int i = 100; i < 400; ++i) {
    file += "  - vm: vm-" + std::to_string(i) + "\n";
    std::string vm = one;
    vm.replace(vm.find("vdi-01"), 6, "vm-" + std::to_string(i));
    vm.replace(vm.find("5dd0"), 4, "5" + std::to_string(i));
    lab.insert(at, vm + ",\n");
  }
  // No card has so many partitions: the lab is only read.
  lab.replace(lab.find("[16, 8,"), 7, "[512, 16, 8,");
  file.replace(file.find("Count: 4"), 8, "Count: 512");
  folder.write("desired.yaml", file);
  folder.write("lab.json", lab);
  for (const std::string command : {"drift -f desired.yaml -o markdown", "plan -f desired.yaml --full -o markdown"}) {
    for (const std::size_t most : {2000UL, 5000UL, 60000UL}) {
      CAPTURE(command);
      CAPTURE(most);
      std::vector<std::string> words = split_words(command);
      words.insert(words.end(), {"--max-bytes", std::to_string(most)});
      const Ended page = run_gpup(folder, words);
      CAPTURE(page.err);
      CHECK_LE(page.out.size(), most);
      CHECK_GE(page.out.size(), std::min<std::size_t>(most / 2, 20000));
      CHECK_EQ(page.out.find("**Left out**") != std::string::npos, most < 60000 || command[0] == 'p');
      CHECK_EQ(std::count(page.out.begin(), page.out.end(), '\0'), 0);
      const auto count_of = [&](const std::string& word) {
        std::size_t n = 0;
        for (std::size_t i = page.out.find(word); i != std::string::npos; i = page.out.find(word, i + 1)) {
          ++n;
        }
        return n;
      };
      CHECK_EQ(count_of("<details>"), count_of("</details>"));
    }
  }
  CHECK_EQ(run_gpup(folder, split_words("drift -f desired.yaml -o markdown --max-bytes 100")).code, 64);
}

}  // namespace gpup::test
