#!/usr/bin/env bash
# Real hosts when things go wrong, or only look odd, over one transport: noise and another language, an agent that is killed, two
# runs at once. Over local all of them, over ssh and psremoting one of each kind.
#   tests/powershell/trouble_test.sh GPUP GPUP_IN_ONE ENGINE TRANSPORT
set -uo pipefail
[ $# = 4 ] || { echo "usage: tests/powershell/trouble_test.sh GPUP GPUP_IN_ONE ENGINE TRANSPORT" >&2; exit 64; }
gpup=$(realpath "$1")
in_one=$(realpath "$2")
engine=$(realpath "$3")
transport=$4
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
passed=0
ok() { [ "$failures" != "${before:-0}" ] || { passed=$((passed + 1)); echo "ok      $1"; }; before=$failures; }
real_room "$room/hosts" "$engine"

# One machine of the cluster, which takes each kind of step.
one_machine() {
  fresh two-node-cluster
  edit '.hosts |= .[:1] | .hosts[0].vms |= [.[] | select(.name == "vdi-01")]' lab.json
  sed -i -e '/name: hv-e2/,+1d' -e '/^assignments:/,$d' desired.yaml
  printf 'assignments:\n  - vm: vdi-01\n' >>desired.yaml
  reach "$transport" desired.yaml
}
doubles() { edit ".hosts[].doubles |= ((. // {}) + $1)" lab.json; }

oddities=('{"language": "de", "noise": true, "bom": true, "crlf": true}')
deaths=("Add-VMGpuPartitionAdapter die-after" "Start-VM die-before")
if [ "$transport" = local ]; then
  oddities+=('{"language": "de"}' '{"noise": true}' '{"bom": true, "crlf": true}')
  deaths=({Stop-VM,Remove-VMGpuPartitionAdapter,Set-VMHostPartitionableGpu,Add-VMGpuPartitionAdapter,Set-ClusterParameter,Start-VM}" die-"{before,after})
fi

# Another language, and noise ---------------------------------------------------------------------------------------------

# Everything that a person reads, without times and without the ids of what was made, from sessions of their own.
answers() {
  rm -rf "$XDG_STATE_HOME"  # what earlier runs took would be told
  lasting "$in_one" "$transport"
  gpup 0 plan -f desired.yaml
  cat "$room/out" "$room/err"
  gpup 0 apply -f desired.yaml --yes --parallel 1 -o json
  jq 'del(.. | .startedAt?, .endedAt?, .adapter?, .planId?, .plan?)' "$room/out"
  gpup 0 drift -f desired.yaml
  cat "$room/out" "$room/err"
  not_lasting
}
one_machine
answers >"$room/plain.txt"
for odd in "${oddities[@]}"; do
  one_machine
  doubles "$odd"
  # With psremoting what gpup hears is the near end's: that end is a host of a lab, too, and odd.
  if [ "$transport" = psremoting ]; then
    printf '{"hosts": [{"name": "near", "doubles": %s}]}\n' "$odd" >"$room/near.json"
    export GPUP_DOUBLES=$room/near.json
  fi
  answers >"$room/odd.txt"
  unset GPUP_DOUBLES
  diff "$room/plain.txt" "$room/odd.txt" >"$room/diff" || fail "with $odd the answers differ: $(head -n 8 "$room/diff")"
  ok "with $odd every answer is the same"
done

# An agent that is killed -----------------------------------------------------------------------------------------------

# After whatever happened: no VM with two adapters, what ran runs or is named, and the next run gets there.
check_after_death() {
  jq -e '[.hosts[].vms[] | select((.partitions | length) > 1)] == []' lab.json >/dev/null || fail "a VM holds two adapters after $1"
  local name
  while IFS= read -r name; do
    grep -qF -e "$name" "$room/out" "$room/err" || fail "$name ran, is off, and is not named after $1"
  done < <(jq -rn --slurpfile was before.json --slurpfile is lab.json '
    [$is[0].hosts[].vms[] | select(.state == "Off") | .name] as $off | $was[0].hosts[].vms[] | select(.state == "Running") | .name | select(IN($off[]))')
}
lasting "$in_one" "$transport"
for death in "${deaths[@]}"; do
  read -r cmdlet kind <<<"$death"
  one_machine
  cp lab.json before.json
  edit ".hosts[0].doubles.faults = [{\"cmdlet\": \"$cmdlet\", \"do\": \"$kind\", \"times\": 1}]" lab.json
  last_status=0
  last_command="gpup apply with $death"
  "$run_by" apply -f desired.yaml --yes || last_status=$?
  case $last_status in 0 | 7) ;; *) fail "exit code $last_status after $death" ;; esac
  check_after_death "$death"
  # Notes of owed starts are read where they are: what is told of a machine that runs says nothing of them.
  [ "$last_status" != 0 ] || ! compgen -G "lab.json.*.programdata/gpup/owed/*.json" >/dev/null || fail "a start is still owed after $death"
  [ "$(jq '.hosts[0].doubles.faults[0].seen' lab.json)" = 1 ] || fail "nobody died of $death"
  gpup 0 apply -f desired.yaml --yes
  gpup 0 drift -f desired.yaml
  check_after_death "$death and another run"
  ok "the agent dies: $death"
