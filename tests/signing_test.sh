#!/usr/bin/env bash
# Plans that are signed, tampered with, and signed by others: tests/signing_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

# The pool, in which two VMs are stopped and started, and keys: alice's is allowed, mallory's is not.
signed_pool() {
  fresh vdi-pool
  rm -rf "$XDG_STATE_HOME"
  cp lab.json first.json
  ssh-keygen -q -t ed25519 -N '' -C 'alice on her laptop' -f alice
  ssh-keygen -q -t ed25519 -N '' -C mallory -f mallory
  allow 'alice@example.com' '' alice
}
# allow NAME OPTIONS KEY: the one line of the file of allowed signers.
allow() { printf '%s %s%s\n' "$1" "${2:+$2 }" "$(cut -d' ' -f1,2 "$3.pub")" >allowed_signers; }

# untouched WORDS: nothing was done, and no run is noted.
untouched() {
  same lab.json first.json "$1: the lab was touched"
  [ ! -e "$XDG_STATE_HOME/gpup/journal" ] || fail "$1: a run is noted"
}
# refused CODE WORDS: show and apply both refuse the plan by that name.
refused() {
  gpup 4 show change.plan --allowed-signers allowed_signers
  says "error\[$1\]" "$2"
  gpup 4 apply change.plan --allowed-signers allowed_signers
  says "^change\.plan: error\[$1\]" "$2"
  [ ! -s "$room/out" ] || fail 'a plan that is refused is shown'
  gpup 4 apply change.plan --allowed-signers allowed_signers -o json
  [ "$(jq -r '[.kind, .diagnostics[].code] | join(" ")' "$room/out")" = "Diagnostics $1" ] || fail 'the JSON says something else'
  untouched "$1"
}

a_signed_plan_is_performed_and_says_by_whom() {
  signed_pool
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  ssh-keygen -Y verify -f allowed_signers -I alice@example.com -n gpup-plan -s change.plan.sig <change.plan >"$room/by_hand" 2>&1 ||
    fail "ssh-keygen does not verify it by hand: $(cat "$room/by_hand")"
  gpup 0 plan -f desired.yaml --out unsigned.plan -o json
  same change.plan unsigned.plan 'a signed plan has other bytes than one that is not'
  same "$room/out" change.plan 'the answer has other bytes than the saved plan'
  gpup 0 show change.plan --allowed-signers allowed_signers
  says '^change\.plan is signed by alice@example\.com \(ED25519 SHA256:.{43}\)$'
  gpup 0 apply change.plan --allowed-signers allowed_signers
  says '^change\.plan is signed by alice@example\.com '
  gpup 0 drift -f desired.yaml
}

a_plan_without_a_signature_is_refused() {
  signed_pool
  gpup 0 plan -f desired.yaml --out change.plan
  refused GP250 'it is not signed: cannot read change\.plan\.sig: no such file'
}

# The digest of a plan, made anew by whoever changed it.
digest_anew() {
  local digest
  digest=$(sed -E '1,9s/^("id": "sha256:)[0-9a-f]{64}",$/\1",/' "$1" | sha256sum | cut -d' ' -f1)
  sed -i -E "1,9s/^(\"id\": \"sha256:)[0-9a-f]{64}\",$/\1$digest\",/" "$1"
}

a_plan_that_was_changed_is_refused_also_with_a_fitting_id() {
  signed_pool
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  sed -i 's/"mode":"shutdown"/"mode":"turn-off"/' change.plan
  refused GP251 'incorrect signature'
  digest_anew change.plan
  gpup 0 show change.plan
  refused GP251 'incorrect signature'
  printf x >>change.plan
  refused GP251 'incorrect signature'
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  local at
  for at in 1 60 200; do # one byte of the signature, or of its armor
    cp change.plan.sig kept.sig
    printf '#' | dd of=change.plan.sig bs=1 seek="$at" conv=notrunc status=none
    refused GP251 'change\.plan\.sig is no signature of it'
    mv kept.sig change.plan.sig
  done
  gpup 0 apply change.plan --allowed-signers allowed_signers
}

the_signature_of_something_else_is_refused() {
  signed_pool
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  gpup 0 plan -f desired.yaml --out other.plan --exclude hv-v1 --sign alice
  cp other.plan.sig change.plan.sig
  refused GP251 'incorrect signature'
  ssh-keygen -q -Y sign -f alice -n gpup-receipt <change.plan >change.plan.sig 2>/dev/null
  refused GP251 'namespace does not match'
  : >change.plan.sig
  refused GP251 'no signature of it'
  echo hello >change.plan.sig
  refused GP251 'no signature of it'
}

