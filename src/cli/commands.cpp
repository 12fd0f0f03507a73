#include "cli/commands.h"

#include <algorithm>
#include <array>

namespace gpup {

namespace {

constexpr std::string_view kAnswerForms = "text json markdown html";
constexpr std::string_view kDriftForms = "text json markdown html junit sarif github gitlab";
constexpr std::string_view kPlanForms = "text json markdown html outage";
constexpr std::string_view kShortForms = "text json";
constexpr std::string_view kObserveForms = "table wide json yaml";

constexpr Option kFile{
    "file", 'f', "FILE",          "desired state: a file, a folder of *.yaml and *.yml, or - for stdin",
    true,   {},  Completes::kFile};
constexpr Option kObserved{"observed", 0,  "FILE",          "use this snapshot (- for stdin) instead of asking hosts",
                           false,      {}, Completes::kFile};
constexpr Option kConnect{"connect", 0, "[NAME=]URI",
                          "a host: local:, simulated:FILE, ssh://[user@]address[:port], winrm://address", true};
constexpr Option kAnswerTime{"request-timeout", 0, "DURATION",
                             "how long one answer of a host may take: 2m (default), 30s, ...; a stop has its own"
                             " timeout on top"};
constexpr Option kOut{"out", 0, "FILE", "write the answer to FILE, whole or not at all", false, {}, Completes::kFile};
constexpr Option kPlanOut{"out", 0, "PLAN", "save the plan to PLAN, whole or not at all", false, {}, Completes::kFile};
constexpr Option kAnswerForm{
    "output", 'o',          "FORM",          "the answer as text (default), json, markdown or html",
    false,    kAnswerForms, Completes::kWord};
constexpr Option kPlanForm{
    "output",        'o',
    "FORM",          "the answer as text (default), json, markdown, html, or outage: who is down for how long, in JSON",
    false,           kPlanForms,
    Completes::kWord};
constexpr Option kShortForm{"output", 'o',         "FORM",          "the answer as text (default) or json",
                            false,    kShortForms, Completes::kWord};
constexpr Option kObserveForm{
    "output", 'o', "FORM", "the answer as table (default), wide, json or yaml", false, kObserveForms, Completes::kWord};
constexpr Option kAnswerReport{
    "report", 0, "FORM=FILE", "write the answer in a further form to FILE", true, kAnswerForms, Completes::kFormFile};
constexpr Option kDriftForm{"output",
                            'o',
                            "FORM",
                            "the answer as text (default), json, markdown or html, or for a pipeline as"
                            " junit, sarif, github or gitlab",
                            false,
                            kDriftForms,
                            Completes::kWord};
constexpr Option kDriftReport{"report", 0,           "FORM=FILE",         "write the answer in a further form to FILE",
                              true,     kDriftForms, Completes::kFormFile};
constexpr Option kMetrics{
    "metrics", 0,  "FILE",          "write metrics for Prometheus' node_exporter (its textfile folder) to FILE",
    false,     {}, Completes::kFile};
constexpr Option kMaxBytes{"max-bytes", 0, "N",
                           "cut markdown off at N bytes, 2000 at least (default 60000), and say what is left out"};
constexpr Option kPlanReport{"report", 0,          "FORM=FILE",         "write the answer in a further form to FILE",
                             true,     kPlanForms, Completes::kFormFile};
constexpr Option kShortReport{"report", 0,           "FORM=FILE",         "write the answer in a further form to FILE",
                              true,     kShortForms, Completes::kFormFile};
constexpr Option kObserveReport{
    "report", 0, "FORM=FILE", "write the answer in a further form to FILE", true, kObserveForms, Completes::kFormFile};
constexpr Option kDetailed{"detailed-exitcode", 0, {}, "exit 2 when the plan has steps"};
constexpr Option kFull{"full", 0, {}, "show every change, also where many are alike"};
constexpr Option kEveryCheck{"full", 0, {}, "show every check of every VM, also what passes"};
constexpr Option kYes{"yes", 'y', {}, "perform the plan without asking"};
constexpr Option kParallel{
    "parallel", 0, "N", "work on N hosts at once, 1 to 256 (default 10); 1: one step at a time, in the plan's order"};
constexpr Option kStateDir{
    "state-dir", 0,  "DIR",           "the folder of the journals (default: the platform's state folder)",
    false,       {}, Completes::kFile};
constexpr Option kEvents{
    "events", 0,  "FILE",          "write what happens, as it happens, to FILE (- is stdout): JSON lines",
    false,    {}, Completes::kFile};
constexpr Option kMaxOutage{"max-outage", 0, "DURATION",
                            "refuse a plan that is expected (median) to keep a VM down for longer: 90s, 10m, 1h"};
constexpr Option kExpectPlan{"expect-plan", 0, "ID",
                             "perform the plan with this id (sha256:...) alone, refuse any other"};
constexpr Option kIgnoreWindow{
    "ignore-window", 0, {}, "stop VMs also outside the file's policy.window; --reason says why"};
constexpr Option kReason{"reason", 0, "TEXT", "why --ignore-window is given; noted in the journal"};
constexpr Option kTarget{"target", 0, "ADDRESS", "emergencies only: leave all as it is but HOST, or HOST/vm/NAME",
                         true};
constexpr Option kExclude{"exclude", 0, "ADDRESS", "emergencies only: leave HOST, or HOST/vm/NAME, as it is", true};
constexpr Option kCheck{"check", 0, {}, "write nothing; exit 2 where a file has another layout"};
constexpr Option kDiff{"diff", 0, {}, "show what changes, instead of the files' names"};
constexpr Option kBundleOut{"out", 0, "FILE", "write the archive to FILE", false, {}, Completes::kFile};
constexpr Option kPseudonyms{"pseudonyms", 0, {}, "replace names of machines, people, places and ids by stand-ins"};
constexpr Option kSignPlan{
    "sign", 0, "KEY", "sign the saved plan with this SSH key: the signature is PLAN.sig", false, {}, Completes::kFile};
constexpr Option kSignReceipt{
    "sign", 0, "KEY", "sign the receipt with this SSH key: the signature is FILE.sig", false, {}, Completes::kFile};
constexpr Option kReceipt{
    "receipt", 0,  "FILE",          "write a receipt of the run to FILE: JSON, or markdown where it ends in .md",
    true,      {}, Completes::kFile};
constexpr Option kPrevious{"previous", 0,  "FILE",          "the receipt that this one goes on from, in JSON",
                           false,      {}, Completes::kFile};
constexpr Option kCommit{"commit", 0, "ID", "the commit that the receipt names (default: what the pipeline says)"};
constexpr Option kAfter{"after", 0, "ID",
                        "what the first receipt given goes on from: sha256:..., of one that is kept elsewhere"};
constexpr Option kAllowedSigners{
    "allowed-signers", 0, "FILE", "take only what one of these has signed (a file as ssh-keygen(1) has it)", false, {},
    Completes::kFile};
constexpr Option kJson{"json", 0, {}, "the answer as json"};

constexpr Option kColor{
    "color",         0, "WHEN", "auto (default), always or never; NO_COLOR is heeded", false, "auto always never",
    Completes::kWord};
constexpr Option kLogLevel{"log-level",     0,
                           "LEVEL",         "trace, debug, info, warn (default), error or off",
                           false,           "trace debug info warn error off",
                           Completes::kWord};
constexpr Option kLogFormat{"log-format", 0,           "FORMAT",        "text (default) or json, a line each",
                            false,        "text json", Completes::kWord};
constexpr Option kLogFile{"log-file", 0,  "FILE",          "append the log to FILE instead of stderr",
                          false,      {}, Completes::kFile};
constexpr Option kHelp{"help", 'h', {}, "show help"};

constexpr std::array kCommon = {&kColor, &kLogLevel, &kLogFormat, &kLogFile, &kHelp};

constexpr std::array kValidateOptions = {&kFile, &kObserved, &kShortForm, &kShortReport};
constexpr std::array kFmtOptions = {&kFile, &kCheck, &kDiff};
constexpr std::array kObserveOptions = {&kFile, &kObserved,      &kConnect,   &kObserveForm,
                                        &kOut,  &kObserveReport, &kAnswerTime};
constexpr std::array kPlanOptions = {&kStateDir, &kFile, &kObserved,  &kPlanOut, &kPlanForm, &kPlanReport, &kMaxBytes,
                                     &kDetailed, &kFull, &kMaxOutage, &kTarget,  &kExclude,  &kAnswerTime, &kSignPlan};
constexpr std::array kDoctorOptions = {&kFile, &kConnect, &kShortForm, &kShortReport, &kEveryCheck, &kAnswerTime};
constexpr std::array kShowOptions = {&kStateDir, &kPlanForm, &kPlanReport, &kMaxBytes, &kFull, &kAllowedSigners};
constexpr std::array kHistoryOptions = {&kStateDir, &kShortForm, &kShortReport};
constexpr std::array kApplyOptions = {
    &kFile,       &kYes,          &kExpectPlan,     &kIgnoreWindow, &kReason,   &kStateDir,  &kParallel,
    &kAnswerForm, &kAnswerReport, &kMaxBytes,       &kEvents,       &kFull,     &kMaxOutage, &kTarget,
    &kExclude,    &kAnswerTime,   &kAllowedSigners, &kReceipt,      &kPrevious, &kCommit,    &kSignReceipt};
constexpr std::array kResumeOptions = {&kIgnoreWindow, &kReason,   &kStateDir, &kParallel,   &kAnswerForm,
                                       &kAnswerReport, &kMaxBytes, &kEvents,   &kFull,       &kAnswerTime,
                                       &kReceipt,      &kPrevious, &kCommit,   &kSignReceipt};
constexpr std::array kRollbackOptions = {&kStateDir,   &kYes,          &kIgnoreWindow, &kReason, &kParallel,
                                         &kAnswerForm, &kAnswerReport, &kMaxBytes,     &kEvents, &kFull,
                                         &kAnswerTime, &kReceipt,      &kPrevious,     &kCommit, &kSignReceipt};
constexpr std::array kRestoreOptions = {&kStateDir,   &kFile,         &kConnect,  &kYes,    &kParallel,
                                        &kAnswerForm, &kAnswerReport, &kMaxBytes, &kEvents, &kFull,
                                        &kAnswerTime, &kReceipt,      &kPrevious, &kCommit, &kSignReceipt};
constexpr std::array kVerifyReceiptOptions = {&kAllowedSigners, &kAfter, &kShortForm, &kShortReport};
constexpr std::array kDriftOptions = {&kStateDir, &kFile,    &kObserved, &kDriftForm, &kDriftReport,
                                      &kMaxBytes, &kMetrics, &kTarget,   &kExclude,   &kAnswerTime};
constexpr std::array kExportOptions = {&kFile, &kObserved, &kConnect, &kOut, &kAnswerTime};
constexpr std::array kWhyOptions = {&kFile, &kObserved, &kShortForm, &kShortReport, &kAnswerTime};
constexpr std::array kBundleOptions = {&kFile, &kStateDir, &kBundleOut, &kPseudonyms, &kAnswerTime};
constexpr std::array kVersionOptions = {&kJson};

constexpr std::string_view kCommandNames =
    "validate fmt doctor observe plan show apply history resume rollback restore-power verify-receipt drift export why "
    "bundle explain schema agent version help completion";

constexpr std::array kCommands = {
    Command{"validate",
            "check files, all that can be known without a host",
            {},
            false,
            {},
            Completes::kNothing,
            kValidateOptions,
            "Reads the desired state and reports every mistake in every file, each with its place and a code that"
            " 'gpup explain' explains. Nothing is contacted.\n\n"
            "With --observed the files are also held against a snapshot: machines and cards that do not exist, counts"
            " that a card does not accept, machines that do not fit.\n\n"
            "Several -f, several documents in a file, and folders form one desired state.",
            "gpup validate -f hci-east.yaml\n"
            "gpup validate -f hosts.yaml -f vms.yaml -o json\n"
            "gpup validate -f hci-east.yaml --observed snapshot.json"},
    Command{
        "fmt",
        "lay files out alike",
        {},
        false,
        {},
        Completes::kNothing,
        kFmtOptions,
        "Writes files of desired state in one layout, whole or not at all, and names those that changed: keys in the"
        " order of the format, two spaces a level, a line for each entry, short mappings and lists in brackets as"
        " they were, at most one empty line between two others. All comments are kept, and each file says the same"
        " as before: both texts are read and compared. With -f - the text goes to stdout.\n\n"
        "Each file is looked at by itself, so that one that is a part of a desired state can be laid out alone.\n\n"
        "Exit code: 0; with --check 2 where a file has another layout; 4 where a file is wrong, or cannot be laid"
        " out (GP037): then nothing is written.",
        "gpup fmt -f hci-east.yaml\n"
        "gpup fmt -f gpu-hosts --check --diff\n"
        "gpup fmt -f - < hci-east.yaml"},
    Command{"doctor",
            "check whether hosts, clusters and VMs are fit for partitions",
            {},
            false,
            {},
            Completes::kNothing,
            kDoctorOptions,
            "Asks the hosts that -f or --connect name, changes nothing, and prints a table of checks by cluster, host,"
            " GPU and VM: pass, warn, fail or not checked, what was seen, and how to mend it. Checks named R01 and so"
            " on are the platform's rules; 'policy.override' makes a broken one a warning.\n\n"
            "VMs that hold a partition, or that the file lists, are looked at. What 'gpup apply' mends by itself is a"
            " warning. A simulated host is spared what its lab tells nothing of: those checks are named below the"
            " table.\n\n"
            "Exit code: 0, also with warnings; 3 when something could not be checked; 4 when something fails, a host"
            " that does not answer among it.",
            "gpup doctor -f hci-east.yaml\n"
            "gpup doctor --connect ssh://admin@hv-e1 --full\n"
            "gpup doctor -f hci-east.yaml -o json"},
    Command{
        "observe",
        "show the hosts' GPUs, partitions and what is free",
        {},
        false,
        {},
        Completes::kNothing,
        kObserveOptions,
        "Reads the hosts that -f or --connect name, or a snapshot, and shows what the GPUs page of Windows Admin"
        " Center shows: cards with their status, counts and memory, partitions with their machines, and what is"
        " free by model.\n\n"
        "-o json is a snapshot: save it with --out (which takes json unless -o says otherwise), use it with --observed,"
        " or as the lab of a simulated host.\n\n"
        "A host that cannot be read is shown as not checked, and the exit code is 3.",
        "gpup observe -f hci-east.yaml\n"
        "gpup observe --connect simulated:hci-east.lab.json -o wide\n"
        "gpup observe -f hci-east.yaml -o json --out snapshot.json"},
    Command{"plan",
            "show what differs and the steps that mend it",
            {},
            false,
            {},
            Completes::kNothing,
            kPlanOptions,
            "Reads the files, observes the hosts (or reads a snapshot), and prints the differences and the ordered"
            " steps between the two. Nothing is changed.\n\n"
            "--out saves the plan; 'gpup apply PLAN' performs exactly that, as long as what it relies on still"
            " holds. --sign KEY writes its signature beside it, by OpenSSH's ssh-keygen: KEY is a private SSH key"
            " without a passphrase, or the public key of one that an agent holds. Anybody can check it: 'ssh-keygen -Y"
            " verify -n gpup-plan'.\n\n"
            "The plan says what it costs: how long each VM that is stopped is expected to be down and which steps make"
            " it so, when partition counts differ, and what is left where a step fails. Times are those of this"
            " machine's earlier runs by kind of step and GPU model, or defaults, marked as such. A VM is down from the"
            " begin of its stop to the end of its start; its guest boots after that. --max-outage refuses a plan in"
            " which the median of that is longer for any VM; those that the file wants off do not count.\n\n"
            "--target and --exclude are for emergencies: what they leave out stays as it is, the rules hold for what"
            " would result, and a change that needs a VM which is left out is refused. GPUs of a host that is left out"
            " count against policy.homogeneous only where the plan sets a count. The files must be right as a whole."
            " All hosts are read.\n\n"
            "Exit code: 0, also when there are steps (2 then with --detailed-exitcode); 3 when nothing differs but not"
            " every host could be read; 4 when the files, a rule or --max-outage forbid the plan.",
            "gpup plan -f hci-east.yaml\n"
            "gpup plan -f hci-east.yaml --out change.plan -o markdown\n"
            "gpup plan -f hci-east.yaml --report html=plan.html\n"
            "gpup plan -f hci-east.yaml --out change.plan --sign ~/.ssh/id_ed25519\n"
            "gpup plan -f hci-east.yaml --max-outage 10m --report outage=outage.json\n"
            "gpup plan -f hci-east.yaml --observed snapshot.json --detailed-exitcode"},
    Command{"show",
            "show a saved plan, in any form",
            "PLAN",
            true,
            {},
            Completes::kFile,
            kShowOptions,
            "Reads a plan that 'gpup plan --out' saved (- for stdin) and prints it again. A plan that was edited, cut"
            " off, or written by another version of the format is refused (exit code 4).\n\n"
            "--allowed-signers takes only a plan with a signature beside it (PLAN.sig, as 'gpup plan --sign' makes it)"
            " by somebody whom that file allows, tells by whom, and refuses any other (4).",
            "gpup show change.plan\n"
            "gpup show change.plan --allowed-signers allowed_signers\n"
            "gpup show change.plan -o markdown --full"},
    Command{
        "apply",
        "perform a plan",
        "PLAN",
        false,
        {},
        Completes::kFile,
        kApplyOptions,
        "Performs a saved plan, or plans the files and performs that. Each step reads what it relies on, acts, and"
        " reads back. What depends on a step that failed is skipped; machines that were stopped are started again,"
        " or named with the command that starts them.\n\n"
        "Steps go side by side where the plan allows it: on up to --parallel hosts at once, on each of them several"
        " machines stopping and starting, and one other step at a time.\n\n"
        "--max-outage refuses a plan (4) that is expected to keep a VM down for longer; --target and --exclude are"
        " for emergencies; see 'gpup help plan'.\n\n"
        "--events writes a line of JSON for each step that begins or ends, every 15 seconds for one that takes"
        " long, for what is wrong, and for the end ('gpup schema events'). A reader that is slow or gone does not"
        " hold the run up. With - the lines are all there is on stdout; the report goes to stderr.\n\n"
        "A saved plan is performed without a question, but only while every fact in it still holds (5 otherwise)."
        " From files the plan is shown and a question asked; without a terminal --yes must be given (6"
        " otherwise). --expect-plan refuses any plan but the one that was approved (6): 'gpup plan' and"
        " 'gpup show' print its id, and the same files and hosts give the same one.\n\n"
        "--allowed-signers takes only a saved plan with a signature beside it (PLAN.sig) by somebody whom that file"
        " allows: a line for each, with a name and a public key, as ssh-keygen(1) has it under ALLOWED SIGNERS. A plan"
        " that is not signed, was changed since, or was signed by somebody else is refused (4), and nothing is"
        " touched.\n\n"
        "--receipt writes down what the run did, also where it ends partly, cancelled or refused: before and after,"
        " who ran it where, the plan's id and signer, the commit (--commit, else GITHUB_SHA, CI_COMMIT_SHA,"
        " BUILD_SOURCEVERSION or GIT_COMMIT), each step with its times, what was overridden and why. --previous makes "
        "it"
        " go on from the last one, --sign puts a signature beside it, 'gpup verify-receipt' checks both. A run that is"
        " killed leaves none: 'gpup history' tells of it.\n\n"
        "Where the file has a policy.window, no stop of a VM begins outside it: a run that would stop one is refused"
        " (6), and one during which it closes skips the other stops and brings back what it stopped (7)."
        " --ignore-window with a --reason lets it, and the journal keeps the reason.\n\n"
        "The file's policy.hooks are run on this machine: before each stop of a VM, which is not stopped where that"
        " fails; after each start (7 where that fails); and for VMs and runs that did not end well.\n\n"
        "Ctrl-C, SIGTERM or a closed terminal begins no further step, lets those under way end, starts what was"
        " stopped, and exits with 8. A second Ctrl-C or SIGTERM ends gpup at once; it names the steps that are"
        " under way and the VMs that are off. Where the journal cannot be written any more, a full disk for one,"
        " nothing is sent either, and what was stopped is started again (7).",
        "gpup apply change.plan\n"
        "gpup apply change.plan --allowed-signers allowed_signers\n"
        "gpup apply -f hci-east.yaml\n"
        "gpup apply -f hci-east.yaml --yes -o json"},
    Command{
        "history",
        "list the runs, or show the steps of one",
        "RUN",
        false,
        {},
        Completes::kNothing,
        kHistoryOptions,
        "Each run that performs a plan is noted in a journal, one file a run, with the plan beside it: every step"
        " before it is sent, and what came of it. Without RUN all runs are listed, the newest first; 'latest' is the"
        " newest one. A run that was killed has not ended; one is under way while its process lives on this machine.",
        "gpup history\n"
        "gpup history latest -o json"},
    Command{
        "resume",
        "go on with a run that did not end well",
        "RUN",
        false,
        {},
        Completes::kNothing,
        kResumeOptions,
        "Reads the run's journal and the plan that was kept beside it, reads the hosts again, and performs what is"
        " left: what was done is not done again, and a step whose end is not known counts as done where the host is"
        " as it wants. Without RUN, the newest run that did not end well and was not taken up or rolled back since."
        " Nothing is asked: the plan was approved when the run began. What is left of it is shown.\n\n"
        "What others have changed meanwhile and the rest relies on refuses it (5); VMs that the run stopped and that"
        " are off are then named. A plain 'gpup apply' works after a crash as well, and plans anew.",
        "gpup resume\n"
        "gpup resume 20261126T084100.250Z-4711"},
    Command{
        "rollback",
        "bring back what a run changed",
        "RUN",
        true,
        {},
        Completes::kNothing,
        kRollbackOptions,
        "Makes a plan from what the run's kept plan says was there before, for what the run has sent (with the runs"
        " that took it up): partition counts, partitions, OfflineAction, and whether VMs run. It is shown and a"
        " question asked, and keeps the rules of every plan. 'latest' is the newest run. The run's policy.window holds"
        " for it, too.\n\n"
        "Adapters get new ids, and one that had a GPU is pinned to it unless its VM is clustered: then the host"
        " chooses. What cannot be brought back is told; where others would be harmed, where somebody has changed"
        " what the run changed, or where equal GPUs of a cluster would come to differ, the plan is refused (4).",
        "gpup rollback latest\n"
        "gpup rollback 20261126T084100.250Z-4711 --yes"},
    Command{
        "restore-power",
        "start the VMs that a run stopped and has not started again",
        {},
        false,
        {},
        Completes::kNothing,
        kRestoreOptions,
        "That a start is owed is recorded on the host itself before a machine is stopped: after a crash any"
        " machine that reaches the hosts can bring the VMs back, with nothing but the files or --connect. Nothing"
        " else is changed, and VMs that are off for another reason stay off, as do those that the files want off.\n\n"
        "The starts are shown and a question asked; without a terminal --yes must be given (6 otherwise). Exit"
        " codes are those of 'gpup apply'.",
        "gpup restore-power -f hci-east.yaml\n"
        "gpup restore-power --connect ssh://admin@hv-e1 --yes"},
    Command{
        "verify-receipt",
        "check receipts of runs: none changed, none missing",
        "FILE...",
        true,
        {},
        Completes::kFile,
        kVerifyReceiptOptions,
        "Reads the receipts (JSON) that runs left with --receipt, the oldest first, and checks that each is as it was"
        " written, that each goes on from the one before it (--previous), and that the first one begins the chain;"
        " where older ones are kept elsewhere, --after says what it goes on from. With --allowed-signers each must"
        " have a signature beside it (FILE.sig, in the namespace gpup-receipt) by somebody whom that file allows.\n\n"
        "That the newest are missing cannot be seen in those that are there: the last line says what the next one"
        " has to go on from, which is to be kept elsewhere.\n\n"
        "Exit code: 0 where all is well, 4 where a receipt was changed, is missing, stands in another place or was"
        " signed by nobody who is allowed, each by name.",
        "gpup verify-receipt receipts/*.json\n"
        "gpup verify-receipt 1.json 2.json 3.json --allowed-signers allowed_signers"},
    Command{"drift",
            "tell whether the hosts still match the files",
            {},
            false,
            {},
            Completes::kNothing,
            kDriftOptions,
            "Only reads. Each difference is shown as it is, as it was wanted, and with the line that wants it. What"
            " could not be read is listed as not checked, never as in sync; what --target or --exclude leaves out is"
            " not compared, with the file or with the other hosts.\n\n"
            "The journals in --state-dir tell causes: changed outside, since the last run of gpup left it otherwise;"
            " the file is newer than that run; not in the file. What 'policy.ignore' accepts, with a reason and until"
            " a day, is told apart and is no drift; an entry whose day is over is a warning.\n\n"
            "For pipelines: junit (a case for each host, GPU line and VM line; not checked or ignored is skipped),"
            " sarif (2.1.0), github (a workflow's annotations) and gitlab (a code quality report) tell the same at the"
            " same lines; --report writes several at once. They tell what is wrong with the files, too. --metrics is"
            " written whole or not at all, and not where the files are broken: watch its timestamp.\n\n"
            "Exit code: 0 in sync, 2 drift, 3 no drift found but not everything could be checked, 4 the files or a"
            " rule are broken.",
            "gpup drift -f hci-east.yaml\n"
            "gpup drift -f hci-east.yaml --observed snapshot.json -o json\n"
            "gpup drift -f hci-east.yaml -o github --report junit=drift.xml\n"
            "gpup drift -f hci-east.yaml --metrics gpup.prom"},
    Command{"export",
            "print what is there as a desired-state file",
            {},
            false,
            {},
            Completes::kNothing,
            kExportOptions,
            "Prints the observed state in the form of the files; planning it shows nothing to do. The way to a first"
            " file.",
            "gpup export --connect simulated:hci-east.lab.json --out hci-east.yaml\n"
            "gpup export --observed snapshot.json | gpup plan -f - --observed snapshot.json"},
    Command{"why",
            "explain what happens to a machine, a GPU or in a step",
            "VM|GPU|STEP",
            true,
            {},
            Completes::kNothing,
            kWhyOptions,
            "Tells the chain from the line in the file over the fact that was seen and the rule to the steps; or why"
            " nothing happens. A machine is named by its name or id, a GPU by its name or a part of it that fits no"
            " other, a step by its number, or any of them as answers name it.",
            "gpup why infer-01 -f hci-east.yaml\n"
            "gpup why hv-e1/vm/infer-01 -f hci-east.yaml\n"
            "gpup why 3 -f hci-east.yaml --observed snapshot.json"},
    Command{
        "bundle",
        "put into one archive what support asks for",
        {},
        false,
        {},
        Completes::kNothing,
        kBundleOptions,
        "Writes a tar archive: the files of -f, what their hosts say (a snapshot), what 'gpup doctor' says, the newest"
        " 20 runs of --state-dir (journals and plans), and bundle.json, which lists all that and what is missing."
        " Only reads. What it holds is printed: look at it before you send it.\n\n"
        "No secret is asked for or put in. Files that hold mistakes are left out, since one might be a secret in the"
        " wrong place; so are journals and plans that gpup did not write, and comments that speak of passwords."
        " Arguments of policy.hooks are in it as they are.\n\n"
        "--pseudonyms puts stand-ins (host-1, vm-2, path-3) for names of hosts, VMs, clusters, users, plans and"
        " groups, for addresses, paths, ids, digests, patterns, reasons and arguments. One name has one stand-in"
        " everywhere in the archive, numbered by first sight. Files are turned to JSON, without comments. In"
        " messages of hosts, names that stand nowhere else and look like plain words stay.",
        "gpup bundle -f hci-east.yaml --out support.tar\n"
        "gpup bundle -f hci-east.yaml --out support.tar --pseudonyms"},
    Command{"explain",
            "explain a diagnostic and how to mend it",
            "CODE",
            false,
            {},
            Completes::kCode,
            {},
            "Tells what a code such as GP014 means, with an example that triggers it. Without a code, lists all.",
            "gpup explain GP014\n"
            "gpup explain"},
    Command{"schema",
            "print the JSON schema of a format",
            "NAME",
            false,
            {},
            Completes::kNothing,
            {},
            "Prints a schema (JSON Schema, draft 7) for editors and checkers. Without a name, lists them.",
            "gpup schema desired\n"
            "gpup schema"},
    Command{"agent",
            "print what gpup runs on hosts",
            "PART",
            false,
            "script bootstrap command",
            Completes::kWord,
            {},
            "Prints the one script that gpup runs on hosts by PowerShell, for whoever is asked to allow it: it serves"
            " requests until its input ends. Values come to it as data, never as text of a script.\n\n"
            "PART is script (default); bootstrap, the few lines that take the script from standard input; or command,"
            " the command line that carries these to a host.",
            "gpup agent\n"
            "gpup agent command | wc -c"},
    Command{"version",
            "print the version",
            {},
            false,
            {},
            Completes::kNothing,
            kVersionOptions,
            "Prints the version of gpup. --json adds that of the formats that it reads and writes, the commit that it"
            " was built from, the compiler, and the libraries with their versions.",
            "gpup version\ngpup version --json"},
    Command{"help",
            "show help",
            "COMMAND",
            false,
            kCommandNames,
            Completes::kCommand,
            {},
            "Shows the list of commands, or what one of them does and takes.",
            "gpup help\ngpup help plan"},
    Command{"completion",
            "print a shell's completion script",
            "SHELL",
            true,
            "bash zsh fish powershell",
            Completes::kWord,
            {},
            "Prints a script that completes commands, options, their values and files.\n\n"
            "bash: add 'source <(gpup completion bash)' to ~/.bashrc. zsh: save it as _gpup in a folder of $fpath."
            " fish: save it as ~/.config/fish/completions/gpup.fish. powershell: add"
            " 'gpup completion powershell | Out-String | Invoke-Expression' to $PROFILE.",
            "gpup completion bash > /etc/bash_completion.d/gpup"},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

std::span<const Option* const> common_options() { return kCommon; }

const Command* find_command(std::string_view name) {
  const auto* const found =
      std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& command) { return command.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

namespace {

template <class Wanted>
const Option* find_if_option(const Command& command, Wanted wanted) {
  for (const std::span<const Option* const> options : {command.options, common_options()}) {
    const auto found = std::find_if(options.begin(), options.end(), [&](const Option* o) { return wanted(*o); });
    if (found != options.end()) {
      return *found;
    }
  }
  return nullptr;
}

}  // namespace

const Option* find_option(const Command& command, std::string_view name) {
  return find_if_option(command, [&](const Option& option) { return option.name == name; });
}

const Option* find_option(const Command& command, char letter) {
  return letter == 0 ? nullptr : find_if_option(command, [&](const Option& option) { return option.letter == letter; });
}

std::string_view next_word(std::string_view& words) {
  const std::size_t end = std::min(words.find(' '), words.size());
  const std::string_view word = words.substr(0, end);
  words.remove_prefix(std::min(end + 1, words.size()));
  return word;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    if (next_word(words) == word) {
      return true;
    }
  }
  return false;
}

}  // namespace gpup
