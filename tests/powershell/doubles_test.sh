#!/usr/bin/env bash
# What the doubles refuse, by which ids, and what they change: each line that is printed was checked.
#   tests/powershell/doubles_test.sh ENGINE
# ENGINE: what tests/powershell/build made.
set -uo pipefail
[ $# = 1 ] || { echo "usage: tests/powershell/doubles_test.sh ENGINE" >&2; exit 64; }
engine=$(cd "$1" && pwd)/powershell
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
passed=0
failed=0
export GPUP_DOUBLES=$room/lab.json
unset GPUP_DOUBLES_HOST ProgramData

pass() { passed=$((passed + 1)); printf 'ok      %s\n' "$1"; }
fail() { failed=$((failed + 1)); printf 'FAILED  %s\n' "$1"; }
# expect TITLE EXPECTED SEEN
expect() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: expected '$2', saw '$3'"; fi; }

cat >"$room/base.json" <<'LAB'
{"apiVersion": "gpup/v1", "kind": "Snapshot", "cluster": "HCI-EAST", "kept": {"by": ["everybody", 18446744073709551615]},
 "hosts": [
  {"name": "hv-a", "build": 20349, "edition": "azure-stack-hci",
   "gpus": [
    {"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&1&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
     "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 4, "totalVram": 15918030848, "availableVram": 12092825600,
     "partitionVram": 3825205248, "partitionEncode": 9, "partitionDecode": 6, "partitionCompute": 512, "unknown": "kept"},
    {"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&2&0&0010#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
     "validPartitionCounts": [1, 2, 4, 8, 16], "partitionCount": 16, "totalVram": 15918030848, "availableVram": 15918030848,
     "partitionVram": 939524096, "partitionEncode": 2, "partitionDecode": 1, "partitionCompute": 128},
    {"name": "\\\\?\\PCI#VEN_10DE&DEV_2504&SUBSYS_153610DE&REV_A1#4&3&0&0009#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "model": "NVIDIA GeForce RTX 3060", "device": "10de:2504", "status": "paravirtualization"},
    {"name": "\\\\?\\PCI#VEN_10DE&DEV_1EB8&SUBSYS_12A210DE&REV_A1#4&4&0&0011#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "model": "NVIDIA T4", "device": "10de:1eb8", "status": "ready-for-dda"},
    {"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&5&0&0012#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "not-assignable"}],
   "vms": [
    {"name": "run-01", "id": "00000000-0000-0000-0000-000000000001", "state": "Running", "clustered": true, "generation": 2,
     "offlineAction": "save", "partitions": [{"id": "a0000000-0000-0000-0000-000000000001",
     "gpu": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&1&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "partitionId": 0, "vram": 3825205248, "encode": 9, "decode": 6}]},
    {"name": "off-01", "id": "00000000-0000-0000-0000-000000000002", "state": "Off", "clustered": true,
     "partitions": [{"id": "a0000000-0000-0000-0000-000000000002", "gpu": null, "partitionId": null, "vram": null}]},
    {"name": "twin", "id": "00000000-0000-0000-0000-000000000003", "state": "Off", "clustered": true, "partitions": []},
    {"name": "twin", "id": "00000000-0000-0000-0000-000000000004", "state": "Off", "clustered": true, "partitions": []},
    {"name": "a", "id": "00000000-0000-0000-0000-000000000005", "state": "Off", "partitions": []},
    {"name": "[a]", "id": "00000000-0000-0000-0000-000000000006", "state": "Off", "partitions": []},
    {"name": "saved-01", "id": "00000000-0000-0000-0000-000000000007", "state": "Saved", "partitions": []},
    {"name": "idle-01", "id": "00000000-0000-0000-0000-000000000008", "state": "Running", "partitions": [],
     "automaticCheckpoints": true, "dynamicMemory": true}]},
  {"name": "hv-b", "build": 26100, "edition": "datacenter",
   "gpus": [{"name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&6&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}",
     "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
     "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 1, "totalVram": 15918030848, "availableVram": 15918030848,
     "partitionVram": 15300820992, "partitionEncode": 36, "partitionDecode": 24, "partitionCompute": 2048}],
   "vms": [{"name": "far-01", "id": "00000000-0000-0000-0000-000000000009", "state": "Off", "clustered": true,
     "offlineAction": "force-shutdown", "partitions": [{"id": "a0000000-0000-0000-0000-000000000009", "gpu": null}]}]}]}
LAB

# lab [FILTER]: the lab of the next cases, as it is above or as jq makes it (which rounds large numbers).
lab() { if [ $# = 0 ]; then cp "$room/base.json" "$room/lab.json"; else jq "$1" "$room/base.json" >"$room/lab.json"; fi; }

cat >"$room/prelude.ps1" <<'PS'
$ErrorActionPreference = 'Stop'
$vms = '00000000-0000-0000-0000-00000000000'
$a2 = '\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&1&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}'
$other = '\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&2&0&0010#{064092b3-625e-43bf-9eb5-dc845897dd59}'
$paravirtual = '\\?\PCI#VEN_10DE&DEV_2504&SUBSYS_153610DE&REV_A1#4&3&0&0009#{064092b3-625e-43bf-9eb5-dc845897dd59}\GPUPARAV'
function Told($record) {
    $id = $record.FullyQualifiedErrorId -replace ',Microsoft\.HyperV\.PowerShell\.Commands\.', ',HyperV.' -replace ',Microsoft\.FailoverClusters\.PowerShell\.', ',Clusters.'
    '{0} {1} {2:x8} {3}' -f $id, $record.CategoryInfo.Category, $record.Exception.HResult, $record.Exception.GetType().Name
}
function Case([string] $title, [string] $expected, [scriptblock] $deed) {
    $seen = try { @(. $deed) -join ' ' } catch { Told $_ }
    if ([string]::Equals($seen, $expected, 'Ordinal')) { "ok      $title" } else { "FAILED  ${title}: expected '$expected', saw '$seen'" }
}
function Vm([int] $number) { Hyper-V\Get-VM -Id "$vms$number" }
# What runs beside the cases, in a runspace of its own.
function Beside([string] $script) {
    $shell = [PowerShell]::Create()
    $shell.Runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace([Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    $shell.Runspace.Open()
    $null = $shell.AddScript($script).BeginInvoke()
    $shell
}
function Adapters([int] $number) { Hyper-V\Get-VMGpuPartitionAdapter -VM (Vm $number) }
PS

# cases: those on stdin, all in one engine, each counted.
cases() {
  { cat "$room/prelude.ps1" -; echo "'done'"; } >"$room/cases.ps1"
  "$engine" -NoLogo -NoProfile -NonInteractive -File "$room/cases.ps1" >"$room/out" 2>"$room/err"
  sed 's/^WARNING.*//' "$room/out" | grep -E '^(ok|FAILED) '
  passed=$((passed + $(grep -c '^ok ' "$room/out")))
  failed=$((failed + $(grep -c '^FAILED ' "$room/out")))
  [ "$(tail -n 1 "$room/out")" = done ] || { fail "the cases ended early"; tail -n 5 "$room/err"; }
}

# Objects ---------------------------------------------------------------------------------------------------------------

lab
cases <<'PS'
Case 'a VM has its numbers and types' 'run-01 Running 2 VMState Int32 True Guid HV-A 3' {
    $vm = Vm 1
    $vm.Name, $vm.State, [int]$vm.State, $vm.State.GetType().Name, $vm.Generation.GetType().Name, $vm.IsClustered, $vm.Id.GetType().Name, $vm.ComputerName, [int](Vm 2).State
}
Case 'a VM has run for ten days, one that is off for no time' 'TimeSpan 240 00:00:00' {
    (Vm 1).Uptime.GetType().Name, [Math]::Round((Vm 1).Uptime.TotalHours), "$((Vm 2).Uptime)"
}
Case 'only the VMs of this host are seen' '8' { @(Hyper-V\Get-VM).Count }
Case 'settings of a VM come from the lab' 'True True ShutDown 4 Production' {
    $vm = Vm 8
    $vm.AutomaticCheckpointsEnabled, $vm.DynamicMemoryEnabled, $vm.AutomaticStopAction, [int]$vm.AutomaticStopAction, $vm.CheckpointType
}
Case 'a name is a wildcard' 'a' { (Hyper-V\Get-VM -Name '[a]').Name }
Case 'names are not unique' '2' { @(Hyper-V\Get-VM -Name twin).Count }
Case 'a name has no case' 'run-01' { (Hyper-V\Get-VM -Name RUN-01).Name }
Case 'a pattern without a match is no error' '' { Hyper-V\Get-VM -Name 'nope*' }
Case 'a GPU has its numbers and types' 'UInt16[] 16 8 4 2 1 UInt16 UInt64 3825205248 3825205248 3825205248 15918030848 12092825600 36 27 24 18 2048 1536' {
    $gpu = @(Hyper-V\Get-VMHostPartitionableGpu)[0]
    $gpu.ValidPartitionCounts.GetType().Name
    $gpu.ValidPartitionCounts
    $gpu.PartitionCount.GetType().Name, $gpu.TotalVRAM.GetType().Name
    $gpu.MinPartitionVRAM, $gpu.MaxPartitionVRAM, $gpu.OptimalPartitionVRAM, $gpu.TotalVRAM, $gpu.AvailableVRAM
    $gpu.TotalEncode, $gpu.AvailableEncode, $gpu.TotalDecode, $gpu.AvailableDecode, $gpu.TotalCompute, $gpu.AvailableCompute
}
Case 'a paravirtual GPU has a suffix and its odd numbers' 'True 32 32 1000000000 18446744073709551615 0' {
    $gpu = Hyper-V\Get-VMHostPartitionableGpu -Name $paravirtual
    $gpu.Name.EndsWith('\GPUPARAV'), $gpu.ValidPartitionCounts[0], $gpu.PartitionCount, $gpu.TotalVRAM, $gpu.TotalEncode, $gpu.MinPartitionVRAM
}
Case 'an older build has no live migration of partitions' 'True' { $null -eq @(Hyper-V\Get-VMHostPartitionableGpu)[0].PSObject.Properties['SupportsIncomingLiveMigration'] }
Case 'a running adapter is resolved' 'True 0 UInt16 3825205248 9 6 512 10-973909323 True' {
    $adapter = Adapters 1
    ($adapter.InstancePath -eq $a2), $adapter.PartitionId, $adapter.PartitionId.GetType().Name, $adapter.CurrentPartitionVRAM
    $adapter.CurrentPartitionEncode, $adapter.CurrentPartitionDecode, $adapter.CurrentPartitionCompute, $adapter.PartitionVfLuid
    $null -eq $adapter.MinPartitionVRAM
}
Case 'ids of adapters are in capitals, of VMs not' 'Microsoft:00000000-0000-0000-0000-000000000001\A0000000-0000-0000-0000-000000000001 00000000-0000-0000-0000-000000000001' {
    (Adapters 1).Id, (Adapters 1).VMId
}
Case 'an adapter of a VM that is off has an empty path and nulls' 'True True True' {
    $adapter = Adapters 2
    ($adapter.InstancePath -is [string]), ($adapter.InstancePath -eq ''), ($null -eq $adapter.PartitionId -and $null -eq $adapter.CurrentPartitionVRAM -and $null -eq $adapter.PartitionVfLuid)
}
Case 'many VMs are asked in one call' '2' { @(Hyper-V\Get-VMGpuPartitionAdapter -VM @(Hyper-V\Get-VM)).Count }
Case 'a VM without adapters gives nothing' '' { Adapters 3 }
Case 'the device for DDA is on its own bus' 'PCIP\VEN_10DE&DEV_1EB8&SUBSYS_12A210DE&REV_A1\4&4&0&0011 PCIROOT(1)#PCI(0000)#PCI(0000)' {
    $device = Hyper-V\Get-VMHostAssignableDevice
    $device.InstanceID, $device.LocationPath
}
Case 'PnP knows every GPU' 'NVIDIA A2|PCI\VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1\4&1&0&0000|OK|0 NVIDIA A2|PCI\VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1\4&2&0&0010|OK|0 NVIDIA GeForce RTX 3060|PCI\VEN_10DE&DEV_2504&SUBSYS_153610DE&REV_A1\4&3&0&0009|OK|0 NVIDIA T4|PCIP\VEN_10DE&DEV_1EB8&SUBSYS_12A210DE&REV_A1\4&4&0&0011|OK|0 NVIDIA A2|PCI\VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1\4&5&0&0012|Error|28' {
    PnpDevice\Get-PnpDevice | ForEach-Object { "$($_.FriendlyName)|$($_.InstanceId)|$($_.Status)|$([int]$_.Problem)" }
}
Case 'Get-PnpDevice is a function' 'Function' { (Get-Command Get-PnpDevice).CommandType }
Case 'the others are cmdlets of their module' 'Cmdlet Hyper-V 2.0.0.0' { $c = Get-Command 'Hyper-V\Get-VM'; $c.CommandType, $c.ModuleName, $c.Version }
Case 'the shutdown service is known by its id' 'True Ok 2' {
    $service = Hyper-V\Get-VMIntegrationService -VM (Vm 1) | Where-Object { $_.Id.EndsWith('\9F8233AC-BE49-4C79-8EE3-E7E1985B2077') }
    $service.Enabled, $service.PrimaryOperationalStatus, [int]$service.PrimaryOperationalStatus
}
Case 'SR-IOV is told by the host' 'True 0' { $h = Hyper-V\Get-VMHost; $h.IovSupport, $h.IovSupportReasons.Count }
Case 'the registry tells the release' '20349 ServerAzureStackHCICor True' {
    $key = 'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    [Microsoft.Win32.Registry]::GetValue($key, 'CurrentBuildNumber', $null), [Microsoft.Win32.Registry]::GetValue($key, 'EditionID', $null)
    $null -eq [Microsoft.Win32.Registry]::GetValue($key, 'Nope', $null)
}
Case 'who is elevated is told' 'True' { ([Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator) }
Case 'the computer has a name and a place for data' 'HV-A True' { $env:COMPUTERNAME, $env:ProgramData.EndsWith('lab.json.hv-a.programdata') }
Case 'a role is called as its VM, its resource is not' 'run-01 Online 111 HV-A Virtual Machine run-01 Virtual Machine Configuration run-01' {
    $group = FailoverClusters\Get-ClusterGroup -VMId "${vms}1"
    $group.Name, $group.State, [int]$group.GroupType, $group.OwnerNode.Name
    (FailoverClusters\Get-ClusterResource -VMId "${vms}1").Name
}
Case 'owners and types are objects that equal their names' 'False True True HV-B' {
    $resource = FailoverClusters\Get-ClusterResource -VMId "${vms}9" | Where-Object { $_.ResourceType -eq 'Virtual Machine' }
    ($resource.OwnerNode -is [string]), ($resource.OwnerNode -eq 'hv-b'), ($resource.OwnerGroup.Name -eq 'far-01'), $resource.OwnerNode.Name
}
Case 'roles of one name get another' 'twin twin (2)' { (FailoverClusters\Get-ClusterGroup -Name 'twin*').Name }
Case 'nodes and cluster' 'HCI-EAST HV-A Up 0 HV-B Up 0' {
    (FailoverClusters\Get-Cluster).Name
    FailoverClusters\Get-ClusterNode | ForEach-Object { "$($_.Name) $($_.State) $([int]$_.State)" }
}
Case 'OfflineAction that is not set is save' '1 UInt32 UInt32 2 3' {
    $parameter = FailoverClusters\Get-ClusterResource -VMId "${vms}2" | Where-Object { $_.ResourceType -eq 'Virtual Machine' } | FailoverClusters\Get-ClusterParameter -Name OfflineAction
    $parameter.Value, $parameter.Value.GetType().Name, $parameter.ParameterType, [int]$parameter.ParameterType
    (FailoverClusters\Get-ClusterResource -Name 'Virtual Machine far-01' | FailoverClusters\Get-ClusterParameter -Name OfflineAction).Value
}
Case 'a resource tells its VM' '00000000-0000-0000-0000-000000000001' {
    (FailoverClusters\Get-ClusterResource -Name 'Virtual Machine run-01' | FailoverClusters\Get-ClusterParameter -Name VmID).Value
}
PS
export GPUP_DOUBLES_HOST=hv-b
cases <<'PS'
Case 'another host of the lab is played' 'HV-B far-01' { $env:COMPUTERNAME, (Hyper-V\Get-VM).Name }
Case 'a newer build tells of live migration' 'True True' { (Hyper-V\Get-VMHostPartitionableGpu).SupportsIncomingLiveMigration, (Adapters 9).SupportsOutgoingLiveMigration }
PS
unset GPUP_DOUBLES_HOST

# Refusals --------------------------------------------------------------------------------------------------------------

lab '.hosts[0].vms[7].doubles = {"guestAnswers": false} | .hosts[0].doubles = {"cutAfterMs": 50}'
cp "$room/lab.json" "$room/before.json"
cases <<'PS'
Case 'Get-VM: no such name' 'InvalidParameter,HyperV.GetVM InvalidArgument 80131500 VirtualizationException' { Hyper-V\Get-VM -Name nope }
Case 'Get-VM: no such id' 'InvalidParameter,HyperV.GetVM InvalidArgument 80131500 VirtualizationException' { Hyper-V\Get-VM -Id "${vms}9" }
Case 'Start-VM: no such name' 'ObjectNotFound,HyperV.StartVM ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Start-VM -Name nope }
Case 'Stop-VM: no such name' 'ObjectNotFound,HyperV.StopVM ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Stop-VM -Name nope -Force }
Case 'adapters: no such VM' 'ObjectNotFound,HyperV.GetVMGpuPartitionAdapter ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Get-VMGpuPartitionAdapter -VMName nope }
Case 'another computer is not known' 'InvalidParameter,HyperV.GetVM InvalidArgument 80131500 VirtualizationException' { Hyper-V\Get-VM -ComputerName hv-x }
Case 'add to a running VM' 'InvalidState,HyperV.AddVMGpuPartitionAdapter InvalidOperation 80131500 VirtualizationException' { Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 1) }
Case 'add to a saved VM' 'InvalidState,HyperV.AddVMGpuPartitionAdapter InvalidOperation 80131500 VirtualizationException' { Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 7) }
Case 'add with a GPU that is not there' 'ObjectNotFound,HyperV.AddVMGpuPartitionAdapter ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 2) -InstancePath nope }
Case 'add with a paravirtual GPU' 'InvalidParameter,HyperV.AddVMGpuPartitionAdapter InvalidArgument 80131500 VirtualizationException' { Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 2) -InstancePath $paravirtual }
Case 'remove from a running VM' 'InvalidState,HyperV.RemoveVMGpuPartitionAdapter InvalidOperation 80131500 VirtualizationException' { Adapters 1 | Hyper-V\Remove-VMGpuPartitionAdapter }
Case 'remove where there is none' 'ObjectNotFound,HyperV.RemoveVMGpuPartitionAdapter ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 3) }
Case 'remove another VM''s adapter' 'ObjectNotFound,HyperV.RemoveVMGpuPartitionAdapter ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 2) -AdapterId (Adapters 1).Id }
Case 'an id of an adapter that is not there' 'ObjectNotFound,HyperV.GetVMGpuPartitionAdapter ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Get-VMGpuPartitionAdapter -VM (Vm 2) -AdapterId (Adapters 1).Id }
Case 'a count that is not valid' 'InvalidParameter,HyperV.SetVMHostPartitionableGpu InvalidArgument 80131500 VirtualizationException' { Hyper-V\Set-VMHostPartitionableGpu -Name $other -PartitionCount 3 }
Case 'a count of nothing' 'InvalidParameter,HyperV.SetVMHostPartitionableGpu InvalidArgument 80131500 VirtualizationException' { Hyper-V\Set-VMHostPartitionableGpu -Name $other -PartitionCount 0 }
Case 'a count for a GPU in use' 'OperationFailed,HyperV.SetVMHostPartitionableGpu InvalidOperation 80131500 VirtualizationException' { Hyper-V\Set-VMHostPartitionableGpu -Name $a2 -PartitionCount 8 }
Case 'a count while an adapter is not resolved' 'OperationFailed,HyperV.SetVMHostPartitionableGpu InvalidOperation 80131500 VirtualizationException' { Hyper-V\Set-VMHostPartitionableGpu -Name $other -PartitionCount 8 }
Case 'a count for a paravirtual GPU' 'InvalidParameter,HyperV.SetVMHostPartitionableGpu InvalidArgument 80131500 VirtualizationException' { Hyper-V\Set-VMHostPartitionableGpu -Name $paravirtual -PartitionCount 32 }
Case 'a count for no GPU' 'ObjectNotFound,HyperV.SetVMHostPartitionableGpu ObjectNotFound 80131500 VirtualizationException' { Hyper-V\Set-VMHostPartitionableGpu -Name nope -PartitionCount 8 }
Case 'a count has no dry run' 'NamedParameterNotFound,HyperV.SetVMHostPartitionableGpu InvalidArgument 80131501 ParameterBindingException' { Hyper-V\Set-VMHostPartitionableGpu -Name $other -PartitionCount 8 -WhatIf }
Case 'a GPU''s name does not go with a computer''s' 'AmbiguousParameterSet,HyperV.SetVMHostPartitionableGpu InvalidArgument 80131501 ParameterBindingException' { Hyper-V\Set-VMHostPartitionableGpu -Name $other -ComputerName hv-a -PartitionCount 8 }
Case 'start a saved VM' 'InvalidState,HyperV.StartVM InvalidOperation 80131500 VirtualizationException' { Hyper-V\Start-VM -VM (Vm 7) }
Case 'stop a saved VM' 'InvalidState,HyperV.StopVM InvalidOperation 80131500 VirtualizationException' { Hyper-V\Stop-VM -VM (Vm 7) -Force }
Case 'save a VM that holds a partition' 'OperationFailed,HyperV.StopVM InvalidOperation 80131500 VirtualizationException' { Hyper-V\Stop-VM -VM (Vm 1) -Save }
Case 'a guest that does not answer leaves a question, which fails' 'InvalidOperation,HyperV.StopVM InvalidOperation 80131509 PSInvalidOperationException Running' {
    try { Hyper-V\Stop-VM -VM (Vm 8) -Confirm:$false } catch { Told $_ }
    (Vm 8).State
}
Case 'a dry run changes nothing' 'Off Running 1' {
    Hyper-V\Start-VM -VM (Vm 2) -WhatIf
    Hyper-V\Stop-VM -VM (Vm 1) -Force -WhatIf
    Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 2) -WhatIf
    (Vm 2).State, (Vm 1).State, @(Adapters 2).Count
}
Case 'parameters without an object' 'Get-ClusterParameter,Clusters.GetClusterParameterCommand NotSpecified 80131500 ClusterCmdletException' { FailoverClusters\Get-ClusterParameter -Name OfflineAction }
Case 'a resource by the VM''s name' 'ClusterObjectNotFound,Clusters.GetResourceCommand ObjectNotFound 80131500 ClusterCmdletException' { FailoverClusters\Get-ClusterResource -Name run-01 }
Case 'a resource of a VM that is not clustered' 'ClusterObjectNotFound,Clusters.GetResourceCommand ObjectNotFound 80131500 ClusterCmdletException' { FailoverClusters\Get-ClusterResource -VMId "${vms}8" }
Case 'a role that is not there' 'ClusterObjectNotFound,Clusters.GetGroupCommand ObjectNotFound 80131500 ClusterCmdletException' { FailoverClusters\Get-ClusterGroup -Name nope }
Case 'an OfflineAction that is none' 'Set-ClusterParameter,Clusters.SetClusterParameterCommand InvalidArgument 80131500 ClusterCmdletException' {
    FailoverClusters\Get-ClusterResource -Name 'Virtual Machine run-01' | FailoverClusters\Set-ClusterParameter -Name OfflineAction -Value 4
}
Case 'refusals do not end a script that goes on' 'ObjectNotFound,HyperV.StartVM True' {
    $ErrorActionPreference = 'SilentlyContinue'
    $null = Hyper-V\Start-VM -Name nope -ErrorVariable found
    (Told $found[0]).Split(' ')[0], $true
}
PS
expect 'no refusal touched the lab' "$(sha256sum <"$room/before.json")" "$(sha256sum <"$room/lab.json")"

# Effects ---------------------------------------------------------------------------------------------------------------

lab '.hosts[0].vms[7].doubles = {"guestAnswers": false} | .hosts[0].doubles = {"cutAfterMs": 50}'
cases <<'PS'
Case 'a start resolves, on the first GPU with room, with the least free number' 'Running 1 3825205248 9 8267620352' {
    Hyper-V\Start-VM -VM (Vm 2)
    (Vm 2).State, (Adapters 2).PartitionId, (Adapters 2).CurrentPartitionVRAM, (Adapters 2).CurrentPartitionEncode
    @(Hyper-V\Get-VMHostPartitionableGpu)[0].AvailableVRAM
}
Case 'starting again only warns' '1' {
    Hyper-V\Start-VM -VM (Vm 2) -WarningVariable warned -WarningAction SilentlyContinue
    $warned.Count
}
Case 'a stop gives the partition back and keeps the GPU' 'Off True True 12092825600' {
    Hyper-V\Stop-VM -VM (Vm 2)
    (Vm 2).State, ($null -eq (Adapters 2).PartitionId), ((Adapters 2).InstancePath -eq $a2), @(Hyper-V\Get-VMHostPartitionableGpu)[0].AvailableVRAM
}
Case 'with -Force a guest that does not answer is cut' 'Off' { Hyper-V\Stop-VM -VM (Vm 8) -Force; (Vm 8).State }
Case 'adding twice adds twice' '2 True' {
    Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 3)
    Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 3) -InstancePath $other
    @(Adapters 3).Count, (@(Adapters 3)[1].InstancePath -eq $other)
}
Case 'pinned adapters resolve to their GPU' '1 0 True' {
    Hyper-V\Start-VM -VM (Vm 3)
    @(Adapters 3)[0].PartitionId, @(Adapters 3)[1].PartitionId, (@(Adapters 3)[1].InstancePath -eq $other)
    Hyper-V\Stop-VM -VM (Vm 3) -TurnOff
}
Case 'one adapter is removed by its id, all without one' '1 0' {
    Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 3) -AdapterId @(Adapters 3)[0].Id.ToLowerInvariant()
    @(Adapters 3).Count
    Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 3)
    @(Adapters 3).Count
}
Case 'one twin is started, not the other' 'Running Off' { Hyper-V\Start-VM -VM (Vm 3); (Vm 3).State, (Vm 4).State; Hyper-V\Stop-VM -VM (Vm 3) }
Case 'a name that is a pattern means another VM' 'Running Off' { Hyper-V\Start-VM -Name '[a]'; (Vm 5).State, (Vm 6).State }
Case 'a count is set when nothing refers to the GPU, and gives what the card gives' '8 1988100096 4 3 256' {
    Hyper-V\Stop-VM -VM (Vm 1) -Force
    Adapters 1 | Hyper-V\Remove-VMGpuPartitionAdapter
    Adapters 2 | Hyper-V\Remove-VMGpuPartitionAdapter
    $gpu = Hyper-V\Set-VMHostPartitionableGpu -Name $a2 -PartitionCount 8 -Passthru
    $gpu.PartitionCount, $gpu.MinPartitionVRAM, $gpu.MinPartitionEncode, $gpu.MinPartitionDecode, $gpu.MinPartitionCompute
}
Case 'by object, and by the older name' '2 1' {
    Hyper-V\Get-VMHostPartitionableGpu -Name $a2 | Hyper-V\Set-VMHostPartitionableGpu -PartitionCount 2
    (Hyper-V\Get-VMPartitionableGpu -Name $a2).PartitionCount
    Hyper-V\Set-VMPartitionableGpu -Name $a2 -PartitionCount 1
    (Hyper-V\Get-VMPartitionableGpu -Name $a2).PartitionCount
}
Case 'OfflineAction is set and read back' '3 0' {
    FailoverClusters\Get-ClusterResource -VMId "${vms}1" | Where-Object { $_.ResourceType -eq 'Virtual Machine' } | FailoverClusters\Set-ClusterParameter -Name OfflineAction -Value 3
    FailoverClusters\Get-ClusterResource -VMId "${vms}9" | Where-Object { $_.ResourceType -eq 'Virtual Machine' } | FailoverClusters\Set-ClusterParameter -Multiple @{ OfflineAction = 0 }
    '1', '9' | ForEach-Object { (FailoverClusters\Get-ClusterResource -VMId "$vms$_" | FailoverClusters\Get-ClusterParameter -Name OfflineAction -ErrorAction SilentlyContinue).Value }
}
PS
expect 'OfflineAction of a VM on another host, too' 'force-shutdown turn-off' \
  "$(jq -r '[.hosts[0].vms[0].offlineAction, .hosts[1].vms[0].offlineAction] | join(" ")' "$room/lab.json")"
expect 'no lock and no half file is left' 'base.json before.json cases.ps1 err lab.json out prelude.ps1' "$(cd "$room" && echo *)"

lab
cases <<'PS'
Case 'a change in a lab as it was written' 'Running' { Hyper-V\Start-VM -VM (Vm 2); (Vm 2).State }
PS
expect 'unknown members and large numbers are kept' '"unknown": "kept" 18446744073709551615' "$(grep -oE '"unknown": "kept"|18446744073709551615' "$room/lab.json" | sort | xargs -d '\n')"

lab '.hosts[0].gpus |= map(select(.status != "partitioned")) + [.[0] + {"partitionCount": 1, "availableVram": 15918030848}]
  | .hosts[0].vms |= map(if .state == "Running" and (.partitions | length) > 0 then .state = "Off" else . end)'
cases <<'PS'
Case 'without a free partition a start fails whole, with the number in its text' 'OperationFailed,HyperV.StartVM InvalidOperation 80131500 VirtualizationException True Off True' {
    Hyper-V\Start-VM -VM (Vm 1)
    try { Hyper-V\Start-VM -VM (Vm 2) } catch { Told $_; $_.Exception.Message.Contains('(0x800705AA)') }
    (Vm 2).State, ($null -eq (Adapters 2).PartitionId)
}
PS
lab '.hosts[0].vms[1].partitions = [] | .hosts[0].vms[1].doubles = {"staleAdapters": 1}'
cases <<'PS'
Case 'a stale adapter is not seen, not removed, and the start fails' '0 ObjectNotFound,HyperV.RemoveVMGpuPartitionAdapter True' {
    @(Adapters 2).Count
    try { Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 2) } catch { (Told $_).Split(' ')[0] }
    try { Hyper-V\Start-VM -VM (Vm 2) } catch { $_.Exception.Message.Contains('0x800705AA') }
}
PS
lab '.hosts[0].doubles = {"shutdownMs": 1500, "uptime": false} | .hosts[0].vms[1].doubles = {"startedAt": ""}'
cases <<'PS'
Case 'a guest takes its time to shut down' 'Off True' {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    Hyper-V\Stop-VM -VM (Vm 1) -Force
    (Vm 1).State, ($watch.ElapsedMilliseconds -ge 1500)
}
Case 'a guest that was asked goes down, whoever waits for it' 'Running Off True' {
    $shell = Beside "Hyper-V\Stop-VM -VM (Hyper-V\Get-VM -Id ${vms}8) -Force"
    while (-not [IO.File]::ReadAllText($env:GPUP_DOUBLES).Contains('leavesAt')) { [Threading.Thread]::Sleep(10) }
    $shell.Stop()
    (Vm 8).State
    [Threading.Thread]::Sleep(1600)
    (Vm 8).State, ($null -eq (Vm 8).PSObject.Properties['Uptime'])
}
Case 'a start is told where the lab tells of starts' 'True' {
    Hyper-V\Start-VM -VM (Vm 2)
    [IO.File]::ReadAllText($env:GPUP_DOUBLES).Contains('"startedAt": "2')
}
PS
lab '.hosts[0].vms[0].doubles = {"shutdownAction": 1}'
cases <<'PS'
Case 'with ShutdownAction 1 the cluster starts the VM again' 'Running' { Hyper-V\Stop-VM -VM (Vm 1) -Force; (Vm 1).State }
PS
lab '.hosts[0].simulate = {"placement": "last", "forgetsGpu": true}'
cases <<'PS'
Case 'placement last, and a host that forgets' 'True True' {
    Hyper-V\Start-VM -VM (Vm 2)
    (Adapters 2).InstancePath -eq $other
    Hyper-V\Stop-VM -VM (Vm 2)
    (Adapters 2).InstancePath -eq ''
}
PS
lab '.hosts[0].simulate = {"placement": "spread", "profiles": [{"model": "NVIDIA A2", "counts": [{"count": 8, "vram": 7}]}]} | .hosts[0].doubles = {"nulls": true}'
cases <<'PS'
Case 'placement spread takes the GPU with the most room' 'True True' {
    $null -eq (Adapters 2).InstancePath
    Hyper-V\Start-VM -VM (Vm 2)
    (Adapters 2).InstancePath -eq $other
    Hyper-V\Stop-VM -VM (Vm 2)
    Adapters 2 | Hyper-V\Remove-VMGpuPartitionAdapter
}
Case 'a profile of the lab tells the size' '7 4' { $gpu = Hyper-V\Set-VMHostPartitionableGpu -Name $other -PartitionCount 8 -Passthru; $gpu.MinPartitionVRAM, $gpu.MinPartitionEncode }
PS

# Faults ----------------------------------------------------------------------------------------------------------------

lab '.hosts[0].doubles = {"log": "calls.jsonl", "faults": [
  {"cmdlet": "Start-VM", "vm": "off-01", "skip": 1, "times": 1, "do": "fail", "errorId": "Odd,Microsoft.X", "category": "ResourceBusy", "hresult": -2147024809, "message": "busy"},
  {"cmdlet": "Set-ClusterParameter", "do": "claim"},
  {"cmdlet": "Stop-VM", "vm": "00000000-0000-0000-0000-000000000008", "do": "move", "to": "hv-b"},
  {"cmdlet": "Add-VMGpuPartitionAdapter", "do": "hang", "ms": 300},
  {"cmdlet": "Remove-VMGpuPartitionAdapter", "do": "fail-after"}]}'
