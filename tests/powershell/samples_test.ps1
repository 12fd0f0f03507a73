# What the agent makes of recorded objects. Run by samples_test.sh:
#   powershell -File samples_test.ps1 AGENT.PS1 SAMPLES OUT
# Each sample becomes objects with the property names and types of the real ones, modules made of them give these objects out, and
# the agent's own functions read them. The snapshots are also left in the folder OUT.
param([string]$AgentPath, [string]$Samples, [string]$Out)
$ErrorActionPreference = 'Stop'
. $AgentPath
Set-StrictMode -Version 3.0

$passed = 0
$failed = 0
function Test-Same([string]$title, [string[]]$expected, [string[]]$seen) {
    if ([string]::Equals($expected -join "`n", $seen -join "`n", 'Ordinal')) {
        $script:passed += 1
        "ok      $title"
    } else {
        $script:failed += 1
        "FAILED  $title"
        foreach ($line in $expected) { "          expected  $line" }
        foreach ($line in $seen) { "          seen      $line" }
    }
}

# Objects of samples ---------------------------------------------------------------------------------------------------

# The enumerations of the doubles have the numbers and names of newer modules.
$enums = [Reflection.Assembly]::LoadFrom([IO.Path]::Combine([AppContext]::BaseDirectory, 'Microsoft.HyperV.PowerShell.Cmdlets.dll'))
$stateType = $enums.GetType('Microsoft.HyperV.PowerShell.VMState')

# A value of JSON as the property of that name has it.
function ConvertTo-Sample([Text.Json.JsonElement]$json, [string]$name, [bool]$isVm, [bool]$nested) {
    switch ("$($json.ValueKind)") {
        'Null' { return $null }
        'True' { return $true }
        'False' { return $false }
        'Array' {
            $list = @(foreach ($item in $json.EnumerateArray()) { ConvertTo-Sample $item $name $isVm $nested })
            if ($name -eq 'ValidPartitionCounts') { return , [uint16[]]$list }
            return , $list
        }
        'Object' {
            $made = [pscustomobject]@{}
            $state = [Text.Json.JsonElement]::new()
            $vm = $json.TryGetProperty('IsClustered', [ref]$state)
            foreach ($member in $json.EnumerateObject()) {
                $value = ConvertTo-Sample $member.Value $member.Name $vm $nested
                $made.PSObject.Properties.Add([Management.Automation.PSNoteProperty]::new($member.Name, $value))
            }
            return $made
        }
        'String' {
            $text = $json.GetString()
            if ($isVm -and $name -eq 'Id') { return [guid]$text }
            # What a projection has flattened: on a host these are objects with a name.
            if ($nested -and $name -in 'OwnerNode', 'OwnerGroup', 'ResourceType', 'ClusterObject') { return [pscustomobject]@{ Name = $text } }
            return $text
        }
        'Number' {
            if ($name -in 'ValidPartitionCounts', 'PartitionCount', 'PartitionId') { return $json.GetUInt16() }
            if ([regex]::IsMatch($name, '(VRAM|Encode|Decode|Compute)$') -or $name -eq 'HighMemoryMappedIoSpace') { return $json.GetUInt64() }
            if ($isVm -and $name -eq 'State') { return [enum]::ToObject($stateType, $json.GetInt32()) }
            if ($name -in 'Value', 'LowMemoryMappedIoSpace') { return $json.GetUInt32() }
            if ($name -eq 'MemoryStartup') { return $json.GetInt64() }
            return $json.GetInt32()
        }
    }
}

# The objects of samples; a file that holds nothing gives none. Some files begin with a byte order mark.
function Read-Sample([string[]]$names, [bool]$nested) {
    foreach ($name in $names) {
        $text = [IO.File]::ReadAllText([IO.Path]::Combine($Samples, $name))
        if ($text.Length -eq 0) { continue }
        $value = ConvertTo-Sample ([Text.Json.JsonDocument]::Parse($text).RootElement) '' $false $nested
        foreach ($one in $value) { $one }
    }
}

# A host of samples ----------------------------------------------------------------------------------------------------

