#include <array>

#include "cli/explain.h"
#include "cli/explain_pieces.h"

namespace gpup {

namespace {

constexpr auto kRunRows = std::to_array<Explanation>({
    {Code::kStartOwed,
     "a VM is off and owed a start",
     "Before gpup stops a VM that is to run again, it records on the host that a start is owed, and forgets it once "
     "the VM runs. The record is there, on its host or on one that it has left since, and the VM is off: a run ended "
     "before it could start it.",
     {.desired = GPUP_HEADER GPUP_HOST, .lab = GPUP_LAB("", GPUP_VM_OWED_A_START("vdi-01"))},
     "gpup restore-power -f FILE starts the VMs that are owed a start, gpup apply does so beside all else. If "
     "the VM is to stay off, say power: off on its line: gpup apply then forgets that a start is owed."},
    {Code::kJournalSyntax,
     "a journal with a line that is no entry of it",
     "A journal is read line by line: 'begin', then intents and outcomes, then 'end'. A last line that is cut off is"
     " what a crash leaves and is understood; anything else was not written by gpup, or was edited since.",
     {.command = "history run-1 --state-dir .", .journal = "{\"time\": \"2026-11-22T08:41:00.000Z\", \"entry\": 1}\n"},
     "Move the file away, or bring back the one that gpup wrote."},
    {Code::kNoRun,
     "no such run",
     "The state folder has no journal of that name, or none that the command could work on. Journals are on the "
     "machine "
     "that gpup ran on.",
     {.command = "history run-1 --state-dir ."},
     "Take a name from gpup history, or give --state-dir; from another machine, gpup restore-power and a plain gpup "
     "apply need no journal."},
    {Code::kNotRestored,
     "something that a rollback does not bring back",
     "What the run changed cannot be made as it was: the VM or the GPU has gone or moved, a VM held several "
     "partitions, or a clustered VM's GPU is its host's to choose. The rest is brought back.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\nassignments:\n  - vm: infer-01\n",
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", "")),
      .command = "rollback latest --state-dir state --yes",
      .first = "apply -f desired.yaml --yes --state-dir state",
      .lab_then = GPUP_LAB(GPUP_GPU("GPU0", "4"), "")},
     "Bring it back by hand where it matters."},
    {Code::kCannotRollBack,
     "a rollback that would harm others",
     "Since the run something has changed that stands in the way: somebody has changed what the run changed, a VM that "
     "the run did not touch holds a partition of a GPU whose count would change, the partitions would not suffice, or "
     "a "
     "VM is in a state that gpup does not work with. Nothing was touched.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "rollback latest --state-dir state --yes",
      .first = "apply -f desired.yaml --yes --state-dir state",
      .lab_then = GPUP_LAB(GPUP_GPU("GPU0", "4"), GPUP_VM("infer-01", "0", GPUP_ON("\"GPU0\"")))},
     "Clear the way, or write down what is wanted in a file and apply that."},
    {Code::kEventsLost,
     "events that nobody got",
     "The file or pipe that --events names took no more: its disk is full, its reader has gone, or reads so slowly "
     "that "
     "more than gpup keeps for it piled up. The run went on all the same, and its report is whole.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "apply -f desired.yaml --yes --state-dir state --events /dev/full"},
     "Mend the place, or see to it that its reader keeps up. 'gpup history latest' tells what the run did."},
    {Code::kReceiptBroken,
     "a receipt that is not as it was written",
     "The id of a receipt is the SHA-256 of all the rest of its bytes, and it does not fit: the file was changed or "
     "cut "
     "off, or it is no receipt. The exit code is 4; where --previous named it, nothing was touched.",
     {.plan = "hello\n", .command = "verify-receipt plan.json"},
     "Take it from where it was kept when the run ended. 'gpup history' and the journals tell what the run did."},
    {Code::kReceiptOutOfChain,
     "a receipt that does not go on from the one before it",
     "Each receipt names the one before it by the SHA-256 of that file's bytes. Among those given one is missing, they "
     "are in another order, or one was made anew since. The exit code is 4.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "verify-receipt receipt.json receipt.json",
      .first = "apply -f desired.yaml --yes --state-dir state --receipt receipt.json"},
     "Give all of them, the oldest first; --after says what the first one goes on from where older ones are kept "
     "elsewhere."},
});

}  // namespace

std::span<const Explanation> explain_runs() { return kRunRows; }

}  // namespace gpup
