#include "adapters/agent_errors.h"

#include <doctest/doctest.h>

#include <string>

#include "adapters/said.h"

namespace gpup {

namespace {

AgentError failed(std::string id, std::string category, std::string message = {}) {
  AgentError error;
  error.reason = "cmdlet";
  error.error_id = std::move(id);
  error.category = std::move(category);
  error.message = std::move(message);
  return error;
}

}  // namespace

TEST_CASE("a host's errors are told apart by id, category and HRESULT, in any language") {
  struct Case {
    AgentError error;
    Code code;
  };
  AgentError by_hresult = failed("Unspecified,Microsoft.HyperV.PowerShell.Commands.AddVMGpuPartitionAdapter", "X");
  by_hresult.hresult = -2147024891;
  AgentError missing;
  missing.reason = "unsupported";
  missing.cmdlet = "Hyper-V\\Get-VM";
  AgentError ours;
  ours.reason = "agent";
  AgentError stranger;
  stranger.reason = "unknown-op";
  const Case cases[] = {
      {failed("Unspecified,Microsoft.HyperV.PowerShell.Commands.GetVM", "NotSpecified"), Code::kNotPermitted},
      {failed("Unspecified,Microsoft.HyperV.PowerShell.Commands.SetVM", "NotSpecified"), Code::kStepFailed},
      {failed("AccessDenied,Microsoft.HyperV.PowerShell.Commands.StartVM", "PermissionDenied"), Code::kNotPermitted},
      {by_hresult, Code::kNotPermitted},
      {failed("CommandNotFoundException", "ObjectNotFound"), Code::kCmdletMissing},
      {missing, Code::kCmdletMissing},
      {failed("ClusterEndpointNotRegistered,Microsoft.FailoverClusters.PowerShell.GetClusterCommand",
              "ConnectionError"),
       Code::kClusterAway},
      {failed("ClusterRpcConnection,Microsoft.FailoverClusters.PowerShell.GetResourceCommand", "ConnectionError"),
       Code::kClusterAway},
      {failed("InvalidState,Microsoft.HyperV.PowerShell.Commands.SetVM", "InvalidOperation"), Code::kStepFailed},
      {failed("AccessDenied,PSSessionOpenFailed", "OpenError"), Code::kLoginRefused},
      {failed("CannotConnect,PSSessionOpenFailed", "OpenError"), Code::kNoConnection},
      {failed("-2144108103,PSSessionOpenFailed", "OpenError"), Code::kNoConnection},
      {failed("PSSessionOpenFailed", "OpenError"), Code::kNoConnection},
      {failed("System.Management.Automation.Remoting.PSRemotingDataStructureException,"
              "Microsoft.PowerShell.Commands.NewPSSessionCommand",
              "NotSpecified"),
       Code::kNoConnection},
      {ours, Code::kNotAnAgent},
      {stranger, Code::kNotAnAgent},
  };
  for (const Case& c : cases) {
    CAPTURE(c.error.error_id);
    CAPTURE(c.error.reason);
    CHECK_EQ(to_string(explain_refusal(kHv1, c.error).code), to_string(c.code));
  }
  CHECK_EQ(to_string(explain_unreadable(kHv1, failed("InvalidState,x.SetVM", "")).code),
           to_string(Code::kHostUnreadable));
}

TEST_CASE("the HRESULT counts where only the text carries it") {
  const auto code = [](const AgentError& error) { return to_string(explain_start_refusal(kHv1, error).code); };
  CHECK_EQ(code(failed("OperationFailed,x.StartVM", "", "Nicht genug Ressourcen. (0x800705AA). (0x1)")), "GP188");
  CHECK_EQ(code(failed("", "", "0x800705aa")), "GP188");
  CHECK_EQ(code(failed("", "", "0x800705A")), "GP172");
  CHECK_EQ(code(failed("", "", "0x80070005")), "GP185");
  AgentError number = failed("", "");
  number.hresult = -2147023446;
  CHECK_EQ(code(number), "GP188");
  CHECK_EQ(to_string(explain_refusal(kHv1, number).code), "GP172");  // only a start needs a partition
  AgentError fact = number;
  fact.reason = "facts";
  CHECK_EQ(code(fact), "GP172");
}

TEST_CASE("a refusal says what it means, its name and the host's own text") {
  CHECK_EQ(explain_refusal(kHv1, failed("InvalidState,Microsoft.HyperV.PowerShell.Commands.SetVM", "InvalidOperation",
                                        "Der Vorgang\r\n  ist nicht erlaubt."))
               .message,
           "the virtual machine is not in the state for it (InvalidState of SetVM): Der Vorgang ist nicht erlaubt.");
  const std::string endless = explain_refusal(kHv1, failed("", "", std::string(100'000, 'x'))).message;
  CHECK_LT(endless.size(), 600);
}

TEST_CASE("a broken fact names what was expected and what was found") {
  AgentError error;
  error.reason = "facts";
  error.fact = "ownerNode";
  error.expected = "HV-E1";
  error.found = "HV-E2";
  CHECK_EQ(explain_refusal(kHv1, error).message, "the virtual machine was on HV-E1, is on HV-E2 now");
  error.fact = "state";
  error.expected = "Off";
  error.found = "Running";
  CHECK_EQ(explain_refusal(kHv1, error).message,
           "the virtual machine's state is not as it was: expected Off, found Running");
  error.fact = "partitionCount";
  error.expected = "3";
  error.found = "valid are 16, 8, 4, 2, 1";
  CHECK_EQ(explain_refusal(kHv1, error).message,
           "the GPU does not take a partition count of 3: valid are 16, 8, 4, 2, 1");
  error.fact = "vm";
  CHECK_EQ(explain_refusal(kHv1, error).message, "the virtual machine is not on this host any more");
}

TEST_CASE("ssh's end is told apart by its own words, the far shell's by its code") {
  struct Case {
    int code;
    std::string err;
    Code wanted;
  };
  const Case cases[] = {
      {255, "ssh: connect to host 10.1.0.12 port 22: Connection refused", Code::kNoConnection},
      {255, "ssh: connect to host 10.1.0.12 port 22: Connection timed out", Code::kNoConnection},
      {255, "ssh: connect to host 10.1.0.12 port 22: No route to host", Code::kNoConnection},
      {255, "ssh: Could not resolve hostname hv-9: Name or service not known", Code::kNoConnection},
      {255,
       "No ED25519 host key is known for 10.1.0.12 and you have requested strict checking.\r\nHost key "
       "verification failed.",
       Code::kHostKey},
      {255, "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", Code::kHostKey},
      {255, "alice@10.1.0.12: Permission denied (publickey,password).", Code::kLoginRefused},
      {255, "something new", Code::kNoConnection},
      {127, "sh: 1: powershell: not found", Code::kNoPowerShell},
      {1, "'powershell' wird nicht als interner oder externer Befehl erkannt", Code::kNoPowerShell},
      {1, "+ FullyQualifiedErrorId : CommandNotFoundException", Code::kNoPowerShell},
      {1, "", Code::kSessionEnded},
  };
  AgentLaunch launch;
  launch.way = AgentLaunch::Way::kSsh;
  launch.argv = {"ssh"};
  launch.powershell = "powershell";
  for (const Case& c : cases) {
    CAPTURE(c.err);
    CHECK_EQ(to_string(explain_ended(kHv1, launch, {c.code, 0}, false, c.err, "").code), to_string(c.wanted));
  }
  CHECK(explain_ended(kHv1, launch, {255, 0}, true, "Timeout, server 10.1.0.12 not responding.", "").code ==
        Code::kSessionEnded);
  // What says the same without ssh is no connection's trouble.
  launch.way = AgentLaunch::Way::kHere;
  CHECK(explain_ended(kHv1, launch, {255, 0}, false, "Connection refused", "").code == Code::kSessionEnded);
}

TEST_CASE("a PSSession over SSH that is not opened is told by ssh's words, in PowerShell's error or before it") {
  HostTarget host = kHv1;
  host.connect.host_name = "hv-1.contoso.com";
  const std::string wrapped = "[hv-1.contoso.com] Fehler der SSH-Clientsitzung: ";
  struct Case {
    std::string message;
    std::string noise;
    Code code;
    std::string says;
  };
  const std::string changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nOffending key in kh:1\n";
  const Case cases[] = {
      {wrapped + "abgebrochen.", changed, Code::kHostKey, "is not the one that is known: Offending key in kh:1"},
      {wrapped + "Host key verification failed.", "", Code::kHostKey, "Fehler"},
      {wrapped + "abgebrochen.", "svc@hv-1: Permission denied (publickey).\n", Code::kLoginRefused, "(publickey)"},
      {wrapped + "ssh: connect to host hv-1 port 22: Connection refused", "", Code::kNoConnection, "port 22"},
      {wrapped + "abgebrochen.", "subsystem request failed on channel 0\n", Code::kNoPowerShell, "channel 0"},
      {wrapped + "abgebrochen.", "", Code::kNoPowerShell, "no PowerShell answers"},
      {wrapped + "abgebrochen.", "Be welcome!\n", Code::kNoConnection, "no PSSession could be opened"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.message);
    CAPTURE(c.noise);
    const Diagnostic why = explain_no_session(host, failed("PSSessionOpenFailed", "OpenError", c.message), "", c.noise);
    CHECK_EQ(to_string(why.code), to_string(c.code));
    CAPTURE(why.message);
    CHECK(contains(why.message, c.says));
    CHECK_FALSE(why.hint.empty());
  }
  const AgentError winrm = failed("AccessDenied,PSSessionOpenFailed", "OpenError", "Connection refused");
  CHECK(explain_no_session(kHv1, winrm, "", "").code == Code::kLoginRefused);
  AgentLaunch launch;
  launch.way = AgentLaunch::Way::kSession;
  CHECK(explain_ended(host, launch, {-1, 6}, false, "Unhandled exception.", changed).code == Code::kHostKey);
  CHECK(explain_ended(host, launch, {-1, 6}, true, "Unhandled exception.", changed).code == Code::kSessionEnded);
}

TEST_CASE("what a host says is one line, shortened, without CLIXML") {
  CHECK_EQ(host_text("  a\r\n\r\n b\tc \n"), "a b c");
  CHECK_EQ(host_text("#< CLIXML\r\n<Objs Version=\"1.1.0.1\"></Objs>\r\nboom"), "boom");
  CHECK_EQ(host_text(std::string("a\0b", 3)), "a b");
  CHECK(contains(host_text(std::string(1000, '\xc3') + std::string(300, '\xa4')), "... "));
}

}  // namespace gpup
