#include "desired/read_desired.h"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "desired/desired_state.h"
#include "model/words.h"

using gpup::Code;
using gpup::DesiredAssignment;
using gpup::DesiredState;
using gpup::Place;

namespace {

const std::string kHeader = "apiVersion: gpup/v1\nkind: GpuPartitioning\n";
const std::string kStart = kHeader +
                           "metadata: { name: lab }\n"
                           "hosts:\n"
                           "  - name: hv-e1\n"
                           "    connect: { transport: simulated, file: lab.json }\n";

struct Text {
  std::string path;
  std::string text;
};

struct Read {
  gpup::Sources sources;
  gpup::ReadDesired read;
  std::string complaints;
};

Read read_files(const std::vector<Text>& files) {
  Read result;
  for (const Text& file : files) {
    result.sources.add(file.path, file.text);
  }
  result.read = gpup::read_desired(result.sources);
  result.complaints = gpup::render_diagnostics(result.read.diagnostics);
  return result;
}

/// The first lines of all complaints.
std::string summary(const std::vector<Text>& files) {
  std::string lines;
  for (const gpup::Diagnostic& d : read_files(files).read.diagnostics) {
    lines += d.file + ":" + std::to_string(d.line) + ":" + std::to_string(d.column) + ": " + to_string(d.code) + " " +
             d.message + "\n";
  }
  return lines;
}

}  // namespace

