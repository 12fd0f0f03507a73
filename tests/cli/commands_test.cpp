#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include <fmt/format.h>

#include "cli/program.h"
#include "files.h"

namespace gpup::test {

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// `kDesired` with another count.
std::string desired_with_count(int count) {
  std::string text(kDesired);
  text.replace(text.find("partitionCount: 4"), std::string("partitionCount: 4").size(),
               "partitionCount: " + std::to_string(count));
  return text;
}

/// A file whose hosts are hv-1 (in the lab) and hv-2 (not in it).
std::string desired_with_missing_host() {
  std::string text(kDesired);
  text.insert(text.find("gpus:"), "  - name: hv-2\n    connect: { transport: simulated, file: lab.json }\n");
  return text;
}

void write_world(const Folder& folder) {
  folder.write("desired.yaml", kDesired);
  folder.write("lab.json", kLab);
}

}  // namespace

TEST_CASE("every exit code is given by what it stands for") {
  const Folder folder;
  write_world(folder);
  folder.write("bad.yaml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nhots: []\n");
  folder.write("three.yaml", desired_with_count(3));
  folder.write("two-hosts.yaml", desired_with_missing_host());
  folder.write("done.json", kDoneLab);
  folder.write("cut.json", "{\"apiVersion\": ");
  folder.write("not-a-plan.json", "{}");
  struct Case {
    std::string_view line;
    int code;
  };
  const Case cases[] = {
      {"validate -f desired.yaml", 0},
      {"validate -f bad.yaml", 4},
      {"validate -f missing.yaml", 1},
      {"validate -f desired.yaml --observed lab.json", 0},
      {"validate -f three.yaml", 0},
      {"validate -f three.yaml --observed lab.json", 4},
      {"validate -f two-hosts.yaml --observed lab.json", 3},
      {"observe -f desired.yaml", 0},
      {"observe --observed lab.json", 0},
      {"observe --observed cut.json", 4},
      {"observe --observed missing.json", 1},
      {"observe -f two-hosts.yaml", 3},
      {"observe -f two-hosts.yaml --observed lab.json", 3},
      {"observe --connect simulated:lab.json", 0},
      {"observe --connect hv-1=simulated:lab.json", 0},
      {"observe --connect other=simulated:lab.json", 3},
      {"observe --connect ssh://10.0.0.1", 3},
      {"export --observed lab.json", 0},
      {"export --connect simulated:lab.json", 0},
      {"plan -f desired.yaml", 0},
      {"plan -f desired.yaml --detailed-exitcode", 2},
      {"plan -f desired.yaml --observed done.json --detailed-exitcode", 0},
      {"plan -f two-hosts.yaml --observed done.json", 3},
      {"plan -f two-hosts.yaml --observed lab.json", 0},
      {"plan -f three.yaml", 4},
      {"plan -f bad.yaml", 4},
      {"plan -f desired.yaml --observed cut.json", 4},
      {"plan -f desired.yaml --out missing/p", 1},
      {"plan -f missing.yaml", 1},
      {"show not-a-plan.json", 4},
      {"show missing.json", 1},
      {"drift -f desired.yaml", 2},
      {"drift -f desired.yaml --observed done.json", 0},
      {"drift -f two-hosts.yaml --observed done.json", 3},
      {"drift -f two-hosts.yaml --observed lab.json", 2},
      {"drift -f bad.yaml", 4},
      {"apply -f desired.yaml", 6},
      {"apply missing.json", 1},
      {"apply not-a-plan.json", 4},
      {"why vdi-01 -f desired.yaml", 0},
      {"why vdi-02 -f desired.yaml", 1},
      {"explain GP014", 0},
      {"explain", 0},
      {"schema", 0},
      {"schema desired", 0},
      {"version", 0},
      {"version --json", 0},
      {"help", 0},
      {"help plan", 0},
      {"completion bash", 0},
      {"plan --help", 0},
      {"--version", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Ended ended = run_gpup(folder, split_words(c.line));
    CAPTURE(ended.err);
    CHECK_EQ(ended.code, c.code);
  }
  CHECK_EQ(folder.read("lab.json"), kLab);
}

TEST_CASE("a plan that was saved is applied without a question, and then nothing differs") {
  const Folder folder;
  write_world(folder);
  const Ended planned = run_gpup(folder, {"plan", "-f", "desired.yaml", "--out", "p", "-o", "json"});
  CHECK_EQ(planned.code, 0);
  CHECK_EQ(folder.read("p"), planned.out);
  const Ended shown = run_gpup(folder, {"show", "p", "-o", "json"});
  CHECK_EQ(shown.out, planned.out);
  const Ended text = run_gpup(folder, {"plan", "-f", "desired.yaml"});
  CHECK_EQ(run_gpup(folder, {"show", "p"}).out, text.out);
  CHECK_EQ(run_gpup(folder, {"show", "-"}, folder.read("p")).out, text.out);

  const Ended applied = run_gpup(folder, {"apply", "p"});
  CAPTURE(applied.err);
  CHECK_EQ(applied.code, 0);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "desired.yaml", "--detailed-exitcode"}).code, 0);
  CHECK_EQ(run_gpup(folder, {"drift", "-f", "desired.yaml"}).code, 0);
  const std::string lab = folder.read("lab.json");
  CHECK_EQ(run_gpup(folder, {"apply", "-f", "desired.yaml"}).code, 0);
  CHECK_EQ(run_gpup(folder, {"apply", "-f", "desired.yaml", "--yes"}).code, 0);
  CHECK_EQ(folder.read("lab.json"), lab);
}

