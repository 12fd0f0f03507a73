#include "adapters/agent_launch.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/agent_script.h"
#include "adapters/agent_wire.h"

namespace gpup {

namespace {

using Way = AgentLaunch::Way;
using std::chrono::seconds;

HostTarget ssh_host() {
  HostTarget host{"hv-1", {}};
  host.connect.transport = Transport::kSsh;
  host.connect.address = "10.1.0.12";
  return host;
}

std::string words(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) {
    line += line.empty() ? word : " " + word;
  }
  return line;
}

/// What runs on this machine.
const std::string kPowerShell = std::filesystem::path::preferred_separator == '/' ? "pwsh" : "powershell.exe";

const std::string kAgentWords =
    " -NoLogo -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand " + encoded_command("exit");

}  // namespace

TEST_CASE("a local host's PowerShell is started as it is named") {
  HostTarget host{"localhost", {}};
  auto launch = launch_of(host, seconds(120), "exit");
  REQUIRE(launch);
  CHECK(launch->way == Way::kHere);
  CHECK_EQ(words(launch->argv), kPowerShell + kAgentWords);
  host.connect.powershell = "/opt/power shell/pwsh";
  launch = launch_of(host, seconds(120), "exit");
  REQUIRE(launch);
  CHECK_EQ(launch->argv.front(), "/opt/power shell/pwsh");
  CHECK(launch->environment.empty());
}

TEST_CASE("ssh gets strict host keys, no questions, and nothing of the file but what is listed") {
  HostTarget host = ssh_host();
  auto launch = launch_of(host, seconds(120), "exit");
  REQUIRE(launch);
  CHECK(launch->way == Way::kSsh);
  CHECK_EQ(words(launch->argv),
           "ssh -T -a -x -e none -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20"
           " -o ServerAliveInterval=15 -- 10.1.0.12 powershell" +
               kAgentWords);
  CHECK_EQ(launch->argv.back(), "powershell" + kAgentWords);
  CHECK(launch->environment == std::vector<std::pair<std::string, std::string>>{{"LC_ALL", "C"}});

  host.connect.port = 2222;
  host.connect.user = "CONTOSO\\svc gpup";
  host.connect.identity_file = "keys/100%";
  host.connect.known_hosts = "/etc/known hosts";
  host.connect.powershell = "C:\\PROGRA~1\\PowerShell\\7\\pwsh.exe";
  launch = launch_of(host, seconds(5), "exit");
  REQUIRE(launch);
  CHECK_EQ(words(launch->argv),
           "ssh -T -a -x -e none -o BatchMode=yes -o StrictHostKeyChecking=yes"
           " -o UserKnownHostsFile=\"/etc/known hosts\" -o ConnectTimeout=5 -o ServerAliveInterval=15"
           " -o IdentitiesOnly=yes -i ./keys/100%% -p 2222 -l CONTOSO\\svc gpup -- 10.1.0.12"
           " C:\\PROGRA~1\\PowerShell\\7\\pwsh.exe" +
               kAgentWords);
}

TEST_CASE("a PSSession is opened by a PowerShell of this machine") {
  HostTarget host{"hv-1", {}};
  host.connect.transport = Transport::kPsRemoting;
  host.connect.host_name = "hv-1.contoso.com";
  host.connect.user = "CONTOSO\\svc-gpup";
  auto launch = launch_of(host, seconds(120), "exit");
  REQUIRE(launch);
  CHECK(launch->way == Way::kSession);
  CHECK_EQ(launch->destination, "hv-1.contoso.com");
  CHECK_EQ(words(launch->argv), "pwsh" + kAgentWords);
  CHECK(launch->environment == std::vector<std::pair<std::string, std::string>>{{"LC_ALL", "C"}});
  host.connect.host_name.clear();
  host.connect.address = "hv-1";
  launch = launch_of(host, seconds(120), "exit");
  REQUIRE(launch);
  CHECK_EQ(words(launch->argv), kPowerShell + kAgentWords);
}

TEST_CASE("the remote command stays under 1000 characters") {
  CHECK_LT(agent_command("powershell", agent_bootstrap()).size(), kLongestRemoteCommand);
  HostTarget host = ssh_host();
  host.connect.powershell = std::string(950, 'p');
  const auto launch = launch_of(host, seconds(120), agent_bootstrap());
  REQUIRE_FALSE(launch);
  CHECK(launch.error().code == ErrorCode::kUnreachable);
}

TEST_CASE("what cannot be passed on safely is refused before anything is started") {
  struct Case {
    std::string Connect::*member;
    std::string value;
  };
  const Case cases[] = {
      {&Connect::address, "-oProxyCommand=touch x"},
      {&Connect::address, "a b"},
      {&Connect::address, "user@host"},
      {&Connect::address, "$(touch x)"},
      {&Connect::address, "ssh://host"},
      {&Connect::address, ""},
      {&Connect::address, "a\nb"},
      {&Connect::user, "-l"},
      {&Connect::user, "`touch x`"},
      {&Connect::user, "a;touch x"},
      {&Connect::user, "a\tb"},
      {&Connect::known_hosts, "a\" \"b"},
      {&Connect::known_hosts, "${HOME}/x"},
      {&Connect::identity_file, "a\\b"},
      {&Connect::identity_file, "a\nb"},
      {&Connect::powershell, "C:\\Program Files\\pwsh.exe"},
      {&Connect::powershell, "pwsh;touch"},
      {&Connect::powershell, "pwsh & calc"},
      {&Connect::powershell, "-x"},
      {&Connect::powershell, "$(touch)"},
      {&Connect::powershell, "p\"w"},
      {&Connect::powershell, "%COMSPEC%"},
      {&Connect::powershell, "~/pwsh"},
      {&Connect::powershell, "@pwsh"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.value);
    HostTarget host = ssh_host();
    host.connect.*c.member = c.value;
    const auto launch = launch_of(host, seconds(120), "exit");
    REQUIRE_FALSE(launch);
    CHECK(launch.error().code == ErrorCode::kUnreachable);
    REQUIRE_EQ(launch.error().diagnostics.size(), 1);
    CHECK(launch.error().diagnostics.front().code == Code::kConnectUnusable);
  }
  for (const std::string address : {"10.1.0.12", "fe80::1%eth0", "hv-1.contoso.com", "HV_1"}) {
    HostTarget host = ssh_host();
    host.connect.address = address;
    CHECK(launch_of(host, seconds(120), "exit"));
  }
}

}  // namespace gpup
