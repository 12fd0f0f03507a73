#include <array>

#include "cli/explain.h"
#include "cli/explain_pieces.h"
#include "desired/scan_text.h"

using namespace std::string_view_literals;

namespace gpup {

namespace {

constexpr auto kFileRows = std::to_array<Explanation>({
    // What the text is made of.
    {Code::kNotUtf8,
     "not UTF-8",
     "The file holds a byte that is not UTF-8, the one encoding that is read. Editors that save in a Windows code page "
     "write such bytes for letters like é. Names would be read wrongly, so the file is refused.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: caf\xe9\n"sv},
     "Save the file as UTF-8; a byte order mark at its start does no harm."},
    {Code::kUtf16,
     "UTF-16",
     "The file is UTF-16, which Windows PowerShell writes with `>` and Out-File. Only UTF-8 is read.",
     {.desired = "\xff\xfe"
                 "a\0p\0i\0V\0e\0r\0s\0i\0o\0n\0:\0 \0g\0p\0u\0p\0/\0v\0"
                 "1\0\n\0"sv},
     "Convert it: `iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml`, or in PowerShell "
     "`Get-Content old.yaml | Set-Content -Encoding utf8 new.yaml`."},
    {Code::kTooLarge,
     "file too large",
     "A file may hold 16 MiB; this one holds more. Nothing of it was read.",
     {.desired = "# more than 16 MiB of text\n", .desired_size = kMostBytes + 1},
     "Split it into files of one folder and give the folder: all its *.yaml and *.yml form one desired state."},
    {Code::kTooDeep,
     "nested too deeply",
     "Lists and mappings lie more than 32 deep in each other. The format itself is five deep, so this is not a "
     "desired state.",
     {.desired =
          GPUP_HEADER GPUP_HOST "gpus: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"},
     "Look for brackets or dashes that were repeated by mistake."},
    {Code::kAnchorOrAlias,
     "anchor or alias",
     "Anchors (&name) and aliases (*name) of YAML are not read: each line says for itself what it wants, so that a "
     "difference can point at it.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    gpu: &model NVIDIA A2\n"},
     "Write the value out where it is needed. A name that begins with & or * is written in quotes."},
    {Code::kTag,
     "tag",
     "Tags of YAML such as !!str are not read: the key decides what its value is.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: !!str 123\n"},
     "Write a text in quotes ('123') and anything else without a tag. A name that begins with ! is written in "
     "quotes."},
    {Code::kControlCharacter,
     "control character",
     "The file holds a control character, or an escape in double quotes or a block text makes one (a line break is "
     "one, too). None may stand in a name: it could not be shown, compared or typed.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: \"infer\\x07\"\n"},
     "Remove the character. Windows paths and user names are written without quotes or in single quotes, where \\ is "
     "just a backslash. A name that is written as a block text needs |- or >-."},
    {Code::kYamlSyntax,
     "not YAML",
     "Here the text stops being YAML, and the rest of this file was not read; other files were.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer: 01\n"},
     "Mend this place and run again. Often a value that holds ': ' or ' #' needs quotes, a key is not in one column "
     "with "
     "the keys beside it, a colon is missing, or a tab was used to indent."},
    {Code::kUnclosedQuote,
     "quote never closed",
     "A text begins with a quote that is never closed, so that everything after it would be part of the text.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: 'infer-01\n"},
     "Close the quote. In single quotes a quote is written twice ('it''s'), in double quotes as \\\"."},
    // Values.
    {Code::kWrongKind,
     "wrong kind of value",
     "A single value, a list (`- a` or `[a]`) or a mapping (`key: value` or `{key: value}`) stands where another of "
     "the three is wanted.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - infer-01\n"},
     "Write what the message asks for; README shows every key. Here: `- vm: infer-01`."},
    {Code::kNotAString,
     "not a text",
     "A name or a path is a text, but without quotes YAML reads this word as a number, a boolean or nothing. Other "
     "programs would even read 010 as 8.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: 010\n"},
     "Write it in quotes: `vm: '010'`. Words such as no, off and yes need none: they are texts."},
    {Code::kNotAWholeNumber,
     "not a whole number",
     "A whole number in decimal is wanted: no quotes, no fraction, no leading zeros, no 0x, no separators.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\n    partitionCount: '4'\n"},
     "Write it as in `partitionCount: 4`."},
    {Code::kNotOneOf,
     "not one of the known words",
     "The key takes one of a few words, in lower case, and this is none of them.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    power: started\n"},
     "Take one of the words that the message lists."},
    {Code::kUnknownKey,
     "unknown key",
     "No such key is known at this place. A key that is misspelt would otherwise be overlooked and its wish forgotten.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    powr: off\n"},
     "Take the key that is suggested, or remove the line. Capital letters count."},
    {Code::kRepeatedKey,
     "repeated key",
     "One mapping has the same key twice. Programs differ in which of the two they take, so neither is taken.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    power: off\n    power: running\n"},
     "Remove one of the two. If they were meant for two VMs, a `- ` is missing before the second."},
    {Code::kMissingKey,
     "missing key",
     "Something that must be said is not: a document's header, a host's name or how to reach it, what a line is about, "
     "how many VMs a pattern must find.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - match: 'vdi-\\d+'\n"},
     "Add the key that the message names. Here `expect: 20`: a pattern says how many VMs it must find, so that one "
     "that finds fewer, or more, is noticed."},
    {Code::kNotASize,
     "not a size",
     "A size is a whole number and a unit, without a space: B, KiB, MiB, GiB or TiB (of 1024). MB and GB are refused, "
     "since they are understood in two ways.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    minVram: 3GB\n"},
     "Write it as in `minVram: 3GiB` or `minVram: 3648MiB`."},
    {Code::kNotADuration,
     "not a duration",
     "A duration is a whole number and a unit, without a space: s, m or h.",
     {.desired = GPUP_HEADER GPUP_HOST "policy:\n  stop: { timeout: 300 }\n"},
     "Write it as in `timeout: 5m`."},
    {Code::kNotAPattern,
     "not a pattern",
     "The value of `match` is not a regular expression of RE2's syntax. A pattern must match a whole name.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - match: 'vdi-(\\d+'\n    expect: 20\n"},
     "Mend the expression as the message says; https://github.com/google/re2/wiki/Syntax lists what it may hold. "
     "A name that is meant as it stands is given by `vm` instead."},
    {Code::kNotADevice,
     "not a PCI device",
     "`device` names a GPU by PCI vendor and device: four hexadecimal digits, a colon, four hexadecimal digits.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - device: NVIDIA A2\n"},
     "Write it as in `device: \"10de:25b6\"`; `gpup observe -o json` shows it. A name is given by `model`."},
    {Code::kNotAGuid,
     "not a GUID",
     "`id` is a VM's GUID: 32 hexadecimal digits with four hyphens, without braces.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - id: infer-01\n"},
     "`gpup observe -o json` shows it. A VM's name is given by `vm`."},
    {Code::kEmptyValue,
     "nothing there",
     "A key has no value, a name is empty, a list that must name something is empty, or an entry of a list is empty.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    power:\n"},
     "Write the value, or remove the key: what a file does not mention is left as it is."},
    {Code::kMergeKey,
     "merge key",
     "`<<` copies the keys of another mapping in YAML 1.1; YAML 1.2 does not have it, and it is not read.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n    <<: { power: off }\n"},
     "Write the keys out."},
    {Code::kOutOfRange,
     "out of range",
     "The value has the right form and lies outside of what makes sense or can be held: a count of 0, a port over "
     "65535, a size of nothing or beyond 64 bits, an address that begins like an option.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\n    partitionCount: 0\n"},
     "Take a value within the bounds that the message says. Which counts a GPU accepts `gpup observe` shows."},
    {Code::kSecretKey,
     "a secret in the file",
     "The key looks as if it held a password or another secret. No secret is ever written in a desired state, since "
     "such files are shared; its line is not shown here either.",
     {.desired = GPUP_HEADER "hosts:\n  - name: hv-1\n    connect:\n      transport: ssh\n      address: 10.1.0.12\n   "
                             "   password: not-shown\n"},
     "Remove the line, and change the secret if the file was shared. Authentication is the transport's: an SSH agent "
     "or key file, Kerberos, the user's own session."},
    {Code::kNotADay,
     "not a day",
     "A day is written as year, month and day, `2026-12-31`, and must be in the calendar. An entry of `policy.ignore` "
     "holds up to the end of that day, by UTC.",
     {.desired =
          GPUP_HEADER GPUP_HOST "policy:\n  ignore:\n    - { object: hv-1, reason: agreed, until: 31.12.2026 }\n"},
     "Write it as in `until: 2026-12-31`."},
    {Code::kNotAnObject,
     "not a host, VM or GPU",
     "`object` names what the entry is about: a host with all that is on it, `HOST/vm/NAME` (the VM's name or id), or "
     "`HOST/gpu/NAME` (the GPU's name, or the part of it in brackets that reports show).",
     {.desired = GPUP_HEADER GPUP_HOST "policy:\n  ignore:\n    - { object: hv-1/vdi-01, reason: agreed }\n"},
     "Write it as in `object: hv-e1/vm/vdi-01`."},
    // What files say together.
    {Code::kWrongHeader,
     "not a document of this version",
     "A document begins with `apiVersion: gpup/v1` and `kind: GpuPartitioning`, and its `metadata.name` is that of the "
     "other documents. This one is of another version, of another program, or of another desired state.",
     {.desired = "apiVersion: gpup/v2\nkind: GpuPartitioning\nmetadata: { name: lab }\n" GPUP_HOST},
     "Give only files of one desired state (`-f FOLDER` reads all *.yaml and *.yml in it), and a gpup that knows the "
     "version."},
    {Code::kExclusiveKeys,
     "keys that exclude each other",
     "Two keys of one line say the same thing in two ways, or a key stands beside one that it has no meaning with: "
     "`vm` and `match`, `id` and `match`, two of `model`, `device` and `match`, `expect` without `match`.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\n    device: \"10de:25b6\"\n"},
     "Keep one of the two. A VM's `id` may stand beside `vm`."},
    {Code::kSaidTwice,
     "said twice",
     "The same host, GPU line, VM, `cluster`, `platform` or `policy` stands in the files twice. All documents of all "
     "files form one desired state, and a file that is given twice is read twice.",
     {.desired = GPUP_HEADER GPUP_HOST "assignments:\n  - vm: infer-01\n  - vm: infer-01\n    power: running\n"},
     "Remove one of the two places. Two VMs of one name are told apart by `id`, or by `host` outside of a cluster."},
    {Code::kUnknownHost,
     "host not listed",
     "A line names a host that no document lists under `hosts`. Case does not count.",
     {.desired = GPUP_HEADER GPUP_HOST "gpus:\n  - model: NVIDIA A2\n    hosts: [hv-2]\n"},
     "Correct the name, or list the host with how to reach it."},
    {Code::kTransportKey,
     "key of another transport",
     "A key under `connect` has no meaning for its transport: `file` belongs to simulated; `powershell` to local and "
     "ssh; `address`, `port`, `user` and `identityFile` to ssh and psremoting; `knownHosts` to ssh; `hostName` and "
     "`configurationName` to psremoting.",
     {.desired = GPUP_HEADER GPUP_HOST_BY("transport: local, address: 10.1.0.12")},
     "Remove the key, or change the transport."},
    {Code::kUnknownRule,
     "no such rule",
     "`policy.override` names a platform rule that does not exist. Rules are called R01, R02 and so on.",
     {.desired = GPUP_HEADER GPUP_HOST "policy:\n  override:\n    - rule: R99\n      reason: agreed with the vendor\n"},
     "Take the id from the message of the rule that is to be overridden."},
    {Code::kNoDocument,
     "no document",
     "A file, or a document in it, is empty or holds only comments. That is refused, since more likely something was "
     "lost than that nothing is wanted.",
     {.desired = "# nothing but a comment\n"},
     "Remove the file, or the `---` that begins the empty document."},
    {Code::kNoLayout,
     "no layout",
     "`gpup fmt` cannot lay the file out so that it surely says the same and keeps every comment: it holds a YAML "
     "directive, or a block text that says its own indentation, or the new text would be read otherwise. Nothing was "
     "written. The file is right all the same.",
     {.desired = "%YAML 1.2\n---\n" GPUP_HEADER GPUP_HOST, .command = "fmt -f desired.yaml"},
     "Remove or rewrite what the message points at, or leave the file as it is."},
    {Code::kNotAZone,
     "not a time zone",
     "`zone` is the name of a time zone as the IANA database has it, with its capital letters. This machine's database "
     "(Debian's package tzdata) has none of that name.",
     {.desired = GPUP_HEADER GPUP_HOST "policy:\n  window: { from: '22:00', to: '04:00', zone: Europe/Atlantis }\n"},
     "Write a name such as Europe/Berlin or Etc/UTC; 'timedatectl list-timezones' lists them."},
    {Code::kNotATimeOfDay,
     "not a time of day",
     "A time of day has two digits for the hours, 00 to 23, a colon, and two digits for the minutes.",
     {.desired = GPUP_HEADER GPUP_HOST "policy:\n  window: { from: '22:00', to: '24:00', zone: Etc/UTC }\n"},
     "Write it like 07:30. A window that ends at or before its beginning lasts into the next day: 00:00 is midnight."},
});

}  // namespace

std::span<const Explanation> explain_files() { return kFileRows; }

}  // namespace gpup