TEST_CASE("a saved plan whose facts no longer hold touches nothing and exits 5") {
  const Folder folder;
  write_world(folder);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "desired.yaml", "--out", "p"}).code, 0);
  folder.write("lab.json", kDoneLab);
  const Ended applied = run_gpup(folder, {"apply", "p"});
  CHECK_EQ(applied.code, 5);
  CHECK(contains(applied.out + applied.err, "GP163"));
  CHECK_EQ(folder.read("lab.json"), kDoneLab);
}

TEST_CASE("a saved plan that was edited or cut off is refused by show and by apply") {
  const Folder folder;
  write_world(folder);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "desired.yaml", "--out", "p"}).code, 0);
  const std::string plan = folder.read("p");
  std::string edited = plan;
  edited.replace(edited.find("\"to\":4"), 6, "\"to\":2");
  folder.write("edited", edited);
  folder.write("cut", plan.substr(0, plan.size() / 2));
  for (const std::string_view name : {"edited", "cut"}) {
    for (const std::string_view command : {"show", "apply"}) {
      CAPTURE(name);
      const Ended ended = run_gpup(folder, {std::string(command), std::string(name)});
      CHECK_EQ(ended.code, 4);
      CHECK(contains(ended.err, "error[GP16"));
    }
  }
  CHECK_EQ(folder.read("lab.json"), kLab);
}

TEST_CASE("apply from files asks, and without a terminal and --yes it touches nothing") {
  const Folder folder;
  write_world(folder);
  const Ended asked = run_gpup(folder, {"apply", "-f", "desired.yaml"}, "yes\n");
  CHECK_EQ(asked.code, 6);
  CHECK(contains(asked.err, "GP175"));
  CHECK_EQ(asked.out, "");
  CHECK_EQ(folder.read("lab.json"), kLab);
  const Ended json = run_gpup(folder, {"apply", "-f", "desired.yaml", "-o", "json"});
  CHECK_EQ(json.code, 6);
  CHECK_EQ(nlohmann::json::parse(json.out).at("kind"), "Diagnostics");
  const Ended done = run_gpup(folder, {"apply", "-f", "desired.yaml", "--yes"});
  CHECK_EQ(done.code, 0);
  CHECK_NE(folder.read("lab.json"), kLab);
}

TEST_CASE("a full disk is an error, for stdout too") {
  const Folder folder;
  write_world(folder);
  for (const std::string_view line : {"version", "help", "plan -f desired.yaml", "observe -f desired.yaml -o json",
                                      "drift -f desired.yaml", "export --observed lab.json", "completion zsh"}) {
    CAPTURE(line);
    const Ended ended = run_gpup(folder, split_words(line), {}, "/dev/full");
    CHECK_EQ(ended.code, 1);
    CHECK_EQ(first_line(ended.err), "error[GP192]: cannot write standard output: no space is left");
  }
}

