#!/usr/bin/env bash
# Names that would do something if any of them became script text, a wildcard or an option: as VMs, as the host and as the
# cluster, through observe, plan and apply.
#   tests/powershell/hostile_names_test.sh GPUP GPUP_IN_ONE ENGINE
set -uo pipefail
[ $# = 3 ] || { echo "usage: tests/powershell/hostile_names_test.sh GPUP GPUP_IN_ONE ENGINE" >&2; exit 64; }
gpup=$(realpath "$1")
in_one=$(realpath "$2")
engine=$(realpath "$3")
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
passed=0
ok() { passed=$((passed + 1)); echo "ok      $1"; }
real_room "$room/hosts" "$engine"
fresh

# One host with a VM of each name, off, and as many partitions.
cp "$here/hostile_names.jsonl" names.jsonl
count=$(wc -l <names.jsonl)
jq -s --arg host hv-1 '
  def guid: "00000000-0000-4000-8000-" + ("000000000000" + tostring)[-12:];
  {apiVersion: "gpup/v1", kind: "Snapshot", takenAt: null, cluster: null, hosts: [{name: $host, build: 20349, edition: "azure-stack-hci", reachable: true,
    gpus: [range(0; 20) | {name: "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&\(.)&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
      model: "NVIDIA A2", device: "10de:25b6", subsystem: "157e10de", status: "partitioned", validPartitionCounts: [16, 8, 4, 2, 1],
      partitionCount: 16, totalVram: 15918030848, availableVram: 15918030848, partitionVram: 939524096, partitionEncode: 2,
      partitionDecode: 1, partitionCompute: 128}],
    vms: [to_entries[] | {name: .value, id: (.key + 1 | guid), state: "Off", clustered: false, generation: 2, partitions: []}]}]}
' names.jsonl >lab.json

desired() {
  cat <<DESIRED
apiVersion: gpup/v1
kind: GpuPartitioning
metadata: { name: hostile }
hosts:
  - name: hv-1
    connect: $(real_program hv-1 lab.json)
gpus:
  - model: NVIDIA A2
assignments:
DESIRED
}

lasting "$in_one" local

# Every VM at once. A JSON string is a YAML string.
{ desired; jq -r '"  - vm: \(tojson)"' names.jsonl; } >all.yaml
gpup 0 observe -f all.yaml -o json
jq -S '[.hosts[0].vms[].name]' "$room/out" >seen.json
jq -S -s . names.jsonl | diff - seen.json >"$room/diff" && ok "$count names are observed as they are" || fail "names are observed otherwise: $(head -c 400 "$room/diff")"
gpup 0 plan -f all.yaml --out plan.json
[ "$(jq '.summary["assign-partition"]' plan.json)" = "$count" ] || fail "not every VM is assigned a partition in the plan"
gpup 0 apply plan.json -o json
[ "$(jq '[.hosts[0].vms[] | select((.partitions | length) == 1)] | length' lab.json)" = "$count" ] &&
  ok "each of $count VMs was assigned one partition" || fail "some VM holds none, or more than one"
gpup 0 drift -f all.yaml
gpup 0 plan -f all.yaml --detailed-exitcode

# Only the one meant: its neighbours by wildcard, case, normalisation and order of characters stay as they are.
for name in 'a' 'a*' '[a]' 'A' '*' '?' '[' 'café' '-Force' '$_' '_x000A_' 'abc​'; do
  jq '.hosts[0].vms[].partitions = [] | .hosts[0].vms[].state = "Off"' lab.json >lab.new && mv lab.new lab.json
  { desired; jq -rn --arg name "$name" '"  - vm: \($name | tojson)\n    power: running"'; } >one.yaml
  gpup 0 apply -f one.yaml --yes
  touched=$(jq -c '[.hosts[0].vms[] | select((.partitions | length) > 0 or .state == "Running") | .name]' lab.json)
  [ "$touched" = "$(jq -cn --arg name "$name" '[$name]')" ] && ok "only $name is touched" || fail "for $name these were touched: $touched"
done

not_lasting

# As the name of the host, of its cluster, and of the file that asks.
mkdir -p "$room/hosts/bin"
cat >program <<PROGRAM
#!/bin/sh
export GPUP_DOUBLES='$PWD/host.json' GPUP_DOUBLES_HOST="\$(cat '$PWD/host.name')"
exec '$engine/powershell' "\$@"
PROGRAM
chmod +x program
hosts=0
while IFS= read -r json; do
  name=$(jq -r . <<<"$json")
  jq --argjson name "$json" '.cluster = $name | .hosts[0].name = $name | .hosts[0].vms |= .[:1] | .hosts[0].vms[0].clustered = true' \
    lab.json >host.json
  printf '%s' "$name" >host.name
  file="file-${name//\//_}.yaml"
  jq -rn --argjson name "$json" --arg program "$PWD/program" '"apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: hostile }
cluster: \($name | tojson)\nhosts:\n  - name: \($name | tojson)\n    connect: { transport: local, powershell: \($program | tojson) }"' >"$file"
  gpup 0 observe -f "./$file" -o json
  jq -e --argjson name "$json" '.hosts[0].name == $name and .cluster == $name and (.hosts[0].vms | length) == 1' "$room/out" >/dev/null ||
    fail "the host and cluster $json are called otherwise"
  hosts=$((hosts + 1))
done < <(grep PWNED names.jsonl | awk 'NR % 6 == 1')
ok "$hosts hosts, clusters and files of such names are observed"

found=$(find "$room" -name 'PWNED*' | head -n 3)
[ -z "$found" ] && ok "nothing was executed" || fail "a name was executed: $found"
echo "$passed passed, $failures failed"
[ "$failures" = 0 ]
