#include "adapters/powershell_hosts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <unistd.h>

#include "adapters/pretended_agent.h"
#include "adapters/said.h"

namespace gpup {

namespace {

using std::chrono::seconds;

constexpr const char* kVm = "711cee18-60db-43b4-be7e-cedce5e25dd0";

/// An agent with one VM. It logs what it is asked, keeps the lock's number in a file, and does `writing` for each
/// request that is none of its own.
std::string body(const std::string& writing, const std::string& before_observe = "") {
  return "hello\n"
         "mode=${line#*'\"mode\":\"'}; echo \"hello ${mode%%'\"'*}\" >>log\n"
         "snapshot='{\"apiVersion\":\"gpup/v1\",\"kind\":\"Snapshot\",\"takenAt\":\"2026-11-25T22:00:00Z\","
         "\"cluster\":null,\"hosts\":[{\"name\":\"hv-1\",\"computer\":\"HV-1\",\"build\":20349,"
         "\"edition\":\"datacenter\",\"reachable\":true,\"gpus\":[],\"vms\":[{\"name\":\"vdi-01\",\"id\":\"" +
         std::string(kVm) +
         "\",\"state\":\"Off\",\"clustered\":false,\"generation\":2,\"offlineAction\":null,\"partitions\":[]}]}]}'\n"
         "while next; do\n"
         "  echo \"$op\" >>log\n"
         "  case $op in\n"
         "    observe) " +
         before_observe +
         " ok $id \"$snapshot\" ;;\n"
         "    lock) number=$(($(cat number 2>/dev/null || echo 0) + 1)); echo $number >number\n"
         "      ok $id \"{\\\"number\\\":$number}\" ;;\n"
         "    unlock) ok $id '{}' ;;\n"
         "    *) echo \"${line#*:}\" >>asked; " +
         writing +
         " ;;\n"
         "  esac\n"
         "done\n";
}

std::string log_of(const TemporaryFolder& folder) {
  std::string log = read_text(folder / "log");
  std::replace(log.begin(), log.end(), '\n', ' ');
  return log;
}

}  // namespace

TEST_CASE("reading opens a session that cannot write, once") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(folder, body("")));
  const auto hosts = make_powershell_hosts(seconds(60));
  for (int i = 0; i < 3; ++i) {
    const auto state = hosts->observe(host).get();
    REQUIRE(state);
    CHECK_EQ(state->hosts.front().name, "hv-1");
    CHECK_EQ(state->hosts.front().vms.front().name, "vdi-01");
  }
  const auto hello = hosts->ask(host, "hello");
  REQUIRE(hello);
  CHECK(contains(*hello, "\"HV-1\""));
  // What was never locked is not written to.
  const auto started = hosts->start_vm(host, kVm).get();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::kUnreachable);
  CHECK_EQ(log_of(folder), "hello read observe observe observe ");
}

TEST_CASE("a run that writes needs one session a host") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(folder, body("ok $id '{}'")));
  const auto hosts = make_powershell_hosts(seconds(60), true);
  REQUIRE(hosts->observe(host).get());
  REQUIRE(hosts->lock(host));
  CHECK(hosts->start_vm(host, kVm).get());
  CHECK_EQ(log_of(folder), "hello write observe lock start-vm ");
}

