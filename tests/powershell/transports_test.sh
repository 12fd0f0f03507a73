#!/usr/bin/env bash
# The examples through real PowerShell: plan, outcomes and final snapshot are those of the simulator, ids and times aside.
#   tests/powershell/transports_test.sh GPUP ENGINE [TRANSPORT...]
# ENGINE is what tests/powershell/build made; a TRANSPORT is local, ssh or psremoting.
set -uo pipefail
[ $# -ge 2 ] || { echo "usage: tests/powershell/transports_test.sh GPUP ENGINE [TRANSPORT...]" >&2; exit 64; }
gpup=$(realpath "$1")
engine=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- local ssh psremoting
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
passed=0
real_room "$room/hosts" "$engine"

# The same world, one after the other, each in a folder of its own: $1 simulator or a transport, $2 the example.
perform() {
  rm -rf "$room/$1"
  cp -r "$top/examples/$2" "$room/$1"
  cd "$room/$1" || exit 1
  [ "$1" = simulated ] || reach "$1" desired.yaml lab.json
  gpup 0 plan -f desired.yaml --out plan.json
  # One step at a time: which VM is started first decides which partition it gets.
  gpup 0 apply plan.json --parallel 1 -o json
  cp "$room/out" report.json
  gpup 0 drift -f desired.yaml
  gpup 0 observe -f desired.yaml -o json
  cp "$room/out" after.json
  cp lab.json applied.json
  gpup 0 apply -f desired.yaml --yes
  [ "$1" = simulated ] || same lab.json applied.json "applying again over $1 wrote to the lab"
  unreach
}

# What of the answers must agree: all but ids of what was made, times, how the hosts are reached, and settings that a lab need not say.
plan_of() { jq -S 'del(.id, .desired, .hosts)' "$1/plan.json"; }
outcomes_of() { jq -S '[.steps[] | {id, op, host, vm, gpu, outcome, assigned, resolved, vram}]' "$1/report.json"; }
state_of() { jq -S 'del(.takenAt, .hosts[].vms[].partitions[].id, .hosts[].vms[].dynamicMemory, .hosts[].vms[].automaticCheckpoints) | .hosts |= sort_by(.name)' "$1/after.json"; }

for example in "$top"/examples/*/; do
  example=$(basename "$example")
  perform simulated "$example"
  for transport in "$@"; do
    before=$failures
    perform "$transport" "$example"
    for what in plan outcomes state; do
      diff <("${what}_of" "$room/simulated") <("${what}_of" "$room/$transport") >"$room/diff" || {
        last_command=
        fail "$example over $transport: another $what than the simulator's"
        head -n 30 "$room/diff"
      }
    done
    [ "$failures" != "$before" ] || { passed=$((passed + 1)); echo "ok      $example over $transport"; }
  done
done
echo "$passed passed, $failures failed"
[ "$failures" = 0 ]
