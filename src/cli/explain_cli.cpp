#include <array>

#include "cli/explain.h"

namespace gpup {

namespace {

constexpr std::string_view kDesired =
    "apiVersion: gpup/v1\n"
    "kind: GpuPartitioning\n"
    "metadata: { name: lab }\n"
    "hosts:\n"
    "  - name: hv-1\n"
    "    connect: { transport: simulated, file: lab.json }\n"
    "gpus:\n"
    "  - model: NVIDIA A2\n"
    "    partitionCount: 4\n";

constexpr std::string_view kLab =
    "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Snapshot\", \"takenAt\": \"2026-11-22T08:41:00Z\", \"cluster\": null,\n"
    " \"hosts\": [{\"name\": \"hv-1\", \"build\": 20349, \"edition\": \"azure-stack-hci\", \"reachable\": true,\n"
    "  \"gpus\": [], \"vms\": []}]}\n";

constexpr std::array kRows = {
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
                " written whole or not at all, so what was there before still is. The exit code is 1.",
                Example{{}, kLab, {}, "observe --observed lab.json --out missing/snapshot.json"},
                "Mend the path, its permissions or the disk's room, and run the command again."},
    Explanation{Code::kNoSubject, "nothing of that name to explain",
                "'gpup why' was asked about a machine, a GPU or a step that neither the files nor the hosts know, or"
                " about a part of a GPU's name that fits several. The exit code is 1.",
                Example{kDesired, kLab, {}, "why vdi-99 --observed lab.json"},
                "Take the suggestion, or look at 'gpup observe' for names and at 'gpup plan' for the steps' numbers."},
};

}  // namespace

std::span<const Explanation> explain_cli() { return kRows; }

}  // namespace gpup