TEST_CASE("everything that a file may say is read, with its place") {
  const Read read = read_files(
      {{"lab/east.yaml", kStart + "  - { name: hv-e2, connect: { transport: ssh, address: 10.1.0.12, port: 2222, user: "
                                  "CONTOSO\\svc, knownHosts: ./known_hosts, identityFile: ../key } }\n"
                                  "platform: windows-server-2022\n"
                                  "cluster: HCI-EAST\n"
                                  "gpus:\n"
                                  "  - model: NVIDIA A2\n"
                                  "    partitionCount: 4\n"
                                  "    expect: 2\n"
                                  "    hosts: [HV-E2]\n"
                                  "  - device: 10DE:25B6\n"
                                  "assignments:\n"
                                  "  - gpu: NVIDIA A2\n"
                                  "    vm: infer-01\n"
                                  "    id: 711CEE18-60db-43b4-be7e-cedce5e25dd0\n"
                                  "    minVram: 3GiB\n"
                                  "    offlineAction: force-shutdown\n"
                                  "    power: running\n"
                                  "    host: Hv-E2\n"
                                  "  - { match: 'vdi-\\d+', expect: 20 }\n"
                                  "policy:\n"
                                  "  unlisted: keep\n"
                                  "  homogeneous: warn\n"
                                  "  stop: { mode: turn-off, timeout: 2h }\n"
                                  "  override: [{ rule: R07, reason: pilot }]\n"}});
  REQUIRE_EQ(read.complaints, "");
  const DesiredState& state = read.read.state;
  CHECK_EQ(state.name, "lab");
  CHECK_EQ(state.platform, "windows-server-2022");
  CHECK(state.platform_place == Place{0, 8, 11});
  CHECK(state.cluster == "HCI-EAST");
  CHECK(state.cluster_place == Place{0, 9, 10});
  REQUIRE_EQ(state.hosts.size(), 2);
  CHECK_EQ(state.hosts[0].target.connect.file, "lab/lab.json");
  CHECK(state.hosts[0].place == Place{0, 5, 11});
  const gpup::Connect& ssh = state.hosts[1].target.connect;
  CHECK(ssh.transport == gpup::Transport::kSsh);
  CHECK_EQ(ssh.address, "10.1.0.12");
  CHECK(ssh.port == 2222);
  CHECK_EQ(ssh.user, "CONTOSO\\svc");
  CHECK_EQ(ssh.known_hosts, "lab/known_hosts");
  CHECK_EQ(ssh.identity_file, "key");
  REQUIRE_EQ(state.gpus.size(), 2);
  CHECK_EQ(state.gpus[0].model, "NVIDIA A2");
  CHECK(state.gpus[0].partition_count == 4);
  CHECK(state.gpus[0].expect == 2);
  CHECK(state.gpus[0].hosts == std::vector<std::uint32_t>{1});
  CHECK(state.gpus[0].place == Place{0, 11, 12});
  CHECK(state.gpus[0].count_place == Place{0, 12, 21});
  CHECK(state.gpus[0].expect_place == Place{0, 13, 13});
  CHECK_EQ(state.gpus[1].device, "10de:25b6");
  CHECK_FALSE(state.gpus[1].partition_count);
  CHECK_FALSE(state.gpus[1].count_place.known());
  REQUIRE_EQ(state.assignments.size(), 2);
  const DesiredAssignment& vm = state.assignments[0];
  CHECK_EQ(vm.vm, "infer-01");
  CHECK_EQ(vm.id, "711CEE18-60db-43b4-be7e-cedce5e25dd0");
  CHECK_EQ(vm.gpu, "NVIDIA A2");
  CHECK(vm.min_vram == 3ULL << 30U);
  CHECK(vm.offline_action == gpup::OfflineAction::kForceShutdown);
  CHECK(vm.power == gpup::Power::kRunning);
  CHECK_EQ(vm.host, 1);
  CHECK(vm.place == Place{0, 18, 9});
  CHECK(vm.at(vm.gpu_at) == Place{0, 17, 10});
  CHECK(vm.at(vm.min_vram_at) == Place{0, 20, 14});
  CHECK(vm.at(vm.offline_action_at) == Place{0, 21, 20});
  CHECK(vm.at(vm.power_at) == Place{0, 22, 12});
  CHECK(vm.at(vm.host_at) == Place{0, 23, 11});
  CHECK_FALSE(vm.expect_at.there());
  const DesiredAssignment& match = state.assignments[1];
  CHECK_EQ(match.match, "vdi-\\d+");
  CHECK_EQ(match.expect, 20);
  CHECK_EQ(match.host, DesiredAssignment::kNoHost);
  CHECK(match.power == gpup::Power::kKeep);
  CHECK(match.place == Place{0, 24, 14});
  CHECK(match.at(match.expect_at) == Place{0, 24, 33});
  CHECK(state.policy.unlisted == gpup::Unlisted::kKeep);
  CHECK(state.policy.unlisted_place == Place{0, 26, 13});
  CHECK(state.policy.homogeneous == gpup::Homogeneous::kWarn);
  CHECK(state.policy.stop == gpup::StopPolicy{gpup::StopMode::kTurnOff, std::chrono::hours(2)});
  REQUIRE_EQ(state.policy.overrides.size(), 1);
  CHECK_EQ(state.policy.overrides[0].reason, "pilot");
}

TEST_CASE("what a file does not say has its default") {
  const DesiredState state = read_files({{"a.yaml", kStart}}).read.state;
  CHECK_EQ(state.platform, "auto");
  CHECK_FALSE(state.cluster);
  CHECK_FALSE(state.policy.homogeneous);
  CHECK(state.policy.unlisted == gpup::Unlisted::kUnassign);
  CHECK_FALSE(state.policy.unlisted_place.known());
  CHECK(state.policy.stop == gpup::StopPolicy{gpup::StopMode::kShutdown, std::chrono::minutes(5)});
}

TEST_CASE("paths are relative to the file that names them") {
  struct Case {
    std::string file;
    std::string path;
    std::string wanted;
  };
  const Case cases[] = {
      {"a.yaml", "lab.json", "lab.json"},       {"a.yaml", "./x/../lab.json", "lab.json"},
      {"x/a.yaml", "lab.json", "x/lab.json"},   {"x/a.yaml", "../lab.json", "lab.json"},
      {"../a.yaml", "lab.json", "../lab.json"}, {"/etc/a.yaml", "lab.json", "/etc/lab.json"},
      {"x/a.yaml", "/lab.json", "/lab.json"},   {"-", "lab.json", "lab.json"},
      {"-", "/lab.json", "/lab.json"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.file);
    CAPTURE(c.path);
    const Read read = read_files({{c.file, kHeader +
                                               "metadata: { name: a }\nhosts: [{ name: a, connect: { transport: "
                                               "simulated, file: " +
                                               c.path + " } }]\n"}});
    REQUIRE_EQ(read.complaints, "");
    CHECK_EQ(read.read.state.hosts[0].target.connect.file, c.wanted);
  }
}