TEST_CASE("every step goes out as the protocol has it, with the lock's number") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(folder, body("ok $id '{}'")));
  const auto hosts = make_powershell_hosts(seconds(60));
  REQUIRE(hosts->observe(host).get());
  REQUIRE(hosts->lock(host));
  REQUIRE(hosts->lock(host));
  CHECK(hosts->stop_vm(host, kVm, {StopMode::kTurnOff, seconds(7)}, true).get());
  CHECK(hosts->unassign_partition(host, kVm, "a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b").get());
  CHECK(hosts->set_partition_count(host, "\\\\?\\PCI#VEN_10DE", 4).get());
  CHECK(hosts->assign_partition(host, kVm, std::nullopt).get());
  CHECK(hosts->assign_partition(host, kVm, "GPU\xc3\xa4").get());
  CHECK(hosts->set_offline_action(host, kVm, OfflineAction::kForceShutdown).get());
  CHECK(hosts->start_vm(host, kVm).get());
  CHECK(hosts->forget_owed_start(host, kVm).get());
  hosts->unlock(host);
  const std::string vm = std::string("\"vm\":\"") + kVm + "\"";
  CHECK_EQ(
      read_text(folder / "asked"),
      "{\"id\":3,\"op\":\"stop-vm\",\"lock\":1," + vm +
          ",\"turnOff\":true,\"timeoutSeconds\":7,\"startOwed\":true}\n"
          "{\"id\":4,\"op\":\"unassign-partition\",\"lock\":1," +
          vm +
          ",\"adapter\":\"a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b\"}\n"
          "{\"id\":5,\"op\":\"set-partition-count\",\"lock\":1,\"gpu\":\"\\\\\\\\?\\\\PCI#VEN_10DE\",\"count\":4}\n"
          "{\"id\":6,\"op\":\"assign-partition\",\"lock\":1," +
          vm +
          ",\"gpu\":null}\n"
          "{\"id\":7,\"op\":\"assign-partition\",\"lock\":1," +
          vm +
          ",\"gpu\":\"GPU\\u00e4\"}\n"
          "{\"id\":8,\"op\":\"set-offline-action\",\"lock\":1," +
          vm +
          ",\"value\":3}\n"
          "{\"id\":9,\"op\":\"start-vm\",\"lock\":1," +
          vm + "}\n{\"id\":10,\"op\":\"forget-owed-start\",\"lock\":1," + vm + "}\n");
  CHECK(log_of(folder).starts_with("hello read observe hello write lock stop-vm "));
  CHECK(log_of(folder).ends_with("start-vm forget-owed-start unlock "));
}

TEST_CASE("a lost reply is not asked for again, and the next write takes the lock anew") {
  const TemporaryFolder folder;
  const HostTarget host =
      pretended_host(pretended_agent(folder, body("if [ -e died ]; then ok $id '{}'; else touch died; exit 1; fi")));
  const auto hosts = make_powershell_hosts(seconds(60));
  REQUIRE(hosts->lock(host));
  const auto lost = hosts->assign_partition(host, kVm, std::nullopt).get();
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == ErrorCode::kInterrupted);
  CHECK(hosts->observe(host).get());
  CHECK(hosts->start_vm(host, kVm).get());
  CHECK_EQ(log_of(folder), "hello write lock assign-partition hello write observe lock start-vm ");
}

TEST_CASE("a lock that somebody else had since the session was lost is the end of writing") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(folder, body("exit 1")));
  const auto hosts = make_powershell_hosts(seconds(60));
  REQUIRE(hosts->lock(host));
  CHECK_FALSE(hosts->start_vm(host, kVm).get());
  spill(folder / "number", "7\n");
  const auto late = hosts->start_vm(host, kVm).get();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kUnreachable);
  CHECK(contains(late.error().message, "another run had it"));
  CHECK(hosts->observe(host).get());
  CHECK_EQ(log_of(folder), "hello write lock start-vm hello write lock observe ");
}

TEST_CASE("a held lock names its holder") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(
      folder,
      "hello\nnext; no $id '{\"reason\":\"held\",\"holder\":{\"host\":\"runner-7\",\"process\":4711,\"user\":\"alice\","
      "\"since\":\"2026-11-22T08:41:00Z\"}}'; next\n"));
  const auto hosts = make_powershell_hosts(seconds(60));
  const auto held = hosts->lock(host);
  REQUIRE_FALSE(held);
  CHECK(held.error().code == ErrorCode::kHeld);
  CHECK_EQ(held.error().message, "held by process 4711 of alice on runner-7 since 2026-11-22T08:41:00Z");
}