TEST_CASE("files are read in every way they can be named") {
  const Folder folder;
  write_world(folder);
  const std::string wanted = run_gpup(folder, {"plan", "-f", "desired.yaml"}).out;
  folder.write("folder/2.yml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nassignments:\n  - vm: vdi-01\n");
  std::string first(kDesired.substr(0, kDesired.find("assignments:")));
  first.replace(first.find("lab.json"), 8, "../lab.json");
  folder.write("folder/1.yaml", first);
  folder.write("folder/deeper/3.yaml", "not: [read");
  folder.write("folder/notes.txt", "not: [read");
  folder.write("folder/.hidden.yaml", "not: [read");
  folder.write("a,b.yaml", kDesired);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "folder", "--detailed-exitcode"}).code, 2);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "folder/", "--detailed-exitcode"}).code, 2);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "folder/1.yaml", "-f", "folder/2.yml", "--detailed-exitcode"}).code, 2);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "a,b.yaml", "--detailed-exitcode"}).code, 2);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "-", "--detailed-exitcode"}, kDesired).code, 2);
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "desired.yaml", "--observed", "-", "--detailed-exitcode"}, kLab).code, 2);
  const Ended twice = run_gpup(folder, {"validate", "-f", "desired.yaml", "-f", "desired.yaml"});
  CHECK_EQ(twice.code, 4);
  CHECK(contains(twice.err, "GP032"));
  folder.write("empty/readme.md", "");
  const Ended empty = run_gpup(folder, {"validate", "-f", "empty"});
  CHECK_EQ(empty.code, 4);
  CHECK_EQ(first_line(empty.err), "error[GP036]: folder 'empty' holds no *.yaml or *.yml file");
}

TEST_CASE("every unreadable file is named, and wrong content is 4 where the file is over its bound") {
  const Folder folder;
  write_world(folder);
  const Ended missing = run_gpup(folder, {"validate", "-f", "a.yaml", "-f", "b.yaml", "-f", "desired.yaml"});
  CHECK_EQ(missing.code, 1);
  CHECK_EQ(missing.err,
           "error[GP191]: cannot read a.yaml: no such file or folder\n"
           "error[GP191]: cannot read b.yaml: no such file or folder\n");
  folder.write("big.yaml", std::string(17UL * 1024 * 1024, '#'));
  const Ended big = run_gpup(folder, {"validate", "-f", "big.yaml"});
  CHECK_EQ(big.code, 4);
  CHECK_EQ(first_line(big.err), "big.yaml:1:1: error[GP003]: cannot read big.yaml: it is larger than 16 MiB");
  const Ended piped = run_gpup(folder, {"validate", "-f", "-"}, std::string(17UL * 1024 * 1024, '#'));
  CHECK_EQ(piped.code, 4);
  CHECK(contains(first_line(piped.err), "error[GP003]"));
}

TEST_CASE("where files or rules forbid, json is the Diagnostics document and text goes to stderr") {
  const Folder folder;
  write_world(folder);
  folder.write("bad.yaml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nhots: []\n");
  folder.write("three.yaml", desired_with_count(3));
  for (const std::string_view line :
       {"validate -f bad.yaml", "plan -f bad.yaml", "drift -f three.yaml", "plan -f three.yaml",
        "why vdi-01 -f three.yaml", "apply --yes -f three.yaml", "show desired.yaml", "observe --observed bad.yaml"}) {
    CAPTURE(line);
    const Ended text = run_gpup(folder, split_words(line));
    CHECK_EQ(text.code, 4);
    CHECK_EQ(text.out, "");
    CHECK(contains(text.err, "error[GP"));
    const Ended json = run_gpup(folder, split_words(std::string(line) + " -o json"));
    CHECK_EQ(json.code, 4);
    CHECK_EQ(json.err, "");
    const auto document = nlohmann::json::parse(json.out, nullptr, false);
    REQUIRE_FALSE(document.is_discarded());
    CHECK_EQ(document.at("kind"), "Diagnostics");
    CHECK_GE(document.at("diagnostics").size(), 1);
  }
  CHECK_EQ(run_gpup(folder, split_words("plan -f three.yaml --out p --report json=r.json")).code, 4);
  CHECK_FALSE(folder.has("p"));
  CHECK_EQ(nlohmann::json::parse(folder.read("r.json")).at("kind"), "Diagnostics");
}

TEST_CASE("nothing is contacted while the files hold an error") {
  const Folder folder;
  folder.write("desired.yaml", std::string(kDesired) + "  - vm: vdi-01\n");
  folder.write("lab.json", "this lab would be an error of its own");
  const Ended ended = run_gpup(folder, {"plan", "-f", "desired.yaml"});
  CHECK_EQ(ended.code, 4);
  CHECK(contains(ended.err, "GP032"));
  CHECK_FALSE(contains(ended.err, "lab.json"));
}

