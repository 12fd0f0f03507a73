#include <array>

#include "cli/explain.h"
#include "observed/read_snapshot.h"

using namespace std::string_view_literals;

// The beginning and the end of every example. Macros, since only literals are put together by the compiler.
#define GPUP_SNAPSHOT "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Snapshot\",\n"
#define GPUP_SNAPSHOT_HOST GPUP_SNAPSHOT " \"hosts\": [{\"name\": \"hv-e1\",\n"

namespace gpup {

namespace {

constexpr auto kSnapshotRows = std::to_array<Explanation>({
    {Code::kJsonSyntax,
     "not JSON",
     "The file is not JSON to the letter (RFC 8259). Often a comma before a closing bracket, a comment, single quotes, "
     "or a file that was cut off.",
     {.lab = GPUP_SNAPSHOT " \"hosts\": [],}\n"},
     "Correct the place that is named, or write the file again with `gpup observe -o json --out FILE`."},
    {Code::kJsonType,
     "wrong type of value",
     "A member has another type than the format says: a text where a number is wanted, a list where an object is. "
     "Numbers are whole and in digits alone: 1e3 and 16.0 are not read, since what wrote them may have rounded.",
     {.lab = GPUP_SNAPSHOT_HOST
      "  \"gpus\": [], \"vms\": [{\"name\": \"vdi-01\", \"id\": 1, \"state\": \"Off\", \"partitions\": "
      "[]}]}]}\n"},
     "`gpup schema snapshot` prints what each member is."},
    {Code::kJsonRange,
     "value out of range",
     "A number is smaller or larger than the member can be, a word is none of those that the format knows, a name is "
     "empty or holds U+0000. Numbers are exact up to 18446744073709551615.",
     {.lab = GPUP_SNAPSHOT_HOST
      "  \"gpus\": [{\"name\": \"gpu-1\", \"status\": \"partitioned\", \"partitionCount\": 65536}], "
      "\"vms\": []}]}\n"},
     "The message says what is allowed; `gpup schema snapshot` does so for every member."},
    {Code::kJsonRepeated,
     "repeated member",
     "An object has the same member twice. Programs differ in which one they take, so gpup takes neither. This holds "
     "for members that gpup does not know, too.",
     {.lab = GPUP_SNAPSHOT " \"cluster\": \"HCI-EAST\", \"cluster\": \"HCI-WEST\", \"hosts\": []}\n"},
     "Remove one of the two."},
    {Code::kJsonMissing,
     "missing member",
     "A member that must be there is not. A host that was read has its lists of GPUs and VMs even where they are "
     "empty: "
     "a gap must not look like an absence.",
     {.lab = GPUP_SNAPSHOT_HOST "  \"vms\": []}]}\n"},
     "Add it; an empty list is []. For a host that was not read write \"reachable\": false and its \"error\"."},
    {Code::kJsonTooLarge,
     "snapshot too large",
     "A snapshot may have 1 GiB, a host's reply 64 MiB; this one has more. Nothing of it was read.",
     {.lab = "a file of more than 1 GiB\n", .lab_size = kLargestSnapshot + 1},
     "Observe fewer hosts at a time."},
    {Code::kJsonTooDeep,
     "nested too deeply",
     "Objects and lists lie more than 64 deep in each other. The format itself is seven deep, so something else is "
     "in the file.",
     {.lab = GPUP_SNAPSHOT " \"hosts\": [],\n"
                           " \"x\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"
                           "       ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}\n"},
     "Look for brackets that were repeated by mistake, or for a member that another program added."},
    {Code::kJsonEncoding,
     "wrong encoding",
     "Snapshots are UTF-8; a byte order mark at the start does no harm, and UTF-16 is read where it has one. The file "
     "holds bytes that are neither, or an escape that stands for half a character.",
     {.lab = GPUP_SNAPSHOT_HOST "  \"gpus\": [], \"vms\": [], \"note\": \"caf\xe9\"}]}\n"sv},
     "Save the file as UTF-8. In Windows PowerShell: `gpup observe -o json --out FILE`, rather than `>`."},
    {Code::kSnapshotVersion,
     "not a snapshot of this version",
     "The header says that the file is something else, or of a version that this gpup does not read. What else may be "
     "wrong with it was not looked at.",
     {.lab = "{\"apiVersion\": \"gpup/v2\", \"kind\": \"Snapshot\", \"hosts\": []}\n"},
     "Give a file whose kind is Snapshot: `gpup observe -o json` writes one. A saved plan is shown by `gpup show`."},
    {Code::kSnapshotTwice,
     "said twice",
     "A host stands twice in a snapshot, or a GPU or the id of a VM twice on a host, or the id of an adapter twice on "
     "a VM, or the hosts of a run are in two clusters. Host names, GPU names and ids compare without case.",
     {.lab = GPUP_SNAPSHOT " \"hosts\": [{\"name\": \"hv-e1\", \"gpus\": [], \"vms\": []},\n"
                           "           {\"name\": \"HV-E1\", \"gpus\": [], \"vms\": []}]}\n"},
     "Remove one of the two; a second node needs a name of its own. Hosts of two clusters need a file and a run each."},
    {Code::kCannotExport,
     "cannot be exported",
     "A desired-state file cannot say what was observed: the name of a host or of the cluster holds control "
     "characters, there is no host, or the file would be larger than the 16 MiB that are read.",
     {.lab = GPUP_SNAPSHOT " \"hosts\": [{\"name\": \"hv\\u0007\", \"gpus\": [], \"vms\": []}]}\n",
      .command = "export --observed lab.json"},
     "Rename the host or the cluster; export a large site host by host with `--connect`."},
});

}  // namespace

std::span<const Explanation> explain_snapshot() { return kSnapshotRows; }

}  // namespace gpup
