#include <array>

#include "cli/explain.h"
#include "cli/explain_pieces.h"

namespace gpup {

namespace {

// ssh-keygen, as far as an example goes: what it signs has a signature, and find-principals finds nobody.
#define GPUP_KEYGEN(check)                            \
  "#!/bin/sh\ncat >/dev/null\n"                       \
  "case $2 in\n"                                      \
  "  sign) echo '-----BEGIN SSH SIGNATURE-----' ;;\n" \
  "  check-novalidate) " check                        \
  " ;;\n"                                             \
  "  *) exit 255 ;;\n"                                \
  "esac\n"
#define GPUP_GOOD "echo 'Good \"gpup-plan\" signature with ED25519 key SHA256:RK6B'"
#define GPUP_BAD "echo 'incorrect signature' >&2; exit 255"

constexpr auto kSavedPlanRows = std::to_array<Explanation>({
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
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "apply plan.json",
      .first = "plan -f desired.yaml --out plan.json",
      .lab_then = GPUP_LAB(GPUP_GPU("GPU0", "8"), "")},
     "Look at what changed on the host, and plan again."},
    {Code::kOtherPlan,
     "not the plan that is expected",
     "--expect-plan gives the id of the plan that was approved, and this is another one: the files or the hosts have "
     "changed since, or another saved plan was given. Nothing was touched. The exit code is 6.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "apply -f desired.yaml --yes --expect-plan "
                 "sha256:0000000000000000000000000000000000000000000000000000000000000000"},
     "Look at this plan ('gpup plan'), have it approved, and give its id, which that prints last."},
    {Code::kNotSigned,
     "no signature",
     "--allowed-signers wants what somebody has signed, and beside the file there is no signature: FILE.sig is missing "
     "or cannot be read. Nothing was touched. The exit code is 4.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "apply plan.json --allowed-signers desired.yaml",
      .first = "plan -f desired.yaml --out plan.json"},
     "Have it signed where it is made (gpup plan --sign KEY), and bring FILE.sig along with FILE."},
    {Code::kSignatureBroken,
     "a signature of something else",
     "The signature beside the file is not one of these bytes: the file was changed after it was signed, the signature "
     "belongs to another file, or it was made for another purpose than this. Nothing was touched. The exit code is 4.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "apply plan.json --allowed-signers desired.yaml",
      .first = "plan -f desired.yaml --out plan.json --sign key",
      .program = "ssh-keygen",
      .script = GPUP_KEYGEN(GPUP_BAD)},
     "Find out who changed it. Take the file and its signature, both, from where they were made; or make the plan "
     "again and have it signed."},
    {Code::kSignerUnknown,
     "signed by nobody who is allowed",
     "The signature fits, but the file of --allowed-signers has no line with that key, or its line does not allow this "
     "purpose (namespaces=) or this time (valid-before=). Nothing was touched. The exit code is 4.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "apply plan.json --allowed-signers desired.yaml",
      .first = "plan -f desired.yaml --out plan.json --sign key",
      .program = "ssh-keygen",
      .script = GPUP_KEYGEN(GPUP_GOOD)},
     "Have it signed by somebody who is allowed. To allow that key, add a line with a name and the public key, as "
     "ssh-keygen(1) has it under ALLOWED SIGNERS."},
    {Code::kCannotSign,
     "nothing could be signed, or checked",
     "Signatures are made and checked by OpenSSH's ssh-keygen: it is not installed, or the key that --sign names is "
     "missing, has a passphrase, or is a public one whose private key no agent holds. No file was written. The exit "
     "code is 1.",
     {.desired = GPUP_FILE("4"),
      .lab = GPUP_LAB(GPUP_GPU("GPU0", "16"), ""),
      .command = "plan -f desired.yaml --out plan.json --sign missing"},
     "Install OpenSSH, mend the key's path, or give the public key and add the private one to an agent (ssh-add)."},
});

}  // namespace

std::span<const Explanation> explain_saved_plan() { return kSavedPlanRows; }

}  // namespace gpup