TEST_CASE("a hook's program is looked for in PATH, or from the file that names it, its other words stay as they are") {
  struct Case {
    std::string file;
    std::string program;
    std::string wanted;
  };
  const Case cases[] = {
      {"a.yaml", "drain", "drain"},         {"x/a.yaml", "drain", "drain"},       {"a.yaml", "./drain", "./drain"},
      {"a.yaml", "x/../drain", "./drain"},  {"x/a.yaml", "./drain", "x/drain"},   {"x/a.yaml", "../drain", "./drain"},
      {"../a.yaml", "./drain", "../drain"}, {"x/a.yaml", "/b/drain", "/b/drain"}, {"-", "./drain", "./drain"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.file);
    CAPTURE(c.program);
    const Read read =
        read_files({{c.file, kStart + "policy: { hooks: { before: [" + c.program + ", ./b, '5'], timeout: 90s } }\n"}});
    REQUIRE_EQ(read.complaints, "");
    const gpup::HookPolicy& hooks = read.read.state.policy.hooks;
    CHECK(hooks.before == std::vector<std::string>{c.wanted, "./b", "5"});
    CHECK(hooks.after.empty());
    CHECK(hooks.timeout == std::chrono::seconds(90));
  }
}

TEST_CASE("names are data") {
  const std::string names[] = {"no", "off", "y", "1_000", "12:30", "2026-11-22", "vm[1]*", "-a", "a #b", "O''Neil"};
  std::string text = kStart + "assignments:\n";
  for (const std::string& name : names) {
    text +=
        name == "a #b" || name.find('\'') != std::string::npos ? "  - vm: '" + name + "'\n" : "  - vm: " + name + "\n";
  }
  text += "  - vm: \"\\u65e5\\u672c\\_\\u2028\"\n";
  const Read read = read_files({{"a.yaml", text}});
  REQUIRE_EQ(read.complaints, "");
  REQUIRE_EQ(read.read.state.assignments.size(), std::size(names) + 1);
  CHECK_EQ(read.read.state.assignments[6].vm, "vm[1]*");
  CHECK_EQ(read.read.state.assignments[9].vm, "O'Neil");
  CHECK_EQ(read.read.state.assignments[10].vm, "\xe6\x97\xa5\xe6\x9c\xac\xc2\xa0\xe2\x80\xa8");
}

TEST_CASE("columns are characters, in every line of a file") {
  CHECK_EQ(summary({{"a.yaml",
                     kStart + "assignments:\n  - { vm: caf\xc3\xa9, powr: off, gpu: \xe6\x97\xa5, pwer: off }\n"}}),
           "a.yaml:8:17: GP014 unknown key 'powr'\n"
           "a.yaml:8:36: GP014 unknown key 'pwer'\n");
}

TEST_CASE("several files and documents are one desired state") {
  const Read read = read_files({{"a.yaml", kHeader + "gpus: [{ model: NVIDIA A2, hosts: [hv-e1] }]\n---\n" + kHeader +
                                               "assignments: [{ vm: a, host: hv-e1 }]\n"},
                                {"b/b.yaml", kStart},
                                {"c.yaml", kHeader + "metadata: { name: lab }\nassignments: [{ vm: b }]\n"}});
  REQUIRE_EQ(read.complaints, "");
  CHECK_EQ(read.read.state.hosts[0].target.connect.file, "b/lab.json");
  CHECK_EQ(read.read.state.assignments[0].host, 0);
  CHECK(read.read.state.assignments[1].place == Place{2, 4, 21});
}

