#include <array>

#include "cli/explain.h"
#include "cli/explain_pieces.h"

namespace gpup {

namespace {

constexpr std::string_view kDesired = GPUP_FILE("4");
constexpr std::string_view kNarrowWindow =
    GPUP_FILE("4") "policy:\n  window: { days: [sun], from: '03:17', to: '03:18', zone: Etc/UTC }\n";

#define GPUP_HOOKED(hooks) GPUP_FILE("4") "assignments:\n  - vm: vdi-01\npolicy:\n  hooks: { " hooks " }\n"

constexpr std::string_view kLab = GPUP_LAB("", "");
constexpr std::string_view kBusyLab = GPUP_LAB(
    GPUP_GPU("GPU0", "16"),
    GPUP_VM_LIKE("vdi-01", "0", "Running", "false", "2", GPUP_ON("\"GPU0\"")) ",\n   " GPUP_VM("vdi-02", "1", ""));

constexpr std::array kCliRows = {
    Explanation{Code::kUsage, "wrong command line",
                "A command, an option or a value is not one that gpup knows, is missing, or excludes another. Nothing"
                " was read and nothing was touched. The exit code is 64.",
                Example{{}, {}, {}, "plan --ouput json"},
                "Take the suggestion, or look at 'gpup help' and 'gpup help COMMAND'."},
    Explanation{Code::kCannotRead, "a file cannot be read",
                "A file, a folder or standard input that the command line names does not exist or may not be read. The"
                " exit code is 1. Content that is wrong has codes of its own.",
                Example{{}, {}, {}, "validate -f missing.yaml"}, "Mend the path or its permissions."},
    Explanation{Code::kCannotWrite, "a file cannot be written",
                "A file that the command line names, or standard output, could not be written: the folder does not"
                " exist, a permission is missing, the disk is full, or whoever read the output has gone. A file is"
                " written whole or not at all, so what was there before still is. The exit code is 1. Where it is the"
                " journal of a run that has begun, nothing is sent from then on, and VMs that were stopped are started"
                " again (7).",
                Example{{}, kLab, {}, "observe --observed lab.json --out missing/snapshot.json"},
                "Mend the path, its permissions or the disk's room, and run the command again."},
    Explanation{Code::kNoSubject, "nothing of that name to explain",
                "'gpup why' was asked about a machine, a GPU or a step that neither the files nor the hosts know, or"
                " about a part of a GPU's name that fits several. The exit code is 1.",
                Example{kDesired, kLab, {}, "why vdi-99 --observed lab.json"},
                "Take the suggestion, or look at 'gpup observe' for names and at 'gpup plan' for the steps' numbers."},
    Explanation{Code::kOutageTooLong, "a VM would be down for too long",
                "The plan is expected to keep a VM down for longer than --max-outage allows, from the begin of its stop"
                " to the end of its start. The time is the sum of the medians along the chain of steps that the message"
                " names, as this machine's earlier runs measured them, or by default. Nothing was touched. The exit"
                " code is 4.",
                Example{kDesired, kBusyLab, {}, "plan -f desired.yaml --observed lab.json --max-outage 10s"},
                "Allow more, or make the chain shorter: policy.stop with mode turn-off or a shorter timeout, or fewer"
                " VMs of one GPU at a time. 'gpup plan -o outage' has each step's time."},
    Explanation{Code::kNotForRoutine, "the plan covers only a part",
                "--target or --exclude was given: what they leave out stays as it is and is not compared, also where it"
                " differs from the files. The warning is in the saved plan, too.",
                Example{kDesired, kBusyLab, {}, "plan -f desired.yaml --observed lab.json --exclude hv-1"},
                "Once the emergency is over, plan without them."},
    Explanation{Code::kNoSuchTarget, "no such host or VM to cover",
                "--target or --exclude names a host that the files do not have, or a VM that is not on its host. Hosts"
                " compare without case, VMs by name exactly or by id.",
                Example{kDesired, kBusyLab, {}, "plan -f desired.yaml --observed lab.json --target hv-11"},
                "Take the suggestion, or look at 'gpup observe' for names."},
    Explanation{Code::kLeftOutInTheWay, "what is left out is in the way",
                "A partition count is to change, and a VM that --target or --exclude leaves out holds a partition of"
                " that GPU (or one that has no GPU yet). The count can be set only once it is gone.",
                Example{kDesired, kBusyLab, {}, "plan -f desired.yaml --observed lab.json --exclude hv-1/vm/vdi-01"},
                "Let the plan cover the VM, or leave the host's counts as they are: cover VMs alone, by"
                " HOST/vm/NAME."},
    Explanation{
        Code::kOutsideWindow, "no VM may be stopped now",
        "policy.window says when VMs may be stopped, and it is another time (by the clock of the window's zone),"
        " or this machine does not know the zone. A run that begins outside the window touches nothing, and the"
        " exit code is 6; one that is still at work when it closes skips what it has not yet stopped.",
        Example{kNarrowWindow, kBusyLab, {}, "apply -f desired.yaml --yes"},
        "Wait for the window, or give --ignore-window and --reason TEXT, which the journal keeps."},
    Explanation{
        Code::kBeforeFailed, "a hook before a stop failed",
        "The program that policy.hooks names under 'before' did not exit with 0, or took longer than its timeout. The "
        "VM"
        " was not stopped, and what depends on that was skipped. What the program said is on stderr, and the exit code"
        " is 7. Where it is missing when a run begins, nothing is touched, and the exit code is 1.",
        Example{GPUP_HOOKED("before: ['false']"), kBusyLab, {}, "apply -f desired.yaml --yes --state-dir state"},
        "Mend what the program minds, or give it more time with policy.hooks.timeout; 'gpup resume' goes on."},
    Explanation{
        Code::kHookFailed, "a hook failed",
        "The program that policy.hooks names under 'after' or 'onFailure' did not exit with 0, or took longer than its"
        " timeout. Where it was 'after', the VM runs and the run counts as partly applied (7): whatever the program was"
        " to do for the VM's users is not done. Where it is missing when a run begins, nothing is touched, and the exit"
        " code is 1.",
        Example{GPUP_HOOKED("after: ['false']"), kBusyLab, {}, "apply -f desired.yaml --yes --state-dir state"},
        "Mend what the program minds; 'gpup resume' runs an 'after' that failed once more."},
};

}  // namespace

std::span<const Explanation> explain_cli() { return kCliRows; }

}  // namespace gpup
