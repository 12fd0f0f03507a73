#!/usr/bin/env bash
# The programs that policy.hooks names, run around stops and starts: tests/hooks_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

# The pool, in which vdi-04 and vdi-05 are stopped and started. hooked 'YAML'...: with these hooks. `note` writes a line
# for each call to calls.
hooked() {
  fresh vdi-pool
  rm -rf "$XDG_STATE_HOME"
  cp lab.json first.json
  mkdir hooks
  # Several may run at once: a line is one write.
  script note 'line=$(printf "%s|" "$GPUP_HOOK" "$GPUP_VM" "$GPUP_HOST" "$GPUP_STEP" "$GPUP_EXIT_CODE" "$@"); printf "%s\n" "$line" >>calls; echo "told: $GPUP_VM"'
  {
    printf 'policy:\n  hooks:\n'
    printf '    %s\n' "$@"
  } >>desired.yaml
}
script() {
  printf '#!/bin/sh\n%s\n' "$2" >"hooks/$1"
  chmod +x "hooks/$1"
}

calls() { cut -d'|' -f1,2 calls 2>/dev/null | sort | tr '\n' ' '; }
state_of() { jq -r --arg name "$1" '.hosts[].vms[] | select(.name == $name) | .state' lab.json; }
journal() { cat "$XDG_STATE_HOME"/gpup/journal/*.jsonl 2>/dev/null; }

# until_there COMMAND...: waits until it succeeds.
until_there() {
  local waited=0
  until "$@"; do
    sleep 0.05
    waited=$((waited + 1))
    [ "$waited" -lt 1200 ] || { fail "not within a minute: $*"; return; }
  done
}
# ends STATUS WORDS: waits for the run in the background.
ends() {
  last_command=$2
  last_status=0
  wait "$run" || last_status=$?
  [ "$last_status" = "$1" ] || fail "exit code $last_status, wanted $1"
}
in_background() {
  "$gpup" "$@" >"$room/out" 2>"$room/err" </dev/null &
  run=$!
}

hooks_run_around_stops_and_starts() {
  hooked 'before: [hooks/../hooks/note, --wait]' 'after: [./hooks/note]' 'onFailure: [./hooks/note]'
  gpup 0 plan -f desired.yaml --out saved.plan
  says '^Hooks, run on this machine, each for 5 min at most' '^  before each stop +hooks/note --wait$' '^  on failure +hooks/note$'
  [ ! -e calls ] || fail 'a plan ran a hook'
  gpup 0 show saved.plan
  says '^  after each start +hooks/note$'
  gpup 0 show saved.plan -o markdown
  says '^- before each stop: `hooks/note --wait`$'
  [ ! -e calls ] || fail 'showing a plan ran a hook'
  mv desired.yaml elsewhere.yaml
  gpup 0 apply saved.plan --report json=report.json --events events.json
  [ "$(calls)" = 'after|vdi-04 after|vdi-05 before|vdi-04 before|vdi-05 ' ] || fail "it called: $(calls)"
  grep -qE '^before\|vdi-04\|hv-v1\|[0-9]+\|\|--wait\|$' calls || fail 'the hook was told something else'
  says 'hook before hv-v1/vm/vdi-04: told: vdi-04$'
  grep -q '^told' "$room/out" && fail 'what a hook writes is on stdout'
  [ "$(jq -c '[.hooks[] | .hook + " " + .vm + " " + .outcome] | sort' report.json)" = \
    '["after vdi-04 done","after vdi-05 done","before vdi-04 done","before vdi-05 done"]' ] || fail 'the report tells of other hooks'
  [ "$(grep -c '"event":"hook_\(started\|finished\)"' events.json)" = 8 ] || fail 'there are other events'
  gpup 0 history latest
  says 'hook before +vdi-04 +done'
  mv elsewhere.yaml desired.yaml
  rm calls
  gpup 0 drift -f desired.yaml
  gpup 0 apply -f desired.yaml --yes
  [ ! -e calls ] || fail 'a run with nothing to do ran a hook'
}

a_hook_before_a_stop_that_fails_leaves_the_vm_running() {
  hooked 'before: [./hooks/picky]' 'onFailure: [./hooks/note]'
  script picky '[ "$GPUP_VM" != vdi-04 ]'
  gpup 7 apply -f desired.yaml --yes
  says 'error\[GP207\]: step [0-9]+, stop-vm: the hook before it exited with 1; the VM was not stopped'
  [ "$(jq -S '.hosts[].vms[] | select(.name == "vdi-04")' lab.json)" = "$(jq -S '.hosts[].vms[] | select(.name == "vdi-04")' first.json)" ] ||
    fail 'vdi-04 is otherwise than before'
  journal | grep -q '"entry":"intent".*"op":"stop-vm".*"vm":"vdi-04"' && fail 'its stop was about to be sent'
  [ "$(calls)" = 'on-failure| on-failure|vdi-04 ' ] || fail "it called: $(calls)"
  grep -q '^on-failure|||||*7|' calls || fail 'the hook was not told the exit code'
  script picky 'exit 0'
  gpup 0 resume
  gpup 0 drift -f desired.yaml
}

a_hook_that_hangs_is_ended_at_its_timeout() {
  hooked 'before: [./hooks/hang]' 'timeout: 1s'
  script hang 'trap "" TERM; sleep 600 & echo $! >>pids; while :; do sleep 1; done'
  gpup 7 apply -f desired.yaml --yes
  says 'GP207.*took longer than 1 s and was ended'
  local pid
  for pid in $(cat pids); do
    [ ! -e "/proc/$pid" ] || [ "$(awk '{print $3}' "/proc/$pid/stat")" = Z ] || fail "process $pid of a hook goes on"
  done
  [ "$(state_of vdi-04) $(state_of vdi-05)" = 'Running Running' ] || fail 'a VM does not run'
}

a_hook_that_is_missing_stops_nothing() {
  hooked 'before: [./hooks/missing]' 'after: [gpup-no-such-program]' 'onFailure: [./hooks/note]'
  script data ''
  chmod -x hooks/data
  gpup 1 apply -f desired.yaml --yes
  says "error\[GP207\]: the hook 'before' could not be started: hooks/missing: No such file" \
    "error\[GP208\]: the hook 'after' could not be started: gpup-no-such-program: No such file" 'Nothing was touched'
  cmp -s lab.json first.json || fail 'the lab was written'
  [ "$(calls)" = 'on-failure| ' ] || fail "it called: $(calls)"
  hooked 'onFailure: [./hooks/data]'
  script data ''
  chmod -x hooks/data
  gpup 1 apply -f desired.yaml --yes
  says "error\[GP208\]: the hook 'on-failure' could not be started: hooks/data: Permission denied"
  [ "$(grep -c GP208 "$room/err")" = 1 ] || fail 'it is told twice'
  cmp -s lab.json first.json || fail 'the lab was written'
}

ctrl_c_during_a_hook_before_a_stop() {
  hooked 'before: [./hooks/slow]' 'after: [./hooks/note]' 'onFailure: [./hooks/note]'
  script slow 'echo "$GPUP_VM" >>begun; exec sleep 600'
  in_background apply -f desired.yaml --yes
  until_there test -s begun
  kill -INT "$run"
  ends 8 'gpup apply, then SIGINT in a hook before a stop'
  says 'was told to end, as the run was cancelled'
  journal | grep -q '"entry":"intent".*"op":"stop-vm"' && fail 'a stop was about to be sent'
  [ "$(state_of vdi-04) $(state_of vdi-05)" = 'Running Running' ] || fail 'a VM does not run'
  # Of a program that was told to end before its first line nothing is in `begun`, but it was started all the same.
  local told
  told=$(calls | tr ' ' '\n' | sed -n 's/^on-failure|\(vdi.*\)/\1/p')
  [ "$told" = "$(sed -n 's|^ *failed *hook before hv-v1/vm/\(vdi-[0-9]*\):.*|\1|p' "$room/out" | sort)" ] || fail "it called: $(calls)"
  [ -z "$(comm -13 <(echo "$told") <(sort -u begun))" ] || fail "begun: $(sort -u begun | tr '\n' ' '), but it called: $(calls)"
  grep -q '^on-failure|||||*8|' calls || fail 'the run itself was not told of'
  [ "$(calls | tr ' ' '\n' | grep -c after)" = 0 ] || fail 'a VM was opened that was never stopped'
  script slow 'exit 0'
  gpup 0 resume
  gpup 0 drift -f desired.yaml
}

a_hook_after_a_start_ends_in_peace_when_the_run_is_cancelled() {
  hooked 'after: [./hooks/slow]'
  script slow 'echo "$GPUP_VM" >>begun; sleep 2; echo "$GPUP_VM" >>ended'
  in_background apply -f desired.yaml --yes
  until_there test -s begun
  kill -TERM "$run"
  wait "$run"
  [ "$(sort begun)" = "$(sort ended)" ] || fail 'a hook after a start was cut short'
}

names_arrive_unchanged_and_no_shell_reads_them() {
  hooked "before: [./hooks/keep, '\$(touch reached)', 'a b', '*', \"; touch reached\", \"'\"]"
  # shellcheck disable=SC2016
  script keep 'printf "%s" "$GPUP_VM" >>"vm-$GPUP_VM_ID"; printf "<%s>" "$@" >arguments; printf "\033[31mred\033[0m\n::error::x\n"'
  # shellcheck disable=SC2016
  local hostile='$(touch reached) `touch reached` "a'"'"'b" ; * \ 名前 -n' id
  id=$(jq -r '.hosts[].vms[] | select(.name == "vdi-04") | .id' lab.json)
  jq --arg name "$hostile" '(.hosts[].vms[] | select(.name == "vdi-04") | .name) = $name' lab.json >new && mv new lab.json
  sed -i "s/expect: 9/expect: 8/; s/^policy:/  - id: $id\n    offlineAction: shutdown\npolicy:/" desired.yaml
  gpup 0 apply -f desired.yaml --yes
  [ "$(cat "vm-$id")" = "$hostile" ] || fail "the hook was told another name: $(cat "vm-$id")"
  [ "$(cat arguments)" = "<\$(touch reached)><a b><*><; touch reached><'>" ] || fail "the hook was given: $(cat arguments)"
  [ ! -e reached ] || fail 'a shell has read a name or an argument'
  grep -q $'\033' "$room/err" && fail 'what a hook writes reaches the terminal as it is'
  says 'u\{1b\}\[31mred'
  gpup 0 drift -f desired.yaml
}

a_lost_start_is_told_and_the_hook_on_failure_runs() {
  hooked 'before: [./hooks/note]' 'after: [./hooks/note]' 'onFailure: [./hooks/note]'
  edit '(.hosts[] | select(.name == "hv-v1") | .simulate.faults) = [{op: "start-vm", vm: "vdi-04", kind: "fail", count: 9}]' lab.json
  gpup 7 apply -f desired.yaml --yes
  [ "$(calls)" = 'after|vdi-05 before|vdi-04 before|vdi-05 on-failure| on-failure|vdi-04 ' ] || fail "it called: $(calls)"
  edit 'del(.hosts[].simulate)' lab.json
  rm calls
  # The owed start gets its hook, from the files alone.
  gpup 0 restore-power -f desired.yaml --yes
  [ "$(calls)" = 'after|vdi-04 ' ] || fail "restoring power called: $(calls)"
}

a_run_that_was_killed_owes_the_hook_after() {
  local when
  for when in 'while a VM is off' 'in the hook after'; do
    hooked 'before: [./hooks/note]' 'after: [./hooks/open]'
    # shellcheck disable=SC2016
    script open 'echo "$GPUP_VM" >>opening; [ ! -e slow ] || exec sleep 30; echo "$GPUP_VM" >>opened'
    if [ "$when" = 'in the hook after' ]; then
      touch slow
    else
      edit '(.hosts[] | select(.name == "hv-v1") | .simulate) = {latency: {"assign-partition": 600000}}' lab.json
    fi
    in_background apply -f desired.yaml --yes
    if [ -e slow ]; then
      until_there sh -c '[ "$(sort -u opening 2>/dev/null | wc -l)" = 2 ]'
    else
      until_there sh -c "cat '$XDG_STATE_HOME'/gpup/journal/*.jsonl 2>/dev/null | grep -q '\"entry\":\"intent\".*assign-partition'"
    fi
    kill -KILL "$run"
    wait "$run" 2>/dev/null
    rm -f slow
    edit 'del(.hosts[].simulate)' lab.json
    gpup 0 resume
    [ "$(sort opened | tr '\n' ' ')" = 'vdi-04 vdi-05 ' ] || fail "$when: opened were: $(sort opened | tr '\n' ' ')"
    gpup 4 resume
    says GP212
    gpup 0 drift -f desired.yaml
  done
}

a_full_disk_runs_no_hook_before_a_stop_and_the_one_on_failure() {
  hooked 'before: [./hooks/big]' 'onFailure: [./hooks/note]'
  # The disk is full from the first hook on, but for others than gpup.
  # shellcheck disable=SC2016
  script big 'echo x >>begun; prlimit --pid "$PPID" --fsize="$(stat -c %s "$XDG_STATE_HOME"/gpup/journal/*.jsonl)"'
  gpup 7 apply -f desired.yaml --yes --parallel 1
  says 'GP192.*the journal cannot be written'
  [ "$(wc -l <begun)" = 1 ] || fail 'another hook ran before a stop'
  grep -q '^on-failure|||||*7|' calls || fail 'the run itself was not told of'
  [ "$(state_of vdi-04) $(state_of vdi-05)" = 'Running Running' ] || fail 'a VM does not run'
}

for promise in hooks_run_around_stops_and_starts a_hook_before_a_stop_that_fails_leaves_the_vm_running \
  a_hook_that_hangs_is_ended_at_its_timeout a_hook_that_is_missing_stops_nothing ctrl_c_during_a_hook_before_a_stop \
  a_hook_after_a_start_ends_in_peace_when_the_run_is_cancelled names_arrive_unchanged_and_no_shell_reads_them \
  a_lost_start_is_told_and_the_hook_on_failure_runs a_run_that_was_killed_owes_the_hook_after \
  a_full_disk_runs_no_hook_before_a_stop_and_the_one_on_failure; do
  "$promise"
  echo "$promise: looked at"
done
[ "$failures" = 0 ] || exit 1
