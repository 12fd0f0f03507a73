#!/usr/bin/env bash
# The examples and the golden worlds through real PowerShell: plan, outcomes, final snapshot and lab are those of the simulator,
# ids and times aside.
#   tests/powershell/transports_test.sh GPUP GPUP_IN_ONE ENGINE [TRANSPORT...]
# ENGINE is what tests/powershell/build made; a TRANSPORT is local, ssh or psremoting.
set -uo pipefail
[ $# -ge 3 ] || { echo "usage: tests/powershell/transports_test.sh GPUP GPUP_IN_ONE ENGINE [TRANSPORT...]" >&2; exit 64; }
gpup=$(realpath "$1")
in_one=$(realpath "$2")
engine=$(realpath "$3")
shift 3
[ $# -gt 0 ] || set -- local ssh psremoting
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
passed=0
real_room "$room/hosts" "$engine"

# Worlds are examples as they are, and the golden ones on hosts that choose their GPUs otherwise and forget them. Hosts get names
# that worlds have in common, so that they share sessions.
world() {
  rm -rf "$2"
  mkdir "$2"
  if [ -e "$1/lab.json" ]; then
    cp "$1/lab.json" "$2"
  else
    jq '.hosts[].simulate += {"placement": "spread", "forgetsGpu": true}' "$1/observed.json" >"$2/lab.json"
  fi
  cp "$1/desired.yaml" "$2"
  local names number=0 name
  mapfile -t names < <(jq -r '.hosts[].name' "$2/lab.json")
  for name in "${names[@]}"; do
    number=$((number + 1))
    sed -i "s/\\b$name\\b/hv-$number-of-${#names[@]}/g" "$2/lab.json" "$2/desired.yaml"
  done
}

# The same world, one after the other, each in a folder of its own: $1 simulator or a transport, $2 the world.
perform() {
  world "$2" "$room/$1"
  cd "$room/$1" || exit 1
  [ "$1" = simulated ] || reach "$1" desired.yaml
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
}

# What of the answers must agree: all but ids of what was made, times, how the hosts are reached, and settings that a lab need not say.
plan_of() { jq -S 'del(.id, .desired, .hosts)' "$1/plan.json"; }
outcomes_of() { jq -S '[.steps[] | {id, op, host, vm, gpu, outcome, assigned, resolved, vram}]' "$1/report.json"; }
state_of() { jq -S 'del(.takenAt, .hosts[].vms[].partitions[].id, .hosts[].vms[].dynamicMemory, .hosts[].vms[].automaticCheckpoints) | .hosts |= sort_by(.name)' "$1/after.json"; }
lab_of() { jq -S 'del(.hosts[].vms[].partitions[].id)' "$1/applied.json"; }

# A golden world that an example has, too, goes over one transport only.
examples=("$top"/examples/*/desired.yaml)
examples=("${examples[@]%desired.yaml}")
golden=("$top"/tests/golden/plan/*/)
other=()
for world in "${golden[@]}"; do
  for example in "${examples[@]}"; do
    ! cmp -s "$world/observed.json" "$example/lab.json" || continue 2
  done
  other+=("$world")
done

for world in "${examples[@]}" "${golden[@]}"; do
  perform simulated "$world"
  mkdir -p "$room/expected"
  mv "$room/simulated" "$room/expected/$(basename "$world")"
done
for transport in "$@"; do
  lasting "$in_one" "$transport"
  worlds=("${examples[@]}" "${other[@]}")
  [ "$transport" != local ] || worlds=("${examples[@]}" "${golden[@]}")
  for world in "${worlds[@]}"; do
    name=$(basename "$world")
    before=$failures
    perform "$transport" "$world"
    for what in plan outcomes state lab; do
      diff <("${what}_of" "$room/expected/$name") <("${what}_of" "$room/$transport") >"$room/diff" || {
        last_command=
        fail "$name over $transport: another $what than the simulator's"
        head -n 30 "$room/diff"
      }
    done
    [ "$failures" != "$before" ] || { passed=$((passed + 1)); echo "ok      $name over $transport"; }
  done
  not_lasting
  unreach
done
echo "$passed passed, $failures failed"
[ "$failures" = 0 ]
