#!/usr/bin/env bash
# What was promised, as commands: tests/acceptance.sh GPUP [NAME...]. Each function is one promise and prints what it saw.
set -uo pipefail
gpup=$1
shift
. "$(dirname "$0")/shell.sh"

# A lab of one host with A2 cards: `a_lab '[gpu("a"; 4), ...]' '[vm("vm-1"; "Running"; on("a"; 4)), ...]'`.
a_lab() {
  jq -n '
    def name($n): "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&\($n)&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}";
    def vram($count): {"16": 939524096, "8": 1988100096, "4": 3825205248, "2": 7650410496, "1": 15300820992}[$count | tostring];
    def gpu($n; $count): {name: name($n), model: "NVIDIA A2", device: "10de:25b6", subsystem: "157e10de",
      status: "partitioned", validPartitionCounts: [16, 8, 4, 2, 1], partitionCount: $count, totalVram: 15918030848,
      availableVram: 15918030848, partitionVram: vram($count), partitionEncode: (36 / $count | floor),
      partitionDecode: (24 / $count | floor), partitionCompute: (2048 / $count | floor)};
    def guid($n): "00000000-0000-4000-8000-" + ([$n | explode[] % 10 | tostring] | "000000000000" + add | .[-12:]);
    def on($n; $count): [{id: guid("adapter" + $n), gpu: name($n), partitionId: 1, vram: vram($count)}];
    def vm($n; $state; $partitions): {name: $n, id: guid($n), state: $state, clustered: false, generation: 2,
      offlineAction: null, partitions: [$partitions[] | .id = guid($n + "p")
        | if $state == "Running" then . else .partitionId = null | .vram = null end]};
    {apiVersion: "gpup/v1", kind: "Snapshot", takenAt: "2026-11-22T08:41:00Z", cluster: null,
     hosts: [{name: "hv-1", build: 20349, edition: "azure-stack-hci", reachable: true, gpus: '"$1"', vms: '"$2"'}]}'
}

