#!/usr/bin/env bash
# Receipts of runs: what they say, and what is found out where one was changed or is missing: tests/receipts_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"
unset GITHUB_SHA CI_COMMIT_SHA BUILD_SOURCEVERSION GIT_COMMIT

pool() {
  fresh vdi-pool
  rm -rf "$XDG_STATE_HOME"
  cp lab.json first.json
}
keys() {
  ssh-keygen -q -t ed25519 -N '' -f alice
  ssh-keygen -q -t ed25519 -N '' -f mallory
  echo "alice@example.com $(cut -d' ' -f1,2 alice.pub)" >allowed_signers
}
# is FILTER VALUE FILE WORDS: what a receipt says.
is() { [ "$(jq -c "$1" "$3")" = "$2" ] || fail "${4:-$1 is $(jq -c "$1" "$3"), not $2}"; }
sha_of() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }
# Three runs, each with a receipt that goes on from the one before it: 1.json, 2.json, 3.json. Options are passed on.
three_runs() {
  gpup 0 apply -f desired.yaml --yes --receipt 1.json "$@"
  gpup 0 rollback latest --yes --receipt 2.json --previous 1.json "$@"
  gpup 0 apply -f desired.yaml --yes --receipt 3.json --previous 2.json "$@"
}

a_receipt_says_what_was_and_what_is_and_who_did_it() {
  pool
  keys
  gpup 0 plan -f desired.yaml --out change.plan --sign alice
  GITHUB_SHA=0123456789abcdef0123456789abcdef01234567 gpup 0 apply change.plan --allowed-signers allowed_signers \
    --receipt 1.json --receipt 1.md --sign alice -o json
  is .exitCode 0 1.json
  is .who.user "\"$(id -un)\"" 1.json
  is .who.host "\"$(hostname)\"" 1.json
  is '[.commit, .commitFrom]' '["0123456789abcdef0123456789abcdef01234567","GITHUB_SHA"]' 1.json
  is .plan.id "$(jq -c .id change.plan)" 1.json
  is .plan.files "$(jq -c .desired.files change.plan)" 1.json
  is .plan.signedBy.name '"alice@example.com"' 1.json
  is .previous null 1.json
  is '[.changes[].state] | unique' '["as-wanted"]' 1.json
  is '[.changes[] | [.name, .property, .before]]' "$(jq -c '[.differences[] | [.name, .property, .before]]' change.plan)" 1.json
  # What it says is there now is what is there.
  is '[.changes[] | select(.object == "gpu") | {name, after}] | sort_by(.name)' \
    "$(jq -c --slurpfile r 1.json '[.hosts[].gpus[] | {name, after: .partitionCount} | select(.name as $n | $r[0].changes | any(.name == $n))] | sort_by(.name)' lab.json)" 1.json
  is '[.changes[] | select(.property == "partitions") | {id: .vmId, after}] | sort_by(.id)' \
    "$(jq -c --slurpfile r 1.json '[.hosts[].vms[] | {id, after: [.partitions[].gpu]} | select(.id as $i | $r[0].changes | any(.vmId == $i and .property == "partitions"))] | sort_by(.id)' lab.json)" 1.json
  is '[.steps, .restored, .summary]' "$(jq -c '[.steps, .restored, .summary]' "$room/out")" 1.json 'the receipt has other steps than the report'
  is .run "\"$(basename "$XDG_STATE_HOME"/gpup/journal/*.jsonl .jsonl)\"" 1.json
  for word in "$(jq -r .id 1.json)" 0123456789abcdef0123456789abcdef01234567 alice@example.com 'vdi-04' 'Exit code | 0'; do
    grep -qF "$word" 1.md || fail "the markdown does not have: $word"
  done
  gpup 0 verify-receipt 1.json --allowed-signers allowed_signers
  says '^1\.json: 20.*Z, exit code 0, by .*commit 0123456789abcdef0123456789abcdef01234567; signed by alice@example\.com' \
    "^1 receipt in one chain, as written; the next one goes on from $(sha_of 1.json)$"
  ssh-keygen -Y verify -f allowed_signers -I alice@example.com -n gpup-receipt -s 1.json.sig <1.json >/dev/null 2>&1 ||
    fail 'ssh-keygen does not verify it by hand'
  local digest
  digest=$(sed -E '1,9s/^("id": "sha256:)[0-9a-f]{64}",$/\1",/' 1.json | sha256sum | cut -d' ' -f1)
  is .id "\"sha256:$digest\"" 1.json 'its id is not the digest of the rest'
}

