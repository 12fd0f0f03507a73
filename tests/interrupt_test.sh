#!/usr/bin/env bash
# A run that is asked to end, or that cannot write its journal any more: tests/interrupt_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

running() { jq -r '[.hosts[].vms[] | select(.state == "Running") | .name] | sort | join(" ")' "$1"; }

# How many requests of a kind on a host the journal says were about to be sent.
begun() { cat "$XDG_STATE_HOME"/gpup/journal/*.jsonl 2>/dev/null | grep -c "\"entry\":\"intent\".*\"op\":\"$1\",\"host\":\"$2\""; }

# under_way MILLISECONDS: an apply of the two-node example, which has stopped a machine on hv-e1 and sets a count there
# that takes so long. Its process is $run.
under_way() {
  fresh two-node-cluster
  rm -rf "$XDG_STATE_HOME"
  cp lab.json first.json
  edit ".hosts[0].simulate = {latency: {\"set-partition-count\": $1}}" lab.json
  "$gpup" apply -f desired.yaml --yes >"$room/out" 2>"$room/err" </dev/null &
  run=$!
  local waited=0
  until [ "$(begun set-partition-count hv-e1)" = 1 ]; do
    sleep 0.1
    waited=$((waited + 1))
    [ "$waited" -lt 1200 ] || { fail 'the run is not where it is to be after two minutes'; break; }
  done
}

# ends STATUS...: waits for it, and expects one of these exit codes.
ends() {
  last_command="gpup apply, $1"
  shift
  last_status=0
  wait "$run" || last_status=$?
  [[ " $* " == *" $last_status "* ]] || fail "exit code $last_status, wanted one of: $*"
  edit 'del(.hosts[].simulate)' lab.json
}

all_run_that_ran() {
  local name now
  now=" $(running lab.json) "
  for name in $(running first.json); do
    [[ $now == *" $name "* ]] || fail "$name is off"
  done
}

picture() {
  jq -S '[.hosts[] | {name, gpus: [.gpus[] | [.name, .partitionCount]],
    vms: ([.vms[] | {name, state, offlineAction, owed: .startOwed, gpus: [.partitions[].gpu]}] | sort_by(.name))}]' "$1"
}

the_first_ctrl_c_leaves_no_machine_off_and_resume_finishes() {
  local signal
  for signal in INT TERM; do
    under_way 3000
    kill -"$signal" "$run"
    ends "then SIG$signal" 8
    says '^cancelled: no new step begins, ' '; cancelled; '
    all_run_that_ran
    gpup 0 resume
    gpup 0 drift -f desired.yaml
    gpup 0 rollback "$(cd "$XDG_STATE_HOME/gpup/journal" && printf '%s\n' *.jsonl | sort | head -n 1 | sed 's/\.jsonl$//')" --yes
    [ "$(picture lab.json)" = "$(picture first.json)" ] || fail 'the first snapshot is not back'
  done
}

the_second_one_leaves_at_once_and_says_what_is_open() {
  under_way 600000
  kill -INT "$run"
  kill -TERM "$run"
  ends 'then SIGINT and SIGTERM' 130 143
  says 'left at once' 'error\[GP173\]: step [0-9]*, set-partition-count: it was under way' "'gpup resume' reads it" \
    'error\[GP174\]: VM vdi-01 .* is left off' 'start it on hv-e1: Get-VM -Id .* \| Start-VM'
  [ "$(jq -r '.hosts[0].vms[] | select(.startOwed) | .name' lab.json)" = vdi-01 ] || fail 'another machine is owed a start'
  gpup 0 resume
  gpup 0 drift -f desired.yaml
}

a_terminal_that_is_closed_is_a_wish_to_stop() {
  under_way 3000
  kill -HUP "$run"
  sleep 0.2
  kill -HUP "$run" # the kernel's, and its shell's
  ends 'then SIGHUP twice' 8
  all_run_that_ran
  gpup 0 resume
  gpup 0 drift -f desired.yaml
}

nobody_who_reads_what_it_says_does_not_stop_it() {
  fresh two-node-cluster
  last_command='gpup apply 2>&1 | true'
  last_status=0
  "$gpup" apply -f desired.yaml --yes -o json --report json=report.json </dev/null 2>&1 >"$room/out" | true
  last_status=${PIPESTATUS[0]}
  [ "$last_status" = 0 ] || fail "exit code $last_status, wanted 0"
  gpup 0 drift -f desired.yaml
}

# As if the disk were full from the start: no file may grow. What is said goes through a pipe.
run_with_a_full_disk() {
  (ulimit -f 0 && exec "$gpup" "$@" </dev/null 2>&1) | cat >"$room/out"
  local status=${PIPESTATUS[0]}
  : >"$room/err"
  return "$status"
}

a_full_disk_sends_nothing_and_brings_back_what_was_stopped() {
  local journals=$XDG_STATE_HOME/gpup/journal waited=0
  fresh vdi-pool
  rm -rf "$XDG_STATE_HOME"
  jq -c . lab.json >first.json
  cp first.json lab.json
  run_by=run_with_a_full_disk
  gpup 1 apply -f desired.yaml --yes
  run_by=run_once
  same first.json lab.json 'something was sent without a journal'
  # vdi-05 is down when the disk becomes full: files may not grow beyond what the journal has then.
  jq -c '(.hosts[] | select(.name == "hv-v1") | .simulate.faults) = [{op: "set-offline-action", vm: "vdi-05", kind: "delay", ms: 5000}]' \
    first.json >lab.json
  "$gpup" apply -f desired.yaml --yes --parallel 1 >"$room/out" 2>"$room/err" </dev/null &
  run=$!
  until grep -q '"entry":"intent".*"op":"set-offline-action".*"vm":"vdi-05"' "$journals"/*.jsonl 2>/dev/null; do
    sleep 0.05
    waited=$((waited + 1))
    [ "$waited" -lt 2400 ] || { fail 'the run is not where it is to be after two minutes'; break; }
  done
  prlimit --pid "$run" --fsize="$(stat -c %s "$journals"/*.jsonl)"
  ends 'then a full disk' 7
  says 'error\[GP192\]: the journal cannot be written: .*File too large; nothing was sent since' "'gpup resume' goes on" \
    '^ *1[0-9]  skipped  .*the journal cannot be written' 'done hv-v1/vm/vdi-05'
  all_run_that_ran
  # In the plan's order: after the first step that was not sent none was.
  sed -n '/^ *[0-9]*  skipped /,/^$/p' "$room/out" | grep -qE '^ *[0-9]+  (done|failed|unknown) ' && fail 'a step was sent after the journal had failed'
  jq -es 'map(select(.entry == "intent")) | length == 10' "$journals"/*.jsonl >/dev/null || fail 'the journal is torn, or another one'
  gpup 0 resume
  gpup 0 drift -f desired.yaml
  gpup 0 history latest
}

for promise in the_first_ctrl_c_leaves_no_machine_off_and_resume_finishes the_second_one_leaves_at_once_and_says_what_is_open \
  a_terminal_that_is_closed_is_a_wish_to_stop nobody_who_reads_what_it_says_does_not_stop_it \
  a_full_disk_sends_nothing_and_brings_back_what_was_stopped; do
  "$promise"
  echo "$promise: looked at"
done
[ "$failures" = 0 ] || exit 1