cases <<'PS'
Case 'a fault lets calls pass, then has its times' 'Odd,HyperV.StartVM ResourceBusy 80070057 VirtualizationException busy Off Running' {
    Hyper-V\Start-VM -VM (Vm 2)
    Hyper-V\Stop-VM -VM (Vm 2)
    try { Hyper-V\Start-VM -VM (Vm 2) } catch { Told $_; "$_" }
    (Vm 2).State
    Hyper-V\Start-VM -VM (Vm 2)
    (Vm 2).State
}
Case 'a claim changes nothing' '1' {
    FailoverClusters\Get-ClusterResource -Name 'Virtual Machine run-01' | FailoverClusters\Set-ClusterParameter -Name OfflineAction -Value 3
    (FailoverClusters\Get-ClusterResource -Name 'Virtual Machine run-01' | FailoverClusters\Get-ClusterParameter -Name OfflineAction).Value
}
Case 'a VM moves away under a cmdlet' 'ObjectNotFound,HyperV.StopVM InvalidParameter,HyperV.GetVM' {
    try { Hyper-V\Stop-VM -VM (Vm 8) -Force } catch { (Told $_).Split(' ')[0] }
    try { Vm 8 } catch { (Told $_).Split(' ')[0] }
}
Case 'a cmdlet hangs for its time' 'True 1' {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    Hyper-V\Add-VMGpuPartitionAdapter -VM (Vm 3)
    $watch.ElapsedMilliseconds -ge 300
    @(Adapters 3).Count
}
Case 'an error after the effect' 'OperationFailed,HyperV.RemoveVMGpuPartitionAdapter 0' {
    try { Hyper-V\Remove-VMGpuPartitionAdapter -VM (Vm 3) } catch { (Told $_).Split(' ')[0] }
    @(Adapters 3).Count
}
PS
expect 'the VM runs on the other host' 'Running' "$(jq -r '.hosts[1].vms[] | select(.name == "idle-01") | .state' "$room/lab.json")"
expect 'calls are told with their parameters' '{"cmdlet":"Get-VM","host":"hv-a","parameters":{"Id":"00000000-0000-0000-0000-000000000002"}}' \
  "$(head -n 1 "$room/calls.jsonl" | jq -c 'del(.process)')"