TEST_CASE("further forms of one answer are files, written whole or not at all") {
  const Folder folder;
  write_world(folder);
  const Ended ended = run_gpup(folder, {"plan", "-f", "desired.yaml", "--report", "json=p.json",
                                        "--report=markdown=p.md", "--report", "text=p.txt"});
  CHECK_EQ(ended.code, 0);
  CHECK_EQ(folder.read("p.txt"), ended.out);
  CHECK_EQ(nlohmann::json::parse(folder.read("p.json")).at("kind"), "Plan");
  CHECK_FALSE(folder.read("p.md").empty());
  const Ended failed = run_gpup(folder, {"drift", "-f", "desired.yaml", "--report", "json=no/p.json"});
  CHECK_EQ(failed.code, 1);
  CHECK_EQ(first_line(failed.err), "error[GP192]: cannot write no/p.json: no such file or folder");
  CHECK_EQ(failed.out, "");
}

TEST_CASE("a plan that would keep a VM down for too long is refused, and neither saved nor performed") {
  const Folder folder;
  write_world(folder);
  folder.write("lab.json", as_running(kLab));
  CHECK_EQ(run_gpup(folder, split_words("plan -f desired.yaml --max-outage 2m --out p")).code, 0);
  const std::string saved = folder.read("p");
  for (const std::string_view line :
       {"plan -f desired.yaml --max-outage 90s --out q", "apply -f desired.yaml --yes --max-outage 1m",
        "apply p --max-outage 1s", "apply -f desired.yaml --yes --parallel 1 --max-outage 1s"}) {
    CAPTURE(line);
    const Ended ended = run_gpup(folder, split_words(line));
    CHECK_EQ(ended.code, 4);
    CHECK_EQ(ended.out, "");
    CHECK(contains(ended.err,
                   "error[GP194]: VM 'vdi-01' on hv-1 is expected to be down for 1 min 32 s (median, default)"));
    CHECK(contains(ended.err, ": 2 stop-vm 1 min, 3 assign-partition 2 s, 4 start-vm 30 s"));
  }
  CHECK_FALSE(folder.has("q"));
  CHECK_EQ(folder.read("p"), saved);
  CHECK_EQ(folder.read("lab.json"), as_running(kLab));
  const Ended json = run_gpup(folder, split_words("plan -f desired.yaml --max-outage 1s -o json"));
  CHECK_EQ(nlohmann::json::parse(json.out).at("diagnostics").at(0).at("code"), "GP194");
  CHECK_EQ(run_gpup(folder, split_words("apply p --max-outage 92s")).code, 0);
}

TEST_CASE("apply performs the plan that is expected, made anew or saved, and refuses any other") {
  const Folder folder;
  write_world(folder);
  const Ended planned = run_gpup(folder, split_words("plan -f desired.yaml --out p -o json"));
  const auto id = nlohmann::json::parse(planned.out).at("id").get<std::string>();
  const std::string other = "sha256:" + std::string(64, '0');
  for (const std::string& line :
       {"apply p --expect-plan " + other, "apply -f desired.yaml --yes --expect-plan " + other,
        "apply -f desired.yaml --expect-plan " + other}) {
    CAPTURE(line);
    const Ended refused = run_gpup(folder, split_words(line));
    CHECK_EQ(refused.code, 6);
    CHECK_EQ(refused.out, "");
    CHECK_EQ(first_line(refused.err), "error[GP203]: this plan is " + id + ", not " + other + " as --expect-plan says");
  }
  CHECK_EQ(folder.read("lab.json"), kLab);
  const Ended asked = run_gpup(folder, split_words("apply -f desired.yaml --expect-plan " + id));
  CHECK_EQ(asked.code, 6);
  CHECK(contains(asked.err, "GP175"));
  CHECK_EQ(run_gpup(folder, split_words("apply -f desired.yaml --yes --expect-plan " + id)).code, 0);
  CHECK_EQ(run_gpup(folder, split_words("apply -f desired.yaml --yes --expect-plan " + id)).code, 6);
}

