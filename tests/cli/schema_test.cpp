#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"
#include "json_schema.h"
#include "paths.h"

namespace gpup::test {

TEST_CASE("every answer in json fits its schema") {
  const Folder folder;
  folder.write("desired.yaml", kDesired);
  folder.write("lab.json", kLab);
  folder.write("done.json", kDoneLab);
  folder.write("running.json", as_running(kLab));
  folder.write("bad.yaml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nhots: []\n");
  struct Case {
    std::string_view line;
    std::string schema;
  };
  const Case cases[] = {
      {"validate -f desired.yaml -o json", "diagnostics"},
      {"validate -f bad.yaml -o json", "diagnostics"},
      {"observe -f desired.yaml -o json", "snapshot"},
      {"observe --connect ssh://nowhere -o json", "snapshot"},
      {"plan -f desired.yaml -o json", "plan"},
      {"plan -f desired.yaml --observed done.json -o json", "plan"},
      {"plan -f desired.yaml -o outage", "outage"},
      {"plan -f desired.yaml --observed done.json -o outage", "outage"},
      {"plan -f desired.yaml --observed running.json -o outage --out p", "outage"},
      {"show p -o outage", "outage"},
      {"plan -f desired.yaml --observed running.json -o outage --max-outage 1s", "diagnostics"},
      {"drift -f desired.yaml -o json", "drift"},
      {"drift -f desired.yaml --observed done.json -o json", "drift"},
      {"why vdi-01 -f desired.yaml -o json", "why"},
      {"why 18416dc3 -f desired.yaml -o json", "why"},
      {"why 1 -f desired.yaml -o json", "why"},
      {"doctor -f desired.yaml -o json", "doctor"},
      {"doctor --connect ssh://nowhere -o json", "doctor"},
      {"doctor --connect simulated:lab.json -o json", "doctor"},
      {"version --json", "version"},
      {"history --state-dir state -o json", "history"},
      {"apply -f desired.yaml --yes --state-dir state -o json", "report"},
      {"apply -f desired.yaml --yes --state-dir state -o json", "report"},
      {"history --state-dir state -o json", "history"},
      {"history latest --state-dir state -o json", "history"},
      {"rollback latest --state-dir state --yes -o json", "report"},
      {"restore-power -f desired.yaml --state-dir state --yes -o json --receipt 1.json", "report"},
      {"verify-receipt 1.json -o json", "receipt-check"},
      {"verify-receipt 1.json 1.json -o json", "diagnostics"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Ended schema = run_gpup(folder, {"schema", c.schema});
    CHECK_EQ(schema.code, 0);
    const Ended answer = run_gpup(folder, split_words(c.line));
    CAPTURE(answer.err);
    CHECK_EQ(misfit(schema.out, answer.out), "");
  }
}

TEST_CASE("every line of events fits its schema, whatever becomes of the run, and the last is the summary") {
  struct Case {
    std::string_view line;
    int code;
    std::set<std::string> kinds;  ///< of the events
  };
  const std::string_view kFault =
      "\"simulate\": {\"faults\": [{\"op\": \"assign-partition\", \"kind\": \"fail\"}, {\"op\": \"start-vm\", "
      "\"kind\": \"fail\"}]}, ";
  const Case cases[] = {
      {"apply -f desired.yaml --yes --state-dir state", 0, {"step_started", "step_finished", "summary"}},
      {"apply -f desired.yaml --yes --state-dir state", 0, {"summary"}},
      {"apply stale.plan --state-dir state", 5, {"diagnostic", "summary"}},
      {"apply -f failing.yaml --yes --state-dir state", 7, {"step_started", "step_finished", "diagnostic", "summary"}},
      {"rollback latest --yes --state-dir state", 0, {"step_started", "step_finished", "summary"}},
      {"apply -f missing.yaml --yes --state-dir state", 1, {}},
  };
  for (const std::string where : {"-", "events.jsonl"}) {
    const Folder folder;
    folder.write("desired.yaml", kDesired);
    folder.write("lab.json", as_running(kLab));
    std::string failing(kDesired);
    folder.write("failing.yaml", failing.replace(failing.find("lab.json"), 8, "fail.json"));
    std::string lab = as_running(kLab);
    folder.write("fail.json", lab.insert(lab.find("\"gpus\""), kFault));
    const std::string schema = run_gpup(folder, {"schema", "events"}).out;
    run_gpup(folder, split_words("plan -f desired.yaml --out stale.plan"));
    for (const Case& c : cases) {
      CAPTURE(c.line);
      std::vector<std::string> words = split_words(c.line);
      words.insert(words.end(), {"--events", where});
      const Ended ended = run_gpup(folder, words);
      CAPTURE(ended.err);
      CHECK_EQ(ended.code, c.code);
      std::istringstream lines(where == "-" ? ended.out : folder.read(where));
      std::set<std::string> kinds;
      std::string last;
      for (std::string line; std::getline(lines, line);) {
        CHECK_EQ(misfit(schema, line), "");
        const auto event = nlohmann::json::parse(line);
        CHECK_EQ(event.contains("kind"), last.empty());
        last = event.value("event", "head");
        if (last != "head") {
          kinds.insert(last);
        }
        CHECK((last != "summary" || event["exitCode"] == c.code));
      }
      CHECK(kinds == c.kinds);
      CHECK((kinds.empty() || last == "summary"));
      CHECK_EQ(ended.err.find(c.code == 7 ? "1 VM left off" : "") == std::string::npos, where != "-" && c.code == 7);
      folder.write(where, "");
    }
  }
}

TEST_CASE("a receipt fits its schema, whatever becomes of the run") {
  struct Case {
    std::string_view line;
    int code;
  };
  const Case cases[] = {
      {"apply -f desired.yaml --yes", 0}, {"apply -f desired.yaml --yes", 0},  // nothing is left to do
      {"apply -f failing.yaml --yes", 7}, {"rollback latest --yes", 0},       {"apply stale.plan", 5},
  };
  const Folder folder;
  folder.write("desired.yaml", kDesired);
  folder.write("lab.json", as_running(kLab));
  std::string failing(kDesired);
  folder.write("failing.yaml", failing.replace(failing.find("lab.json"), 8, "fail.json"));
  std::string lab = as_running(kLab);
  const std::string_view fault = "\"simulate\": {\"faults\": [{\"op\": \"assign-partition\", \"kind\": \"fail\"}]}, ";
  folder.write("fail.json", lab.insert(lab.find("\"gpus\""), fault));
  const std::string schema = run_gpup(folder, {"schema", "receipt"}).out;
  run_gpup(folder, split_words("plan -f desired.yaml --out stale.plan"));
  std::vector<std::string> check = {"verify-receipt"};
  for (const Case& c : cases) {
    CAPTURE(c.line);
    std::vector<std::string> words = split_words(c.line);
    const std::string name = "receipt-" + std::to_string(check.size()) + ".json";
    words.insert(words.end(), {"--state-dir", "state", "--receipt", name, "--receipt", "receipt.md"});
    if (check.size() > 1) {
      words.insert(words.end(), {"--previous", check.back()});
    }
    check.push_back(name);
    const Ended ended = run_gpup(folder, words);
    CAPTURE(ended.err);
    CHECK_EQ(ended.code, c.code);
    const std::string receipt = folder.read(name);
    CHECK_EQ(misfit(schema, receipt), "");
    CHECK_EQ(nlohmann::json::parse(receipt)["exitCode"], c.code);
    const auto id = nlohmann::json::parse(receipt)["id"].get<std::string>();
    CHECK_NE(folder.read("receipt.md").find(id), std::string::npos);
  }
  const Ended checked = run_gpup(folder, check);
  CHECK_EQ(checked.err, "");
  CHECK_EQ(checked.code, 0);
}

TEST_CASE("gpup schema lists what it has and prints each as it is in schemas/") {
  const Folder folder;
  const Ended list = run_gpup(folder, {"schema"});
  CHECK_EQ(list.code, 0);
  for (const std::string_view name :
       {"bundle", "desired", "diagnostics", "doctor", "drift", "events", "history", "journal", "outage", "plan",
        "receipt", "receipt-check", "report", "snapshot", "version", "why"}) {
    CAPTURE(name);
    CHECK_NE(("\n" + list.out).find("\n" + std::string(name) + "\n"), std::string::npos);
    CHECK_EQ(run_gpup(folder, {"schema", std::string(name)}).out, schema_text(std::string(name)));
  }
}

}  // namespace gpup::test