TEST_CASE("the same file twice is said twice") {
  CHECK_EQ(summary({{"a.yaml", kStart + "policy: {}\nassignments: [{ vm: a }]\n"},
                    {"a.yaml", kStart + "policy: {}\nassignments: [{ vm: a }]\n"}}),
           "a.yaml:5:11: GP032 host 'hv-e1' is said twice, first at a.yaml:5:11\n"
           "a.yaml:7:1: GP032 'policy' stands in one document only, first at a.yaml:7:1\n"
           "a.yaml:8:21: GP032 VM 'a' is said twice, first at a.yaml:8:21\n");
}

TEST_CASE("every mistake of every file is said in one run") {
  CHECK_EQ(summary({{"a.yaml", kStart + "cluser: x\nassignments:\n  - vm: 010\n  - vm: a: b\n  - vm: never read\n"},
                    {"b.yaml", "\xff"},
                    {"c.yaml", kHeader + "gpus:\n  - model: A\n    partitionCount: 0\n  - model: A\n"}}),
           "a.yaml:7:1: GP014 unknown key 'cluser'\n"
           "a.yaml:9:9: GP011 'vm' must be a VM's name, and '010' without quotes is a number\n"
           "a.yaml:10:10: GP008 a ':' may not stand here\n"
           "b.yaml:1:1: GP001 the byte 0xff is not UTF-8\n"
           "c.yaml:5:21: GP025 'partitionCount' must be a whole number, at least 1\n"
           "c.yaml:6:12: GP032 GPU line 'A' is said twice for one host, first at c.yaml:4:12\n");
}

TEST_CASE("one model stands in two lines where no host is in both") {
  const std::string hosts = kStart + "  - { name: hv-e2, connect: { transport: local } }\n";
  CHECK_EQ(summary({{"a.yaml", hosts + "gpus:\n  - { model: A, hosts: [hv-e1] }\n  - { model: A, hosts: [hv-e2] }\n"}}),
           "");
  CHECK_EQ(summary({{"a.yaml",
                     hosts + "gpus:\n  - { model: A, hosts: [hv-e1, hv-e2] }\n  - { model: A, hosts: [hv-e2] }\n"}}),
           "a.yaml:10:14: GP032 GPU line 'A' is said twice for one host, first at a.yaml:9:14\n");
}

TEST_CASE("VMs of one name are told apart by id, or by host") {
  const std::string hosts = kStart + "  - { name: hv-e2, connect: { transport: local } }\nassignments:\n";
  const std::string one = "id: 711cee18-60db-43b4-be7e-cedce5e25dd0";
  const std::string other = "id: 711cee18-60db-43b4-be7e-cedce5e25dd1";
  CHECK_EQ(summary({{"a.yaml", hosts + "  - { vm: a, " + one + " }\n  - { vm: a, " + other + " }\n"}}), "");
  CHECK_EQ(summary({{"a.yaml", hosts + "  - { vm: a, host: hv-e1 }\n  - { vm: a, host: hv-e2 }\n"}}), "");
  CHECK_EQ(summary({{"a.yaml",
                     hosts + "  - { vm: a, host: hv-e1, " + one + " }\n  - { vm: a, host: hv-e2, " + one + " }\n"}}),
           "");
  CHECK_EQ(summary({{"a.yaml", hosts + "  - { vm: a, " + one + " }\n  - { vm: b, host: hv-e2, " + one + " }\n"}}),
           "a.yaml:10:11: GP032 VM 'b' is said twice, first at a.yaml:9:11\n");
  CHECK_EQ(summary({{"a.yaml", hosts + "  - { vm: a, host: hv-e1, " + one + " }\n  - { " + one + " }\n"}}),
           "a.yaml:10:11: GP032 VM '711cee18-60db-43b4-be7e-cedce5e25dd0' is said twice, first at a.yaml:9:11\n");
}