rm -f "$room/calls.jsonl"

# one SCRIPT: an engine for one script; its exit code is the answer.
one() { "$engine" -NoProfile -NonInteractive -Command "$1" >"$room/out" 2>"$room/err" </dev/null; }

lab '.hosts[0].doubles = {"faults": [{"cmdlet": "Add-VMGpuPartitionAdapter", "do": "die-before"}, {"cmdlet": "Add-VMGpuPartitionAdapter", "do": "die-after"}]}'
# The shell tells of killed programs, which is not the answer.
{ one 'Add-VMGpuPartitionAdapter -VMName off-01'; } 2>/dev/null
expect 'death before the effect: killed, nothing done' '137 1' "$? $(jq '.hosts[0].vms[1].partitions | length' "$room/lab.json")"
{ one 'Add-VMGpuPartitionAdapter -VMName off-01'; } 2>/dev/null
expect 'death after the effect: killed, done' '137 2' "$? $(jq '.hosts[0].vms[1].partitions | length' "$room/lab.json")"
one 'Add-VMGpuPartitionAdapter -VMName off-01'
expect 'the faults are over' '0 3' "$? $(jq '.hosts[0].vms[1].partitions | length' "$room/lab.json")"

lab '.hosts[0].doubles = {"latencyMs": {"Start-VM": 8000}}'
cases <<'PS'
Case 'starts side by side take as long as one' 'True Running Running Running' {
    $pool = [runspacefactory]::CreateRunspacePool([initialsessionstate]::CreateDefault2())
    [void]$pool.SetMaxRunspaces(3)
    $pool.Open()
    $warm = 1, 2, 3 | ForEach-Object { $shell = [powershell]::Create(); $shell.RunspacePool = $pool; [void]$shell.AddScript('Import-Module Hyper-V; [Threading.Thread]::Sleep(200)'); @{ Shell = $shell; Wait = $shell.BeginInvoke() } }
    $warm | ForEach-Object { $_.Shell.EndInvoke($_.Wait) }
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $runs = 2, 3, 4 | ForEach-Object {
        $shell = [powershell]::Create(); $shell.RunspacePool = $pool
        [void]$shell.AddScript('param($id) Hyper-V\Start-VM -VM (Hyper-V\Get-VM -Id $id)').AddArgument("$vms$_")
        @{ Shell = $shell; Wait = $shell.BeginInvoke() }
    }
    $runs | ForEach-Object { $_.Shell.EndInvoke($_.Wait) }
    $watch.ElapsedMilliseconds -lt 20000
    (Vm 2).State, (Vm 3).State, (Vm 4).State
    $pool.Dispose()
}
Case 'a latency ends when its pipeline is stopped' 'True Off' {
    Hyper-V\Stop-VM -VM (Vm 2)
    $shell = Beside "Hyper-V\Start-VM -VM (Hyper-V\Get-VM -Id ${vms}2)"
    [Threading.Thread]::Sleep(300)
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $shell.Stop()
    $watch.ElapsedMilliseconds -lt 6000
    (Vm 2).State
}
PS