TEST_CASE("a lock that an earlier session of ours keeps is waited for") {
  const TemporaryFolder folder;
  const std::string held = "{\"reason\":\"held\",\"holder\":{\"process\":" + std::to_string(::getpid()) + "}}";
  const HostTarget host = pretended_host(pretended_agent(
      folder,
      "hello\nnext\n"
      "if [ ! -e died ]; then touch died; ok $id '{\"number\":4}'; next; exit 1; fi\n"
      "no $id '" +
          held + "'; next; no $id '" + held + "'; next; ok $id '{\"number\":5}'; next; ok $id '{}'; next\n"));
  const auto hosts = make_powershell_hosts(seconds(60));
  REQUIRE(hosts->lock(host));
  CHECK_FALSE(hosts->start_vm(host, kVm).get());
  CHECK(hosts->start_vm(host, kVm).get());
}

TEST_CASE("a session that died is followed by a new one for reading") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(folder, body("", "[ -e died ] || { touch died; exit 1; };")));
  const auto hosts = make_powershell_hosts(seconds(60));
  CHECK(hosts->observe(host).get());
  CHECK_EQ(log_of(folder), "hello read observe hello read observe ");
}

TEST_CASE("a reply that is no snapshot of the host makes it unreadable, not the run") {
  struct Case {
    std::string result;
    Code code;
    std::string says;
  };
  const std::string head =
      "{\"apiVersion\":\"gpup/v1\",\"kind\":\"Snapshot\",\"takenAt\":null,\"cluster\":null,\"hosts\":";
  const Case cases[] = {
      {"{}", Code::kNotAnAgent, "cannot be read"},
      {head + "[]}", Code::kNotAnAgent, "not about this host alone"},
      {head + "[{\"name\":\"hv-2\",\"reachable\":true,\"gpus\":[],\"vms\":[]}]}", Code::kNotAnAgent, "this host alone"},
      {head + "[{\"name\":\"hv-1\",\"reachable\":false,\"error\":\"asleep\",\"gpus\":[],\"vms\":[]}]}",
       Code::kHostUnreadable, "asleep"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.result);
    const TemporaryFolder folder;
    const HostTarget host =
        pretended_host(pretended_agent(folder, "hello\nwhile next; do ok $id '" + c.result + "'; done\n"));
    const auto state = make_powershell_hosts(seconds(60))->observe(host).get();
    REQUIRE_FALSE(state);
    CHECK(state.error().code == ErrorCode::kUnreachable);
    CAPTURE(state.error().message);
    CHECK_EQ(to_string(code_of(state.error())), to_string(c.code));
    CHECK(contains(state.error().message, c.says));
  }
}

TEST_CASE("a start without a free partition is told by its code, with the host's own text") {
  const TemporaryFolder folder;
  const HostTarget host = pretended_host(pretended_agent(
      folder, body("no $id '{\"reason\":\"cmdlet\",\"errorId\":\"OperationFailed,Microsoft.HyperV.PowerShell.Commands."
                   "StartVM\",\"category\":\"NotSpecified\",\"hresult\":-2146233088,\"message\":\"vdi-01 konnte nicht "
                   "gestartet werden (0x800705AA).\",\"performed\":true}'")));
  const auto hosts = make_powershell_hosts(seconds(60));
  REQUIRE(hosts->lock(host));
  const auto started = hosts->start_vm(host, kVm).get();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::kRefused);
  CHECK(contains(started.error().message, "the host has no partition"));
  CHECK(contains(started.error().message, "konnte nicht gestartet werden"));
  CHECK_EQ(to_string(code_of(started.error())), "GP188");
  CHECK(contains(started.error().diagnostics.front().hint, "gpup observe"));
}

TEST_CASE("one host's trouble is not another's") {
  const TemporaryFolder folder;
  const HostTarget good = pretended_host(pretended_agent(folder, body("")));
  const HostTarget bad = pretended_host(pretended_agent(folder, "take_script; sleep 2\n", "deaf"), "hv-2");
  const auto hosts = make_powershell_hosts(seconds(60));
  std::thread waiting([&] { CHECK_FALSE(hosts->observe(bad).get()); });
  for (int i = 0; i < 5; ++i) {
    CHECK(hosts->observe(good).get());
  }
  waiting.join();
}

}  // namespace gpup