TEST_CASE("outside policy.window nothing is touched, unless that is ignored for a reason, which the journal keeps") {
  const Folder folder;
  write_world(folder);
  folder.write("lab.json", as_running(kLab));
  // From six hours ahead on, for an hour: not now.
  const auto now = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now().time_since_epoch());
  const auto time = [&](int ahead) {
    const auto minutes = (now + std::chrono::hours(ahead)).count() % (24 * 60);
    return fmt::format("'{:02}:{:02}'", minutes / 60, minutes % 60);
  };
  folder.write("desired.yaml", std::string(kDesired) + "policy: { window: { from: " + time(6) + ", to: " + time(7) +
                                   ", zone: UTC } }\n");
  CHECK_EQ(run_gpup(folder, split_words("plan -f desired.yaml --out p")).code, 0);
  for (const std::string_view line : {"apply p", "apply -f desired.yaml --yes"}) {
    CAPTURE(line);
    const Ended refused = run_gpup(folder, split_words(line));
    CHECK_EQ(refused.code, 6);
    CHECK(contains(refused.err, "error[GP204]: VMs may be stopped every day "));
  }
  CHECK_EQ(folder.read("lab.json"), as_running(kLab));
  const Ended done =
      run_gpup(folder, split_words("apply p --ignore-window --reason 'agreed with sales' --state-dir state"));
  CHECK_EQ(done.code, 0);
  std::string journal;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/state")) {
    journal += entry.path().extension() == ".jsonl" ? read_text(entry.path()) : "";
  }
  CHECK(contains(journal, "\"ignoresWindow\":\"agreed with sales\""));
}

TEST_CASE("a plan that covers a part says so wherever it is shown, and an empty one does not say that all is well") {
  const Folder folder;
  write_world(folder);
  const Ended planned = run_gpup(folder, split_words("plan -f desired.yaml --exclude hv-1 --out p"));
  CHECK_EQ(planned.code, 0);
  CHECK_EQ(first_line(planned.out), "Nothing to do in what is covered.");
  CHECK(contains(planned.out, "warning[GP195]: this covers everything but hv-1"));
  CHECK_EQ(run_gpup(folder, {"show", "p"}).out, planned.out);
  const Ended drift = run_gpup(folder, split_words("drift -f desired.yaml --target HV-1/vm/vdi-01 --exclude hv-1"));
  CHECK_EQ(drift.code, 0);
  CHECK(contains(drift.out, "No drift found in what is covered."));
  CHECK(contains(drift.out, "GP195"));
  CHECK_EQ(run_gpup(folder, split_words("drift -f desired.yaml --target hv-1")).code, 2);
  const Ended part = run_gpup(folder, split_words("plan -f desired.yaml --target hv-1/vm/vdi-01 -o json"));
  const auto plan = nlohmann::json::parse(part.out);
  CHECK_EQ(plan.at("steps").size(), 1);
  CHECK_EQ(plan.at("steps").at(0).at("op"), "assign-partition");
  CHECK_EQ(plan.at("diagnostics").at(0).at("code"), "GP195");
  const Ended wrong = run_gpup(folder, split_words("plan -f desired.yaml --target hv-2"));
  CHECK_EQ(wrong.code, 4);
  CHECK(contains(wrong.err, "did you mean 'hv-1'?"));
}

TEST_CASE("where no run is noted, resume does not say that all of them ended well") {
  const Folder folder;
  write_world(folder);
  for (const char* const state : {"missing", "."}) {
    const Ended none = run_gpup(folder, {"resume", "--state-dir", state});
    CHECK_EQ(first_line(none.err), "error[GP212]: there is no run in '" + std::string(state) + "'");
    CHECK(contains(none.err, "--state-dir names another folder"));
  }
  CHECK_EQ(run_gpup(folder, split_words("apply -f desired.yaml --yes --state-dir .")).code, 0);
  CHECK_EQ(first_line(run_gpup(folder, split_words("resume --state-dir .")).err),
           "error[GP212]: every run in '.' ended well");
}

TEST_CASE("observe saves a snapshot that every reading command takes") {
  const Folder folder;
  write_world(folder);
  const Ended saved = run_gpup(folder, {"observe", "-f", "desired.yaml", "--out", "snapshot.json"});
  CHECK_EQ(saved.code, 0);
  CHECK_EQ(saved.out, "");
  const Ended live = run_gpup(folder, {"plan", "-f", "desired.yaml"});
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "desired.yaml", "--observed", "snapshot.json"}).out, live.out);
  CHECK_EQ(run_gpup(folder, {"observe", "--observed", "snapshot.json", "-o", "json"}).out,
           folder.read("snapshot.json"));
}