$global:world = @{}
New-Module -Name 'Hyper-V' -ScriptBlock {
    function Get-VM { [CmdletBinding()] param([guid]$Id) $global:world.vms }
    function Get-VMHost { [CmdletBinding()] param() $global:world.vmHost }
    function Get-VMHostPartitionableGpu { [CmdletBinding()] param() $global:world.gpus }
    function Get-VMHostAssignableDevice { [CmdletBinding()] param() $global:world.dda }
    function Get-VMGpuPartitionAdapter { [CmdletBinding()] param($VM) $global:world.adapters }
    function Get-VMIntegrationService { [CmdletBinding()] param($VM) }
} | Import-Module
New-Module -Name 'PnpDevice' -ScriptBlock { function Get-PnpDevice { [CmdletBinding()] param() $global:world.pnp } } | Import-Module
New-Module -Name 'FailoverClusters' -ScriptBlock {
    function Get-Cluster { [CmdletBinding()] param() if ($global:world.cluster) { $global:world.cluster } else { throw 'no cluster' } }
    function Get-ClusterNode { [CmdletBinding()] param() $global:world.nodes }
    function Get-ClusterGroup { [CmdletBinding()] param() $global:world.groups }
    function Get-ClusterResource { [CmdletBinding()] param([guid]$VMId) $global:world.resources }
    function Get-ClusterParameter {
        [CmdletBinding()] param([Parameter(ValueFromPipeline)]$InputObject, [string]$Name)
        process {
            foreach ($one in @($global:world.parameters)) {
                $of = if ($one.ClusterObject -is [string]) { $one.ClusterObject } else { $one.ClusterObject.Name }
                if ($of -eq $InputObject.Name) { $one }
            }
        }
    }
} | Import-Module
$env:COMPUTERNAME = 'HV-NODE1'
$env:ProgramData = $null

# A host of these samples: `gpus`, `pnp`, `dda`, `vms`, `adapters`, `vmHost`, `cluster`, ... are names of files.
function Set-World([hashtable]$files, [bool]$nested = $false) {
    $global:world = @{ vms = @(); vmHost = $null; gpus = @(); dda = @(); adapters = @(); pnp = @(); cluster = $null; nodes = @(); groups = @(); resources = @(); parameters = @() }
    foreach ($name in $files.Keys) { $global:world[$name] = Read-Sample $files[$name] $nested }
}

$context = @{ Host = 'hv-1'; Writing = $false; Client = $null; LockStream = $null; LockNumber = 0 }
$number = 0
# What gpup gets, read back from the text of the reply.
function Get-Reply([string]$op) {
    $job = New-GpupJob @{ Context = $context } 7 $op 'read' $null
    $text = Invoke-GpupJob $job
    $reply = [Text.Json.JsonDocument]::Parse($text).RootElement
    if (-not $reply.GetProperty('ok').GetBoolean()) { throw "$op failed: $text" }
    if ($op -eq 'observe') {
        $script:number += 1
        [IO.File]::WriteAllText([IO.Path]::Combine($Out, "$($script:number).json"), $reply.GetProperty('result').GetRawText())
    }
    $reply.GetProperty('result')
}
function Get-Raw($json, [string]$name) {
    $value = [Text.Json.JsonElement]::new()
    if (-not $json.TryGetProperty($name, [ref]$value)) { return 'absent' }
    if ("$($value.ValueKind)" -eq 'String') { $value.GetString() } else { $value.GetRawText() }
}
function Join-Members($json, [string]$names) { @(foreach ($name in $names.Split(' ')) { Get-Raw $json $name }) -join ' | ' }

