#include <array>

#include "cli/explain.h"

namespace gpup {

namespace {

constexpr std::string_view kDesired = R"(apiVersion: gpup/v1
kind: GpuPartitioning
metadata: {name: one}
hosts:
  - name: hv-1
    connect: {transport: simulated, file: lab.json}
gpus:
  - model: NVIDIA A2
    partitionCount: 4
)";

constexpr std::string_view kLab = R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "hosts": [
 {"name": "hv-1", "build": 25398, "edition": "azure-stack-hci", "reachable": true, "gpus": [
  {"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
   "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
   "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 16, "totalVram": 15918030848,
   "availableVram": 15918030848, "partitionVram": 939524096, "partitionEncode": 2, "partitionDecode": 1,
   "partitionCompute": 128}], "vms": []}]}
)";

constexpr std::string_view kLabThen = R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "hosts": [
 {"name": "hv-1", "build": 25398, "edition": "azure-stack-hci", "reachable": true, "gpus": [
  {"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
   "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
   "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 8, "totalVram": 15918030848,
   "availableVram": 15918030848, "partitionVram": 1946157056, "partitionEncode": 4, "partitionDecode": 3,
   "partitionCompute": 256}], "vms": []}]}
)";

constexpr auto kRows = std::to_array<Explanation>({
    {Code::kPlanSyntax,
     "not a plan that gpup saved",
     "The file that was given as a saved plan is not one: it does not begin as a plan does, or something in it is not "
     "as gpup writes it. A plan is read back only in exactly the form in which it was written.",
     {.plan = "hello\n", .command = "show plan.json"},
     "Give the file that gpup plan --out FILE wrote."},
    {Code::kPlanVersion,
     "a plan of another version, or not a plan",
     "The file says of itself that it is something else (a Snapshot, for instance), or a plan of a version that this "
     "gpup does not know.",
     {.plan = "{\"apiVersion\": \"gpup/v2\", \"kind\": \"Plan\"}\n", .command = "show plan.json"},
     "Make the plan again with this gpup, or use the gpup that made it."},
    {Code::kPlanDigest,
     "a plan that was changed after it was written",
     "The id of a plan is the SHA-256 of all the rest of its bytes. It does not fit: the plan was edited, formatted "
     "anew, cut off, or its line ends were changed on the way. What was approved is no longer what the file says.",
     {.plan = "{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Plan\",\n\"id\": \"sha256:0\",\n\"name\": \"edited\"\n}\n",
      .command = "show plan.json"},
     "Make the plan again with gpup plan --out FILE, and copy it byte by byte. To change what it does, change the "
     "desired state and plan again."},
    {Code::kFactBroken,
     "a saved plan that no longer fits",
     "A saved plan lists the facts that it relies on. Before anything is touched they are read again; one of them is "
     "not as it was, so that the steps might not do what was approved. Nothing was changed.",
     {.desired = kDesired,
      .lab = kLab,
      .command = "apply plan.json",
      .first = "plan -f desired.yaml --out plan.json",
      .lab_then = kLabThen},
     "Look at what changed on the host, and plan again."},
    {Code::kOtherPlan,
     "not the plan that is expected",
     "--expect-plan gives the id of the plan that was approved, and this is another one: the files or the hosts have "
     "changed since, or another saved plan was given. Nothing was touched. The exit code is 6.",
     {.desired = kDesired,
      .lab = kLab,
      .command = "apply -f desired.yaml --yes --expect-plan "
                 "sha256:0000000000000000000000000000000000000000000000000000000000000000"},
     "Look at this plan ('gpup plan'), have it approved, and give its id: 'gpup plan -o json' has it."},
});

}  // namespace

std::span<const Explanation> explain_saved_plan() { return kRows; }

}  // namespace gpup