the_commit_is_what_is_given_else_what_the_pipeline_says() {
  pool
  gpup 0 apply -f desired.yaml --yes --receipt 1.json --commit 'v1 "x" $(touch reached)'
  is '[.commit, .commitFrom]' '["v1 \"x\" $(touch reached)","--commit"]' 1.json
  CI_COMMIT_SHA=abcdef0 GIT_COMMIT=1234567 gpup 0 apply -f desired.yaml --yes --receipt 2.json --previous 1.json
  is '[.commit, .commitFrom]' '["abcdef0","CI_COMMIT_SHA"]' 2.json
  GIT_COMMIT='password=hunter2' BUILD_SOURCEVERSION= gpup 0 apply -f desired.yaml --yes --receipt 3.json --previous 2.json
  is '[.commit, .commitFrom]' '[null,null]' 3.json
  gpup 0 verify-receipt 1.json 2.json 3.json
  [ ! -e reached ] || fail 'a shell has read a commit'
}

a_chain_is_verified_and_each_break_is_told_by_name() {
  pool
  keys
  three_runs --sign alice
  gpup 0 verify-receipt 1.json 2.json 3.json --allowed-signers allowed_signers
  says "^3 receipts in one chain, as written; the next one goes on from $(sha_of 3.json)$"
  gpup 0 verify-receipt 1.json 2.json 3.json -o json
  is '[.receipts[].previous]' "[null,\"$(sha_of 1.json)\",\"$(sha_of 2.json)\"]" "$room/out"
  # A link is missing.
  gpup 4 verify-receipt 1.json 3.json
  says "^3\.json: error\[GP255\]: between 1\.json and it a receipt is missing, $(sha_of 2.json)$"
  gpup 4 verify-receipt 2.json 3.json
  says "^2\.json: error\[GP255\]: it goes on from a receipt that is not given, $(sha_of 1.json)$"
  gpup 0 verify-receipt 2.json 3.json --after "$(sha_of 1.json)"
  gpup 4 verify-receipt 2.json 3.json --after "$(sha_of 3.json)"
  says '^2\.json: error\[GP255\]: it goes on from .*, not from .* as --after says'
  # The order is wrong.
  gpup 4 verify-receipt 1.json 3.json 2.json
  says '^3\.json: error\[GP255\]: it goes on from 2\.json, and is given after 1\.json' '^2\.json: error\[GP255\]: it goes on from 1\.json, and is given after 3\.json'
  gpup 4 verify-receipt 2.json 1.json 3.json
  says '^1\.json: error\[GP255\]: it begins a chain, and is given after 2\.json'
  # Another chain's.
  cp first.json lab.json
  gpup 0 apply -f desired.yaml --yes --receipt other.json
  gpup 4 verify-receipt 1.json other.json
  says '^other\.json: error\[GP255\]: it begins a chain'
  # The same file made anew with a fitting id: its follower tells.
  sed -i 's/"user": "[^"]*"/"user": "nobody"/' 1.json
  digest=$(sed -E '1,9s/^("id": "sha256:)[0-9a-f]{64}",$/\1",/' 1.json | sha256sum | cut -d' ' -f1)
  sed -i -E "1,9s/^(\"id\": \"sha256:)[0-9a-f]{64}\",$/\1$digest\",/" 1.json
  gpup 0 verify-receipt 1.json
  gpup 4 verify-receipt 1.json 2.json
  says '^2\.json: error\[GP255\]: between 1\.json and it a receipt is missing'
  gpup 4 verify-receipt 1.json --allowed-signers allowed_signers
  says '^1\.json: error\[GP251\]: 1\.json\.sig is no signature of it'
}