TEST_CASE("a secret is never echoed") {
  const std::string secrets[] = {
      "    password: hunter2\n",        "    password:\n      hunter2\n    user: &a b\n",
      "    password: 'hunter2\n",       "    password: |\n      hunter2\n      *x\n    usr: b\n",
      "    usr: { pwd: hunter2 }\n",    "    password: hunter2: x\n",
      "    password: \"hunter2\\q\"\n", "    password: \"hunter2\x07\"\n",
      "    { apiToken: hunter2 } x\n",
  };
  for (const std::string& secret : secrets) {
    CAPTURE(secret);
    const Read read =
        read_files({{"a.yaml", kHeader +
                                   "metadata: { name: lab }\nhosts:\n  - name: hv-e1\n    connect:\n      "
                                   "transport: ssh\n      address: b\n  " +
                                   secret}});
    CHECK_NE(read.complaints, "");
    CHECK_EQ(read.complaints.find("hunter2"), std::string::npos);
  }
  const Read flow = read_files(
      {{"a.yaml", kStart + "  - { name: b, connect: { transport: ssh, addres: c, password: hunter2, usr: d } }\n"}});
  CHECK_EQ(flow.complaints.find("hunter2"), std::string::npos);
}

TEST_CASE("of very many mistakes all are counted") {
  std::string text = kStart + "assignments:\n";
  for (int i = 0; i < 25'000; ++i) {
    text += "  - 1\n";
  }
  const Read read = read_files({{"a.yaml", text}});
  CHECK_EQ(read.read.diagnostics.size(), 10'001);
  CHECK_EQ(read.read.diagnostics.back().message, "15000 more mistakes are in the files");
}

TEST_CASE("hostile files end in a diagnostic") {
  const std::string lists(9'000, '[');
  const std::string texts[] = {lists,
                               lists + lists,
                               std::string(100'000, '{'),
                               kStart + "x: " + std::string(1'000'000, 'a') + "\n",
                               kStart + "x: \"" + std::string(1'000'000, ' ') + "\n",
                               std::string(100'000, '-'),
                               std::string(50'000, '?'),
                               std::string(100'000, '\n') + "a",
                               std::string(17'000'000, '#'),
                               std::string(1'000, '\0'),
                               "a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n"};
  for (const std::string& text : texts) {
    CAPTURE(text.substr(0, 20));
    CHECK_NE(read_files({{"a.yaml", text}}).complaints, "");
  }
}

TEST_CASE("every short text of YAML's marks is read to its end") {
  // The parser makes no way at some of these: it would begin one empty document after another.
  constexpr std::string_view kMarks = "\n ,:-?[]{}&*!|>'\"%#~a.";
  std::size_t refused = 0;
  std::size_t all = 0;
  for (const std::string_view before : {"", "a: b\n...\n", "---\n"}) {
    std::string text(before);
    text += "   ";
    for (const char first : kMarks) {
      for (const char second : kMarks) {
        for (const char third : kMarks) {
          text[before.size()] = first;
          text[before.size() + 1] = second;
          text[before.size() + 2] = third;
          ++all;
          refused += read_files({{"d.yaml", text}}).read.diagnostics.empty() ? 0 : 1;
        }
      }
    }
  }
  CHECK_EQ(refused, all);
}

TEST_CASE("lines of a flow document keep their places however long the line is") {
  std::string text = kStart + "assignments: [";
  for (int i = 0; i < 5'000; ++i) {
    text += "{ vm: vm-" + std::to_string(i) + ", power: off }, ";
  }
  const std::size_t column = text.size() - text.rfind('\n');
  const Read read = read_files({{"a.yaml", text + "{ vm: last, power: off }]\n"}});
  REQUIRE_EQ(read.complaints, "");
  const DesiredAssignment& last = read.read.state.assignments.back();
  CHECK_EQ(last.place.column, column + 6);
  CHECK_EQ(last.at(last.power_at).column, column + 19);
}