done
not_lasting

# A machine that moves after a run was killed ----------------------------------------------------------------------------

# Its node, where the note is, is not the one where it is owed a start.
if [ "$transport" = local ]; then
  for how in restore-power apply; do
    fresh two-node-cluster
    reach "$transport" desired.yaml
    edit '(.hosts[1].vms[] | select(.name == "vdi-02")).state = "Off"' lab.json
    id=$(jq -r '.hosts[1].vms[] | select(.name == "vdi-02") | .id' lab.json)
    note=lab.json.hv-e1.programdata/gpup/owed/$id.json
    mkdir -p "${note%/*}"
    jq -n --arg id "$id" '{vm: $id, name: "vdi-02", lock: 0, since: (now | todate)}' >"$note"
    gpup 2 drift -f desired.yaml
    says "VM 'vdi-02' on hv-e2 is off and owed a start"
    gpup 0 "$how" -f desired.yaml --yes
    jq -e '.hosts[1].vms[] | select(.name == "vdi-02") | .state == "Running"' lab.json >/dev/null || fail "vdi-02 is off after $how"
    [ ! -e "$note" ] || fail "the node that it has left still has it owed a start after $how"
    ok "a machine that has moved is brought back by $how, and owed nothing any more"
  done
fi

# Two runs at once ------------------------------------------------------------------------------------------------------

fresh single-host
reach "$transport" desired.yaml
doubles '{"faults": [{"cmdlet": "Stop-VM", "do": "hang"}]}'
"$gpup" apply -f desired.yaml --yes >first.out 2>first.err </dev/null &
first=$!
for _ in {1..1200}; do
  [ "$(jq '.hosts[0].doubles.faults[0].seen // 0' lab.json)" = 0 ] || break
  sleep 0.1
done
gpup 6 apply -f desired.yaml --yes
says "process $first" "$(hostname)"
ok "the second of two runs exits 6 and names the first"
{ kill -9 "$first"; wait "$first"; } 2>/dev/null
for _ in {1..60}; do
  "$gpup" apply -f desired.yaml --yes >"$room/out" 2>"$room/err" </dev/null
  last_status=$?
  [ "$last_status" = 6 ] || break
  sleep 0.1
done
last_command="gpup apply after the holder was killed"
[ "$last_status" = 0 ] || fail "exit code $last_status, wanted 0"
gpup 0 drift -f desired.yaml
ok "the lock of a run that was killed is free once its cmdlet has ended"

echo "$passed passed, $failures failed"
[ "$failures" = 0 ]