one_byte_changed_is_found_wherever_it_is() {
  pool
  three_runs
  local size at byte
  size=$(stat -c %s 2.json)
  for at in 0 3 60 130 $((size / 3)) $((size / 2)) $((size - 2)) $((size - 1)); do
    cp 2.json changed.json
    byte=$(dd if=2.json bs=1 skip="$at" count=1 status=none | od -An -tu1)
    printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of=changed.json bs=1 seek="$at" conv=notrunc status=none
    gpup 4 verify-receipt 1.json changed.json 3.json
    says '^changed\.json:[0-9]+:1: error\[GP254\]'
    [ "$(grep -c 'error\[' "$room/err")" = 1 ] || fail 'what follows from it is told as well'
  done
  head -c 300 2.json >changed.json
  gpup 4 verify-receipt changed.json
  says 'GP254.*cut off'
  gpup 4 apply -f desired.yaml --yes --receipt 4.json --previous changed.json
  says 'changed\.json:4:1: error\[GP254\]'
  [ ! -e 4.json ] || fail 'a receipt was written although the one before it is broken'
  cp first.json lab.json
  gpup 4 apply -f desired.yaml --yes --receipt 4.json --previous lab.json
  says 'this is not a receipt'
  same lab.json first.json 'something was touched'
}

receipts_are_signed_and_unknown_signers_refused() {
  pool
  keys
  three_runs --sign mallory
  gpup 4 verify-receipt 1.json 2.json 3.json --allowed-signers allowed_signers
  [ "$(grep -c 'error\[GP252\]' "$room/err")" = 3 ] || fail 'not each receipt is refused'
  rm 2.json.sig
  ssh-keygen -q -Y sign -f alice -n gpup-plan <1.json >1.json.sig 2>/dev/null
  gpup 4 verify-receipt 1.json 2.json 3.json --allowed-signers allowed_signers -o json
  is '[.diagnostics[] | [.file, .code]]' '[["1.json","GP251"],["2.json","GP250"],["3.json","GP252"]]' "$room/out"
  cp first.json lab.json
  gpup 1 apply -f desired.yaml --yes --receipt 4.json --sign missing
  says 'error\[GP253\]: cannot sign with missing'
  same lab.json first.json 'a key that does not work is found out too late'
  [ ! -e 4.json ] || fail 'a receipt of no run was written'
}

