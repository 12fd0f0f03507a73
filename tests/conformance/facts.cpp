#include "conformance/fact.h"

#include <array>

namespace gpup::conformance {

namespace {

using enum Mark;
using enum Lab;

// Parts of labs that several rows need.
#define PARAVIRTUAL                                                                                                                                 \
  R"(/hosts/0/gpus/1 {"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&3&0&0009#{064092b3-625e-43bf-9eb5-dc845897dd59}\\GPUPARAV", )" \
  R"("model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "paravirtualization"})"
#define ONE_LEFT_OUT_OF_ONE "/hosts/0/gpus/1/status \"not-assignable\"\n/hosts/0/gpus/0/partitionCount 1"
#define UNRESOLVED R"([{"id": "aaaaaaaa-0000-4000-8000-000000000002", "gpu": null, "partitionId": null, "vram": null}])"
#define FAILS(op, cmdlet)                    \
  "/hosts/0/simulate/faults [{\"op\": \"" op \
  "\", \"kind\": \"fail\"}]\n"               \
  "/hosts/0/doubles/faults [{\"cmdlet\": \"" cmdlet "\", \"do\": \"fail\"}]"

constexpr auto kFacts = std::to_array<Fact>({
    // 1. The model to keep in mind
    {"a GPU with real partitions is a target", "1", kSeen, "", kAlone, "", "gpu 0; gpu 1",
     "partitioned NVIDIA A2 10de:25b6 157e10de 16 of 16 8 4 2 1; partitioned NVIDIA A2 10de:25b6 157e10de 4 of 1 2 4 8 "
     "16"},
    {"a paravirtual GPU is known by the end of its name, its numbers are no amounts, and it is no target", "1", kSeen,
     "", kAlone, PARAVIRTUAL, "gpu 1; size 1; count 1 4; assign off 1; vm off",
     "paravirtualization NVIDIA A2 10de:25b6 157e10de - of -; - - - -; refused; refused; Off"},
    {"an adapter that is added has no GPU until its machine starts", "1", kInferred, "it has none", kAlone, "",
     "assign off; vm off; start off; vm off", "done; Off -/-/-; done; Running 0/0/939524096"},
    {"an adapter that is added has no GPU until its machine starts", "1", kInferred, "it has one at once", kAlone, "",
     "assign off; lab /hosts/0/vms/1/partitions/0/gpu $1; vm off; start off; vm off",
     "done; Off 1/-/-; done; Running 1/0/3825205248"},
    {"a machine that is off has an empty text where the GPU's name would be, or nothing", "1", kInferred,
     "an empty text", kAlone, "/hosts/0/vms/1/partitions " UNRESOLVED, "vm off", "Off -/-/-"},
    {"a machine that is off has an empty text where the GPU's name would be, or nothing", "1", kInferred, "nothing",
     kAlone, "/hosts/0/vms/1/partitions " UNRESOLVED "\n/hosts/0/doubles/nulls true", "vm off", "Off -/-/-"},
    {"a machine that stops keeps the GPU that the host chose for it", "1", kInferred, "it does", kAlone, "",
     "stop run; vm run; start run; vm run", "done; Off 0/-/-; done; Running 0/0/939524096"},
    {"a machine that stops keeps the GPU that the host chose for it", "1", kInferred, "it forgets it", kAlone,
     "/hosts/0/simulate/forgetsGpu true", "stop run; vm run; start run; vm run",
     "done; Off -/-/-; done; Running 0/0/939524096"},
    {"InstancePath chooses the GPU, not the partition", "1", kDocumented, "", kAlone, "",
     "assign off 1; vm off; start off; vm off", "done; Off 1/-/-; done; Running 1/0/3825205248"},
    {"an adapter that was pinned keeps its GPU when its machine stops", "1", kInferred, "on a host that keeps GPUs",
     kAlone, "", "assign off 1; start off; stop off; vm off", "done; done; done; Off 1/-/-"},
    {"an adapter that was pinned keeps its GPU when its machine stops", "1", kInferred, "on a host that forgets others",
     kAlone, "/hosts/0/simulate/forgetsGpu true", "assign off 1; start off; stop off; vm off",
     "done; done; done; Off 1/-/-"},
    {"an adapter that names a GPU which the host lacks cannot start", "1", kInferred, "either", kAlone,
     "/hosts/0/vms/1/partitions [{\"id\": \"aaaaaaaa-0000-4000-8000-000000000002\", \"gpu\": "
     "\"\\\\\\\\?\\\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&7&0&0009#{064092b3-625e-43bf-9eb5-dc845897dd59}\"}"
     "]",
     "vm off; start off; vm off", "Off ?/-/-; refused; Off ?/-/-"},
    {"the host chooses the GPU of an adapter that names none", "1", kDocumented, "the first with room", kAlone, "",
     "assign off; start off; vm off", "done; done; Running 0/0/939524096"},
    {"the host chooses the GPU of an adapter that names none", "1", kDocumented, "the last with room", kAlone,
     "/hosts/0/simulate/placement \"last\"", "assign off; start off; vm off", "done; done; Running 1/0/3825205248"},
    {"the host chooses the GPU of an adapter that names none", "1", kDocumented, "the one with most room", kAlone,
     "/hosts/0/simulate/placement \"spread\"\n/hosts/0/gpus/0/partitionCount 2", "assign off; start off; vm off",
     "done; done; Running 1/0/3825205248"},
    {"machines that run hold different partitions of a GPU", "1", kDocumented, "", kAlone, "",
     "assign off; assign a; start off; start a; vm run; vm off; vm a",
     "done; done; done; done; Running 0/3/939524096; Running 0/0/939524096; Running 0/1/939524096"},
    {"what is available goes down when a partition starts, and up when it stops", "1", kDocumented, "", kAlone, "",
     "free 0; assign off; start off; free 0; stop off; free 0",
     "14978506752; done; done; 14038982656; done; 14978506752"},
    {"adding an adapter reserves nothing", "1", kInferred, "either", kAlone, "", "free 0; assign off; free 0",
     "14978506752; done; 14978506752"},
    {"that no partition is left shows at the start, not when the adapter is added",
     "1",
     kInferred,
     "at the start",
     kAlone,
     ONE_LEFT_OUT_OF_ONE,
     "assign off; start off; vm off",
     "done; refused; Off -/-/-",
     {},
     "the host has no partition for the virtual machine"},
    {"that no partition is left shows at the start, not when the adapter is added", "1", kInferred, "when it is added",
     kAlone, FAILS("assign-partition", "Add-VMGpuPartitionAdapter"), "assign off; vm off", "refused; Off"},

    // 2. Which GPU it is
    {"an A2 and an A16 have one device id and two subsystems", "2", kDocumented, "", kAlone,
     "/hosts/0/gpus/1/name "
     "\"\\\\\\\\?\\\\PCI#VEN_10DE&DEV_25B6&SUBSYS_14A910DE&REV_A1#4&9&0&0001#{064092b3-625e-43bf-9eb5-dc845897dd59}\"\n"
     "/hosts/0/gpus/1/subsystem \"14a910de\"\n/hosts/0/gpus/1/model \"NVIDIA A16\"",
     "gpu 0; gpu 1",
     "partitioned NVIDIA A2 10de:25b6 157e10de 16 of 16 8 4 2 1; partitioned NVIDIA A16 10de:25b6 14a910de 4 of 1 2 4 "
     "8 16"},
    {"where PnP gives no name, the ids tell", "2", kSeen, "", kAlone, "/hosts/0/gpus/1/model null", "gpu 1",
     "partitioned - 10de:25b6 157e10de 4 of 1 2 4 8 16"},
    {"a partition of an A2 gets what the driver gives, not a share of the whole", "2", kSeen, "", kAlone, "",
     "size 0; size 1; count 1 16; size 1; count 1 4; size 1",
     "939524096 2 1 128; 3825205248 9 6 512; done; 939524096 2 1 128; done; 3825205248 9 6 512"},
    {"an eighth of an A2 is about 1.85 GB", "2", kInferred, "as from the others", kAlone, "", "count 1 8; size 1",
     "done; 1988100096 4 3 256"},
    {"an eighth of an A2 is about 1.85 GB", "2", kInferred, "as the driver says otherwise", kAlone,
     R"(/hosts/0/simulate/profiles [{"model": "NVIDIA A2", "counts": [{"count": 8, "vram": 1879048192, "encode": 5}]}])",
     "count 1 8; size 1", "done; 1879048192 5 3 256"},
    {"an A2 can be one whole partition", "2", kInferred, "it can", kAlone, "", "count 1 1; gpu 1; size 1",
     "done; partitioned NVIDIA A2 10de:25b6 157e10de 1 of 1 2 4 8 16; 15300820992 36 24 2048"},
    {"an A2 can be one whole partition", "2", kInferred, "its driver does not list it", kAlone,
     "/hosts/0/gpus/1/validPartitionCounts [2, 4, 8, 16]", "count 1 1; gpu 1",
     "refused; partitioned NVIDIA A2 10de:25b6 157e10de 4 of 2 4 8 16"},

    // 3. Cmdlets, objects, states
    {"builds with the older names of the cmdlets only are served as well", "3", kSeen, "", kOlder, "",
     "gpu 1; count 1 8; gpu 1",
     "partitioned NVIDIA A2 10de:25b6 157e10de 4 of 1 2 4 8 16; done; partitioned NVIDIA A2 10de:25b6 157e10de 8 of 1 "
     "2 4 8 16"},
    {"names of machines are not unique, ids are", "3", kSeen, "", kAlone, "",
     "assign #3; vm #2; vm #3; start #3; vm #2; vm #3", "done; Off; Off -/-/-; done; Off; Running 0/0/939524096"},
    {"a name with wildcards means one machine", "3", kDocumented, "", kAlone, "",
     "assign a*; start [a]; vm a; vm a*; vm [a]", "done; done; Off; Off -/-/-; Running"},
    {"ids and names of GPUs compare without case", "3", kSeen, "", kAlone, "",
     "stop run CAPITALS; unassign run 0 CAPITALS; count 0 4 CAPITALS; assign run CAPITALS; start run CAPITALS; vm run; "
     "gpu 0",
     "done; done; done; done; done; Running 0/0/3825205248; partitioned NVIDIA A2 10de:25b6 157e10de 4 of 16 8 4 2 1"},
    {"adding twice adds twice", "3", kSeen, "", kAlone, "", "assign off; assign off; vm off",
     "done; done; Off -/-/- -/-/-", "done; refused; Off -/-/-", "expected 0, found 1"},
    {"removing without an id removes every adapter of a machine", "3", kInferred, "either", kAlone,
     R"(/hosts/0/vms/1/partitions [{"id": "aaaaaaaa-0000-4000-8000-000000000002", "gpu": null}, {"id": "aaaaaaaa-0000-4000-8000-000000000003", "gpu": $1}])",
     "vm off; unassign off 0; vm off", "Off -/-/- 1/-/-; done; Off 1/-/-"},
    {"a machine with two adapters gets a partition for each, those that name a GPU first", "3", kSeen, "", kAlone,
     R"(/hosts/0/vms/1/partitions [{"id": "aaaaaaaa-0000-4000-8000-000000000002", "gpu": null}, {"id": "aaaaaaaa-0000-4000-8000-000000000003", "gpu": $0}])",
     "start off; vm off", "done; Running 0/1/939524096 0/0/939524096"},
    {"64 bits of a number arrive", "3", kSeen, "", kAlone,
     "/hosts/0/gpus/1/availableVram 18446744073709551615\n/hosts/0/gpus/1/totalVram 18446744073709551615\n"
     "/hosts/0/gpus/1/partitionVram 9007199254740993",
     "free 1; size 1", "18446744073709551615; 9007199254740993 9 6 512"},
    {"a machine's settings are told", "3", kSeen, "", kAlone,
     "/hosts/0/vms/1/generation 1\n/hosts/0/vms/1/dynamicMemory true\n/hosts/0/vms/1/automaticCheckpoints true\n"
     "/hosts/0/vms/0/dynamicMemory false\n/hosts/0/vms/0/automaticCheckpoints false",
     "settings off; settings run",
     "generation 1, dynamic memory yes, automatic checkpoints yes; generation 2, dynamic memory no, automatic "
     "checkpoints no"},
    {"only Running and Off are states to work with", "3", kSeen, "", kAlone,
     "/hosts/0/vms/1/state \"Saved\"\n/hosts/0/vms/2/state \"Paused\"\n/hosts/0/vms/3/state "
     "\"Starting\"\n/hosts/0/vms/4/state \"FastSaved\"\n"
     "/hosts/0/vms/5/state \"Hibernated\"\n/hosts/0/vms/6/state \"Other\"",
     "vm #1; vm #2; vm #3; vm #4; vm #5; vm #6; start #1; stop #1; assign #1; start #2; stop #2; stop #5; vm #1; vm "
     "#2; vm #5",
     "Saved; Paused; Starting; FastSaved; Hibernated; Other; refused; refused; refused; refused; refused; refused; "
     "Saved; Paused; Hibernated"},
    {"a critical state is known by its name, its number depends on the build", "3", kSeen, "newer numbers", kAlone,
     "/hosts/0/vms/0/state \"RunningCritical\"\n/hosts/0/vms/1/state \"OffCritical\"",
     "vm run; vm off; stop run; start off; assign off",
     "RunningCritical 0/3/939524096; OffCritical; refused; refused; refused"},
    {"a critical state is known by its name, its number depends on the build", "3", kSeen, "older numbers", kAlone,
     "/hosts/0/vms/0/state \"RunningCritical\"\n/hosts/0/vms/1/state \"OffCritical\"\n/hosts/0/doubles/olderStates "
     "true",
     "vm run; vm off; stop run; start off; assign off",
     "RunningCritical 0/3/939524096; OffCritical; refused; refused; refused"},
    {"an adapter is added to and removed from machines that are off", "3", kInferred, "either", kAlone, "",
     "assign idle; unassign run 0; vm idle; vm run", "refused; refused; Running; Running 0/3/939524096"},
    {"a count is set only where no adapter refers to the GPU", "3", kDocumented, "a machine that runs", kAlone, "",
     "count 0 8; gpu 0", "refused; partitioned NVIDIA A2 10de:25b6 157e10de 16 of 16 8 4 2 1"},
    {"a count is set only where no adapter refers to the GPU", "3", kDocumented, "a machine that is off", kAlone, "",
     "stop run; count 0 8; unassign run 0; count 0 8; gpu 0",
     "done; refused; done; done; partitioned NVIDIA A2 10de:25b6 157e10de 8 of 16 8 4 2 1"},
    {"a count is set only where no adapter refers to the GPU", "3", kDocumented,
     "a machine that is off and has forgotten", kAlone, "/hosts/0/simulate/forgetsGpu true",
     "stop run; count 0 8; unassign run 0; count 0 8", "done; refused; done; done"},
    {"a count is set only where no adapter refers to the GPU", "3", kDocumented,
     "an adapter without a GPU may be on any", kAlone, "/hosts/0/vms/1/partitions " UNRESOLVED,
     "count 1 8; unassign off 0; count 1 8", "refused; done; done"},
    {"a count is set only where no adapter refers to the GPU", "3", kDocumented, "one on another GPU is not in the way",
     kAlone, "", "count 1 8; vm run", "done; Running 0/3/939524096"},
    {"a count is one of those that the GPU lists",
     "3",
     kDocumented,
     "",
     kAlone,
     "",
     "count 1 3; count 1 32; count 1 4; gpu 1",
     "refused; refused; done; partitioned NVIDIA A2 10de:25b6 157e10de 4 of 1 2 4 8 16",
     {},
     "valid are 1, 2, 4, 8, 16"},
    {"OfflineAction can be set whatever the machine does", "3", kInferred, "it runs", kCluster, "",
     "set run force-shutdown; policy run; vm run", "done; force-shutdown; Running 0/3/939524096"},
    {"OfflineAction can be set whatever the machine does", "3", kInferred, "it is off", kCluster, "",
     "set off force-shutdown; policy off; vm off", "done; force-shutdown; Off"},
    {"what stops is off, what starts runs, and doing it again changes nothing", "3", kSeen, "", kAlone, "",
     "stop run; stop run; vm run; start run; start run; vm run",
     "done; done; Off 0/-/-; done; done; Running 0/0/939524096"},
    {"a way from one count to another", "3", kSeen, "", kAlone, "",
     "stop run owed; unassign run 0; count 0 4; assign run; start run; vm run; gpu 0",
     "done; done; done; done; done; Running 0/0/3825205248; partitioned NVIDIA A2 10de:25b6 157e10de 4 of 16 8 4 2 1"},

    // 4. Clustered machines
    {"OfflineAction is to save where nothing else was set", "4", kDocumented, "", kCluster,
     "/hosts/0/vms/1/offlineAction null", "policy off; policy run", "none; save", "save; save"},
    {"OfflineAction is one of four", "4", kDocumented, "", kCluster, "",
     "set run turn-off; policy run; set run shutdown; policy run; set run force-shutdown; policy run; set run save; "
     "policy run",
     "done; turn-off; done; shutdown; done; force-shutdown; done; save"},
    {"a machine that is not clustered has no OfflineAction", "4", kDocumented, "", kCluster, "",
     "policy plain; set plain force-shutdown; policy plain", "none; refused; none"},
    {"a role is called as its machine was when it was made", "4", kInferred, "as now", kCluster, "",
     "set off shutdown; policy off; policy run", "done; shutdown; save"},
    {"a role is called as its machine was when it was made", "4", kInferred, "otherwise", kCluster,
     "/hosts/0/vms/1/doubles/group \"run\"\n/hosts/0/vms/0/doubles/group \"old\"",
     "set off shutdown; policy off; policy run", "done; shutdown; save"},
    {"Set-ClusterParameter may say nothing and do nothing", "4", kInferred, "it does it", kCluster, "",
     "set run shutdown; policy run", "done; shutdown"},
    {"Set-ClusterParameter may say nothing and do nothing", "4", kInferred, "it does nothing", kCluster,
     R"(/hosts/0/simulate/faults [{"op": "set-offline-action", "kind": "claim-success"}])"
     "\n"
     R"(/hosts/0/doubles/faults [{"cmdlet": "Set-ClusterParameter", "do": "claim"}])",
     "set run shutdown; policy run", "done; save"},
    {"with ShutdownAction 0 a machine that is stopped stays off", "4", kDocumented, "", kCluster,
     "/hosts/0/vms/0/doubles/shutdownAction 0", "stop run; vm run", "done; Off 0/-/-"},
    {"with ShutdownAction 1 the cluster may start again what was stopped",
     "4",
     kDocumented,
     "",
     kCluster,
     "/hosts/0/vms/0/doubles/shutdownAction 1\n/hosts/0/vms/0/partitions/0/partitionId 0\n"
     R"(/hosts/0/simulate/faults [{"op": "stop-vm", "kind": "fail"}])",
     "stop run; vm run",
     "refused; Running 0/0/939524096",
     {},
     "it is Running"},
    {"a machine is asked on the host that owns it",
     "4",
     kDocumented,
     "",
     kCluster,
     "",
     "start far; assign far; vm far; 2: vm far; 2: assign far; 2: start far; 2: vm far",
     "refused; refused; not there; Off; done; done; Running 0/0/939524096",
     {},
     "was on HV-E1, is on HV-E2 now"},
    {"the owner can change at any time", "4", kDocumented, "", kCluster,
     R"(/hosts/0/simulate/faults [{"op": "stop-vm", "kind": "move-to", "to": "hv-e2"}])"
     "\n"
     R"(/hosts/0/doubles/faults [{"cmdlet": "Stop-VM", "do": "move", "to": "hv-e2"}])",
     "stop run; vm run; 2: vm run", "refused; not there; Running 0/0/939524096"},
    {"the cluster's name is told by its nodes", "4", kDocumented, "", kCluster, "", "host; 2: host",
     "20349 azure-stack-hci HCI-EAST; 20349 azure-stack-hci HCI-EAST"},

    // 6. Releases
    {"build and edition tell the release", "6", kDocumented, "HCI 22H2", kAlone, "", "host", "20349 azure-stack-hci -"},
    {"build and edition tell the release", "6", kDocumented, "Azure Local 23H2", kAlone, "/hosts/0/build 25398", "host",
     "25398 azure-stack-hci -"},
    {"build and edition tell the release", "6", kDocumented, "Windows Server 2025", kAlone,
     "/hosts/0/build 26100\n/hosts/0/edition \"datacenter\"", "host", "26100 datacenter -"},
    {"build and edition tell the release", "6", kDocumented, "Windows Server 2025 Standard", kAlone,
     "/hosts/0/build 26100\n/hosts/0/edition \"standard\"", "host", "26100 standard -"},
    {"a GPU that is given to DDA is no target", "6", kDocumented, "", kAlone,
     "/hosts/0/gpus/1/status \"ready-for-dda\"\n/hosts/0/gpus/1/partitionCount "
     "null\n/hosts/0/gpus/1/validPartitionCounts null",
     "gpu 1; count 1 4; assign off 1; vm off",
     "ready-for-dda NVIDIA A2 10de:25b6 157e10de - of -; refused; refused; Off"},
    {"a GPU that only PnP knows has no driver for partitions", "6", kDocumented, "", kAlone,
     "/hosts/0/gpus/1/status \"not-assignable\"\n/hosts/0/gpus/1/partitionCount "
     "null\n/hosts/0/gpus/1/validPartitionCounts null",
     "gpu 1; count 1 4; assign off 1; vm off",
     "not-assignable NVIDIA A2 10de:25b6 157e10de - of -; refused; refused; Off"},

    // 7. Errors
    {"a machine or an adapter that is not there is refused",
     "7",
     kSeen,
     "",
     kAlone,
     "",
     "start nobody; stop nobody; assign nobody; unassign off 0",
     "refused; refused; refused; refused",
     {},
     "the virtual machine is not on this host any more"},
    {"a start without resources says 0x800705AA, whatever the language",
     "7",
     kSeen,
     "",
     kAlone,
     ONE_LEFT_OUT_OF_ONE "\n/hosts/0/doubles/language \"de\"",
     "assign off; start off; vm off",
     "done; refused; Off -/-/-",
     {},
     "the host has no partition for the virtual machine"},
    {"an adapter whose card is gone is not seen, and the machine does not start",
     "7",
     kSeen,
     "",
     kAlone,
     "/hosts/0/vms/1/doubles/staleAdapters 1\n"
     R"(/hosts/0/simulate/faults [{"op": "start-vm", "kind": "fail"}])",
     "vm off; start off; vm off",
     "Off; refused; Off",
     {},
     "0x800705AA"},
    {"a guest that does not answer goes on when its time is over",
     "7",
     kDocumented,
     "",
     kAlone,
     "/hosts/0/vms/0/doubles/guestAnswers false\n"
     R"(/hosts/0/simulate/faults [{"op": "stop-vm", "kind": "fail"}])",
     "stop run soon; vm run",
     "refused; Running 0/3/939524096",
     {},
     "was not off in time, it is Running"},
    {"a guest that does not answer can be turned off", "7", kDocumented, "", kAlone,
     "/hosts/0/vms/0/doubles/guestAnswers false", "stop run soon turn-off; vm run", "done; Off 0/-/-"},
    {"a host cuts a guest that has not answered for long", "7", kDocumented, "", kAlone,
     "/hosts/0/vms/0/doubles/guestAnswers false\n/hosts/0/doubles/cutAfterMs 100", "stop run; vm run",
     "done; Off 0/-/-"},
    {"a Set that failed may have been done", "7", kInferred, "it was not", kAlone,
     FAILS("set-partition-count", "Set-VMHostPartitionableGpu"), "count 1 8; gpu 1",
     "refused; partitioned NVIDIA A2 10de:25b6 157e10de 4 of 1 2 4 8 16"},
    {"a Set that failed may have been done", "7", kInferred, "it was", kAlone,
     R"(/hosts/0/simulate/faults [{"op": "set-partition-count", "kind": "fail", "performed": true}])"
     "\n"
     R"(/hosts/0/doubles/faults [{"cmdlet": "Set-VMHostPartitionableGpu", "do": "fail-after"}])",
     "count 1 8; gpu 1", "refused; partitioned NVIDIA A2 10de:25b6 157e10de 8 of 1 2 4 8 16"},
    {"a user who is no administrator sees nothing",
     "7",
     kSeen,
     "",
     kAlone,
     "/hosts/0/doubles/elevated false\n"
     R"(/hosts/0/simulate/faults [{"op": "observe", "kind": "fail"}])",
     "vm run",
     "unreadable",
     {},
     "the host does not permit it"},
    {"without its cluster's answer nothing of a node is told",
     "7",
     kSeen,
     "",
     kCluster,
     "/hosts/0/doubles/clusterService \"down\"\n"
     R"(/hosts/0/simulate/faults [{"op": "observe", "kind": "fail"}])",
     "vm run",
     "unreadable",
     {},
     "Cluster Service"},
    {"a host without Hyper-V's module is told",
     "7",
     kSeen,
     "",
     kBare,
     "",
     "vm run",
     "unreadable",
     {},
     "the host lacks a cmdlet"},

    // 8. What comes through PowerShell
    {"none, one and many are lists", "8", kDocumented, "none", kAlone, "/hosts/0/vms []\n/hosts/0/gpus []",
     "names; gpus", "none; 0"},
    {"none, one and many are lists", "8", kDocumented, "one", kCluster, "", "2: names; 2: gpus", "\"far\"; 1"},
    {"none, one and many are lists", "8", kDocumented, "many", kAlone, "", "names; gpus",
     R"("run" "off" "twin" "twin" "a" "a*" "[a]" "idle"; 2)"},
    {"any character of a name arrives", "8", kSeen, "", kCluster,
     R"(/hosts/1/vms/0/name "Ä&<>'\" $(x) \u4e16 \ud83d\ude00")", "2: names",
     "\"Ä&<>'\\\" $(x) \xe4\xb8\x96 \xf0\x9f\x98\x80\""},

    // The lock and what is owed, which gpup keeps on hosts
    {"one run at a time writes to a host", "5", kSeen, "", kAlone, "", "lock; stop run; vm run",
     "held; done; Off 0/-/-"},
    {"that a start is owed is kept on the host until the machine runs", "5", kSeen, "", kAlone, "",
     "stop run owed; owed run; start run; owed run", "done; owed; done; not owed"},
    {"that a start is owed is forgotten when it is said so", "5", kSeen, "", kAlone, "",
     "stop run owed; forget run; owed run; forget run", "done; done; not owed; done"},
    {"that a start is owed is forgotten where the machine is to stay off", "5", kSeen, "", kAlone, "",
     "stop run owed; stop run; owed run", "done; done; not owed"},
});

}  // namespace

std::span<const Fact> facts() { return kFacts; }

}  // namespace gpup::conformance