TEST_CASE("what is exported validates and plans to nothing") {
  const Folder folder;
  write_world(folder);
  for (const std::string_view lab : {kLab, kDoneLab}) {
    folder.write("lab.json", lab);
    for (const std::string_view line :
         {"export --observed lab.json --out out.yaml", "export --connect simulated:lab.json --out out.yaml",
          "export -f desired.yaml --out out.yaml"}) {
      CAPTURE(line);
      CHECK_EQ(run_gpup(folder, split_words(line)).code, 0);
      const Ended planned =
          run_gpup(folder, {"plan", "-f", "out.yaml", "--observed", "lab.json", "--detailed-exitcode"});
      CAPTURE(planned.err);
      CAPTURE(planned.out);
      CHECK_EQ(planned.code, 0);
      CHECK_EQ(run_gpup(folder, {"plan", "-f", "out.yaml", "--detailed-exitcode"}).code, 0);
    }
  }
}

TEST_CASE("a host that cannot be reached is not checked, and says why") {
  const Folder folder;
  std::string desired(kDesired);
  desired.replace(desired.find("{ transport: simulated, file: lab.json }"), 40,
                  "{ transport: local, powershell: no-such }");
  folder.write("desired.yaml", desired);
  const Ended observed = run_gpup(folder, {"observe", "-f", "desired.yaml"});
  CHECK_EQ(observed.code, 3);
  CHECK(contains(observed.err, "GP177"));
  const Ended planned = run_gpup(folder, {"plan", "-f", "desired.yaml"});
  CHECK_EQ(planned.code, 3);
  CHECK(contains(planned.out, "not checked"));
  CHECK_EQ(run_gpup(folder, {"drift", "-f", "desired.yaml"}).code, 3);
}

TEST_CASE("drift names what is, what is wanted and the line, and keeps apart what was not checked") {
  const Folder folder;
  write_world(folder);
  folder.write("two-hosts.yaml", desired_with_missing_host());
  const Ended text = run_gpup(folder, {"drift", "-f", "two-hosts.yaml"});
  CHECK_EQ(text.code, 2);
  CHECK(contains(text.out,
                 "hv-1\n  GPU NVIDIA A2 (4&18416dc3&0&0000)\n    is      16 partitions of 896 MiB\n"
                 "    wanted  4 partitions  two-hosts.yaml:"));
  CHECK(contains(text.out, "two-hosts.yaml:12"));
  CHECK(contains(text.out, "hv-2\n  not checked: "));
  CHECK(contains(text.out, "\nDrift: 2 differences; 1 host not checked.\n"));
  folder.write("lab.json", kDoneLab);
  const Ended none = run_gpup(folder, {"drift", "-f", "desired.yaml"});
  CHECK_EQ(none.out, "No drift.\n");
  const Ended unchecked = run_gpup(folder, {"drift", "-f", "two-hosts.yaml"});
  CHECK_EQ(unchecked.code, 3);
  CHECK(contains(unchecked.out, "No drift found; 1 host not checked.\n"));
}

TEST_CASE("why tells the chain from the line to the steps, or to their absence") {
  const Folder folder;
  write_world(folder);
  const Ended vm = run_gpup(folder, {"why", "vdi-01", "-f", "desired.yaml"});
  CHECK_EQ(vm.code, 0);
  CHECK(contains(vm.out, "VM vdi-01 (711cee18-60db-43b4-be7e-cedce5e25dd0) on hv-1\n"));
  CHECK(contains(vm.out, "desired.yaml:12: - vm: vdi-01 (lists this VM)"));
  CHECK(contains(vm.out, "holds no partition"));
  CHECK(contains(vm.out, "assign-partition"));
  CHECK_EQ(run_gpup(folder, {"why", "711CEE18-60DB-43B4-BE7E-CEDCE5E25DD0", "-f", "desired.yaml"}).out, vm.out);
  CHECK_EQ(run_gpup(folder, {"why", "HV-1/vm/vdi-01", "-f", "desired.yaml"}).out, vm.out);
  CHECK_EQ(run_gpup(folder, {"why", "hv-2/vm/vdi-01", "-f", "desired.yaml"}).code, 1);
  const Ended gpu = run_gpup(folder, {"why", "18416dc3", "-f", "desired.yaml"});
  CHECK_EQ(run_gpup(folder, {"why", "hv-1/gpu/NVIDIA A2 (4&18416dc3&0&0000)", "-f", "desired.yaml"}).out, gpu.out);
  CHECK(contains(gpu.out, "its count is 16, and 4 is wanted"));
  CHECK(contains(gpu.out, "set-partition-count"));
  const Ended step = run_gpup(folder, {"why", "1", "-f", "desired.yaml"});
  CHECK(contains(step.out, "step 1 on hv-1"));
  const Ended unknown = run_gpup(folder, {"why", "vdi-10", "-f", "desired.yaml"});
  CHECK_EQ(unknown.err, "error[GP193]: there is no VM, GPU or step 'vdi-10'\n     = did you mean 'vdi-01'?\n");
  folder.write("lab.json", kDoneLab);
  const Ended nothing = run_gpup(folder, {"why", "vdi-01", "-f", "desired.yaml"});
  CHECK(contains(nothing.out, "already holds a partition"));
  CHECK(contains(nothing.out, "steps  none"));
}