# The file for it: `wants COUNT VM...`.
wants() {
  printf '%s\n' 'apiVersion: gpup/v1' 'kind: GpuPartitioning' 'metadata: { name: acceptance }' 'hosts:' \
    '  - name: hv-1' '    connect: { transport: simulated, file: lab.json }' 'gpus:' '  - model: NVIDIA A2' \
    "    partitionCount: $1"
  shift
  [ $# -eq 0 ] || echo 'assignments:'
  [ $# -eq 0 ] || printf '  - vm: %s\n' "$@"
}

the_tour_ends_with_no_drift() {
  last_command='examples/quickstart'
  last_status=0
  "$top/examples/quickstart" "$gpup" >"$room/out" 2>"$room/err" </dev/null || last_status=$?
  [ "$last_status" = 0 ] || fail "the tour exits $last_status"
  [ "$(tail -n 1 "$room/out")" = 'no drift' ] || fail "the tour does not end with 'no drift'"
  echo "last line: $(tail -n 1 "$room/out")"
}

two_a2_cards_are_made_equal() {
  fresh two-cards-made-equal
  gpup 0 plan -f desired.yaml
  says '16 -> 4' '896 MiB -> 3648 MiB'
  says_not '5906f5e.*->'
  cat "$room/out"
  gpup 0 plan -f desired.yaml -o json
  [ "$(jq -c '[.steps[] | [.op, .from, .to]]' "$room/out")" = '[["set-partition-count",16,4]]' ] || fail 'other steps'
  gpup 0 apply -f desired.yaml --yes
  [ "$(jq -c '[.hosts[].gpus[] | [.partitionCount, .partitionVram, .partitionEncode, .partitionDecode, .partitionCompute]]' lab.json)" = \
    '[[4,3825205248,9,6,512],[4,3825205248,9,6,512]]' ] || fail "the cards are not as the vendor's"
  cp lab.json applied.json
  gpup 0 plan -f desired.yaml --detailed-exitcode
  gpup 0 drift -f desired.yaml
  gpup 0 apply -f desired.yaml --yes
  same lab.json applied.json 'the second apply wrote to the lab'
}

ten_mistakes_in_two_files_are_told_in_one_run() {
  fresh
  cat >one.yaml <<'YAML'
apiVersion: gpup/v1
kind: GpuPartitioning
metadata:
  name: 123
hosts:
  - name: hv-1
    connect: { transport: simulated, file: no-such.lab.json }
    conect: x
gpus:
  - model: NVIDIA A2
    partitionCount: many
    expect: 1.5
policy:
  unlisted: maybe
YAML
  cat >two.yaml <<'YAML'
apiVersion: gpup/v1
kind: GpuPartitioning
assignments:
  - vm: vm-1
    minVram: 3GB
  - vm: vm-2
    powr: off
  - match: '('
    expect: 1
  - vm: vm-3
    offlineAction: explode
  - vm: vm-4
    id: not-a-guid
YAML
  gpup 4 plan -f one.yaml -f two.yaml
  says_not 'cannot be read' 'cannot read' 'No such file'
  local count
  count=$(grep -cE '^(one|two)\.yaml:[0-9]+:[0-9]+: error\[GP[0-9]{3}\]: ' "$room/err")
  [ "$count" = 10 ] || fail "it tells $count mistakes, not 10"
  says 'one\.yaml:4:9' 'one\.yaml:8:5' 'one\.yaml:11:21' 'one\.yaml:12:13' 'one\.yaml:14:13' \
    'two\.yaml:5:14' 'two\.yaml:7:5' 'two\.yaml:8:12' 'two\.yaml:11:20' 'two\.yaml:13:9'
  [ ! -s "$room/out" ] || fail 'stdout is not empty'
  echo "$count mistakes:"
  grep -E '^(one|two)\.yaml' "$room/err"
}

an_impossible_count_names_its_neighbours() {
  fresh
  a_lab '[gpu("a"; 4)]' '[]' >lab.json
  wants 3 >desired.yaml
  gpup 4 plan -f desired.yaml
  says '\b3\b.*\b2\b.*\b4\b|\b3\b.*\b4\b.*\b2\b' 'desired\.yaml:9:21'
  grep -E 'error' "$room/err"
  wants 4 vm-1 vm-2 vm-3 vm-4 vm-5 >desired.yaml
  a_lab '[gpu("a"; 4)]' '[range(1; 6) | vm("vm-\(.)"; "Off"; [])]' >lab.json
  gpup 4 plan -f desired.yaml
  says 'vm-1.*vm-2.*vm-3.*vm-4.*vm-5|vm-5' 'hv-1'
  for vm in vm-1 vm-2 vm-3 vm-4 vm-5; do says "$vm"; done
  grep -E 'error' "$room/err"
}

only_the_vms_on_the_card_that_changes_stop() {
  fresh
  a_lab '[gpu("a"; 16), gpu("b"; 4)]' '[vm("on-a"; "Running"; on("a"; 16)), vm("on-b"; "Running"; on("b"; 4)), vm("none"; "Running"; [])]' >lab.json
  wants 4 on-a on-b >desired.yaml
  gpup 0 plan -f desired.yaml -o json
  local vms
  vms=$(jq -c '[.steps[].vm // empty] | unique' "$room/out")
  [ "$vms" = '["on-a"]' ] || fail "VMs in the steps: $vms"
  echo "VMs in the steps: $vms"
  gpup 0 why on-b -f desired.yaml
  cat "$room/out"
}

a_saved_plan_whose_facts_broke_touches_nothing() {
  fresh two-node-cluster
  gpup 0 plan -f desired.yaml --out plan.json
  edit '(.hosts[0].gpus[0].partitionCount) = 8 | (.hosts[1].vms[] | select(.name == "old-01").state) = "Off"' lab.json
  cp lab.json changed.json
  gpup 5 apply plan.json
  says 'partitionCount.*\b16\b.*\b8\b|partitionCount.*\b8\b.*\b16\b' 'old-01'
  same lab.json changed.json 'something was written'
  [ -z "$(find . -name '*.tmp*' -o -name '*.new')" ] || fail 'something was left behind'
  cat "$room/err"
}

a_vm_that_does_not_start_is_named_with_its_command() {
  fresh
  a_lab '[gpu("a"; 4), gpu("b"; 4)]' '[vm("vm-1"; "Running"; []), vm("vm-2"; "Running"; [])]' >lab.json
  edit '.hosts[0].simulate = {faults: [{op: "start-vm", vm: "vm-1", kind: "fail", count: 9, message: "no resources"}]}' lab.json
  wants 4 vm-1 vm-2 >desired.yaml
  gpup 7 apply -f desired.yaml --yes
  says 'vm-1' 'Start-VM'
  local states
  states=$(jq -c '[.hosts[0].vms[] | [.name, .state, (.partitions | length)]]' lab.json)
  [ "$states" = '[["vm-1","Off",1],["vm-2","Running",1]]' ] || fail "the world ended as $states"
  cat "$room/out" "$room/err"
}

an_unreachable_host_is_not_checked() {
  fresh two-node-cluster
  edit '.hosts[0] |= {name, reachable: false, error: "no route to host"}' lab.json
  gpup 2 drift -f desired.yaml
  says 'hv-e1' 'no route to host' 'not checked'
  gpup 3 apply -f desired.yaml --yes
  gpup 3 drift -f desired.yaml
  says 'hv-e1' 'no route to host' 'not checked'
  cat "$room/out" "$room/err"
  gpup 3 plan -f desired.yaml
  gpup 3 apply -f desired.yaml --yes
}

a_killed_run_is_made_good_by_the_next() {
  fresh two-node-cluster
  edit '.hosts[0].simulate = {latency: {"set-partition-count": 60000}}' lab.json
  "$gpup" apply -f desired.yaml --yes >killed.log 2>&1 </dev/null &
  local run=$! tries=0
  until grep -q 'unassign-partition hv-e1' killed.log || [ $((tries += 1)) -gt 600 ]; do sleep 0.1; done
  gpup 6 apply -f desired.yaml --yes
  says 'hv-e1' "$run"
  kill -9 "$run"
  wait "$run" 2>/dev/null
  [ "$(jq -r '.hosts[0].vms[] | select(.name == "vdi-01").state' lab.json)" = Off ] || fail 'it was killed too late'
  edit 'del(.hosts[0].simulate)' lab.json
  gpup 0 apply -f desired.yaml --yes
  local states
  states=$(jq -c '[.hosts[].vms[] | [.name, .state, (.partitions | length)]]' lab.json)
  [ "$states" = '[["vdi-01","Running",1],["infer-01","Running",1],["files-01","Running",0],["vdi-02","Running",1],["old-01","Running",0]]' ] ||
    fail "the world ended as $states"
  gpup 0 drift -f desired.yaml
  echo "$states"
}

a_plan_says_what_it_costs() {
  rm -rf "$XDG_STATE_HOME"
  fresh vdi-pool
  gpup 0 plan -f desired.yaml
  # For each VM, the sum, the longest, mixed counts, what the times are from.
  says '^  hv-v1/vm/vdi-04 +1 min 3[0-9] s +[0-9]+ min.* default$' '^  hv-v1/vm/vdi-05 +1 min 3[0-9] s .* default$' \
    '4 stop-vm 1 min, 5 assign-partition 2 s, .*6 set-offline-action 2 s, 7 start-vm 30 s' \
    '^  Sum: 3\.[0-9] VM-minutes \(95%: [0-9.]+\), the longest 1 min 3[0-9] s: hv-v1/vm/' '^  Mixed counts: none' \
    '^  stop-vm +NVIDIA A10 +1 min +3 min +default: '
  # For each step what is left, what gpup tries, what a person would type.
  local steps
  steps=$(grep -cE '^ +[0-9]+  you are left with .*; gpup ' "$room/out")
  [ "$steps" = 19 ] || fail "it tells of $steps steps what comes of it where they fail, not of 19"
  [ "$(grep -cE '^ +by hand on hv-v[12]: ' "$room/out")" = 19 ] || fail 'not each step has a command'
  says 'by hand on hv-v1: Get-VM -Id f3d18e67-ebf1-5566-94d2-6b1f6bef128a \| Start-VM' \
    'down meanwhile: hv-v1/vm/vdi-04, hv-v1/vm/vdi-05'
  sed -n '/^Expected outage/,/^Plan:/p' "$room/out"
  gpup 0 plan -f desired.yaml -o markdown --report outage=outage.json
  says '^\| Step \| You are left with \| gpup \| Down meanwhile \| By hand \| On \|'
  [ "$(jq -c '[.kind, (.steps | length), [.vms[] | .vm]]' outage.json)" = '["Outage",19,["vdi-04","vdi-05"]]' ] ||
    fail 'the outage document tells other VMs'
  gpup 4 plan -f desired.yaml --max-outage 1s --out refused.plan
  says "GP194.*'vdi-04' on hv-v1 .* 4 stop-vm .* 7 start-vm" "GP194.*'vdi-05' on hv-v1 .* 8 stop-vm .* 11 start-vm"
  [ ! -e refused.plan ] || fail 'a refused plan was saved'
  cat "$room/err"
  gpup 0 plan -f desired.yaml --max-outage 10m
}

earlier_runs_tell_how_long_steps_take() {
  rm -rf "$XDG_STATE_HOME"
  fresh two-node-cluster
  edit '.hosts[].simulate = {latency: {"stop-vm": 800, "start-vm": 700}}' lab.json
  gpup 0 plan -f desired.yaml
  says 'stop-vm +NVIDIA A2 +1 min +3 min +default: ' 'Mixed counts of NVIDIA A2 in cluster HCI-EAST: from the beginning'
  gpup 0 apply -f desired.yaml --yes
  sed 's/partitionCount: 4/partitionCount: 2/' desired.yaml >other.yaml
  gpup 0 plan -f other.yaml
  says 'stop-vm +NVIDIA A2 +[0-9.]+ s .*measured: [12] steps? of 1 run' 'Mixed counts of NVIDIA A2 in cluster HCI-EAST: from step'
  grep measured "$room/out"
  gpup 0 plan -f other.yaml --max-outage 10m
  gpup 4 apply -f other.yaml --yes --max-outage 1s
  gpup 0 drift -f desired.yaml
}

an_emergency_covers_one_host() {
  fresh two-node-cluster
  gpup 4 plan -f desired.yaml --exclude hv-e1/vm/vdi-01
  says "GP197.*vdi-01"
  gpup 0 apply -f desired.yaml --target hv-e1 --yes
  says GP195 'only hv-e1'
  [ "$(jq -c '[.hosts[].gpus[].partitionCount, (.hosts[1].vms[] | select(.name == "old-01").partitions | length)]' lab.json)" = '[4,4,1]' ] ||
    fail 'more was changed than hv-e1'
  gpup 0 drift -f desired.yaml --target hv-e1
  says 'No drift found in what is covered'
  gpup 2 drift -f desired.yaml
  cat "$room/out"
}

a_limit_lets_one_machine_be_down_at_a_time() {
  local limit most
  for limit in '' 'policy: { disruption: { maxUnavailable: 1 } }'; do
    fresh vdi-pool
    edit '.hosts[].simulate = {latency: {"stop-vm": 300, "start-vm": 300}}' lab.json
    echo "$limit" >>desired.yaml
    cp lab.json before.json
    "$gpup" apply -f desired.yaml --yes >"$room/out" 2>"$room/err" </dev/null &
    local run=$! down
    most=0
    # The lab says who is down, not gpup.
    while kill -0 "$run" 2>/dev/null; do
      down=$(jq -n --slurpfile was before.json --slurpfile is lab.json '[$was[0].hosts[].vms[] | select(.state == "Running") | .id] as $ran |
        [$is[0].hosts[].vms[] | select(.state == "Off" and (.id | IN($ran[])))] | length')
      [ "$down" -le "$most" ] || most=$down
    done
    wait "$run" || fail "apply exits $?"
    echo "${limit:-no limit}: at most $most down at once"
    [ -z "$limit" ] || [ "$most" = 1 ] || fail "$most are down at once"
    gpup 0 drift -f desired.yaml
  done
  echo 'policy: { disruption: { maxUnavailable: 0 } }' >bad.yaml
  gpup 4 validate -f desired.yaml -f bad.yaml
}

# A window that begins HOURS from now and lasts for one: window HOURS ZONE
window() {
  printf "policy: { window: { from: '%s', to: '%s', zone: %s } }\n" \
    "$(date -u -d "$1 hours" +%H:%M)" "$(date -u -d "$(($1 + 1)) hours" +%H:%M)" "$2"
}

no_vm_is_stopped_outside_the_window() {
  rm -rf "$XDG_STATE_HOME"
  fresh vdi-pool
  cp desired.yaml always.yaml
  cp lab.json before.json
  window 6 Etc/UTC | cat always.yaml - >desired.yaml
  gpup 0 plan -f desired.yaml --out night.plan
  says '^VMs may be stopped every day [0-9:]+ to [0-9:]+ Etc/UTC only'
  gpup 6 apply night.plan
  says 'error\[GP204\]: VMs may be stopped every day'
  cat "$room/err"
  gpup 6 apply -f desired.yaml --yes
  gpup 64 apply night.plan --ignore-window
  same lab.json before.json 'something was sent outside the window'
  [ ! -e "$XDG_STATE_HOME" ] || [ -z "$(find "$XDG_STATE_HOME" -name '*.jsonl')" ] || fail 'a run that was refused has a journal'
  gpup 0 apply night.plan --ignore-window --reason 'agreed with sales'
  grep -q '"ignoresWindow":"agreed with sales"' "$XDG_STATE_HOME"/gpup/journal/*.jsonl || fail 'the journal keeps no reason'
  gpup 0 history latest
  says '^It ignored policy.window: agreed with sales$'
  gpup 0 drift -f desired.yaml
  cp before.json lab.json
  window 0 Etc/UTC | cat always.yaml - >desired.yaml
  gpup 0 apply -f desired.yaml --yes
}

# without_zones FOLDER ARGUMENT...: gpup on a machine that has nothing in that folder.
without_zones() {
  unshare -rm sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' - "$zones" "$gpup" "$@" >"$room/out" 2>"$room/err" </dev/null
}

a_machine_without_time_zones_knows_utc() {
  if ! unshare -rm sh -c 'mount -t tmpfs none /usr/share/zoneinfo' 2>/dev/null; then
    echo 'SKIPPED: nothing can be mounted here'
    return
  fi
  local zones zone
  for zones in /usr/share /usr/share/zoneinfo; do
    fresh vdi-pool
    cp desired.yaml always.yaml
    window 0 Europe/Berlin | cat always.yaml - >desired.yaml
    gpup 0 plan -f desired.yaml --out berlin.plan
    cp lab.json before.json
    run_by=without_zones
    gpup 4 apply -f desired.yaml --yes
    says "error\[GP205\]: 'zone' must be an IANA time zone"
    cat "$room/err"
    gpup 6 apply berlin.plan
    says 'error\[GP204\]: whether a VM may be stopped now cannot be said: '
    cat "$room/err"
    same lab.json before.json 'something was sent in a zone that is not known'
    for zone in UTC Etc/UTC; do
      cp before.json lab.json
      window 0 "$zone" | cat always.yaml - >desired.yaml
      gpup 0 apply -f desired.yaml --yes
    done
    run_by=run_once
  done
}

promises=(the_tour_ends_with_no_drift two_a2_cards_are_made_equal ten_mistakes_in_two_files_are_told_in_one_run
  an_impossible_count_names_its_neighbours only_the_vms_on_the_card_that_changes_stop
  a_saved_plan_whose_facts_broke_touches_nothing a_vm_that_does_not_start_is_named_with_its_command
  an_unreachable_host_is_not_checked a_killed_run_is_made_good_by_the_next a_plan_says_what_it_costs
  earlier_runs_tell_how_long_steps_take an_emergency_covers_one_host a_limit_lets_one_machine_be_down_at_a_time
  no_vm_is_stopped_outside_the_window a_machine_without_time_zones_knows_utc)
[ $# -gt 0 ] || set -- "${promises[@]}"
for promise in "$@"; do
  printf '\n== %s\n' "${promise//_/ }"
  "$promise"
done
printf '\n%d promises looked at, %d failures\n' $# "$failures"
[ "$failures" = 0 ]
