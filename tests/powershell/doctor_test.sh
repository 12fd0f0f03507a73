#!/usr/bin/env bash
# gpup doctor on real hosts says what it says on the simulator that is told the same: each check, its verdict, words and remedy,
# and the exit code. It looks only: the lab stays as it is.
#   tests/powershell/doctor_test.sh GPUP GPUP_IN_ONE ENGINE [TRANSPORT...]
# ENGINE is what tests/powershell/build made; a TRANSPORT is local, ssh or psremoting.
set -uo pipefail
[ $# -ge 3 ] || { echo "usage: tests/powershell/doctor_test.sh GPUP GPUP_IN_ONE ENGINE [TRANSPORT...]" >&2; exit 64; }
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

# Worlds ----------------------------------------------------------------------------------------------------------------
# The doubles show it, and `simulate.facts` tells the simulator the same.

words='
  def instance_id: ltrimstr("\\\\?\\") | split("#{")[0] | gsub("#"; "\\") | ascii_upcase;
  def show(host; doubles): (.hosts[] | select(.name == host) | .doubles) |= . * doubles;
  def tell(host; facts): (.hosts[] | select(.name == host) | .simulate.facts) |= . * facts;
  def show_vm(vm; doubles): (.hosts[].vms[] | select(.name == vm) | .doubles) |= (. // {}) * doubles;
  def tell_vm(vm; facts): (.hosts[].simulate.facts.vms // [] | .[] | select(.name == vm)) |= . * facts;
  def policies: "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\HyperV";
  # Why a host that does not know this user as its administrator shows nothing.
  def barred(id): "\(id): You do not have the required permission to complete this task. Contact the administrator of the authorization policy for the computer '"'HV-E1'"'.";
  def of(cmdlet): "AccessDenied,Microsoft.HyperV.PowerShell.Commands.\(cmdlet)";'

# All is as it should be.
clean='(.hosts[].vms[]) |= . + {dynamicMemory: false, automaticCheckpoints: false}
  | .hosts[] |= (.doubles = {} | .simulate = {facts: {
      host: {ubr: 1, elevated: true, iovSupport: true, iovSupportReasons: [], virtualization: true, arcManaged: false,
        requireSecureDeviceAssignment: null, requireSupportedDeviceAssignment: null,
        modules: {"Hyper-V": "2.0.0.0", FailoverClusters: "2.0.0.0", PnpDevice: "1.0.0.0"}, cmdlets: {"Hyper-V\\Get-VM": true}},
      pnp: [.gpus[] | {instanceId: .name | instance_id, friendlyName: .model, status: "OK", problem: 0, present: true}],
      vms: [.vms[] | {name, id, checkpointType: 3, automaticStopAction: 4, parentSnapshotId: null, shutdownService: true,
        guestControlledCacheTypes: false, highMemoryMappedIoSpace: 536870912, staleAdapterSuspected: null}],
      errors: {}}})'

# hv-e1 does not show its policies, hv-e2 not its integration services.
hindered="$clean"'
  | show("hv-e1"; {registry: {(policies): "denied"}})
  | tell("hv-e1"; {errors: {"host.requireSecureDeviceAssignment": "SecurityException: Requested registry access is not allowed."}})
  | show("hv-e2"; {faults: [{cmdlet: "Get-VMIntegrationService", do: "fail", message: "The tables are turned."}]})
  | tell("hv-e2"; {errors: {"vms.shutdownService": "OperationFailed,Microsoft.HyperV.PowerShell.Commands.GetVMIntegrationService: The tables are turned."}})
  | tell_vm("vdi-02", "old-01"; {shutdownService: null})'

# hv-e1 is not reached as an administrator; hv-e2 has a policy, no SR-IOV, Azure Arc, a card without a driver and one that is
# given away, is paused in the cluster, and its VMs are as they should not be.
failing="$clean"'
  | show("hv-e1"; {elevated: false})
  | tell("hv-e1"; {host: {elevated: false, virtualization: null, iovSupport: null, iovSupportReasons: null}, gpus: null, assignable: null, vms: null,
      errors: {"host.virtualization": barred(of("GetVMHost")), "host.iovSupport": barred(of("GetVMHost")), "assignable": barred(of("GetVMHostAssignableDevice")),
        "gpus": barred(of("GetVMHostPartitionableGpu")), "vms": barred("Unspecified,Microsoft.HyperV.PowerShell.Commands.GetVM")}})
  | (.hosts[] | select(.name == "hv-e2")) |= (.gpus += [
      {name: "\\\\?\\PCI#VEN_10DE&DEV_1EB8&SUBSYS_12A210DE&REV_A1#4&1&0&0018#{064092b3-625e-43bf-9eb5-dc845897dd59}", model: "NVIDIA T4", device: "10de:1eb8", subsystem: "12a210de", status: "ready-for-dda"},
      {name: "\\\\?\\PCI#VEN_10DE&DEV_2236&SUBSYS_148210DE&REV_A1#4&1&0&0010#{064092b3-625e-43bf-9eb5-dc845897dd59}", model: "NVIDIA A10", device: "10de:2236", subsystem: "148210de", status: "not-assignable"}]
    | .simulate.facts.pnp += [.gpus[2] | {instanceId: .name | instance_id, friendlyName: .model, status: "Error", problem: 28, present: true}])
  | show("hv-e2"; {iovSupport: false, iovSupportReasons: ["No ACS."], nodeState: "Paused",
      registry: {(policies): {RequireSecureDeviceAssignment: 1}, "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\himds": {Start: 2}}})
  | tell("hv-e2"; {host: {iovSupport: false, iovSupportReasons: ["No ACS."], arcManaged: true, requireSecureDeviceAssignment: 1}})
  | tell("hv-e1", "hv-e2"; {cluster: {nodes: [{name: "hv-e1", state: 0}, {name: "hv-e2", state: 2}]}})
  | (.hosts[].vms[] | select(.name == "vdi-02")) |= . + {dynamicMemory: true, automaticCheckpoints: true}
  | show_vm("vdi-02"; {checkpointType: "Disabled", automaticStopAction: "Save", shutdownService: false})
  | tell_vm("vdi-02"; {checkpointType: 2, automaticStopAction: 3, shutdownService: false})
  | (.hosts[].vms[] | select(.name == "old-01") | .state) = "Hibernated"'

worlds=(clean hindered failing)
declare -A code=([clean]=0 [hindered]=3 [failing]=4)
for world in "${worlds[@]}"; do
  jq "$words ${!world}" "$top/examples/two-node-cluster/lab.json" >"$room/$world.json" || exit 1
done

# The same on both sides ------------------------------------------------------------------------------------------------

# Each world after the other, in a folder of its own: $1 simulator or a transport.
examine() {
  mkdir "$room/$1"
  cd "$room/$1" || exit 1
  cp "$top/examples/two-node-cluster/desired.yaml" desired.yaml
  cp "$room/clean.json" lab.json
  [ "$1" = simulator ] || { reach "$1" desired.yaml && lasting "$in_one" "$1" read; }
  local world
  for world in "${worlds[@]}"; do
    cp "$room/$world.json" lab.json
    gpup "${code[$world]}" doctor -f desired.yaml -o json
    cp "$room/out" "$world.answer"
    # How often a fault was seen stands in the lab.
    diff <(jq -S . "$room/$world.json") <(jq -S 'del(.. | .seen?)' lab.json) >"$room/diff" || fail "doctor over $1 wrote to the lab: $(head -n 5 "$room/diff")"
  done
  [ -z "$(find . -path '*programdata*')" ] || fail "doctor over $1 wrote below ProgramData"
  [ "$1" = simulator ] || not_lasting
  unreach
}

# All but how a host is reached, and its clock. Windows shows names in capitals.
checks_of() {
  jq '.checks[] | select(.check != "reachable" and .check != "clock") | {check, object, host, name, vmId, verdict, seen: (.seen | ascii_downcase), mend}' "$1"
}
verdicts_of() { jq -r --arg verdict "$2" '.checks[] | select(.verdict == $verdict) | .check' "$1" | LC_ALL=C sort -u | paste -sd' '; }

# seen WORLD VERDICT CHECK...: so that the worlds are what they are meant to be.
seen() { [ "$(verdicts_of "$room/simulator/$1.answer" "$2")" = "$3" ] || fail "$1: $2 are $(verdicts_of "$room/simulator/$1.answer" "$2")"; }

examine simulator
seen hindered not-checked "device-policy shutdown-service"
seen failing fail "R09 R10 elevated hibernation shutdown-service"
seen failing not-checked "R07 gpus sr-iov virtualization vms"
seen failing warn "R08 checkpoint-type device-policy driver nodes other-writers sr-iov state stop-action"
for transport in "$@"; do
  examine "$transport"
  for world in "${worlds[@]}"; do
    before=$failures
    answer=$room/$transport/$world.answer
    diff <(checks_of "$room/simulator/$world.answer") <(checks_of "$answer") >"$room/diff" || {
      last_command=
      fail "$world over $transport: other checks than the simulator's"
      head -n 30 "$room/diff"
    }
    [ "$(jq -c '[.checks[] | select(.check == "reachable" or .check == "clock") | .verdict] | unique' "$answer")" = '["pass"]' ] || fail "$world over $transport: not reached, or the clock is off"
    [ "$(jq -c '[.leftOut[].check]' "$answer")" = '["hibernation","guest"]' ] || fail "$world over $transport leaves out $(jq -c .leftOut "$answer")"
    [ "$failures" != "$before" ] || { passed=$((passed + 1)); echo "ok      $world over $transport: exit code ${code[$world]}, $(checks_of "$answer" | jq -s length) checks as the simulator's"; }
  done
done

# Hosts that no PSSession reaches, each told by its cause -------------------------------------------------------------------

# odd NAME CONNECT: a host of the file.
odd() { printf '  - name: %s\n    connect: %s\n' "$1" "$2"; }
case " $* " in
  *" psremoting "*)
    before=$failures
    fresh
    cp "$room/clean.json" lab.json
    for name in right wrong unknown; do sshd_start "$name" lab.json hv-e1; done
    sshd_host_path=/usr/bin:/bin sshd_start bare lab.json hv-e1
    # Which keys are known: the right one, a wrong one, none.
    grep -e "]:${sshd_port[right]} " -e "]:${sshd_port[bare]} " "$sshd_known_hosts" >known
    grep -e "]:${sshd_port[wrong]} " "$sshd_known_hosts_wrong" >>known
    right=$(sshd_connect right psremoting)
    {
      printf 'apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: odd }\nhosts:\n'
      odd wrong-key "$(sshd_connect wrong psremoting)"
      odd unknown-key "$(sshd_connect unknown psremoting)"
      odd no-entry "${right//\"$sshd_key\"/\"$sshd_key_unknown\"}"
      odd down "${right//port: ${sshd_port[right]}/port: 9}"
      odd no-powershell "$(sshd_connect bare psremoting)"
    } >desired.yaml
    export PATH=$sshd_client:$PATH GPUP_TEST_KNOWN_HOSTS=$PWD/known
    gpup 4 doctor -f desired.yaml -o json --request-timeout 300s
    told=$(jq -r '[.checks[] | select(.check == "reachable") | "\(.host) \(.verdict) \(.code)"] | join(", ")' "$room/out")
    [ "$told" = "wrong-key fail GP178, unknown-key fail GP178, no-entry fail GP179, down fail GP180, no-powershell fail GP181" ] || fail "the causes are $told"
    unset GPUP_TEST_KNOWN_HOSTS
    unreach
    [ "$failures" != "$before" ] || { passed=$((passed + 1)); echo "ok      a wrong key, an unknown key, no entry, nobody there, no PowerShell: over psremoting"; }
    ;;
esac
echo "$passed passed, $failures failed"
[ "$failures" = 0 ]