TEST_CASE("names from outside are escaped wherever they are shown") {
  const Folder folder;
  std::string desired(kDesired);
  std::string lab(kLab);
  // A name that would clear the screen, and one that turns its line around: neither may stand in a file.
  lab.replace(lab.find("vdi-01"), 6, "a\\u001b[2Jb\\u202ec");
  folder.write("lab.json", lab);
  folder.write("desired.yaml", desired.substr(0, desired.find("assignments:")));
  for (const std::string_view line :
       {"observe -f desired.yaml", "observe -f desired.yaml -o wide", "plan -f desired.yaml", "drift -f desired.yaml",
        "why 18416dc3 -f desired.yaml", "observe -f desired.yaml -o json", "plan -f desired.yaml -o json",
        "plan -f desired.yaml -o markdown", "drift -f desired.yaml -o markdown", "drift -f desired.yaml -o json",
        "observe -f desired.yaml -o yaml", "export -f desired.yaml", "apply -f desired.yaml --yes --log-level debug"}) {
    CAPTURE(line);
    const Ended ended = run_gpup(folder, split_words(line));
    for (const std::string_view bad : {"\x1b", "\u202e"}) {
      CHECK_FALSE(contains(ended.out, bad));
      CHECK_FALSE(contains(ended.err, bad));
    }
  }
}

TEST_CASE("colour is for terminals, unless it is asked for") {
  const Folder folder;
  write_world(folder);
  CHECK_FALSE(contains(run_gpup(folder, {"drift", "-f", "desired.yaml"}).out, "\x1b"));
  CHECK(contains(run_gpup(folder, {"drift", "-f", "desired.yaml", "--color", "always"}).out, "\x1b[1m"));
  CHECK_FALSE(contains(run_gpup(folder, {"drift", "-f", "desired.yaml", "--color", "never"}).out, "\x1b"));
  CHECK_FALSE(
      contains(run_gpup(folder, {"drift", "-f", "desired.yaml", "--color", "always", "-o", "json"}).out, "\x1b"));
}

TEST_CASE("the log goes to stderr or to its file, a line an event, as text or json") {
  const Folder folder;
  write_world(folder);
  const Ended quiet = run_gpup(folder, {"plan", "-f", "desired.yaml"});
  CHECK_EQ(quiet.err, "");
  const Ended loud = run_gpup(folder, {"plan", "-f", "desired.yaml", "--log-level", "debug", "--log-format", "json"});
  CHECK_EQ(loud.out, quiet.out);
  REQUIRE_FALSE(loud.err.empty());
  const auto line = nlohmann::json::parse(first_line(loud.err), nullptr, false);
  REQUIRE_FALSE(line.is_discarded());
  CHECK_EQ(line.at("level"), "debug");
  CHECK(line.at("time").get<std::string>().ends_with("Z"));
  const Ended file = run_gpup(folder, {"plan", "-f", "desired.yaml", "--log-level=debug", "--log-file", "log"});
  CHECK_EQ(file.err, "");
  CHECK(contains(folder.read("log"), " debug "));
  CHECK_EQ(run_gpup(folder, {"plan", "-f", "desired.yaml", "--log-file", "lab.json/log"}).code, 1);
}

}  // namespace gpup::test