$gpuMembers = 'model device subsystem status validPartitionCounts partitionCount totalVram availableVram partitionVram partitionEncode partitionDecode partitionCompute'
function Get-Gpus { foreach ($gpu in (Get-Reply observe).GetProperty('hosts')[0].GetProperty('gpus').EnumerateArray()) { Join-Members $gpu $gpuMembers } }
function Get-GpuNames { foreach ($gpu in (Get-Reply observe).GetProperty('hosts')[0].GetProperty('gpus').EnumerateArray()) { Get-Raw $gpu 'name' } }
function Get-Vms { foreach ($vm in (Get-Reply observe).GetProperty('hosts')[0].GetProperty('vms').EnumerateArray()) { Join-Members $vm 'name id state clustered generation offlineAction dynamicMemory automaticCheckpoints' } }
function Get-Partitions {
    foreach ($vm in (Get-Reply observe).GetProperty('hosts')[0].GetProperty('vms').EnumerateArray()) {
        foreach ($partition in $vm.GetProperty('partitions').EnumerateArray()) { "$(Get-Raw $vm 'name'): $(Join-Members $partition 'id gpu partitionId vram encode decode')" }
    }
}

# GPUs -----------------------------------------------------------------------------------------------------------------

$first = '\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}'
$second = '\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&5906f5e&0&0010#{064092b3-625e-43bf-9eb5-dc845897dd59}'
$vga = '\\?\PCI#VEN_1A03&DEV_2000&SUBSYS_1B9515D9&REV_41#5&B07A7CD&0&000018#{064092b3-625e-43bf-9eb5-dc845897dd59}'
$a2 = 'NVIDIA A2 | 10de:25b6 | 157e10de'
$parts = 'partitioned | [16,8,4,2,1]'
$by16 = "$a2 | $parts | 16 | 15918030848 | 15918030848 | 939524096 | 2 | 1 | 128"
$by4 = "$a2 | $parts | 4 | 15918030848 | 15918030848 | 3825205248 | 9 | 6 | 512"
$screen = 'Microsoft Basic Display Adapter | 1a03:2000 | 1b9515d9 | not-assignable | null | null | null | null | null | null | null | null'

foreach ($edition in 'ps51', 'ps7') {
    Set-World @{ gpus = "gpu_host_a2x2_mixed_counts.$edition.json"; pnp = 'pnp_display.ps51.json' }
    Test-Same "$edition, mixed counts: two A2, by 16 (896 MiB) and by 4 (3648 MiB), and a screen" @($by16, $by4, $screen) @(Get-Gpus)
    Test-Same "${edition}: names are as the host writes them" @($first, $second, $vga) @(Get-GpuNames)
}
Set-World @{ gpus = 'gpu_host_a2x2_mixed_counts.ps51.json' }
Test-Same 'without PnP a model is not known, the rest is' @($by16, $by4).Replace('NVIDIA A2', 'null') @(Get-Gpus)
Set-World @{ gpus = 'gpu_host_a2x2_after_set4.ps51.json'; pnp = 'pnp_display.ps51.json' }
Test-Same 'after the count was set' @($by4, $by4, $screen) @(Get-Gpus)
Set-World @{ gpus = 'gpu_host_a2_one_partition_running.ps51.json'; pnp = 'pnp_display.ps51.json' }
Test-Same 'a partition runs: less is available' @($by4.Replace('15918030848 | 15918030848', '15918030848 | 12092825600'), $by4, $screen) @(Get-Gpus)
foreach ($name in 'gpu_host_single_unwrapped', 'gpu_host_single_with_bom', 'gpu_host_raw_unprojected_INFERRED') {
    Set-World @{ gpus = "$name.ps51.json" }
    Test-Same "${name}: one GPU" @($by4.Replace('NVIDIA A2', 'null')) @(Get-Gpus)
}
Set-World @{ gpus = 'vm_gpu_adapter_none.ps51.json' }
Test-Same 'no output at all: no GPU' @() @(Get-Gpus)
Set-World @{ gpus = 'vm_gpu_adapter_none_wrapped.json' }
Test-Same 'an empty list: no GPU' @() @(Get-Gpus)

