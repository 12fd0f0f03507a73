#!/usr/bin/env bash
# Real hosts when things go wrong, or only look odd: noise and another language, an agent that is killed, two runs at once, hosts
# that cannot be reached, replies that are none.
#   tests/powershell/trouble_test.sh GPUP ENGINE
set -uo pipefail
[ $# = 2 ] || { echo "usage: tests/powershell/trouble_test.sh GPUP ENGINE" >&2; exit 64; }
gpup=$(realpath "$1")
engine=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
passed=0
ok() { [ "$failures" != "${before:-0}" ] || { passed=$((passed + 1)); echo "ok      $1"; }; before=$failures; }
real_room "$room/hosts" "$engine"

# room_of EXAMPLE: the example over transport local, with desired.yaml and lab.json.
room_of() {
  fresh "$1"
  reach local desired.yaml lab.json
  unreach
}
doubles() { edit ".hosts[].doubles |= ((. // {}) + $1)" lab.json; }

# Another language, and noise ---------------------------------------------------------------------------------------------

# Everything that a person reads, without times and without the ids of what was made.
answers() {
  gpup 0 plan -f desired.yaml
  cat "$room/out" "$room/err"
  gpup 0 apply -f desired.yaml --yes --parallel 1 -o json
  jq 'del(.. | .startedAt?, .endedAt?, .adapter?, .planId?, .plan?)' "$room/out"
  gpup 0 drift -f desired.yaml
  cat "$room/out" "$room/err"
}
room_of two-node-cluster
answers >"$room/plain.txt"
for odd in '{"language": "de"}' '{"noise": true}' '{"bom": true, "crlf": true}' '{"language": "de", "noise": true, "bom": true, "crlf": true}'; do
  room_of two-node-cluster
  doubles "$odd"
  answers >"$room/odd.txt"
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
for cmdlet in Stop-VM Remove-VMGpuPartitionAdapter Set-VMHostPartitionableGpu Add-VMGpuPartitionAdapter Set-ClusterParameter Start-VM; do
  for death in die-before die-after; do
    room_of two-node-cluster
    cp lab.json before.json
    doubles "{\"faults\": [{\"cmdlet\": \"$cmdlet\", \"do\": \"$death\", \"times\": 1}]}"
    last_status=0
    last_command="gpup apply with $cmdlet $death"
    "$gpup" apply -f desired.yaml --yes >"$room/out" 2>"$room/err" </dev/null || last_status=$?
    case $last_status in 0 | 7) ;; *) fail "exit code $last_status after $cmdlet $death" ;; esac
    check_after_death "$cmdlet $death"
    gpup 0 apply -f desired.yaml --yes
    gpup 0 drift -f desired.yaml
    check_after_death "$cmdlet $death and another run"
    ok "the agent dies: $cmdlet, $death"
  done
done

# Two runs at once ------------------------------------------------------------------------------------------------------

room_of single-host
doubles '{"latencyMs": {"Stop-VM": 3000}}'
"$gpup" apply -f desired.yaml --yes >first.out 2>first.err </dev/null &
first=$!
for _ in {1..100}; do [ ! -e lab.json.*.programdata/gpup/lock.holder.json ] || break; sleep 0.1; done
sleep 0.3
gpup 6 apply -f desired.yaml --yes
says "process $first" "$(hostname)"
ok "the second of two runs exits 6 and names the first"
kill -9 "$first"
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

# Hosts that cannot be reached or read ----------------------------------------------------------------------------------

# odd_host TITLE PATTERN CONNECT: it is not checked, in those words; the other host is planned all the same.
odd_host() {
  fresh single-host
  {
    sed -n '1,/^hosts:/p' desired.yaml
    printf '  - name: odd\n    connect: %s\n' "$3"
    sed '1,/^hosts:/d' desired.yaml
  } >both.yaml
  local started=$SECONDS
  gpup 0 plan -f both.yaml --request-timeout "${odd_bound:-20s}"
  says "$2" 'GP[0-9]{3}' 'Not checked'
  [ $((SECONDS - started)) -lt 120 ] || fail "it took $((SECONDS - started)) s"
  grep -q ' set ' "$room/out" || grep -qi 'partition' "$room/out" || fail "the other host was not planned"
  ok "$1"
}
lab=$top/examples/two-node-cluster/lab.json
cp "$lab" "$room/lab.json"
sshd_start e1 "$room/lab.json" hv-e1
known=$(sshd_connect e1 ssh)
odd_host "a wrong host key" "host's key|host key" "${known//$sshd_known_hosts/$sshd_known_hosts_wrong}"
odd_host "an unknown host key" "host's key|host key" "${known//$sshd_known_hosts/$sshd_known_hosts_none}"
odd_host "a key that it does not take" 'key|permission|denied' "${known//\"$sshd_key\"/\"$sshd_key_unknown\"}"
odd_host "a host that is down" 'refused|reach' "${known//port: ${sshd_port[e1]}/port: 9}"
unreach
sshd_host_path=/usr/bin:/bin sshd_start e1 "$room/lab.json" hv-e1
odd_host "no PowerShell on the other side" '[Pp]ower[Ss]hell' "$(sshd_connect e1 ssh)"
unreach
odd_host "no such program" 'no-such-program' '{ transport: local, powershell: no-such-program }'

edit '.hosts[0].doubles = {"missing": ["Hyper-V"]}' "$room/lab.json"
odd_host "a host without Hyper-V's module" 'Hyper-V' "$(real_program hv-e1 "$room/lab.json")"
edit '.hosts[0].doubles = {"elevated": false}' "$room/lab.json"
odd_host "a user who is no administrator" '[Aa]dministrator|elevated' "$(real_program hv-e1 "$room/lab.json")"

pretend() { printf '#!/bin/sh\n%s\n' "$1" >"$room/pretend"; chmod +x "$room/pretend"; printf '{ transport: local, powershell: "%s" }' "$room/pretend"; }
odd_host "1 GiB of garbage" 'GP' "$(pretend 'head -c 1073741824 /dev/zero')"
odd_host "garbage without end" 'GP' "$(pretend 'cat /dev/zero')"
odd_bound=2s odd_host "silence" 'answer|time' "$(pretend 'cat >/dev/null; sleep 100')"
odd_host "a program that ends at once" 'ended|exit' "$(pretend 'exit 3')"
doubled='{"latencyMs": {"Get-VM": 60000}}'
edit ".hosts[0].doubles = $doubled" "$room/lab.json"
odd_bound=3s odd_host "a reply that does not come in time" 'answer|time' "$(real_program hv-e1 "$room/lab.json")"

# Calls -----------------------------------------------------------------------------------------------------------------

calls_of() {
  fresh single-host
  edit ".hosts[0] |= (.vms[0] as \$one | .vms = [range(0; $1) as \$i | \$one + {name: \"vm-\(\$i)\", id: \"00000000-0000-4000-8000-0000000000\(10 + \$i)\", partitions: []}] | .doubles = {\"log\": \"calls.jsonl\"})" lab.json
  reach local desired.yaml lab.json
  unreach
  gpup 0 observe -f desired.yaml
  wc -l <calls.jsonl
}
few=$(calls_of 8)
many=$(calls_of 64)
[ "$few" = "$many" ] && [ "$few" -gt 0 ] || fail "observing 8 VMs takes $few calls of cmdlets, 64 VMs $many"
ok "observing takes $few calls of cmdlets, whether there are 8 VMs or 64"

echo "$passed passed, $failures failed"
[ "$failures" = 0 ]
