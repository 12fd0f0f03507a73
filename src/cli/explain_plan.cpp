#include <array>

#include "cli/explain.h"
#include "cli/explain_pieces.h"

namespace gpup {

namespace {

constexpr auto kPlanRows = std::to_array<Explanation>({
    {Code::kVmMissing,
     "VM does not exist",
     "A line under assignments names a VM that no host of the file has. All hosts where it could be were read, so it "
     "is missing rather than not checked. Names are compared exactly.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("Infer-01", "0", ""))},
     "Write the name as Hyper-V shows it, add the VM's host to the file, or take the line out."},
    {Code::kVmAmbiguous,
     "more than one VM of that name",
     "VM names need not be unique in Hyper-V. A line by name alone would pick one of several, and the wrong one might "
     "be stopped.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", "") ", " GPUP_VM("infer-01", "1", ""))},
     "Add id: with the VM's GUID, or host: where the VMs are on different hosts."},
    {Code::kVmMatchedTwice,
     "VM listed twice",
     "Two lines are about one VM: two matches, or a line by name and a line by id.",
     {.desired =
          GPUP_FILE("4") "assignments:\n  - match: 'infer-.*'\n    expect: 1\n  - match: '.*-01'\n    expect: 1\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", ""))},
     "Let one line be about it. A line by vm or id takes its VM out of every match."},
    {Code::kVmExpect,
     "a match finds another number of VMs",
     "A match says how many VMs it must find, so that a VM with a new name does not slip in or out unseen. VMs that "
     "have a line of their own are not counted.",
     {.desired = GPUP_FILE("4") "assignments:\n  - match: 'infer-.*'\n    expect: 2\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", ""))},
     "Correct the pattern or the number."},
    {Code::kGpuMissing,
     "no such GPU",
     "A line under gpus finds no card on any of its hosts, and all of them were read.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A40\n", .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Write the model as 'gpup observe' shows it. If the host should have the card, check its driver."},
    {Code::kGpuExpect,
     "another number of GPUs",
     "A line under gpus says how many cards it must find on each of its hosts; one is missing or one is too many.",
     {.desired = GPUP_FILE("4") "    expect: 2\n", .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "See 'gpup observe'; correct the number, or mend the host."},
    {Code::kGpuTwoLines,
     "GPU managed by two lines",
     "Two lines under gpus are about one card; it cannot be said which of them counts.",
     {.desired = GPUP_FILE("4") "  - device: '10de:25b6'\n", .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Give each line its own models, devices or hosts. An A2 and an A16 share the device id: tell them by model."},
    {Code::kGpuStatus,
     "GPU cannot be partitioned",
     "A line under gpus names a card whose assigned status is not Partitioned: it is given away whole (DDA), its host "
     "has SR-IOV off (paravirtualization), or it is not assignable.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\n",
      .lab = GPUP_LAB(GPUP_GPU_LIKE("GPU0", "NVIDIA A2", "ready-for-dda", "null"), "")},
     "Mount a card that was given to DDA on its host again; enable virtualization and SR-IOV in the BIOS; install the "
     "GPU-P driver."},
    {Code::kNoManagedGpu,
     "no GPU for this VM",
     "No line under gpus manages a GPU (of the model that the VM's line names) on the host where the VM is.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n    gpu: NVIDIA A40\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", ""))},
     "Add a line under gpus, correct the model, or move the VM."},
    {Code::kModelAmbiguous,
     "several models to choose from",
     "The VM's host has managed GPUs of more than one model (or one model managed by several lines), and the VM's line "
     "does not say which.",
     {.desired = GPUP_HEADER GPUP_HOST
      "gpus:\n  - device: '10de:25b6'\n  - device: '10de:25b7'\nassignments:\n  - vm: infer-01\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4") ",\n   " GPUP_GPU_OF("GPU1", "NVIDIA A2", "10de:25b7", "partitioned", "4"),
                      GPUP_VM("infer-01", "0", ""))},
     "Add gpu: with the model's name, and manage a model by one line on each host."},
    {Code::kClusterDiffers,
     "another cluster",
     "The file names a failover cluster, and the hosts are in another one or in none.",
     {.desired = GPUP_FILE("4") "cluster: HCI-EAST\n", .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Correct the cluster's name, or the hosts."},
    {Code::kClusterMissing,
     "clustered VMs, no cluster",
     "VMs of the hosts are clustered, and the file names no cluster: the rules of a cluster would not be held.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB_IN("\"HCI-EAST\"", "20349", "azure-stack-hci", GPUP_GPU("GPU0", "4"),
                         GPUP_VM_LIKE("infer-01", "0", "Off", "true", "2", ""))},
     "Add cluster: with the cluster's name."},
    {Code::kOfflineActionNotClustered,
     "OfflineAction of a VM that is not clustered",
     "OfflineAction is a property of a cluster's resource; a VM that is not clustered has none. A match ignores it for "
     "such VMs, a line by vm or id does not.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n    offlineAction: shutdown\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", ""))},
     "Take offlineAction out, or make the VM highly available."},
    {Code::kCountNotValid,
     "partition count not accepted",
     "Each GPU accepts the counts that its driver lists (ValidPartitionCounts), and no other.",
     {.desired = GPUP_FILE("3"), .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Choose one of the counts in the message."},
    {Code::kTooManyVms,
     "more VMs than partitions",
     "The host (or one GPU) has fewer partitions than VMs that would hold one. VMs that are off count: they may be "
     "started at any time. Hyper-V itself tells this only when a VM fails to start.",
     {.desired = GPUP_FILE("1") "assignments:\n  - vm: infer-01\n  - vm: infer-02\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "1"), GPUP_VM("infer-01", "0", "") ", " GPUP_VM("infer-02", "1", ""))},
     "Raise the partition count, take VMs off the list, or move VMs to another host."},
    {Code::kVmState,
     "VM is neither Running nor Off",
     "Something about the VM would have to change, and it is saved, paused or in a critical state. What such a VM "
     "needs "
     "is for a person to say.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM_LIKE("infer-01", "0", "Saved", "false", "2", ""))},
     "Look at the VM; start it or turn it off."},
    {Code::kUnlistedRefused,
     "unlisted VM holds a partition",
     "policy.unlisted is refuse, and a VM that is not in the file holds a partition of a managed GPU.",
     {.desired = GPUP_FILE("4") "policy: { unlisted: refuse }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", GPUP_ON("\"GPU0\"")))},
     "List the VM, take its partition away, or choose unassign or keep."},
    {Code::kUnlistedInTheWay,
     "unlisted VM stands in the way",
     "policy.unlisted is keep, and the count of a GPU cannot be set while a VM that is not in the file holds a "
     "partition of it (or one without a GPU yet). Or it is unassign, and the running VM keeps a second partition, of "
     "another model: that one may lose its GPU while the VM is off (inferred), and come back on the GPU whose count is "
     "to be set.",
     {.desired = GPUP_FILE("4") "policy: { unlisted: keep }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "8"), GPUP_VM("infer-01", "0", GPUP_ON("\"GPU0\"")))},
     "List the VM, take its partition away, shut it down first, or leave the count as it is."},
    {Code::kPinClustered,
     "clustered VM would have to be pinned",
     "On a host with GPUs of several models a new partition has to be pinned to a GPU, and a clustered VM with a "
     "pinned partition cannot fail over: the GPU's path exists on one host only (inferred). One that fits is kept.",
     {.desired =
          GPUP_HEADER GPUP_HOST "cluster: HCI-EAST\ngpus:\n  - model: NVIDIA A2\nassignments:\n  - vm: infer-01\n",
      .lab = GPUP_LAB_IN("\"HCI-EAST\"", "20349", "azure-stack-hci",
                         GPUP_GPU("GPU0", "4") ",\n   " GPUP_GPU_LIKE("GPU1", "NVIDIA A10", "paravirtualization", "32"),
                         GPUP_VM_LIKE("infer-01", "0", "Off", "true", "2", ""))},
     "Use one model on each host of a cluster."},
    {Code::kNotHomogeneous,
     "GPUs are not homogeneous",
     "The GPUs of all hosts, as the plan would leave them, should be of one model and size and have one partition "
     "count. "
     "In a cluster anything else is not supported (an error by default); without one it is a warning.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\npolicy: { homogeneous: require }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4") ",\n   " GPUP_GPU("GPU1", "8"), "")},
     "Give all of them one count, or say policy.homogeneous: warn."},
    {Code::kMinVram,
     "partition is too small",
     "A partition of the VM's GPUs has, at the wanted count, less VRAM than the line's minVram.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n    minVram: 8GiB\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", ""))},
     "Lower the partition count or minVram."},
    {Code::kPlatformRule,
     "a platform rule is broken",
     "The release that the host runs does not support what the file wants. The message names the rule, the document it "
     "comes from and how sure it is.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA T4\n",
      .lab = GPUP_LAB(GPUP_GPU_LIKE("GPU0", "NVIDIA T4", "partitioned", "4"), "")},
     "Change the file, or accept it with policy.override: [{rule: R01, reason: ...}] where the rule allows that."},
    {Code::kOverrideNotAllowed,
     "this rule cannot be overridden",
     "Some rules are how the platform works, not what it supports.",
     {.desired = GPUP_FILE("4") "policy:\n  override:\n    - { rule: R06, reason: we know better }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Take the override out."},
    {Code::kUnknownPlatform,
     "unknown platform",
     "platform names the release whose rules are held: auto reads it from each host.",
     {.desired = GPUP_FILE("4") "platform: azure-local-25h2\n", .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Write auto, or one of the releases in the message."},
    {Code::kPartOfHomogeneousSet,
     "only some of equal GPUs are selected",
     "The hosts have equal GPUs, and the file gives another partition count to some of them only. Windows Admin Center "
     "warns of the same.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - device: '10de:25b6'\n    partitionCount: 8\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4") ",\n   " GPUP_GPU_OF("GPU1", "NVIDIA A2", "10de:25b7", "partitioned", "4"),
                      "")},
     "Select all of them, or live with differing counts."},
    {Code::kMinVramUnknown,
     "size of a partition is not known yet",
     "No GPU of this model and size on the hosts has the wanted count, and what a partition gets is never computed. It "
     "is checked once the count is set, before the partition is assigned.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n    minVram: 1GiB\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", ""))},
     "Nothing, if you can live with a refusal at that step."},
    {Code::kUnlistedStopped,
     "a VM outside the file will be stopped",
     "policy.unlisted is unassign (the default): VMs that hold a partition and are not in the file lose it, and are "
     "stopped for that.",
     {.desired = GPUP_FILE("4"),
      .lab =
          GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM_LIKE("infer-01", "0", "Running", "false", "2", GPUP_ON("\"GPU0\"")))},
     "List them, or choose policy.unlisted: keep or refuse."},
    {Code::kOverridden,
     "a platform rule is overridden",
     "The file breaks a rule and accepts that, with a reason. The plan carries it, and so do its report and journal.",
     {.desired = GPUP_HEADER GPUP_HOST
      "gpus:\n  - model: NVIDIA T4\npolicy:\n  override:\n    - { rule: R01, reason: test bench }\n",
      .lab = GPUP_LAB(GPUP_GPU_LIKE("GPU0", "NVIDIA T4", "partitioned", "4"), "")},
     "Nothing; remove the override once it is not needed any more."},
    {Code::kPlatformWarning,
     "worth knowing about this platform",
     "A rule that warns but does not refuse, or a release that gpup does not know.",
     {.desired = GPUP_FILE("4"), .lab = GPUP_LAB_IN("null", "20348", "standard", GPUP_GPU("GPU0", "4"), "")},
     "Read the document that the message names."},
    {Code::kVmNotChecked,
     "VM was not checked",
     "A listed VM is on none of the hosts that could be read, and at least one could not: it may be there.",
     {.desired =
          GPUP_HEADER GPUP_HOST "  - name: hv-2\n    connect: { transport: simulated, file: lab.json }\n" GPUP_A2(
              "4") "assignments:\n  - vm: infer-02\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Bring the host back, then plan again."},
    {Code::kOverrideUnused,
     "an override that nothing needs",
     "The file accepts to break a rule that is not broken.",
     {.desired = GPUP_FILE("4") "policy:\n  override:\n    - { rule: R01, reason: test bench }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Remove it, so that it does not hide a later mistake."},
    {Code::kKeptMayMove,
     "a partition that stays may lose its GPU",
     "The host has GPUs of several models, and a VM keeps a partition while it is off. Whether one that was not pinned "
     "keeps its GPU meanwhile is not known. If it does not, the host chooses one of any model when the VM starts.",
     {.desired = GPUP_HEADER GPUP_HOST "cluster: HCI-EAST\ngpus:\n  - model: NVIDIA A2\nassignments:\n"
                                       "  - vm: infer-01\n    power: off\n",
      .lab = GPUP_LAB_IN("\"HCI-EAST\"", "20349", "azure-stack-hci",
                         GPUP_GPU("GPU0", "4") ",\n   " GPUP_GPU_LIKE("GPU1", "NVIDIA A10", "paravirtualization", "32"),
                         GPUP_VM_LIKE("infer-01", "0", "Running", "true", "2", GPUP_ON("\"GPU0\"")))},
     "Nothing, if 'gpup drift' shows no difference afterwards."},
    {Code::kDisruptionUnmet,
     "more VMs must be down at once than may be",
     "policy.disruption limits how many listed VMs may be down at once: those that run, are stopped and started again, "
     "and those that are down since an earlier run stopped them. "
     "A partition count can be set only while no VM holds a partition of the GPU, so that all of its VMs are down "
     "together (on a host where the GPUs are of one model: of all GPUs that get another count, since the host chooses "
     "where a new partition is). There are more of them than a limit allows, and no order of steps changes that.",
     {.desired = GPUP_FILE("4") "assignments:\n  - vm: infer-01\n  - vm: infer-02\n"
                                "policy:\n  disruption: { maxUnavailable: 1 }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "8"),
                      GPUP_VM_LIKE("infer-01", "0", "Running", "false", "2", GPUP_ON("\"GPU0\"")) ",\n   " GPUP_VM_LIKE(
                          "infer-02", "1", "Running", "false", "2", GPUP_ON("\"GPU0\"")))},
     "Raise the limit for this change, or take VMs down yourself before: VMs that are off are not counted."},
    {Code::kDisruptionNoOrder,
     "VMs that wait for each other's partitions",
     "More listed VMs than policy.disruption allows would be down at once, since each of them can have its partition "
     "only once another one has given its own up: they change places, or a host holds more partitions than it has. Or "
     "a "
     "VM that an earlier run stopped can be started only after others were down as well. No order of steps was found "
     "that keeps the limit.",
     {.desired = GPUP_FILE("2") "assignments:\n  - vm: infer-01\n  - vm: infer-02\n"
                                "policy:\n  disruption: { maxUnavailable: 1 }\n",
      .lab = GPUP_LAB(
          GPUP_GPU("GPU0", "2"),
          GPUP_VM_LIKE("infer-01", "0", "Running", "false", "2", GPUP_ON_TWICE("\"GPU0\"")) ",\n   " GPUP_VM_LIKE(
              "infer-02", "1", "Running", "false", "2", GPUP_ON_TWICE("\"GPU0\"")))},
     "Raise the limit for this change, or take VMs down yourself before: VMs that are off are not counted, unless they "
     "are owed a start ('gpup restore-power' starts these)."},
    {Code::kDisruptionIdle,
     "a limit or an order that no VM is in",
     "An entry of order or groups under policy.disruption matches no listed VM, and all hosts were read: most likely "
     "it "
     "is misspelt, and the VMs that it was to protect are not.",
     {.desired = GPUP_FILE("4") "policy:\n  disruption:\n    groups:\n      - { match: 'vdi-.*', maxUnavailable: 1 }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Correct the pattern (it matches the whole name), or take the entry out."},
    {Code::kIgnoreExpired,
     "an accepted drift whose time is over",
     "An entry of policy.ignore held until a day that is over: what it covers counts as drift again.",
     {.desired =
          GPUP_FILE("4") "policy:\n  ignore:\n    - { object: hv-1, reason: card is swapped, until: 2020-02-29 }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), ""),
      .command = "drift -f desired.yaml --observed lab.json"},
     "Mend what it was about and take it out, or agree on a new day."},
    {Code::kIgnoreNothing,
     "an accepted drift of something that is not there",
     "An entry of policy.ignore names a VM or a GPU that its host, which was read, does not have: most likely the name "
     "is misspelt, or what it names was removed or moved.",
     {.desired = GPUP_FILE("4") "policy:\n  ignore:\n    - { object: hv-1/vm/vdi-01, reason: test bench }\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), ""),
      .command = "drift -f desired.yaml --observed lab.json"},
     "Correct the name (`gpup observe` shows them), or take the entry out."},
});

}  // namespace

std::span<const Explanation> explain_plan() { return kPlanRows; }

}  // namespace gpup
