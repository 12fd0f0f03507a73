#!/usr/bin/env bash
# A run that ends early, and every way on from there: tests/take_up_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

# What is there, but for the ids that adapters get anew, and what hosts choose.
picture() {
  jq -S '[.hosts[] | {name, gpus: [.gpus[] | [.name, .partitionCount]],
    vms: ([.vms[] | {name, state, offlineAction, owed: .startOwed, gpus: [.partitions[].gpu]}] | sort_by(.name))}]' "$1"
}
off() { jq -r '[.hosts[].vms[] | select(.state == "Off") | .name] | sort | join(" ")' lab.json; }
owed() { jq -r '[.hosts[].vms[] | select(.startOwed) | .name] | sort | join(" ")' lab.json; }

# How many requests of a kind on a host the journal says were about to be sent.
begun() { cat "$XDG_STATE_HOME"/gpup/journal/*.jsonl 2>/dev/null | grep -c "\"entry\":\"intent\".*\"op\":\"$1\",\"host\":\"$2\""; }

# The two-node example, left by an apply that was killed while a machine was down on each host.
#   killed [MEANWHILE]    MEANWHILE: called before it is killed
killed() {
  fresh two-node-cluster
  rm -rf "$XDG_STATE_HOME"
  cp lab.json first.json
  edit '.hosts[0].simulate = {latency: {"set-partition-count": 600000}} |
    .hosts[1].simulate = {latency: {"unassign-partition": 600000}}' lab.json
  "$gpup" apply -f desired.yaml --yes >"$room/out" 2>"$room/err" </dev/null &
  local run=$! waited=0
  until [ "$(begun set-partition-count hv-e1) $(begun unassign-partition hv-e2)" = '1 1' ]; do
    sleep 0.1
    waited=$((waited + 1))
    kill -0 "$run" 2>/dev/null && [ "$waited" -lt 1200 ] || { fail 'the run is not where it is to be killed, or not after two minutes'; break; }
  done
  "${1:-true}"
  kill -KILL "$run"
  wait "$run" 2>/dev/null
  edit 'del(.hosts[].simulate)' lab.json
  down=$(owed)
  [ "$down" = 'old-01 vdi-01' ] || fail "the killed run left down: $down"
}

a_clean_machine_restores_power() {
  killed
  local elsewhere=$room/elsewhere name
  gpup 2 drift -f desired.yaml --state-dir "$elsewhere"
  for name in $down; do
    says "warning\[GP210\]: VM '$name' on hv-e. is off and owed a start"
  done
  says_not 'since run'
  gpup 2 drift -f desired.yaml
  says 'since run 20'
  gpup 0 plan -f desired.yaml --state-dir "$elsewhere"
  says 'GP210'
  gpup 6 restore-power -f desired.yaml --state-dir "$elsewhere"
  local before
  before=$(jq -S '[.hosts[].vms[] | [.name, .state]] | sort' lab.json)
  gpup 0 restore-power -f desired.yaml --state-dir "$elsewhere" --yes
  [ -z "$(owed)" ] || fail "still owed: $(owed)"
  for name in $down; do
    jq -e --arg name "$name" '[.hosts[].vms[] | select(.name == $name) | .state] == ["Running"]' lab.json >/dev/null ||
      fail "$name does not run"
  done
  [ "$(jq -S --arg down " $down " '[.hosts[].vms[] | .name as $name | [$name, if ($down | contains(" \($name) ")) then "Off" else .state end]] | sort' lab.json)" = "$before" ] ||
    fail 'another machine was started or stopped'
  cp lab.json restored.json
  gpup 0 restore-power --connect simulated:lab.json --state-dir "$elsewhere" --yes
  same lab.json restored.json 'restoring power again wrote to the lab'
  gpup 0 apply -f desired.yaml --yes
  gpup 0 drift -f desired.yaml
  echo "brought back: $down"
}

resume_finishes_and_rollback_brings_the_first_snapshot_back() {
  killed
  gpup 0 history
  says 'not ended'
  local run
  run=$(awk 'NR == 2 {print $1}' "$room/out")
  printf '{"time": "torn' >>"$XDG_STATE_HOME/gpup/journal/$run.jsonl"
  gpup 0 history "$run"
  says 'set-partition-count .*begun$' 'stop-vm .*done$'
  gpup 0 history "$run" -o json
  jq -e '.kind == "Run" and .exitCode == null' "$room/out" >/dev/null || fail 'the run as json is otherwise'
  gpup 0 resume
  [ -z "$(owed)" ] || fail "still owed after resume: $(owed)"
  gpup 0 drift -f desired.yaml
  gpup 4 resume
  says 'GP212'
  gpup 6 rollback "$run"
  gpup 0 rollback "$run" --yes
  [ "$(picture lab.json)" = "$(picture first.json)" ] || {
    fail 'the first snapshot is not back'
    diff <(picture first.json) <(picture lab.json)
  }
  gpup 0 rollback latest --yes
  gpup 0 drift -f desired.yaml
  gpup 0 history -o json
  jq -e '[.runs[].rollsBack != null] == [true, true, false, false]' "$room/out" >/dev/null || fail 'other runs are listed'
}

it_is_under_way() {
  gpup 0 history
  says 'under way$'
  gpup 0 history latest -o json
  jq -e '.underWay and .ended == null' "$room/out" >/dev/null || fail 'the run as json is otherwise'
  gpup 6 resume
  says 'GP171.*is still under way'
  gpup 6 rollback latest --yes
  says 'GP171.*is still under way'
}

a_run_that_is_under_way_is_told_as_such_and_not_taken_up() {
  killed it_is_under_way
  gpup 0 history
  says 'not ended$'
  gpup 0 resume
  gpup 0 history
  says 'takes up 20'
}

a_run_that_was_rolled_back_is_not_resumed() {
  killed
  local run
  run=$(basename "$XDG_STATE_HOME"/gpup/journal/*.jsonl .jsonl)
  gpup 0 rollback "$run" --yes
  cp lab.json rolled_back.json
  gpup 4 resume
  says GP212
  same lab.json rolled_back.json 'a run that was rolled back was taken up'
}

rollback_undoes_no_later_change() {
  fresh two-node-cluster
  rm -rf "$XDG_STATE_HOME"
  gpup 0 apply -f desired.yaml --yes
  edit '(.hosts[0].gpus[0].partitionCount) = 8' lab.json
  cp lab.json before.json
  gpup 4 rollback latest --yes
  says 'GP214.*somebody has changed it since'
  same lab.json before.json 'a refused rollback wrote to the lab'
}

a_plan_of_an_owed_start_can_be_saved() {
  fresh two-node-cluster
  gpup 0 apply -f desired.yaml --yes
  edit '(.hosts[].vms[] | select(.name == "vdi-02")) |= (.state = "Off" | .startOwed = true)' lab.json
  gpup 0 plan -f desired.yaml --out owed.plan
  gpup 0 show owed.plan
  gpup 0 apply owed.plan
  [ -z "$(owed)" ] || fail "still owed: $(owed)"
}

resume_refuses_what_others_changed_and_names_who_is_down() {
  killed
  edit '(.hosts[].gpus[].partitionCount) = 8' lab.json
  cp lab.json before.json
  gpup 5 resume
  for name in $down; do
    says "VM $name .* is off: the run stopped it"
  done
  says 'restore-power'
  same lab.json before.json 'a run that was refused wrote to the lab'
  gpup 0 restore-power -f desired.yaml --yes
  [ -z "$(owed)" ] || fail "still owed: $(owed)"
}

resume_names_who_is_down_also_where_it_moved() {
  killed
  edit '(.hosts[0].vms[] | select(.name == "vdi-01")) as $vm | .hosts[0].vms |= map(select(.name != "vdi-01")) |
    .hosts[1].vms += [$vm]' lab.json
  gpup 5 resume
  says 'hv-e2/vm/vdi-01: error\[GP174\]: VM vdi-01 .* is off: the run stopped it'
}

# What the killed run left is left further: NAME moves from its node to the other one, as off as it is. Its record stays.
moves() {
  edit "first(.hosts[].vms[] | select(.name == \"$1\")) as \$vm |
    .hosts |= map(if any(.vms[]; .name == \"$1\") then .vms |= map(select(.name != \"$1\")) | .startsOwed += [\$vm.id]
                  else .vms += [\$vm | del(.startOwed)] end)" lab.json
}
recorded() { jq -r '[.hosts[].startsOwed // [] | .[]] | length' lab.json; }
state_of() { jq -r --arg name "$1" '.hosts[].vms[] | select(.name == $name) | .state' lab.json; }

a_start_is_owed_also_where_the_machine_has_moved_since() {
  local command
  for command in 'restore-power -f desired.yaml --yes' 'apply -f desired.yaml --yes' 'apply saved.plan'; do
    killed
    moves vdi-01
    gpup 2 drift -f desired.yaml
    says "warning\[GP210\]: VM 'vdi-01' on hv-e2 is off and owed a start"
    gpup 0 plan -f desired.yaml --out saved.plan
    says 'hv-e2/vm/vdi-01, recorded on hv-e1'
    gpup 0 $command
    [ "$(state_of vdi-01) $(recorded)" = 'Running 0' ] || fail "after $command: $(state_of vdi-01), $(recorded) recorded"
    edit '(.hosts[].vms[] | select(.name == "vdi-01")).state = "Off"' lab.json
    cp lab.json off.json
    gpup 0 restore-power -f desired.yaml --yes
    same lab.json off.json "after $command: a machine that was turned off on purpose was started"
  done
}

the_host_that_has_the_record_is_locked_too() {
  killed
  moves vdi-01
  edit '.hosts[1].vms[] |= del(.startOwed) | .hosts[0].simulate = {heldBy: "somebody"}' lab.json
  cp lab.json before.json
  gpup 6 restore-power -f desired.yaml --yes
  says 'somebody'
  same lab.json before.json 'a machine was started under a run that may have stopped it'
}

a_host_that_cannot_be_read_may_have_more_owed_starts() {
  killed
  moves vdi-01
  edit '.hosts[0].reachable = false' lab.json
  gpup 3 restore-power -f desired.yaml --yes
  [ "$(state_of vdi-01) $(state_of old-01)" = 'Off Running' ] || fail 'something else was started'
  edit '.hosts[0].reachable = true' lab.json
  gpup 0 restore-power -f desired.yaml --yes
  [ "$(state_of vdi-01) $(recorded)" = 'Running 0' ] || fail 'it is not back'
}

who_is_to_be_off_is_not_brought_back_and_owed_nothing_after_apply() {
  killed
  sed -i 's/- vm: vdi-01/&\n    power: off/' desired.yaml
  gpup 0 restore-power -f desired.yaml --yes
  says "desired.yaml:20:12: warning\[GP210\]: VM 'vdi-01' on hv-e1 is off and owed a start, and stays off, as the file wants it"
  [ "$(state_of vdi-01) $(state_of old-01)" = 'Off Running' ] || fail 'the wrong machine was started'
  gpup 0 restore-power -f desired.yaml --yes
  says "VM 'vdi-01' on hv-e1 is off and owed a start, and stays off"
  gpup 0 apply -f desired.yaml --yes
  [ -z "$(owed)" ] || fail "still owed: $(owed)"
  sed -i '/power: off/d' desired.yaml
  gpup 0 plan -f desired.yaml
  says 'In desired state'

  killed
  gpup 0 apply -f desired.yaml --yes
  sed -i 's/- vm: vdi-01/&\n    power: off/' desired.yaml
  edit '(.hosts[].vms[] | select(.name == "vdi-01")) |= (.state = "Off" | .startOwed = true)' lab.json
  gpup 0 drift -f desired.yaml
  gpup 0 plan -f desired.yaml --out forget.plan
  says 'hv-e1/vm/vdi-01, recorded on hv-e1' 'Plan: 1 owed start to forget'
  gpup 0 apply forget.plan
  says '1 owed start forgotten'
  [ -z "$(owed)" ] || fail "still owed: $(owed)"
  cp lab.json before.json
  gpup 0 apply -f desired.yaml --yes
  same lab.json before.json 'applying again wrote to the lab'
}

drift_after_a_run_that_was_killed_does_not_say_that_the_file_is_newer() {
  killed
  gpup 2 drift -f desired.yaml
  says_not 'file is newer'
  echo '# another day' >>desired.yaml
  gpup 2 drift -f desired.yaml
  says 'file is newer'
}

a_plain_apply_works_after_a_crash() {
  killed
  gpup 0 apply -f desired.yaml --yes
  [ -z "$(owed)" ] || fail "still owed: $(owed)"
  gpup 0 drift -f desired.yaml
}

a_journal_that_was_edited_is_refused() {
  fresh
  mkdir -p state
  printf '%s\n' '{"time": "2026-11-22T08:41:00.000Z", "entry": "begin", "apiVersion": "gpup/v1", "steps": 1}' \
    '{"time": "2026-11-22T08:41:01.000Z", "entry": "intent", "step": 2}' >state/run-1.jsonl
  gpup 0 history --state-dir state
  says 'state/run-1.jsonl:2:1: warning\[GP211\]'
  gpup 4 history run-1 --state-dir state
  says 'state/run-1.jsonl:2:1: error\[GP211\]'
  gpup 4 resume run-1 --state-dir state
  says 'state/run-1.jsonl:2:1: error\[GP211\]'
}

for promise in a_clean_machine_restores_power resume_finishes_and_rollback_brings_the_first_snapshot_back \
  a_run_that_is_under_way_is_told_as_such_and_not_taken_up a_run_that_was_rolled_back_is_not_resumed \
  rollback_undoes_no_later_change a_plan_of_an_owed_start_can_be_saved \
  resume_refuses_what_others_changed_and_names_who_is_down resume_names_who_is_down_also_where_it_moved \
  a_start_is_owed_also_where_the_machine_has_moved_since the_host_that_has_the_record_is_locked_too \
  a_host_that_cannot_be_read_may_have_more_owed_starts \
  who_is_to_be_off_is_not_brought_back_and_owed_nothing_after_apply \
  drift_after_a_run_that_was_killed_does_not_say_that_the_file_is_newer a_plain_apply_works_after_a_crash \
  a_journal_that_was_edited_is_refused; do
  "$promise"
  echo "$promise: looked at"
done
[ "$failures" = 0 ] || exit 1
