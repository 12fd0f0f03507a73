#include <array>

#include "cli/explain.h"
#include "cli/explain_pieces.h"

namespace gpup {

namespace {

#define GPUP_FILE_WITH(connect, rest) GPUP_HEADER GPUP_HOST_BY(connect) GPUP_A2("4") rest
#define GPUP_FILE_OF(rest) GPUP_FILE("4") rest
#define GPUP_LAB_OF(host, vms) GPUP_LAB_LIKE("null", "20349", "azure-stack-hci", host, GPUP_GPU("GPU0", "16"), vms)
#define GPUP_FAULTY(fault) GPUP_REACHABLE ",\n  \"simulate\": {\"faults\": [" fault "]}"
#define GPUP_RUNNING GPUP_VM_LIKE("infer-01", "0", "Running", "false", "2", "")
#define GPUP_NO_RESOURCES                                       \
  GPUP_FAULTY(                                                  \
      "{\"op\": \"start-vm\", \"kind\": \"fail\", \"message\":" \
      " \"Insufficient system resources exist (0x800705AA)\"}")
// What ssh says and how it ends; a PowerShell whose agent greets and then cannot do what it is asked.
#define GPUP_SSH_SAYS(text) \
  "#!/bin/sh\n"             \
  "echo '" text             \
  "' >&2\n"                 \
  "exit 255\n"
#define GPUP_AGENT_FAILS(error)                                           \
  "#!/bin/sh\n"                                                           \
  "answer() { printf 'gpup-%s %s:%s\\n' \"$nonce\" \"${#1}\" \"$1\"; }\n" \
  "while read -r line && [ \"$line\" != . ]; do :; done\n"                \
  "read -r hello\n"                                                       \
  "nonce=${hello#*'\"nonce\":\"'}\n"                                      \
  "nonce=${nonce%%'\"'*}\n"                                               \
  "answer '{\"id\":1,\"ok\":true,\"result\":{\"protocol\":1}}'\n"         \
  "read -r observe\n"                                                     \
  "answer '{\"id\":2,\"ok\":false,\"error\":{" error                      \
  "}}'\n"                                                                 \
  "read -r nothing_more\n"
#define GPUP_SAVE "plan -f desired.yaml --out plan.json"

constexpr auto kHostRows = std::to_array<Explanation>({
    {Code::kHostUnreadable,
     "a host cannot be read",
     "A host did not answer, or its lab cannot be read. Nothing is known about it then: its VMs and GPUs are not "
     "checked, which is not the same as not there. A saved plan is not performed while one of its hosts cannot be "
     "read.",
     {.desired = GPUP_FILE_OF(""),
      .lab = GPUP_LAB_OF(GPUP_REACHABLE, ""),
      .command = "apply plan.json",
      .first = GPUP_SAVE,
      .lab_then = GPUP_LAB_OF("\"reachable\": false, \"error\": \"no route to host\"", "")},
     "See to it that the host answers, then run the command again."},
    {Code::kHostLocked,
     "a host's lock is held",
     "Only one run may change a host at a time. Somebody else's holds the lock of a host of this plan; it is let go "
     "when that run ends, however it ends. Nothing was touched. The exit code is 6.",
     {.desired = GPUP_FILE_OF(""),
      .lab = GPUP_LAB_OF(GPUP_REACHABLE ",\n  \"simulate\": {\"heldBy\": \"process 4711\"}", ""),
      .command = "apply plan.json",
      .first = GPUP_SAVE},
     "Wait for the other run to end. The plan is checked against the hosts again before it is performed."},
    {Code::kStepFailed,
     "a step failed",
     "The host refused a step, or said that it was done and, read back, it was not; or what the step relies on had "
     "changed. Steps that depend on it were skipped, the others were performed, and VMs that were stopped for it were "
     "started again. The exit code is 7.",
     {.desired = GPUP_FILE_OF(""),
      .lab = GPUP_LAB_OF(GPUP_FAULTY("{\"op\": \"set-partition-count\", \"kind\": \"fail\"}"), ""),
      .command = "apply plan.json",
      .first = GPUP_SAVE},
     "Mend what the host complains of, and apply again: what was done already is not in the new plan."},
    {Code::kStepUnknown,
     "it is not known what came of a step",
     "The session was lost while a step was performed, and the host could not be read back. The step may have "
     "happened or not; it is never repeated blindly. The exit code is 7.",
     {.desired = GPUP_FILE_OF(""),
      .lab = GPUP_LAB_OF(GPUP_FAULTY("{\"op\": \"set-partition-count\", \"kind\": \"drop-session\"}"), ""),
      .command = "apply plan.json",
      .first = GPUP_SAVE},
     "When the host answers again, look at 'gpup plan': it starts from what is there."},
    {Code::kVmLeftOff,
     "a VM is left off",
     "The run had stopped this VM and it does not run, as far as is known: its start failed, or its host was lost. "
     "The exit code is 7.",
     {.desired = GPUP_FILE_OF("assignments:\n  - vm: infer-01\n"),
      .lab = GPUP_LAB_OF(GPUP_FAULTY("{\"op\": \"start-vm\", \"vm\": \"infer-01\", \"kind\": \"fail\"}"), GPUP_RUNNING),
      .command = "apply plan.json",
      .first = GPUP_SAVE},
     "Mend what kept it from starting: it is told with the VM, or just before it by a code of its own. Then run the "
     "command that is named, in PowerShell on that host."},
    {Code::kApprovalMissing,
     "nobody approved the plan",
     "'gpup apply' asks before it changes anything, unless it is given a saved plan or --yes. Here there is no "
     "terminal to ask on, or the answer was not 'yes'. Nothing was touched. The exit code is 6.",
     {.desired = GPUP_FILE_OF(""), .lab = GPUP_LAB_OF(GPUP_REACHABLE, ""), .command = "apply -f desired.yaml"},
     "Save the plan with 'gpup plan --out', look at it, and apply that; or give --yes."},
    {Code::kConnectUnusable,
     "a host cannot be reached as it is written",
     "What 'connect' says of a host cannot be passed on safely to the program that reaches it, or would not arrive as "
     "it stands: an address or a user that begins with '-', a character that a shell would obey, a path that ssh would "
     "change. Nothing was started. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: ssh, address: 10.1.0.12, powershell: \"C:/Program Files/pwsh.exe\"", ""),
      .command = "observe -f desired.yaml"},
     "Write the value in another way: a program by a name that is in the host's PATH, a path without such characters."},
    {Code::kProgramMissing,
     "a program cannot be started",
     "To reach a host, gpup starts a program on this machine: PowerShell ('local', 'psremoting') or ssh. It is not "
     "there, or may not be run. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: no-such-program", ""),
      .command = "observe -f desired.yaml"},
     "Install the program or put it in the PATH. 'powershell' under 'connect' names another PowerShell."},
    {Code::kHostKey,
     "a host's key is not accepted",
     "Whoever answers at a host's address has another key than the known_hosts file says, or one that the file does "
     "not "
     "know. gpup never takes a new key by itself: somebody else may be answering. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: ssh, address: 10.1.0.12", ""),
      .command = "observe -f desired.yaml",
      .program = "ssh",
      .script = GPUP_SSH_SAYS("Host key verification failed.")},
     "Compare the key with what the host's administrator says, then put it in the known_hosts file ('knownHosts' under "
     "'connect' names one). ssh-keyscan shows the key."},
    {Code::kLoginRefused,
     "a host does not let the user in",
     "The host answered, and refused the user or the key. gpup asks for no password: it uses a key, an ssh agent, or "
     "the Kerberos ticket of whoever runs it. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: ssh, address: 10.1.0.12", ""),
      .command = "observe -f desired.yaml",
      .program = "ssh",
      .script = GPUP_SSH_SAYS("svc-gpup@10.1.0.12: Permission denied (publickey).")},
     "Give the user and the key by 'user' and 'identityFile' under 'connect', and see that the host knows the key; for "
     "an administrator of Windows it stands in administrators_authorized_keys."},
    {Code::kNoConnection,
     "there is no connection to a host",
     "Nobody answers at the host's address, or not on that port, or the name has no address. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: ssh, address: 10.1.0.12", ""),
      .command = "observe -f desired.yaml",
      .program = "ssh",
      .script = GPUP_SSH_SAYS("ssh: connect to host 10.1.0.12 port 22: Connection refused")},
     "See to it that the host runs, that it listens (sshd, or WinRM for 'psremoting'), and that no firewall stands "
     "between."},
    {Code::kNoPowerShell,
     "a host has no PowerShell of that name",
     "The connection was made, but the host's shell does not find the program that is to run there: 'powershell', or "
     "what 'powershell' under 'connect' names; for a PSSession over SSH, what its sshd has as the subsystem "
     "'powershell'. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: ssh, address: 10.1.0.12, powershell: pwsh", ""),
      .command = "observe -f desired.yaml",
      .program = "ssh",
      .script = "#!/bin/sh\n"
                "echo 'sh: 1: pwsh: not found' >&2\n"
                "exit 127\n"},
     "Every host has 'powershell'; leave the key out, or name the program as the host's PATH has it. PSSessions over "
     "SSH need PowerShell 7 on the host, and 'Subsystem powershell PATH-OF-PWSH -sshs' in its sshd_config."},
    {Code::kSessionEnded,
     "a session with a host ended",
     "The program that served a host ended by itself, or the connection was cut. What it said last is shown. A request "
     "that was under way may have been performed: it is read back by a new session, and sent again only where nothing "
     "of it has happened.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: pretended", ""),
      .command = "observe -f desired.yaml",
      .program = "pretended",
      .script = "#!/bin/sh\n"
                "exit 3\n"},
     "Mend what it complains of, and run the command again: it starts from what is there."},
    {Code::kNoAnswer,
     "a host does not answer in time",
     "A host took longer than --request-timeout for one answer. A request that was under way may still be performed: "
     "it "
     "is read back, and sent again only where nothing of it has happened.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: pretended", ""),
      .command = "observe -f desired.yaml --request-timeout 1s",
      .program = "pretended",
      .script = "#!/bin/sh\n"
                "while read -r line; do :; done\n"},
     "Look at the host. Where it is only slow, give it longer by --request-timeout."},
    {Code::kNotAnAgent,
     "what answers is not gpup's script",
     "What came back could not be understood: text without end, an answer that is cut off, or one of another version. "
     "A little noise around the answers (banners, a profile's output) is passed over.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: pretended", ""),
      .command = "observe -f desired.yaml",
      .program = "pretended",
      .script = "#!/bin/sh\n"
                "exec yes 'Welcome!'\n"},
     "Try the connection by hand and see what is printed; keep it from whoever runs commands without a terminal."},
    {Code::kNotPermitted,
     "a host does not permit it",
     "The host answers, but the user may not read or change its virtual machines. Without elevation Hyper-V shows "
     "nothing, which is not the same as nothing being there.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: pretended", ""),
      .command = "observe -f desired.yaml",
      .program = "pretended",
      .script = GPUP_AGENT_FAILS(
          "\"reason\":\"cmdlet\",\"errorId\":\"Unspecified,Microsoft.HyperV.PowerShell.Commands.GetVM\","
          "\"category\":\"NotSpecified\"")},
     "Use a user who is in the host's Administrators; on the host itself run gpup in an elevated shell."},
    {Code::kCmdletMissing,
     "a host lacks a cmdlet",
     "The host's PowerShell does not have a cmdlet that gpup needs: the Hyper-V module is missing, on nodes of a "
     "cluster "
     "FailoverClusters, or the release is too old for GPU partitions.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: pretended", ""),
      .command = "observe -f desired.yaml",
      .program = "pretended",
      .script = GPUP_AGENT_FAILS("\"reason\":\"unsupported\",\"errorId\":\"CommandNotFoundException\","
                                 "\"cmdlet\":\"Hyper-V\\\\Get-VM\"")},
     "On the host: Install-WindowsFeature Hyper-V-PowerShell, and RSAT-Clustering-PowerShell where it is in a "
     "cluster."},
    {Code::kClusterAway,
     "the cluster does not answer",
     "The host is a node of a failover cluster whose service does not run there, or cannot reach the others. Which VMs "
     "are clustered, and what they do when they go offline, cannot be told then.",
     {.desired = GPUP_FILE_WITH("transport: local, powershell: pretended", ""),
      .command = "observe -f desired.yaml",
      .program = "pretended",
      .script =
          GPUP_AGENT_FAILS("\"reason\":\"cmdlet\",\"category\":\"ConnectionError\",\"errorId\":"
                           "\"ClusterEndpointNotRegistered,Microsoft.FailoverClusters.PowerShell.GetClusterCommand\"")},
     "Look at Get-Service ClusSvc and Get-ClusterNode on that host."},
    {Code::kNoPartition,
     "no partition is free for a VM that starts",
     "The host refused to start a VM since it has no partition for it, or not the resources that go with one "
     "(0x800705AA). Adding an adapter reserves nothing, so the lack shows only now: somebody else's VM may have taken "
     "the place meanwhile. The exit code is 7.",
     {.desired = GPUP_FILE_OF("assignments:\n  - vm: infer-01\n    power: running\n"),
      .lab = GPUP_LAB_OF(GPUP_NO_RESOURCES, GPUP_VM("infer-01", "0", "")),
      .command = "apply plan.json",
      .first = GPUP_SAVE},
     "Look at 'gpup observe' for what is free and who holds what; stop what should not run there, then apply again."},
    {Code::kStaleAdapter,
     "a VM may hold an adapter on a card that is gone",
     "The host refused to start a VM for want of a partition (0x800705AA), but the VM shows no adapter that would need "
     "one. When a card is moved, replaced or changes its slot, an adapter on it is seen no more and cannot be removed, "
     "yet it stays in the VM's configuration and is asked for at each start.",
     {.desired = GPUP_FILE_OF(""),
      .lab = GPUP_LAB_OF(GPUP_NO_RESOURCES, GPUP_VM_OWED_A_START("infer-01")),
      .command = "apply plan.json",
      .first = GPUP_SAVE},
     "Put the card back in its slot; else somebody has to take the adapter out of the VM's configuration file."},
});

}  // namespace

std::span<const Explanation> explain_hosts() { return kHostRows; }

}  // namespace gpup