a_plan_by_an_unknown_signer_is_refused() {
  signed_pool
  gpup 0 plan -f desired.yaml --out change.plan --sign mallory
  refused GP252 'allowed_signers allows nobody with the key that signed it, ED25519 SHA256:'
  # His comment is no name.
  ssh-keygen -q -t ed25519 -N '' -C alice@example.com -f feigned
  gpup 0 plan -f desired.yaml --out change.plan --sign feigned
  refused GP252 'allows nobody with the key'
  allow alice@example.com 'namespaces="git,gpup-receipt"' alice
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  refused GP252 'does not allow alice@example\.com with the key .*namespace'
  allow alice@example.com 'valid-before="20200101"' alice
  refused GP252 'allows nobody with the key'
  : >allowed_signers
  refused GP252 'allows nobody with the key'
  allow alice@example.com 'namespaces="gpup-*"' alice
  gpup 0 apply change.plan --allowed-signers allowed_signers
}

keys_are_taken_from_an_agent_and_nobody_is_asked_for_a_passphrase() {
  signed_pool
  ssh-keygen -q -t ed25519 -N 'correct horse' -f locked
  allow locked@example.com '' locked
  SECONDS=0
  gpup 1 plan -f desired.yaml --out change.plan --sign locked
  says 'error\[GP253\]: cannot sign with locked: .*passphrase'
  [ "$SECONDS" -lt 20 ] || fail 'it waited for a passphrase'
  gpup 1 plan -f desired.yaml --out change.plan --sign missing
  says 'error\[GP253\]: cannot sign with missing: .*No such file'
  gpup 1 plan -f desired.yaml --out change.plan --sign desired.yaml
  says 'error\[GP253\]'
  [ ! -e change.plan ] && [ ! -e change.plan.sig ] || fail 'a file was written although nothing was signed'
  gpup 1 plan -f desired.yaml --out missing/change.plan --sign alice
  says 'error\[GP192\]'
  eval "$(ssh-agent -s)" >/dev/null
  printf '#!/bin/sh\necho correct horse\n' >ask && chmod +x ask
  DISPLAY=none SSH_ASKPASS=./ask SSH_ASKPASS_REQUIRE=force ssh-add -q locked </dev/null 2>/dev/null || fail 'ssh-add does not take the key'
  rm locked
  gpup 0 plan -f desired.yaml --out change.plan --sign locked.pub
  ssh-agent -k >/dev/null
  gpup 0 apply change.plan --allowed-signers allowed_signers
  says 'is signed by locked@example\.com'
}

names_reach_ssh_keygen_as_they_are() {
  signed_pool
  local hostile='-x $(touch reached) `touch reached`; "é'"'"
  allow 'x*@example.com,a;touch${IFS}reached' '' alice
  mkdir -p -- "$hostile"
  cp -- alice alice.pub ./"$hostile"
  gpup 0 plan -f desired.yaml --out="$hostile/$hostile.plan" --sign="$hostile/alice"
  [ -s "$hostile/$hostile.plan.sig" ] || fail 'there is no signature beside the plan'
  cp -- allowed_signers ./"$hostile/$hostile"
  gpup 0 apply --allowed-signers="$hostile/$hostile" -- "$hostile/$hostile.plan"
  says 'is signed by '
  cp first.json lab.json
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  allow $'al\033[31mice' '' alice
  gpup 0 show change.plan --allowed-signers allowed_signers
  grep -q $'\033' "$room/err" && fail 'a name reaches the terminal as it is'
  says 'is signed by al\\u\{1b\}\[31mice'
  [ ! -e reached ] || fail 'a shell has read a name'
}

command_lines_that_make_no_sense_are_refused() {
  signed_pool
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  gpup 64 plan -f desired.yaml --sign alice
  says '--out PLAN is not given'
  gpup 64 plan -f desired.yaml --out p --sign alice --report json=p.sig
  says "two answers would be written to 'p\.sig'"
  gpup 64 apply -f desired.yaml --yes --allowed-signers allowed_signers
  says 'is for a saved PLAN'
  gpup 64 show - --allowed-signers allowed_signers
  says 'needs a PLAN in a file'
  gpup 1 apply change.plan --allowed-signers missing
  says 'error\[GP191\]: cannot read missing'
  mkdir bin
  ln -s "$gpup" bin/gpup
  last_command='gpup apply without ssh-keygen'
  last_status=0
  PATH=$PWD/bin "$gpup" apply change.plan --allowed-signers allowed_signers >"$room/out" 2>"$room/err" </dev/null || last_status=$?
  [ "$last_status" = 1 ] || fail "without ssh-keygen the exit code is $last_status"
  says 'error\[GP253\]: cannot check a signature: ssh-keygen could not be started'
  untouched 'without ssh-keygen'
}

for promise in a_signed_plan_is_performed_and_says_by_whom a_plan_without_a_signature_is_refused \
  a_plan_that_was_changed_is_refused_also_with_a_fitting_id the_signature_of_something_else_is_refused \
  a_plan_by_an_unknown_signer_is_refused keys_are_taken_from_an_agent_and_nobody_is_asked_for_a_passphrase \
  names_reach_ssh_keygen_as_they_are command_lines_that_make_no_sense_are_refused; do
  "$promise"
  echo "$promise: looked at"
done
[ "$failures" = 0 ] || exit 1