$scale = 'paravirtualization | null | null | null | null | null | null | null | null'
Set-World @{ gpus = 'gpu_host_paravirt_rtx3060.ps51.json' }
Test-Same 'paravirtual: its numbers are a scale, and left out' @("null | 10de:2504 | 153610de | $scale") @(Get-Gpus)
Set-World @{ gpus = 'gpu_host_paravirt_intel_uhd620.ps51.json' }
Test-Same 'paravirtual, of another maker' @("null | 8086:3ea0 | 227917aa | $scale") @(Get-Gpus)
Set-World @{ gpus = 'gpu_host_paravirt_multi_ws2025.ps7.json' }
Test-Same 'paravirtual, two of them' @("null | 10de:2860 | 252d1043 | $scale", "null | 8086:a7a0 | 252d1043 | $scale") @(Get-Gpus)
Test-Same 'paravirtual: the name has its suffix' @('True', 'True') @(foreach ($name in Get-GpuNames) { $name.EndsWith('}\GPUPARAV') })

Set-World @{ gpus = 'gpu_host_ws2025_lm.ps7.json'; pnp = 'pnp_display.ps51.json' }
$by8 = "$a2 | $parts | 8 | 15918030848 | 15918030848 | 1988100096 | 4 | 3 | 256"
Test-Same 'Windows Server 2025' @($by8, $by8, $screen) @(Get-Gpus)
Test-Same 'and it says whether a VM may come with its partition' @('true', 'true', 'null') @(foreach ($gpu in (Get-Reply doctor).GetProperty('gpus').EnumerateArray()) { Get-Raw $gpu 'supportsIncomingLiveMigration' })
Set-World @{ gpus = 'gpu_host_a2x2_mixed_counts.ps51.json' }
Test-Same 'which older hosts do not' @('null', 'null') @(foreach ($gpu in (Get-Reply doctor).GetProperty('gpus').EnumerateArray()) { Get-Raw $gpu 'supportsIncomingLiveMigration' })
Set-World @{ gpus = 'gpu_host_other_models_INFERRED.ps7.json' }
Test-Same 'other models, by their ids: A10, L4, L40S, and an A16 that is no A2' @(
    'null | 10de:2236 | 148210de | partitioned | [24,12,8,6,4,3,2,1] | 8', 'null | 10de:27b8 | 16ee10de | partitioned | [24,12,8,6,4,3,2,1] | 4'
    'null | 10de:26b9 | 185110de | partitioned | [32,24,16,12,8,6,4,3,2,1] | 6', 'null | 10de:25b6 | 14a910de | partitioned | [16,8,4,2,1] | 16'
) @(foreach ($gpu in Get-Gpus) { ($gpu -split ' \| ')[0..5] -join ' | ' })

$bare = "3D Video Controller | 10de:25b6 | 157e10de | not-assignable | null | null | null | null | null | null | null | null"
Set-World @{ pnp = 'pnp_no_driver.ps51.json' }
Test-Same 'without a driver: not assignable' @($bare, $bare) @(Get-Gpus)
Test-Same 'and the doctor hears of Problem 28' @('Error | 28 | true', 'Error | 28 | true') @(foreach ($device in (Get-Reply doctor).GetProperty('pnp').EnumerateArray()) { Join-Members $device 'status problem present' })
Set-World @{ pnp = 'pnp_no_driver.ps51.json'; dda = 'dda_assignable.ps51.json' }
Test-Same 'given to DDA: ready for it, and named once' @($bare.Replace('not-assignable', 'ready-for-dda'), $bare) @(Get-Gpus)
Test-Same 'by its PCI name' @('\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&23AD3A43&0&0010#{064092b3-625e-43bf-9eb5-dc845897dd59}') @(@(Get-GpuNames)[0])
Set-World @{ dda = 'dda_assignable.ps51.json' }
Test-Same 'given to DDA, and not known to PnP' @('null | 10de:25b6 | 157e10de | ready-for-dda | null | null | null | null | null | null | null | null') @(Get-Gpus)
Test-Same 'and the doctor hears where it is' @('PCIROOT(64)#PCI(0000)#PCI(0000)') @(foreach ($device in (Get-Reply doctor).GetProperty('assignable').EnumerateArray()) { Get-Raw $device 'locationPath' })

# Adapters ---------------------------------------------------------------------------------------------------------------

