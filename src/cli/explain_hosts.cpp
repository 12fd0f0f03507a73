#include <array>

#include "cli/explain.h"

namespace gpup {

namespace {

// Pieces of the examples: a file, and the lab that its host lives in.
#define GPUP_FILE_WITH(connect, rest) \
  "apiVersion: gpup/v1\n"             \
  "kind: GpuPartitioning\n"           \
  "metadata: { name: lab }\n"         \
  "hosts:\n"                          \
  "  - name: hv-1\n"                  \
  "    connect: { " connect           \
  " }\n"                              \
  "gpus:\n"                           \
  "  - model: NVIDIA A2\n"            \
  "    partitionCount: 4\n" rest
#define GPUP_FILE_OF(rest) GPUP_FILE_WITH("transport: simulated, file: lab.json", rest)
#define GPUP_LAB_OF(host, vms)                                                                                        \
  "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Snapshot\", \"takenAt\": \"2026-11-22T08:41:00Z\", \"cluster\": null,\n" \
  " \"hosts\": [{\"name\": \"hv-1\", \"build\": 20349, \"edition\": \"azure-stack-hci\", " host                       \
  ",\n"                                                                                                               \
  "  \"gpus\": [{\"name\": \"GPU0\", \"model\": \"NVIDIA A2\", \"device\": \"10de:25b6\", \"subsystem\": "            \
  "\"157e10de\",\n"                                                                                                   \
  "   \"status\": \"partitioned\", \"validPartitionCounts\": [16, 8, 4, 2, 1], \"partitionCount\": 16,\n"             \
  "   \"totalVram\": 15918030848, \"availableVram\": 15918030848, \"partitionVram\": 939524096}],\n"                  \
  "  \"vms\": [" vms "]}]}\n"
#define GPUP_REACHABLE "\"reachable\": true"
#define GPUP_FAULTY(fault) GPUP_REACHABLE ",\n  \"simulate\": {\"faults\": [" fault "]}"
#define GPUP_RUNNING                                                                                    \
  "{\"name\": \"infer-01\", \"id\": \"711cee18-60db-43b4-be7e-cedce5e25dd0\", \"state\": \"Running\", " \
  "\"clustered\": false,\n   \"generation\": 2, \"offlineAction\": null, \"partitions\": []}"
#define GPUP_SAVE "plan -f desired.yaml --out plan.json"

constexpr auto kRows = std::to_array<Explanation>({
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
     "Run the command that is named, in PowerShell on that host. Where the start was refused for want of resources "
     "(0x800705AA), look at 'gpup observe' for what is free."},
    {Code::kApprovalMissing,
     "nobody approved the plan",
     "'gpup apply' asks before it changes anything, unless it is given a saved plan or --yes. Here there is no "
     "terminal to ask on, or the answer was not 'yes'. Nothing was touched. The exit code is 6.",
     {.desired = GPUP_FILE_OF(""), .lab = GPUP_LAB_OF(GPUP_REACHABLE, ""), .command = "apply -f desired.yaml"},
     "Save the plan with 'gpup plan --out', look at it, and apply that; or give --yes."},
    {Code::kTransportMissing,
     "a transport is not served",
     "The file says to reach a host in a way that this version of gpup has no means for. The host is not checked.",
     {.desired = GPUP_FILE_WITH("transport: ssh, address: 10.1.0.12", ""), .command = "observe -f desired.yaml"},
     "Use 'transport: simulated', or save a snapshot on a machine that reaches the host and give it with --observed."},
});

}  // namespace

std::span<const Explanation> explain_hosts() { return kRows; }

}  // namespace gpup
