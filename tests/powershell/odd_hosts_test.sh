#!/usr/bin/env bash
# Hosts that cannot be reached, or whose answers are none: each a clear error within its bound, and other hosts are planned all the
# same. And how often cmdlets are called.
#   tests/powershell/odd_hosts_test.sh GPUP ENGINE
set -uo pipefail
[ $# = 2 ] || { echo "usage: tests/powershell/odd_hosts_test.sh GPUP ENGINE" >&2; exit 64; }
gpup=$(realpath "$1")
engine=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
passed=0
ok() { [ "$failures" != "${before:-0}" ] || { passed=$((passed + 1)); echo "ok      $1"; }; before=$failures; }
real_room "$room/hosts" "$engine"

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
  reach local desired.yaml
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