$adapter = 'mytestgpu-vm1: a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b'
$withVms = @{ gpus = 'gpu_host_a2x2_after_set4.ps51.json'; pnp = 'pnp_display.ps51.json'; vms = 'vms_projected.ps51.json'; cluster = 'cluster.ps51.json' }
function Set-Adapters([string[]]$names) { Set-World ($withVms + @{ adapters = $names }) }
foreach ($name in 'vm_gpu_adapter_running', 'vm_gpu_adapter_running_unwrapped') {
    Set-Adapters "$name.ps51.json"
    Test-Same "${name}: it has its partition" @("$adapter | $first | 0 | 3825205248 | 9 | 6") @(Get-Partitions)
}
Set-Adapters 'vm_gpu_adapter_off_autoassigned.ps51.json'
Test-Same 'off, and the host is to choose: no GPU, no numbers' @("$adapter | null | null | null | null | null") @(Get-Partitions)
Set-Adapters 'vm_gpu_adapter_off_pinned.ps51.json'
Test-Same 'off, and pinned' @("$adapter | $first | null | null | null | null") @(Get-Partitions)
Set-Adapters 'vm_gpu_adapter_none.ps51.json'
Test-Same 'no output at all: no adapter' @() @(Get-Partitions)
Set-Adapters 'vm_gpu_adapter_none_wrapped.json'
Test-Same 'an empty list: no adapter' @() @(Get-Partitions)
Set-Adapters 'vm_gpu_adapter_ws2025_running.ps7.json'
Test-Same 'Windows Server 2025, running' @("vdi-01: 0b7c1b60-6b0e-4b8c-9f57-6c2d7f2a9a11 | $first | 2 | 1988100096 | 4 | 3") @(Get-Partitions)
Set-Adapters 'vm_gpu_adapter_two_partitions.ps7.json'
$two = @(Get-Partitions)
Test-Same 'two adapters of one VM' @("ml-01: 0b7c1b60-6b0e-4b8c-9f57-6c2d7f2a9a12 | $first | 3 | 1988100096 | 4 | 3", 'ml-01: 0b7c1b60-6b0e-4b8c-9f57-6c2d7f2a9a13') @($two[0], $two[1].Substring(0, 43))
Set-Adapters 'vm_gpu_adapter_running.ps51.json', 'vm_gpu_adapter_two_partitions.ps7.json'
Test-Same 'adapters of several VMs: each to its own' @('1', '0', '2', '0', '0', '0') @(foreach ($vm in (Get-Reply doctor).GetProperty('vms').EnumerateArray()) { Get-Raw $vm 'adapters' })

# Virtual machines and the cluster -----------------------------------------------------------------------------------------