lab '.hosts[0].vms = [range(8) | {"name": "vm-\(.)", "id": "00000000-0000-0000-0000-00000000000\(.)", "state": "Off", "partitions": []}]'
for i in 0 1 2 3; do one "0..9 | ForEach-Object { Add-VMGpuPartitionAdapter -VMName vm-$i }" & done
wait
expect 'processes that change one lab lose nothing' '10 10 10 10' "$(jq -r '[.hosts[0].vms[:4][].partitions | length] | join(" ")' "$room/lab.json")"

# A host's scenery ------------------------------------------------------------------------------------------------------

lab '.hosts[0].doubles = {"elevated": false, "language": "de"}'
cases <<'PS'
Case 'not elevated: Get-VM' 'Unspecified,HyperV.GetVM NotSpecified 80131500 VirtualizationException' { Hyper-V\Get-VM }
Case 'not elevated: Start-VM' 'AccessDenied,HyperV.StartVM PermissionDenied 80070005 VirtualizationException' { Hyper-V\Start-VM -Name run-01 }
Case 'not elevated: the principal says so' 'False' { [Security.Principal.WindowsPrincipal]::new([Security.Principal.WindowsIdentity]::GetCurrent()).IsInRole('S-1-5-32-544') }
PS
lab '.hosts[0].doubles = {"language": "de"}'
cases <<'PS'
Case 'German texts have the same ids' 'ObjectNotFound,HyperV.StartVM True' { try { Hyper-V\Start-VM -Name nope } catch { (Told $_).Split(' ')[0]; "$_".Contains('konnte keinen virtuellen Computer') } }
Case 'German names of services' 'Herunterfahren' { (Hyper-V\Get-VMIntegrationService -VM (Vm 1) | Where-Object { $_.Id -like '*\9F8233AC*' }).Name }
PS
lab '.hosts[0].doubles = {"missing": ["Hyper-V\\Get-VMHostPartitionableGpu", "PnpDevice"]}'
cases <<'PS'
Case 'a cmdlet that is missing' 'CommandNotFoundException ObjectNotFound 80131501 CommandNotFoundException' { Hyper-V\Get-VMHostPartitionableGpu }
Case 'the older one is there' '3' { @(Hyper-V\Get-VMPartitionableGpu).Count }
Case 'a module that is missing' '0 0' { @(Get-Module -ListAvailable PnpDevice).Count, @(Get-Command Get-PnpDevice -ErrorAction SilentlyContinue).Count }
PS
critical='.hosts[0].vms[6].state = "OffCritical"'
lab "$critical"
cases <<'PS'
Case 'a critical state' 'OffCritical 32786' { $vm = Vm 7; "$($vm.State)", [int]$vm.State }
PS
lab "$critical | .hosts[0].doubles.olderStates = true"
cases <<'PS'
Case 'a critical state by its older number' 'OffCritical 32784' { $vm = Vm 7; "$($vm.State)", [int]$vm.State }
PS
lab '.cluster = null'
cases <<'PS'
Case 'no cluster, no module' '0' { @(Get-Module -ListAvailable FailoverClusters).Count }
PS
lab '.hosts[0].doubles = {"clusterService": "down"}'
cases <<'PS'
Case 'the cluster service is down' 'ClusterEndpointNotRegistered,Clusters.GetClusterCommand ConnectionError 80131500 ClusterCmdletException' { FailoverClusters\Get-Cluster }
PS
lab '.doubles = {"nodes": [{"name": "hv-c", "state": "Paused"}]} | .hosts[1].doubles = {"nodeState": "Down"}'
cases <<'PS'
Case 'states of nodes, and nodes that the lab lacks' 'HV-A 0 HV-B 1 HV-C 2' { FailoverClusters\Get-ClusterNode | ForEach-Object { "$($_.Name) $([int]$_.State)" } }
PS
lab '.hosts[0].doubles = {"iovSupport": false, "iovSupportReasons": ["the BIOS"], "ubr": 77, "pnp": [{"friendlyName": "3D Video Controller", "instanceId": "PCI\\VEN_10DE&DEV_25B6\\9", "status": "Error", "problem": 28}],
  "registry": {"HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\HyperV": {"RequireSecureDeviceAssignment": 1}}}'