a_run_that_ends_badly_leaves_a_receipt() {
  pool
  edit '(.hosts[] | select(.name == "hv-v1") | .simulate.faults) = [{op: "assign-partition", vm: "vdi-04", kind: "fail", count: 9}]' lab.json
  gpup 7 apply -f desired.yaml --yes --receipt 1.json
  is .exitCode 7 1.json
  is '[.changes[] | select(.name == "vdi-04" and .property == "partitions") | [.after, .state]]' '[[null,"unknown"]]' 1.json
  # Cancelled: the VM that is off comes back, and the rest is as before.
  pool
  edit '(.hosts[] | select(.name == "hv-v1") | .simulate) = {latency: {"stop-vm": 2000}}' lab.json
  "$gpup" apply -f desired.yaml --yes --parallel 1 --receipt 2.json >"$room/out" 2>"$room/err" </dev/null &
  local run=$! waited=0
  until cat "$XDG_STATE_HOME"/gpup/journal/*.jsonl 2>/dev/null | grep -q '"entry":"intent".*stop-vm'; do
    sleep 0.05
    waited=$((waited + 1))
    [ "$waited" -lt 600 ] || break
  done
  [ ! -e 2.json ] || fail 'the receipt is there before the run has ended'
  kill -INT "$run"
  last_command='gpup apply, then SIGINT'
  last_status=0
  wait "$run" || last_status=$?
  [ "$last_status" = 8 ] || fail "exit code $last_status, wanted 8"
  is '[.exitCode, .cancelled]' '[8,true]' 2.json
  [ "$(jq '[.changes[] | select(.state == "as-before")] | length' 2.json)" -gt 0 ] || fail 'nothing is as before'
  gpup 0 verify-receipt 2.json
  ls -A . | grep -q '^\.gpup-' && fail 'something is left behind'
  # Refused: nothing is touched, and the receipt says so.
  pool
  gpup 0 plan -f desired.yaml --out change.plan
  edit '(.hosts[].gpus[] | .partitionCount) = 4' lab.json
  cp lab.json changed.json
  gpup 5 apply change.plan --receipt 3.json
  is '[.exitCode, .refusal, .run]' '[5,"fact-broken",null]' 3.json
  is '[.changes[].state] | unique' '["untouched"]' 3.json
  same lab.json changed.json 'something was touched'
}

what_was_overridden_is_told_with_its_reason() {
  fresh broken-rule-overridden
  rm -rf "$XDG_STATE_HOME"
  gpup 0 apply -f desired.yaml --yes --receipt 1.json --receipt 1.md
  local reason
  reason=$(jq -r '.overrides[] | select(.by == "policy.override") | .reason' 1.json)
  [ -n "$reason" ] && grep -qF "$reason" desired.yaml || fail "the reason of the override is '$reason'"
  pool
  printf 'policy:\n  window: { days: [sun], from: "03:17", to: "03:18", zone: Etc/UTC }\n' >>desired.yaml
  gpup 0 apply -f desired.yaml --yes --ignore-window --reason 'a `|` <b>customer</b> waits' --receipt 2.json --receipt 2.md
  is '[.overrides[] | [.by, .reason]]' '[["--ignore-window","a `|` <b>customer</b> waits"]]' 2.json
  grep -q '<b>' 2.md && ! grep -q '`.*<b>.*`' 2.md && fail 'a reason breaks out of the markdown'
  pool
  gpup 0 apply -f desired.yaml --yes --exclude hv-v2 --receipt 3.json
  is '[.overrides[] | .by]' '["--target or --exclude"]' 3.json
}

what_cannot_be_written_is_found_out_before_anything_is_touched() {
  pool
  gpup 1 apply -f desired.yaml --yes --receipt missing/1.json
  says 'error\[GP192\]'
  gpup 1 apply -f desired.yaml --yes --receipt 1.json --previous missing.json
  says 'error\[GP191\]'
  gpup 64 apply -f desired.yaml --yes --receipt 1.md --previous 0.json
  says "option '--previous' is for a receipt in JSON"
  gpup 64 apply -f desired.yaml --yes --sign alice
  says "option '--sign' is for a receipt in JSON"
  gpup 64 apply -f desired.yaml --yes --receipt 1.json --previous 1.json
  says 'would take the place of the one that it goes on from'
  gpup 64 apply -f desired.yaml --yes --receipt 1.json --report json=1.json
  says 'two answers would be written'
  gpup 64 verify-receipt
  gpup 64 verify-receipt 1.json --after sha256:12
  same lab.json first.json 'something was touched'
  # A disk that is full in the end does not hide what was done.
  gpup 1 apply -f desired.yaml --yes --receipt /dev/full
  says 'error\[GP192\]: cannot write /dev/full'
  gpup 0 drift -f desired.yaml
}

for promise in a_receipt_says_what_was_and_what_is_and_who_did_it the_commit_is_what_is_given_else_what_the_pipeline_says \
  a_chain_is_verified_and_each_break_is_told_by_name one_byte_changed_is_found_wherever_it_is \
  receipts_are_signed_and_unknown_signers_refused a_run_that_ends_badly_leaves_a_receipt \
  what_was_overridden_is_told_with_its_reason what_cannot_be_written_is_found_out_before_anything_is_touched; do
  "$promise"
  echo "$promise: looked at"
done
[ "$failures" = 0 ] || exit 1