$ids = '711cee18-60db-43b4-be7e-cedce5e25dd0', '9c1f6b1e-6e0b-4c37-9a55-0d7d1c1a2b01', '9c1f6b1e-6e0b-4c37-9a55-0d7d1c1a2b02', '9c1f6b1e-6e0b-4c37-9a55-0d7d1c1a2b03', '9c1f6b1e-6e0b-4c37-9a55-0d7d1c1a2b04', '9c1f6b1e-6e0b-4c37-9a55-0d7d1c1a2b05'
function Get-ExpectedVms([string]$offlineAction) {
    "mytestgpu-vm1 | $($ids[0]) | Running | true | 2 | $offlineAction | false | false"
    "vdi-01 | $($ids[1]) | Off | true | 2 | null | false | false"
    "ml-01 | $($ids[2]) | Saved | true | 2 | null | false | false"
    "legacy-gen1 | $($ids[3]) | Running | true | 1 | null | true | true"
    "dup-name | $($ids[4]) | Off | false | 2 | null | false | false"
    "dup-name | $($ids[5]) | OffCritical | false | 2 | null | false | false"
}
foreach ($nested in $false, $true) {
    $how = if ($nested) { 'objects with names' } else { 'texts' }
    $clustered = $withVms + @{ resources = 'cluster_resources.ps51.json'; nodes = 'cluster_nodes.ps51.json'; groups = 'cluster_groups.ps51.json' }
    Set-World ($clustered + @{ parameters = 'cluster_parameters_vm.ps51.json' }) $nested
    Test-Same "VMs by id and by the name of their state; OfflineAction 3 (cluster objects as $how)" @(Get-ExpectedVms 'force-shutdown') @(Get-Vms)
    Test-Same 'the cluster' @('GPUCL01') @(Get-Raw (Get-Reply observe) 'cluster')
    $cluster = (Get-Reply doctor).GetProperty('cluster')
    Test-Same 'its nodes, one of them paused' @('HV-NODE1 | 0', 'HV-NODE2 | 0', 'HV-NODE3 | 2') @(foreach ($node in $cluster.GetProperty('nodes').EnumerateArray()) { Join-Members $node 'name state' })
    Test-Same "its groups, a VM's by the VM's id" @("mytestgpu-vm1 | $($ids[0]) | HV-NODE1 | 0", 'vdi-01 | null | HV-NODE2 | 1', 'Cluster Group | null | HV-NODE1 | 0') @(foreach ($group in $cluster.GetProperty('groups').EnumerateArray()) { Join-Members $group 'name vm ownerNode state' })
    # The id is in the list of all parameters only.
    $all = @($global:world.parameters)
    $global:world.parameters = @($all[0]) + @(Read-Sample 'cluster_parameter_offlineaction_default.ps51.json' $nested)
    Test-Same 'OfflineAction 1 is save' @(Get-ExpectedVms 'save') @(Get-Vms)
    $global:world.parameters = @($all[0])
    Test-Same 'and so is none' @(Get-ExpectedVms 'save') @(Get-Vms)
}

Set-World @{ vmHost = 'host_iov_ok.ps51.json' }
Test-Same 'SR-IOV' @('true | []') @(Join-Members (Get-Reply doctor).GetProperty('host') 'iovSupport iovSupportReasons')
Set-World @{ vmHost = 'host_iov_unsupported.ps51.json' }
$reasons = [Text.Json.JsonDocument]::Parse([IO.File]::ReadAllText([IO.Path]::Combine($Samples, 'host_iov_unsupported.ps51.json'))).RootElement.GetProperty('IovSupportReasons')
$told = (Get-Reply doctor).GetProperty('host')
Test-Same 'no SR-IOV, and both reasons in the words of the host' @('false', "$($reasons[0])", "$($reasons[1])") @((Get-Raw $told 'iovSupport'), "$($told.GetProperty('iovSupportReasons')[0])", "$($told.GetProperty('iovSupportReasons')[1])")

# Errors -----------------------------------------------------------------------------------------------------------------

foreach ($row in [Text.Json.JsonDocument]::Parse([IO.File]::ReadAllText([IO.Path]::Combine($Samples, 'errors.json'))).RootElement.EnumerateArray()) {
    $id = Get-Raw $row 'fqid'
    $category = Get-Raw $row 'category'
    $message = Get-Raw $row 'message'
    # What is not known of a row is made up: the agent has to hand it on all the same.
    if ($id -eq '') { $id = "Made,Microsoft.HyperV.PowerShell.Commands.$((Get-Raw $row 'cmdlet').Replace('-', ''))" }
    if ($category -eq '') { $category = 'NotSpecified' }
    $exception = if ($id -eq 'CommandNotFoundException') { [Management.Automation.CommandNotFoundException]::new($message) } else { [Exception]::new($message) }
    $told = [Text.Json.JsonDocument]::Parse((ConvertTo-GpupJson (ConvertTo-GpupError ([Management.Automation.ErrorRecord]::new($exception, $id, $category, $null)) $true))).RootElement
    $reason = if ($id -eq 'CommandNotFoundException') { 'unsupported | false' } else { 'cmdlet | true' }
    $hresult = if ((Get-Raw $row 'id') -eq 'start-vm-no-gpu-resource') { '-2147023446' } else { "$($exception.HResult)" }
    Test-Same "error $(Get-Raw $row 'id')" @("$reason | $id | $category | $hresult", $message) @((Join-Members $told 'reason performed errorId category hresult'), (Get-Raw $told 'message'))
}

"SAMPLES $passed $failed"