cases <<'PS'
Case 'what a host says of itself' 'False the BIOS 77 1 FailedInstall' {
    $h = Hyper-V\Get-VMHost
    $h.IovSupport, $h.IovSupportReasons[0]
    [Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion', 'UBR', $null)
    [Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\HyperV', 'RequireSecureDeviceAssignment', $null)
    (PnpDevice\Get-PnpDevice -FriendlyName '3D*').Problem
}
PS

lab '.hosts[0].doubles = {"noise": true, "bom": true, "crlf": true}'
one '"x"; [Console]::Out.Write("y`n"); $o = [Console]::OpenStandardOutput(); $o.WriteByte(10); [Environment]::Exit(3)'
expect 'the exit code is the script'\''s' '3' "$?"
expect 'BOM, banner and CRLF, however a script writes' 'efbbbf 3 yes' \
  "$(head -c 3 "$room/out" | od -An -tx1 | tr -d ' ') $(tail -n +2 "$room/out" | grep -c $'\r$') $(grep -q '^Willkommen auf HV-A > x' "$room/out" && echo yes)"
expect 'CLIXML on stderr' '1' "$(grep -c '^#< CLIXML' "$room/err")"
lab '.hosts[0].reachable = false | .hosts[0].error = "no route"'
one '1'
expect 'a host that is not reachable' '255 no route' "$? $(cat "$room/err")"
lab '.hosts[0].doubles = {"latancyMs": {}}'
one '1'
expect 'a word that nobody knows is refused' "64 hv-a: doubles has no member 'latancyMs'" "$? $(cat "$room/err")"

# The engine ------------------------------------------------------------------------------------------------------------

lab
encoded() { printf %s "$1" | iconv -t UTF-16LE | base64 -w0; }
expect 'an encoded command' 'ä 2' "$("$engine" -nologo -NOPROFILE -NonI -OutputFormat Text -ExecutionPolicy Bypass -e "$(encoded '"ä $(1 + 1)"')")"
expect 'stdin belongs to the script' 'first second' "$(printf 'first\nsecond\n' | "$engine" -NonI -Command '$i = [IO.StreamReader]::new([Console]::OpenStandardInput()); "$($i.ReadLine()) $($i.ReadLine())"')"
one 'Get-Nope'
expect 'a command that ends badly' '1 1' "$? $(grep -c 'FullyQualifiedErrorId : CommandNotFoundException' "$room/err")"
one 'Get-Nope; "x"'
expect 'a command whose end is well' '0' "$?"
one 'throw "x"'
expect 'a command that throws' '1' "$?"
"$engine" -Nope 2>/dev/null
expect 'a switch that is not known' '64' "$?"
expect 'without -NonInteractive a question eats a line' 'Off' "$(lab '.hosts[0].vms[7].doubles = {"guestAnswers": false}'; echo Y | "$engine" -Command 'Stop-VM idle-01; (Get-VM idle-01).State' 2>&1 | tail -n 1)"

# What `ssh -s` starts on the far end is started here in its place.
mkdir "$room/bin"
printf '#!/bin/sh\nGPUP_DOUBLES_HOST=hv-b exec "%s" -NoLogo -sshs\n' "$engine" >"$room/bin/ssh"
chmod +x "$room/bin/ssh"
lab
expect 'remoting over SSH reaches the doubles of the far host, and their ids come back' \
  'far-01 Off HV-B ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.StartVM RemoteException' "$(PATH=$room/bin:$PATH "$engine" -NonInteractive -Command '
    $session = New-PSSession -HostName far
    $seen = Invoke-Command -Session $session -ScriptBlock { Hyper-V\Get-VM | ForEach-Object { $_.Name; "$($_.State)" }; $env:COMPUTERNAME }
    try { Invoke-Command -Session $session -ErrorAction Stop -ScriptBlock { Hyper-V\Start-VM -Name nope } } catch { $seen += $_.FullyQualifiedErrorId; $seen += $_.Exception.GetType().Name }
    Remove-PSSession $session
    "$seen"' 2>&1)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
