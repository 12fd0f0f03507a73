# gpup agent: what gpup runs on a Hyper-V host. The same text on every host and in every run.
#
# It serves requests, one line each, until its input ends:
#
#   in    LENGTH:JSON                  LENGTH counts the characters of JSON; another length: not performed
#   out   gpup-NONCE LENGTH:JSON       everything else on the output is noise, and ignored
#
# A request is data and never becomes script text. What runs on the host is what stands here:
#   - everything outside Enable-GpupWriting only reads: of Hyper-V, FailoverClusters and PnpDevice, Get- cmdlets only;
#   - Enable-GpupWriting defines what changes the host. It is called only if the first request (hello) asks for mode
#     "write"; otherwise these functions do not exist.
# On disk it writes below ProgramData\gpup only: the lock, its number and holder, and the starts that are owed.
#
# It runs on Windows PowerShell 5.1 and on PowerShell 7: engine cmdlets, and .NET types that both have. Text is compared
# ordinally (-eq compares linguistically: a name with a zero-width mark would equal the name without it).
#
# Where it stands: gpup's bootstrap dot-sources it with $gpupIn (the reader of standard input) and $gpupText (this text)
# defined, and it serves. Without $gpupIn it only defines its functions: so it is loaded into a remote session.

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
[void][Reflection.Assembly]::Load('System.Runtime.Serialization, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089')

# ---------------------------------------------------------------------------------------------------------------- text

function Test-GpupSame {
    param([string]$Left, [string]$Right)
    [string]::Equals($Left, $Right, [StringComparison]::Ordinal)
}

function Test-GpupSameName {
    param([string]$Left, [string]$Right)
    [string]::Equals($Left, $Right, [StringComparison]::OrdinalIgnoreCase)
}

# A table whose keys come from outside: 'a' and 'A' are two keys.
function New-GpupTable {
    , [Collections.Generic.Dictionary[string, object]]::new([StringComparer]::Ordinal)
}

# A table by names or ids, which Windows compares without case.
function New-GpupNameTable {
    , [Collections.Generic.Dictionary[string, object]]::new([StringComparer]::OrdinalIgnoreCase)
}

# The value of a property that not every build has; $null where it is absent.
function Get-GpupValue {
    param($Object, [string]$Name)
    if ($null -eq $Object) { return }
    $property = $Object.PSObject.Properties[$Name]
    if ($null -ne $property) { $property.Value }
}

# The time in seconds, as in snapshots.
function Get-GpupTime {
    [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
}

# Such a time, to reckon with; nothing where the text is none.
function ConvertFrom-GpupTime {
    param([string]$Text)
    $time = [DateTime]::MinValue
    if ([DateTime]::TryParseExact($Text, "yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture,
            [Globalization.DateTimeStyles]::None, [ref]$time)) {
        $time
    }
}

# The name of an object, or the text itself where a module gives a text.
function Get-GpupNameOf {
    param($Object)
    $name = Get-GpupValue $Object 'Name'
    if ($null -ne $name) { [string]$name } elseif ($null -ne $Object) { [string]$Object }
}

# A whole number that may be absent: null and empty text both occur.
function ConvertTo-GpupNumber {
    param($Value)
    if ($null -ne $Value -and "$Value".Length -gt 0) { [uint64]$Value }
}

function ConvertTo-GpupBool {
    param($Value)
    if ($null -ne $Value) { [bool]$Value }
}

function ConvertTo-GpupInt {
    param($Value)
    if ($null -ne $Value -and "$Value".Length -gt 0) { [int]$Value }
}

# ---------------------------------------------------------------------------------------------------------------- JSON
# ConvertTo-Json and ConvertFrom-Json differ between 5.1 and 7, so neither is used.

# A character that JSON or ASCII has no place for. Half a surrogate pair is no text in JSON, and becomes U+FFFD.
function ConvertTo-GpupEscape {
    param($Match)
    foreach ($unit in $Match.Value.ToCharArray()) {
        $code = [int]$unit
        if ($Match.Length -eq 1 -and $code -ge 0xD800 -and $code -le 0xDFFF) { $code = 0xFFFD }
        '\u' + $code.ToString('x4', [Globalization.CultureInfo]::InvariantCulture)
    }
}

function ConvertTo-GpupJsonText {
    param([string]$Text)
    $text = $Text.Replace('\', '\\').Replace('"', '\"')
    [regex]::Replace($text, '[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\x20-\x7E]',
        [Text.RegularExpressions.MatchEvaluator] { param($match) -join (ConvertTo-GpupEscape $match) })
}

function Add-GpupJson {
    param([Text.StringBuilder]$To, $Value)
    if ($null -eq $Value) {
        [void]$To.Append('null')
    } elseif ($Value -is [string]) {
        if ([regex]::IsMatch($Value, '[^\x20-\x7E]|["\\]')) { $Value = ConvertTo-GpupJsonText $Value }
        [void]$To.Append('"').Append($Value).Append('"')
    } elseif ($Value -is [bool]) {
        if ($Value) { [void]$To.Append('true') } else { [void]$To.Append('false') }
    } elseif ($Value -is [int] -or $Value -is [uint64] -or $Value -is [int64] -or $Value -is [uint16] -or $Value -is [uint32]) {
        [void]$To.Append($Value.ToString([Globalization.CultureInfo]::InvariantCulture))
    } elseif ($Value -is [Collections.IDictionary]) {
        $between = '{"'
        foreach ($entry in $Value.GetEnumerator()) {
            $key = [string]$entry.Key
            if ([regex]::IsMatch($key, '[^\x20-\x7E]|["\\]')) { $key = ConvertTo-GpupJsonText $key }
            [void]$To.Append($between).Append($key).Append('":')
            $item = $entry.Value
            # Most members are plain: a call for each of them would take most of the time.
            if ($null -eq $item) {
                [void]$To.Append('null')
            } elseif ($item -is [string] -and -not [regex]::IsMatch($item, '[^\x20-\x7E]|["\\]')) {
                [void]$To.Append('"').Append($item).Append('"')
            } elseif ($item -is [bool]) {
                if ($item) { [void]$To.Append('true') } else { [void]$To.Append('false') }
            } elseif ($item -is [uint64] -or $item -is [int]) {
                [void]$To.Append($item.ToString([Globalization.CultureInfo]::InvariantCulture))
            } else {
                Add-GpupJson $To $item
            }
            $between = ',"'
        }
        if ($Value.Count -eq 0) { [void]$To.Append('{') }
        [void]$To.Append('}')
    } elseif ($Value -is [Collections.IEnumerable]) {
        [void]$To.Append('[')
        $first = $true
        foreach ($item in $Value) {
            if (-not $first) { [void]$To.Append(',') }
            Add-GpupJson $To $item
            $first = $false
        }
        [void]$To.Append(']')
    } else {
        throw [InvalidOperationException]::new("no JSON for a value of type $($Value.GetType().FullName)")
    }
}

function ConvertTo-GpupJson {
    param($Value)
    $to = [Text.StringBuilder]::new()
    Add-GpupJson $to $Value
    $to.ToString()
}

# The reader maps JSON to XML elements. It lets repeated members through and turns a member '__type' into an attribute,
# so both are refused here.
function ConvertFrom-GpupElement {
    param([Xml.XmlElement]$Element)
    $type = $Element.GetAttribute('type')
    if ($Element.HasAttribute('__type')) { throw (New-GpupFault 'bad-request' "a member '__type'") }
    if (Test-GpupSame $type 'object') {
        $table = New-GpupTable
        foreach ($child in $Element.ChildNodes) {
            # A member whose name is no XML name is an element 'item' that carries the name as an attribute.
            $name = $child.LocalName
            if ($child.HasAttribute('item')) { $name = $child.GetAttribute('item') }
            if ($table.ContainsKey($name)) { throw (New-GpupFault 'bad-request' 'a member stands twice') }
            if (Test-GpupSame $name '__type') { throw (New-GpupFault 'bad-request' "a member '__type'") }
            $table.Add($name, (ConvertFrom-GpupElement $child))
        }
        return , $table
    }
    if (Test-GpupSame $type 'array') {
        $list = [Collections.Generic.List[object]]::new()
        foreach ($child in $Element.ChildNodes) { $list.Add((ConvertFrom-GpupElement $child)) }
        return , $list.ToArray()
    }
    if (Test-GpupSame $type 'null') { return }
    $text = $Element.InnerText
    if (Test-GpupSame $type 'boolean') { return (Test-GpupSame $text 'true') }
    if (Test-GpupSame $type 'number') {
        $number = [int64]0
        if (-not [int64]::TryParse($text, [Globalization.NumberStyles]::AllowLeadingSign,
                [Globalization.CultureInfo]::InvariantCulture, [ref]$number)) {
            throw (New-GpupFault 'bad-request' 'a number is not a whole number of 64 bits')
        }
        return $number
    }
    $text
}

# JSON text of which the sender's length was checked; the root must be an object. The reader takes an object whose end is
# missing for whole, so brackets are counted first.
function ConvertFrom-GpupJson {
    param([string]$Text)
    $bare = [regex]::Replace($Text, '"(?>[^"\\]+|\\.)*"', '')
    if ($bare.Split('{').Length -ne $bare.Split('}').Length -or $bare.Split('[').Length -ne $bare.Split(']').Length) {
        throw (New-GpupFault 'bad-request' 'no JSON')
    }
    $quotas = [Xml.XmlDictionaryReaderQuotas]::new()
    $quotas.MaxDepth = 32
    $quotas.MaxStringContentLength = $quotas.MaxArrayLength = [int]::MaxValue
    $quotas.MaxBytesPerRead = $quotas.MaxNameTableCharCount = [int]::MaxValue
    $document = [Xml.XmlDocument]::new()
    $document.PreserveWhitespace = $true
    try {
        $bytes = [Text.Encoding]::UTF8.GetBytes($Text)
        $reader = [Runtime.Serialization.Json.JsonReaderWriterFactory]::CreateJsonReader($bytes, $quotas)
        $document.Load($reader)
    } catch {
        throw (New-GpupFault 'bad-request' 'no JSON')
    }
    if (-not (Test-GpupSame $document.DocumentElement.GetAttribute('type') 'object')) {
        throw (New-GpupFault 'bad-request' 'no JSON object')
    }
    , (ConvertFrom-GpupElement $document.DocumentElement)
}

# -------------------------------------------------------------------------------------------------------------- errors

# An error of ours: `throw (New-GpupFault ...)`. More holds further members of the error.
function New-GpupFault {
    param([string]$Reason, [string]$Message, [Collections.IDictionary]$More = @{})
    $fault = [InvalidOperationException]::new($Message)
    $fault.Data['gpupReason'] = $Reason
    $fault.Data['gpupMore'] = $More
    $fault
}

# The HRESULT that says most: the first in the chain of exceptions that is not .NET's own (0x8013....). On a failed start
# the number stands only in the text, as (0x800705AA).
function Get-GpupHresult {
    param([Exception]$Exception)
    for ($inner = $Exception; $null -ne $inner; $inner = $inner.InnerException) {
        if (($inner.HResult -band 0x7FFF0000) -ne 0x00130000 -and $inner.HResult -lt 0) { return $inner.HResult }
    }
    $match = [regex]::Match($Exception.Message, '\(0x(8[0-9A-Fa-f]{7})\)')
    if ($match.Success) { return [Convert]::ToInt32($match.Groups[1].Value, 16) }
    $Exception.HResult
}

# Any error as the members of a reply's `error`. The host's words are in its language: they are kept for people, and
# nothing is decided by them.
function ConvertTo-GpupError {
    param([Management.Automation.ErrorRecord]$Record, [bool]$Performed)
    $exception = $Record.Exception
    $found = [ordered]@{
        reason = 'agent'; errorId = $null; category = $null; hresult = $null; message = $null; performed = $Performed
    }
    $message = $exception.Message
    if ($exception.Data.Contains('gpupReason')) {
        $found.reason = $exception.Data['gpupReason']
        foreach ($member in $exception.Data['gpupMore'].GetEnumerator()) { $found[[string]$member.Key] = $member.Value }
    } else {
        $found.errorId = $Record.FullyQualifiedErrorId
        $found.category = "$($Record.CategoryInfo.Category)"
        $found.hresult = Get-GpupHresult $exception
        if ($null -ne $Record.ErrorDetails -and $Record.ErrorDetails.Message) { $message = $Record.ErrorDetails.Message }
        $command = $null
        if ($null -ne $Record.InvocationInfo) { $command = $Record.InvocationInfo.MyCommand }
        # A cmdlet that was not found, or did not take its parameters, was not called.
        $isUncalled = $exception -is [Management.Automation.CommandNotFoundException] -or
            $exception -is [Management.Automation.ParameterBindingException]
        if ($isUncalled) { $found.performed = $false }
        if ($exception -is [Management.Automation.CommandNotFoundException]) {
            $found.reason = 'unsupported'
            $found.cmdlet = $exception.CommandName
        } elseif ($Record.FullyQualifiedErrorId.Contains(',') -or ($null -ne $command -and $command.ModuleName)) {
            # Only cmdlets, and functions of modules, give such ids.
            $found.reason = 'cmdlet'
            if ($null -ne $command) { $found.cmdlet = $command.Name }
        } else {
            $message = "$message ($($Record.ScriptStackTrace))"
        }
    }
    if ($message.Length -gt 8192) { $message = $message.Substring(0, 8192) }
    $found.message = $message
    $found
}

# ------------------------------------------------------------------------------------------------------------ requests

# Members of a request, by type. A member that is absent counts as null.
function Read-GpupMember {
    param($Request, [string]$Name, [Type]$Type, [bool]$MayBeNull = $false)
    $value = $null
    if ($Request.ContainsKey($Name)) { $value = $Request[$Name] }
    if ($null -eq $value) {
        if ($MayBeNull) { return }
        throw (New-GpupFault 'bad-request' "no member '$Name'")
    }
    if ($value -isnot $Type) { throw (New-GpupFault 'bad-request' "member '$Name' has another type") }
    , $value
}

function Read-GpupNumber {
    param($Request, [string]$Name, [int64]$Least, [int64]$Most)
    $value = Read-GpupMember $Request $Name ([int64])
    if ($value -lt $Least -or $value -gt $Most) { throw (New-GpupFault 'bad-request' "member '$Name' is out of range") }
    $value
}

function Read-GpupGuid {
    param($Request, [string]$Name)
    $id = [guid]::Empty
    $text = Read-GpupMember $Request $Name ([string])
    # TryParseExact lets white space around it through.
    if ($text.Length -ne 36 -or -not [guid]::TryParseExact($text, 'D', [ref]$id)) {
        throw (New-GpupFault 'bad-request' "member '$Name' is no GUID")
    }
    $id
}

# ----------------------------------------------------------------------------------------------- the host, only reading

# Whether a module has a command. The first question imports the module: that is when it turns out to be missing.
function Test-GpupCommand {
    param([string]$Module, [string]$Command)
    $found = Get-GpupModule $Module
    $null -ne $found -and $found.ExportedCommands.ContainsKey($Command)
}

# A module, imported; nothing where the host lacks it.
function Get-GpupModule {
    param([string]$Name)
    foreach ($module in @(Get-Module -Name $Name)) { return $module }
    try {
        Import-Module -Name $Name -DisableNameChecking -ErrorAction Stop
    } catch {
        return
    }
    foreach ($module in @(Get-Module -Name $Name)) { return $module }
}

function Get-GpupComputer {
    if ($env:COMPUTERNAME) { $env:COMPUTERNAME } else { [Environment]::MachineName }
}

# A value of Windows' registry; nothing where it is not set. One that may not be read is an error.
function Get-GpupRegistryValue {
    param([string]$Key, [string]$Name)
    [Microsoft.Win32.Registry]::GetValue($Key, $Name, $null)
}

function Test-GpupRegistryKey {
    param([string]$Key)
    # Null only where the key is absent.
    $null -ne [Microsoft.Win32.Registry]::GetValue($Key, '', 'there')
}

# What of Windows runs here, by the registry. What may not be read is null, and Unread says why.
function Get-GpupWindows {
    param($Unread = @{})
    $key = 'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $build = 0
    $windows = [ordered]@{ build = $null; ubr = $null; edition = $null; product = $null }
    $found = New-GpupTable
    try {
        foreach ($name in 'CurrentBuildNumber', 'UBR', 'EditionID', 'ProductName') {
            $found[$name] = Get-GpupRegistryValue $key $name
        }
    } catch {
        foreach ($member in 'build', 'edition') { Add-GpupUnread $Unread "host.$member" $_ }
        return $windows
    }
    if ([int]::TryParse("$($found['CurrentBuildNumber'])", [ref]$build)) { $windows.build = $build }
    $windows.ubr = ConvertTo-GpupInt $found['UBR']
    $edition = "$($found['EditionID'])"
    if ([regex]::IsMatch($edition, 'AzureStackHCI|ASZ')) {
        $windows.edition = 'azure-stack-hci'
    } elseif ($edition.StartsWith('ServerDatacenter', [StringComparison]::Ordinal)) {
        $windows.edition = 'datacenter'
    } elseif ($edition.StartsWith('ServerStandard', [StringComparison]::Ordinal)) {
        $windows.edition = 'standard'
    } elseif ($edition.Length -gt 0) {
        $windows.edition = 'other'
    }
    if ($null -ne $found['ProductName']) { $windows.product = [string]$found['ProductName'] }
    $windows
}

function Test-GpupElevated {
    try {
        $user = [Security.Principal.WindowsPrincipal]::new([Security.Principal.WindowsIdentity]::GetCurrent())
        $user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    } catch {
        return
    }
}

# Which of the modules and their cmdlets the host has.
function Get-GpupModules {
    $wanted = [ordered]@{
        'Hyper-V' = @(
            'Get-VM', 'Get-VMHost', 'Get-VMHostPartitionableGpu', 'Get-VMPartitionableGpu', 'Get-VMGpuPartitionAdapter',
            'Get-VMHostAssignableDevice', 'Get-VMIntegrationService', 'Set-VMHostPartitionableGpu', 'Set-VMPartitionableGpu',
            'Add-VMGpuPartitionAdapter', 'Remove-VMGpuPartitionAdapter', 'Stop-VM', 'Start-VM'
        )
        'FailoverClusters' = @(
            'Get-Cluster', 'Get-ClusterNode', 'Get-ClusterResource', 'Get-ClusterGroup', 'Get-ClusterParameter',
            'Set-ClusterParameter'
        )
        'PnpDevice' = @('Get-PnpDevice')
    }
    $modules = [ordered]@{}
    $cmdlets = [ordered]@{}
    foreach ($name in $wanted.Keys) {
        $module = Get-GpupModule $name
        $modules[$name] = $null
        if ($null -ne $module) { $modules[$name] = $module.Version.ToString() }
        foreach ($command in $wanted[$name]) {
            $cmdlets["$name\$command"] = $null -ne $module -and $module.ExportedCommands.ContainsKey($command)
        }
    }
    @{ modules = $modules; cmdlets = $cmdlets }
}

# The cluster that this host is a node of. Nothing where it is in none: no module, or a cluster service that does not run.
function Get-GpupCluster {
    if (Test-GpupCommand 'FailoverClusters' 'Get-Cluster') {
        try {
            FailoverClusters\Get-Cluster -ErrorAction Stop
        } catch {
            return
        }
    }
}

# The instance path of a PnP device as Hyper-V writes it, and back:
#   \\?\PCI#VEN_10DE&DEV_25B6&...#4&18416dc3&0&0000#{064092b3-...}   <->   PCI\VEN_10DE&DEV_25B6&...\4&18416DC3&0&0000
function ConvertTo-GpupInstanceId {
    param([string]$Name)
    if ($Name.StartsWith('\\?\', [StringComparison]::Ordinal)) { $Name = $Name.Substring(4) }
    $end = $Name.IndexOf('#{', [StringComparison]::Ordinal)
    if ($end -ge 0) { $Name = $Name.Substring(0, $end) }
    $Name.Replace('#', '\')
}

function ConvertTo-GpupName {
    param([string]$InstanceId)
    # What is given to DDA is listed under PCIP, the driver that keeps it for virtual machines.
    if ($InstanceId.StartsWith('PCIP\', [StringComparison]::OrdinalIgnoreCase)) { $InstanceId = 'PCI' + $InstanceId.Substring(4) }
    if ($InstanceId.IndexOf('\', [StringComparison]::Ordinal) -lt 0) { return $InstanceId }
    '\\?\' + $InstanceId.Replace('\', '#') + '#{064092b3-625e-43bf-9eb5-dc845897dd59}'
}

function Test-GpupParavirtual {
    param([string]$Name)
    $Name.EndsWith('\GPUPARAV', [StringComparison]::OrdinalIgnoreCase)
}

# The GPUs that Hyper-V can partition. Older builds have the cmdlet under its older name only.
function Get-GpupPartitionable {
    $isOlder = -not (Test-GpupCommand 'Hyper-V' 'Get-VMHostPartitionableGpu')
    if ($isOlder -and (Test-GpupCommand 'Hyper-V' 'Get-VMPartitionableGpu')) {
        Hyper-V\Get-VMPartitionableGpu -ErrorAction Stop
    } else {
        Hyper-V\Get-VMHostPartitionableGpu -ErrorAction Stop
    }
}

# Devices that are given to virtual machines as a whole (DDA).
function Get-GpupAssignable {
    if (Test-GpupCommand 'Hyper-V' 'Get-VMHostAssignableDevice') { Hyper-V\Get-VMHostAssignableDevice -ErrorAction Stop }
}

# Display devices of PnP: the class 'Display', and NVIDIA's that have no driver and so no class.
function Get-GpupDisplayDevices {
    if (-not (Test-GpupCommand 'PnpDevice' 'Get-PnpDevice')) { return }
    foreach ($device in @(PnpDevice\Get-PnpDevice -ErrorAction Stop)) {
        $class = "$(Get-GpupValue $device 'Class')"
        $id = [string]$device.InstanceId
        if (Test-GpupSameName $class 'Display') {
            $device
        } elseif ([regex]::IsMatch($id, '^PCIP?\\VEN_10DE&', 'IgnoreCase, CultureInvariant')) {
            $compatible = @(Get-GpupValue $device 'CompatibleID')
            $isDisplay = $false
            foreach ($one in $compatible) {
                if ([regex]::IsMatch([string]$one, '^PCI\\CC_03', 'IgnoreCase, CultureInvariant')) { $isDisplay = $true }
            }
            if ($isDisplay -or $class.Length -eq 0 -or (Test-GpupSameName $class 'Unknown')) { $device }
        }
    }
}

# A GPU as a member of `gpus` of a snapshot. Without a row of Hyper-V's it is not assignable.
function ConvertTo-GpupGpu {
    param([string]$Name, $Row, $Devices)
    $gpu = [ordered]@{
        name = $Name; model = $null; device = $null; subsystem = $null; status = 'not-assignable'; validPartitionCounts = $null
        partitionCount = $null; totalVram = $null; availableVram = $null; partitionVram = $null
        partitionEncode = $null; partitionDecode = $null; partitionCompute = $null
    }
    $id = ConvertTo-GpupInstanceId $Name
    # One that is given to DDA may be known to PnP under PCIP only.
    foreach ($known in $id, [regex]::Replace($id, '\A[Pp][Cc][Ii]\\', 'PCIP\')) {
        if ($null -eq $gpu.model -and $Devices.ContainsKey($known)) {
            $gpu.model = Get-GpupTextOf $Devices[$known] 'FriendlyName'
        }
    }
    $pci = [regex]::Match($id, 'VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})(?:&SUBSYS_([0-9A-F]{8}))?', 'IgnoreCase, CultureInvariant')
    if ($pci.Success) {
        $gpu.device = ($pci.Groups[1].Value + ':' + $pci.Groups[2].Value).ToLowerInvariant()
        if ($pci.Groups[3].Success) { $gpu.subsystem = $pci.Groups[3].Value.ToLowerInvariant() }
    }
    if ($null -ne $Row) {
        if (Test-GpupParavirtual $Name) {
            # Its numbers are a scale, not amounts.
            $gpu.status = 'paravirtualization'
        } else {
            $gpu.status = 'partitioned'
            if ($null -ne $Row.ValidPartitionCounts) {
                $gpu.validPartitionCounts = @(foreach ($count in @($Row.ValidPartitionCounts)) { [int]$count })
            }
            $gpu.partitionCount = [int]$Row.PartitionCount
            $gpu.totalVram = ConvertTo-GpupNumber $Row.TotalVRAM
            $gpu.availableVram = ConvertTo-GpupNumber $Row.AvailableVRAM
            $gpu.partitionVram = ConvertTo-GpupNumber $Row.MinPartitionVRAM
            $gpu.partitionEncode = ConvertTo-GpupNumber $Row.MinPartitionEncode
            $gpu.partitionDecode = ConvertTo-GpupNumber $Row.MinPartitionDecode
            $gpu.partitionCompute = ConvertTo-GpupNumber $Row.MinPartitionCompute
        }
    }
    $gpu
}

# What both Hyper-V's and the PnP's lists say of GPUs, as `gpus` of a snapshot.
function Get-GpupGpus {
    param($Partitionable, $Assignable, $Devices)
    $byId = New-GpupNameTable
    foreach ($device in @($Devices)) { $byId[[string]$device.InstanceId] = $device }
    $listed = New-GpupNameTable
    $gpus = [Collections.Generic.List[object]]::new()
    foreach ($row in @($Partitionable)) {
        if ($row -and -not (Get-GpupValue $row 'IsDeleted')) {
            $name = [string]$row.Name
            $listed[(ConvertTo-GpupInstanceId $name)] = $true
            $gpus.Add((ConvertTo-GpupGpu $name $row $byId))
        }
    }
    foreach ($row in @($Assignable)) {
        if ($row) {
            $name = ConvertTo-GpupName ([string]$row.InstanceID)
            $id = ConvertTo-GpupInstanceId $name
            # Other devices than GPUs are given to virtual machines in the same way.
            $isGpu = $byId.ContainsKey($id) -or $byId.ContainsKey([string]$row.InstanceID) -or
                [regex]::IsMatch($id, '\\VEN_10DE&', 'IgnoreCase, CultureInvariant')
            if ($isGpu -and -not $listed.ContainsKey($id)) {
                $listed[$id] = $true
                $gpu = ConvertTo-GpupGpu $name $null $byId
                $gpu.status = 'ready-for-dda'
                $gpus.Add($gpu)
            }
        }
    }
    foreach ($device in @($Devices)) {
        if ($device -and (Get-GpupValue $device 'Present') -ne $false) {
            $name = ConvertTo-GpupName ([string]$device.InstanceId)
            $id = ConvertTo-GpupInstanceId $name
            if (-not $listed.ContainsKey($id) -and -not $id.StartsWith('ROOT\', [StringComparison]::OrdinalIgnoreCase)) {
                $listed[$id] = $true
                $gpus.Add((ConvertTo-GpupGpu $name $null $byId))
            }
        }
    }
    , $gpus
}

# Adapters as `partitions` of a snapshot. An adapter's Id is Microsoft:VM\ADAPTER in upper case.
function Get-GpupAdapterId {
    param($Adapter)
    $id = [string]$Adapter.Id
    $id.Substring($id.LastIndexOf('\', [StringComparison]::Ordinal) + 1).ToLowerInvariant()
}

function ConvertTo-GpupAdapter {
    param($Adapter, $GpuNames)
    $gpu = [string]$Adapter.InstancePath
    if ($gpu.Length -eq 0) {
        $gpu = $null
    } elseif ($GpuNames.ContainsKey($gpu)) {
        $gpu = $GpuNames[$gpu]
    }
    $made = [ordered]@{
        id = Get-GpupAdapterId $Adapter
        gpu = $gpu
        partitionId = $Adapter.PartitionId; vram = $Adapter.CurrentPartitionVRAM
        encode = $Adapter.CurrentPartitionEncode; decode = $Adapter.CurrentPartitionDecode
    }
    # As ConvertTo-GpupNumber: calls are dear, and there are as many adapters as machines.
    foreach ($name in 'partitionId', 'vram', 'encode', 'decode') {
        $value = $made[$name]
        if ($null -ne $value -and "$value".Length -gt 0) { $made[$name] = [uint64]$value } else { $made[$name] = $null }
    }
    $made
}

# The adapters of virtual machines by the machine's id: one call for all of them.
function Get-GpupAdaptersByVm {
    param($Vms)
    $byVm = New-GpupNameTable
    foreach ($vm in @($Vms)) { $byVm["$($vm.Id)"] = [Collections.Generic.List[object]]::new() }
    if ($byVm.Count -gt 0) {
        foreach ($adapter in @(Hyper-V\Get-VMGpuPartitionAdapter -VM $Vms -ErrorAction Stop)) {
            if ($byVm.ContainsKey("$($adapter.VMId)")) { $byVm["$($adapter.VMId)"].Add($adapter) }
        }
    }
    , $byVm
}

# What the cluster keeps of virtual machines, by their id: OfflineAction and ShutdownAction, the owner and the group. The
# resource is found by its private property VmID: its name need not be the machine's. One call for all resources.
function Get-GpupClusteredVms {
    param([string]$OnlyOn)
    $resources = @(foreach ($resource in @(FailoverClusters\Get-ClusterResource -ErrorAction Stop)) {
            if ((Test-GpupSame (Get-GpupNameOf $resource.ResourceType) 'Virtual Machine') -and
                ($OnlyOn.Length -eq 0 -or (Test-GpupSameName (Get-GpupNameOf $resource.OwnerNode) $OnlyOn))) {
                $resource
            }
        })
    $byName = New-GpupTable
    foreach ($resource in $resources) {
        $byName[[string]$resource.Name] = @{
            id = $null; offlineAction = $null; shutdownAction = $null
            owner = Get-GpupNameOf $resource.OwnerNode; group = Get-GpupNameOf $resource.OwnerGroup
        }
    }
    if ($resources.Count -gt 0) {
        foreach ($parameter in @($resources | FailoverClusters\Get-ClusterParameter -ErrorAction Stop)) {
            $of = Get-GpupNameOf $parameter.ClusterObject
            if (-not $byName.ContainsKey($of)) { continue }
            if (Test-GpupSameName $parameter.Name 'VmID') {
                $byName[$of].id = [string]$parameter.Value
            } elseif (Test-GpupSameName $parameter.Name 'OfflineAction') {
                $byName[$of].offlineAction = ConvertTo-GpupInt $parameter.Value
            } elseif (Test-GpupSameName $parameter.Name 'ShutdownAction') {
                $byName[$of].shutdownAction = ConvertTo-GpupInt $parameter.Value
            }
        }
    }
    $byId = New-GpupNameTable
    foreach ($found in $byName.Values) {
        if ($found.id) { $byId[$found.id.Trim('{', '}')] = $found }
    }
    , $byId
}

# OfflineAction as a word. A clustered virtual machine whose OfflineAction is not set is saved.
function ConvertTo-GpupOfflineAction {
    param($Clustered)
    if ($null -eq $Clustered) { return }
    $words = 'turn-off', 'save', 'shutdown', 'force-shutdown'
    $value = $Clustered.offlineAction
    if ($null -eq $value) { return 'save' }
    if ($value -ge 0 -and $value -lt $words.Count) { $words[$value] }
}

# ProgramData\gpup, or one of its files. It need not exist.
function Get-GpupPath {
    param([string]$Name = '')
    if (-not $env:ProgramData) { throw (New-GpupFault 'agent' 'the environment has no ProgramData') }
    [IO.Path]::Combine($env:ProgramData, 'gpup', $Name)
}

# The virtual machines whose start is owed: a run of gpup stopped them and has not started them again.
function Get-GpupOwedStarts {
    $owed = New-GpupNameTable
    if ($env:ProgramData) {
        $folder = Get-GpupPath 'owed'
        if ([IO.Directory]::Exists($folder)) {
            foreach ($file in [IO.Directory]::GetFiles($folder, '*.json')) {
                $owed[[IO.Path]::GetFileNameWithoutExtension($file)] = $file
            }
        }
    }
    , $owed
}

# Of these the ids of the ones that have left this host since, or are no more.
function Get-GpupOwedElsewhere {
    param($Owed, $Vms)
    $here = New-GpupNameTable
    foreach ($vm in $Vms) { $here["$($vm.Id)"] = $true }
    $ids = [Collections.Generic.List[string]]::new()
    foreach ($name in $Owed.Keys) {
        $id = [guid]::Empty
        if ([guid]::TryParseExact($name, 'D', [ref]$id) -and -not $here.ContainsKey($name)) { $ids.Add($id.ToString()) }
    }
    $ids.Sort([StringComparer]::Ordinal)
    , $ids.ToArray()
}

# ------------------------------------------------------------------------------------------------------ reading requests

function Get-GpupHello {
    param($Job)
    $windows = Get-GpupWindows
    $modules = Get-GpupModules
    $cluster = $null
    $found = Get-GpupCluster
    if ($null -ne $found) { $cluster = Get-GpupNameOf $found }
    [ordered]@{
        protocol = 1
        engine = $PSVersionTable.PSVersion.ToString()
        engineEdition = [string]$PSVersionTable.PSEdition
        computer = Get-GpupComputer
        build = $windows.build; ubr = $windows.ubr; edition = $windows.edition; product = $windows.product
        elevated = Test-GpupElevated
        cluster = $cluster
        clock = [DateTime]::UtcNow.ToString('o', [Globalization.CultureInfo]::InvariantCulture)
        modules = $modules.modules
        cmdlets = $modules.cmdlets
    }
}

# The host as a snapshot. The number of cmdlets called does not depend on how many virtual machines there are.
function Get-GpupSnapshot {
    param($Job)
    $at = Get-GpupTime
    $windows = Get-GpupWindows
    $computer = Get-GpupComputer
    $partitionable = @(Get-GpupPartitionable)
    $assignable = @(Get-GpupAssignable)
    $gpus = Get-GpupGpus $partitionable $assignable @(Get-GpupDisplayDevices)
    $gpuNames = New-GpupNameTable
    foreach ($gpu in $gpus) { $gpuNames[$gpu.name] = $gpu.name }

    $vms = @(Hyper-V\Get-VM -ErrorAction Stop)
    try {
        $adapters = Get-GpupAdaptersByVm $vms
    } catch {
        if (-not (Test-GpupSame "$($_.CategoryInfo.Category)" 'ObjectNotFound')) { throw }
        # One went between the two calls (inferred: then the second fails for all). Who goes all the time is told.
        $vms = @(Hyper-V\Get-VM -ErrorAction Stop)
        $adapters = Get-GpupAdaptersByVm $vms
    }
    $anyClustered = $false
    $areClustered = @(foreach ($vm in $vms) {
            $isClustered = [bool](Get-GpupValue $vm 'IsClustered')
            if ($isClustered) { $anyClustered = $true }
            $isClustered
        })
    $cluster = Get-GpupCluster
    $clustered = New-GpupNameTable
    if ($anyClustered) {
        # Without the cluster's answer their OfflineAction would look unset: then nothing is told, but the error.
        if ($null -eq $cluster) { $cluster = FailoverClusters\Get-Cluster -ErrorAction Stop }
        $clustered = Get-GpupClusteredVms $computer
    }
    $owed = Get-GpupOwedStarts

    $machines = [Collections.Generic.List[object]]::new()
    for ($i = 0; $i -lt $vms.Count; $i++) {
        $vm = $vms[$i]
        $id = "$($vm.Id)".ToLowerInvariant()
        $state = "$($vm.State)"
        $machine = [ordered]@{
            name = [string]$vm.Name; id = $id; state = $state; clustered = $areClustered[$i]
            generation = ConvertTo-GpupInt $vm.Generation
            offlineAction = $null; dynamicMemory = $null; automaticCheckpoints = $null
        }
        # As Get-GpupValue, without its call.
        $property = $vm.PSObject.Properties['DynamicMemoryEnabled']
        if ($null -ne $property -and $null -ne $property.Value) { $machine.dynamicMemory = [bool]$property.Value }
        $property = $vm.PSObject.Properties['AutomaticCheckpointsEnabled']
        if ($null -ne $property -and $null -ne $property.Value) { $machine.automaticCheckpoints = [bool]$property.Value }
        if ($areClustered[$i] -and $clustered.ContainsKey($id)) {
            $machine.offlineAction = ConvertTo-GpupOfflineAction $clustered[$id]
        }
        # A machine that runs is owed nothing now, whatever a run that was cut off has left behind.
        if ($owed.ContainsKey($id) -and -not (Test-GpupSame $state 'Running')) { $machine.startOwed = $true }
        $machine.partitions = @(foreach ($adapter in $adapters[$id]) { ConvertTo-GpupAdapter $adapter $gpuNames })
        $machines.Add($machine)
    }
    $elsewhere = Get-GpupOwedElsewhere $owed $vms
    if ($Job.Context.Writing) {
        Clear-GpupOldOwedStarts $Job $vms $owed $at
        if ($null -ne $cluster) { Clear-GpupOldOwedElsewhere $Job $elsewhere $owed $at }
    }

    $read = [ordered]@{
        name = $Job.Context.Host; computer = $computer; build = $windows.build; edition = $windows.edition; reachable = $true
        gpus = $gpus; vms = $machines
    }
    if ($elsewhere.Length -gt 0) { $read.startsOwed = $elsewhere }
    [ordered]@{
        apiVersion = 'gpup/v1'; kind = 'Snapshot'
        takenAt = $at
        cluster = if ($null -ne $cluster) { Get-GpupNameOf $cluster } else { $null }
        hosts = , $read
    }
}

# Why a part of the doctor's answer is null.
function Add-GpupUnread {
    param($Unread, [string]$Member, [Management.Automation.ErrorRecord]$Record)
    $failure = ConvertTo-GpupError $Record $false
    $text = $failure.message
    # A call of .NET that failed: what it says itself, not where in this script.
    if (Test-GpupSame $failure.reason 'agent') { $text = $Record.Exception.GetBaseException().Message }
    if ($failure.errorId) { $text = "$($failure.errorId): $text" }
    $Unread[$Member] = $text
}

# Everything that tells whether this host is fit for partitions, as raw facts: gpup judges. What could not be read is null,
# and `errors` says why. No cmdlet tells the guest's system, nor whether the guest may hibernate: WMI does, and is not asked.
function Get-GpupDoctor {
    param($Job)
    $unread = [ordered]@{}
    $windows = Get-GpupWindows $unread
    $modules = Get-GpupModules

    $node = [ordered]@{
        computer = Get-GpupComputer
        build = $windows.build; ubr = $windows.ubr; edition = $windows.edition; product = $windows.product
        elevated = Test-GpupElevated
        iovSupport = $null; iovSupportReasons = $null; virtualization = $null
        requireSecureDeviceAssignment = $null; requireSupportedDeviceAssignment = $null; arcManaged = $null
        clock = [DateTime]::UtcNow.ToString('o', [Globalization.CultureInfo]::InvariantCulture)
        modules = $modules.modules
        cmdlets = $modules.cmdlets
    }
    foreach ($member in 'build', 'edition') {
        if ($null -eq $node[$member] -and -not $unread.Contains("host.$member")) { $unread["host.$member"] = 'not in the registry' }
    }
    if ($null -eq $node.elevated) { $unread['host.elevated'] = 'this system does not tell' }
    # A policy that is not set is null, too, but stands not under errors.
    foreach ($policy in 'requireSecureDeviceAssignment', 'requireSupportedDeviceAssignment') {
        try {
            $value = Get-GpupRegistryValue 'HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\HyperV' $policy
            $node[$policy] = ConvertTo-GpupInt $value
        } catch {
            Add-GpupUnread $unread "host.$policy" $_
        }
    }
    try {
        # Azure's agent is a service called himds; Azure Local has a key of its own.
        $node.arcManaged = (Test-GpupRegistryKey 'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\himds') -or
            (Test-GpupRegistryKey 'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\AzureStack')
    } catch {
        Add-GpupUnread $unread 'host.arcManaged' $_
    }
    try {
        $vmHost = Hyper-V\Get-VMHost -ErrorAction Stop
        $node.virtualization = $true
        $node.iovSupport = ConvertTo-GpupBool (Get-GpupValue $vmHost 'IovSupport')
        $reasons = @(Get-GpupValue $vmHost 'IovSupportReasons')
        $node.iovSupportReasons = @(foreach ($reason in $reasons) { if ($null -ne $reason) { [string]$reason } })
    } catch {
        foreach ($member in 'virtualization', 'iovSupport', 'iovSupportReasons') { Add-GpupUnread $unread "host.$member" $_ }
    }

    $devices = $null
    $pnp = $null
    try {
        if (-not (Test-GpupCommand 'PnpDevice' 'Get-PnpDevice')) {
            throw (New-GpupFault 'unsupported' 'the host has no PnpDevice\Get-PnpDevice')
        }
        $devices = @(Get-GpupDisplayDevices)
        $pnp = @(foreach ($device in $devices) {
                [ordered]@{
                    instanceId = [string]$device.InstanceId
                    friendlyName = Get-GpupTextOf $device 'FriendlyName'
                    status = Get-GpupTextOf $device 'Status'
                    problem = ConvertTo-GpupEnum (Get-GpupValue $device 'Problem')
                    present = ConvertTo-GpupBool (Get-GpupValue $device 'Present')
                    class = Get-GpupTextOf $device 'Class'
                }
            })
    } catch {
        Add-GpupUnread $unread 'pnp' $_
    }

    $assignable = $null
    $rows = @()
    try {
        $rows = @(Get-GpupAssignable)
        $assignable = @(foreach ($row in $rows) {
                [ordered]@{ instanceId = [string]$row.InstanceID; locationPath = Get-GpupTextOf $row 'LocationPath' }
            })
    } catch {
        Add-GpupUnread $unread 'assignable' $_
    }

    $gpus = $null
    $gpuNames = New-GpupNameTable
    try {
        $partitionable = @(Get-GpupPartitionable)
        $gpus = Get-GpupGpus $partitionable $rows $devices
        $rowByName = New-GpupNameTable
        foreach ($row in $partitionable) { $rowByName[[string]$row.Name] = $row }
        foreach ($gpu in $gpus) {
            $gpuNames[$gpu.name] = $gpu.name
            $gpu.supportsIncomingLiveMigration = $null
            if ($rowByName.ContainsKey($gpu.name)) {
                $can = Get-GpupValue $rowByName[$gpu.name] 'SupportsIncomingLiveMigration'
                $gpu.supportsIncomingLiveMigration = ConvertTo-GpupBool $can
            }
        }
    } catch {
        Add-GpupUnread $unread 'gpus' $_
    }

    $cluster = $null
    $clustered = New-GpupNameTable
    $found = $null
    if (Test-GpupCommand 'FailoverClusters' 'Get-Cluster') {
        try {
            $found = FailoverClusters\Get-Cluster -ErrorAction Stop
        } catch {
            # A host that is in no cluster gives an error, too.
            Add-GpupUnread $unread 'cluster' $_
        }
    }
    if ($null -ne $found) {
        try {
            $clustered = Get-GpupClusteredVms ''
            $vmOfGroup = New-GpupNameTable
            foreach ($entry in $clustered.GetEnumerator()) { $vmOfGroup[$entry.Value.group] = $entry.Key.ToLowerInvariant() }
            $nodes = @(foreach ($one in @(FailoverClusters\Get-ClusterNode -ErrorAction Stop)) {
                    [ordered]@{ name = [string]$one.Name; state = [int]$one.State }
                })
            $groups = @(foreach ($one in @(FailoverClusters\Get-ClusterGroup -ErrorAction Stop)) {
                    $name = [string]$one.Name
                    [ordered]@{
                        name = $name; vm = if ($vmOfGroup.ContainsKey($name)) { $vmOfGroup[$name] } else { $null }
                        ownerNode = Get-GpupNameOf $one.OwnerNode; state = [int]$one.State
                    }
                })
            $cluster = [ordered]@{ name = Get-GpupNameOf $found; nodes = $nodes; groups = $groups }
        } catch {
            Add-GpupUnread $unread 'cluster' $_
        }
    }

    $vms = $null
    try {
        $all = @(Hyper-V\Get-VM -ErrorAction Stop)
        $adapters = $null
        try {
            $adapters = Get-GpupAdaptersByVm $all
        } catch {
            Add-GpupUnread $unread 'vms.adapters' $_
        }
        $shutdown = $null
        try {
            $shutdown = Get-GpupShutdownServices $all
        } catch {
            Add-GpupUnread $unread 'vms.shutdownService' $_
        }
        $vms = @(foreach ($vm in $all) {
                $id = "$($vm.Id)".ToLowerInvariant()
                $ofCluster = $null
                if ($clustered.ContainsKey($id)) { $ofCluster = $clustered[$id] }
                [ordered]@{
                    name = [string]$vm.Name; id = $id; state = "$($vm.State)"; generation = ConvertTo-GpupInt $vm.Generation
                    clustered = [bool](Get-GpupValue $vm 'IsClustered')
                    dynamicMemoryEnabled = ConvertTo-GpupBool (Get-GpupValue $vm 'DynamicMemoryEnabled')
                    automaticCheckpointsEnabled = ConvertTo-GpupBool (Get-GpupValue $vm 'AutomaticCheckpointsEnabled')
                    checkpointType = ConvertTo-GpupEnum (Get-GpupValue $vm 'CheckpointType')
                    automaticStopAction = ConvertTo-GpupEnum (Get-GpupValue $vm 'AutomaticStopAction')
                    parentSnapshotId = Get-GpupTextOf $vm 'ParentSnapshotId'
                    shutdownService = if ($null -ne $shutdown -and $shutdown.ContainsKey($id)) { $shutdown[$id] } else { $null }
                    guestControlledCacheTypes = ConvertTo-GpupBool (Get-GpupValue $vm 'GuestControlledCacheTypes')
                    lowMemoryMappedIoSpace = ConvertTo-GpupNumber (Get-GpupValue $vm 'LowMemoryMappedIoSpace')
                    highMemoryMappedIoSpace = ConvertTo-GpupNumber (Get-GpupValue $vm 'HighMemoryMappedIoSpace')
                    offlineAction = ConvertTo-GpupOfflineAction $ofCluster
                    shutdownAction = if ($null -ne $ofCluster) { $ofCluster.shutdownAction } else { $null }
                    adapters = if ($null -ne $adapters) { $adapters[$id].Count } else { $null }
                    staleAdapterSuspected = $null
                }
            })
    } catch {
        Add-GpupUnread $unread 'vms' $_
    }

    [ordered]@{
        host = $node; pnp = $pnp; gpus = $gpus; assignable = $assignable; vms = $vms; cluster = $cluster; errors = $unread
    }
}

# The text of a property; nothing where it is absent or empty.
function Get-GpupTextOf {
    param($Object, [string]$Name)
    $value = Get-GpupValue $Object $Name
    if ($null -ne $value -and "$value".Length -gt 0) { "$value" }
}

# The number of an enumeration's value; nothing where a module gives its name only.
function ConvertTo-GpupEnum {
    param($Value)
    $number = 0
    if ($Value -is [enum]) { [int]$Value } elseif ([int]::TryParse("$Value", [ref]$number)) { $number }
}

# Whether each machine's guest can be shut down: the service's name is localised, its id is not.
function Get-GpupShutdownServices {
    param($Vms)
    $byVm = New-GpupNameTable
    if (@($Vms).Count -gt 0) {
        foreach ($service in @(Hyper-V\Get-VMIntegrationService -VM $Vms -ErrorAction Stop)) {
            if (([string]$service.Id).EndsWith('\9F8233AC-BE49-4C79-8EE3-E7E1985B2077', [StringComparison]::OrdinalIgnoreCase)) {
                $byVm["$($service.VMId)"] = [bool]$service.Enabled
            }
        }
    }
    , $byVm
}

# ---------------------------------------------------------------------------------------------- what changes the host
# Called in mode "write" only, and never in a session that reads. Whoever wants to know what gpup can change reads this
# one function: nothing outside it changes anything.

function Enable-GpupWriting {
    # Files of ours are written beside their place, flushed, and moved there: whole or not at all.
    function global:Write-GpupFile {
        param([string]$Path, [string]$Text)
        $beside = "$Path.new"
        $bytes = [Text.Encoding]::ASCII.GetBytes($Text)
        $stream = [IO.FileStream]::new($beside, [IO.FileMode]::Create, [IO.FileAccess]::Write, [IO.FileShare]::None)
        try {
            $stream.Write($bytes, 0, $bytes.Length)
            $stream.Flush($true)
        } finally {
            $stream.Dispose()
        }
        if ([IO.File]::Exists($Path)) {
            [IO.File]::Replace($beside, $Path, [NullString]::Value)
        } else {
            [IO.File]::Move($beside, $Path)
        }
    }

    # A folder of ours, for Administrators and SYSTEM alone. ProgramData lets every user create folders: one that somebody
    # else has put there is refused. .NET and .NET Framework have different calls for the rights.
    function global:New-GpupFolder {
        param([string]$Path)
        $wasThere = [IO.Directory]::Exists($Path)
        $folder = [IO.Directory]::CreateDirectory($Path)
        if ([Environment]::OSVersion.Platform -ne [PlatformID]::Win32NT) { return }
        $hasMethods = $null -ne $folder.PSObject.Methods['SetAccessControl']
        if ($wasThere) {
            $now = if ($hasMethods) { $folder.GetAccessControl() } else { [IO.FileSystemAclExtensions]::GetAccessControl($folder) }
            $owner = $now.GetOwner([Security.Principal.SecurityIdentifier]).Value
            $isOurs = (Test-GpupSame $owner 'S-1-5-32-544') -or (Test-GpupSame $owner 'S-1-5-18')
            if (-not $isOurs -or ($folder.Attributes -band [IO.FileAttributes]::ReparsePoint) -ne 0) {
                throw (New-GpupFault 'agent' "$Path was not made by an administrator: look at it and remove it")
            }
        }
        $rules = [Security.AccessControl.DirectorySecurity]::new()
        $rules.SetAccessRuleProtection($true, $false)
        foreach ($sid in 'S-1-5-32-544', 'S-1-5-18') {
            $who = [Security.Principal.SecurityIdentifier]::new($sid)
            if (Test-GpupSame $sid 'S-1-5-32-544') { $rules.SetOwner($who) }
            $rules.AddAccessRule([Security.AccessControl.FileSystemAccessRule]::new(
                    $who, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
        }
        if ($hasMethods) {
            $folder.SetAccessControl($rules)
        } else {
            [IO.FileSystemAclExtensions]::SetAccessControl($folder, $rules)
        }
    }

    # A small file of ours; nothing where it is absent or cannot be read.
    function global:Read-GpupFile {
        param([string]$Path)
        $stream = $null
        try {
            $stream = [IO.FileStream]::new($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]'ReadWrite, Delete')
            $bytes = [byte[]]::new(65536)
            $count = 0
            do {
                $read = $stream.Read($bytes, $count, $bytes.Length - $count)
                $count += $read
            } while ($read -gt 0)
            [Text.Encoding]::ASCII.GetString($bytes, 0, $count)
        } catch {
            return
        } finally {
            if ($null -ne $stream) { $stream.Dispose() }
        }
    }

    # The number of the last lock. Only who holds the lock changes it.
    function global:Read-GpupLockNumber {
        $number = [int64]0
        $text = Read-GpupFile (Get-GpupPath 'lock.number')
        if ($null -eq $text) { return $number }
        if ([int64]::TryParse($text.Trim(), [Globalization.NumberStyles]::None,
                [Globalization.CultureInfo]::InvariantCulture, [ref]$number)) {
            return $number
        }
        # Unreadable: go on from a number that no run can have had.
        [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()
    }

    # The lock is a file that is held open, by nobody else: it is free again once this process ends, however it ends.
    function global:Lock-GpupHost {
        param($Job)
        $context = $Job.Context
        if ($null -ne $context.LockStream) { return [ordered]@{ number = $context.LockNumber } }
        New-GpupFolder (Get-GpupPath)
        New-GpupFolder (Get-GpupPath 'owed')
        $holderPath = Get-GpupPath 'lock.holder.json'
        try {
            $stream = [IO.FileStream]::new((Get-GpupPath 'lock'), [IO.FileMode]::OpenOrCreate, [IO.FileAccess]::ReadWrite,
                [IO.FileShare]::None)
        } catch {
            # 0x80070020 sharing violation, 0x80070021 lock violation; elsewhere than on Windows EAGAIN, by system 11 or 35.
            $code = $_.Exception.GetBaseException().HResult
            if ($code -ne -2147024864 -and $code -ne -2147024863 -and $code -ne 11 -and $code -ne 35) { throw }
            $holder = [ordered]@{ host = $null; process = $null; user = $null; since = $null }
            $text = Read-GpupFile $holderPath
            if ($text) {
                try {
                    $read = ConvertFrom-GpupJson $text
                    foreach ($name in @($holder.Keys)) { if ($read.ContainsKey($name)) { $holder[$name] = $read[$name] } }
                } catch {
                    $holder.host = $null
                }
            }
            throw (New-GpupFault 'held' 'another run holds the lock' @{ holder = $holder })
        }
        try {
            # Nobody may take the last holder for this one.
            [IO.File]::Delete($holderPath)
            $number = (Read-GpupLockNumber) + 1
            Write-GpupFile (Get-GpupPath 'lock.number') $number.ToString([Globalization.CultureInfo]::InvariantCulture)
            $client = $context.Client
            Write-GpupFile $holderPath (ConvertTo-GpupJson ([ordered]@{
                        host = $client.host; process = $client.process; user = $client.user
                        since = Get-GpupTime
                    }))
        } catch {
            $stream.Dispose()
            throw
        }
        $context.LockStream = $stream
        $context.LockNumber = $number
        [ordered]@{ number = $number }
    }

    function global:Unlock-GpupHost {
        param($Job)
        Confirm-GpupLock $Job
        [IO.File]::Delete((Get-GpupPath 'lock.holder.json'))
        $Job.Context.LockNumber = [int64]0
        $Job.Context.LockStream.Dispose()
        $Job.Context.LockStream = $null
        [ordered]@{}
    }

    # The request's lock is the one that is held here, and nobody has taken a later one.
    function global:Confirm-GpupLock {
        param($Job)
        $number = Read-GpupMember $Job.Request 'lock' ([int64]) $true
        if ($null -eq $number) { throw (New-GpupFault 'lock' 'the request carries no lock') }
        if ($null -eq $Job.Context.LockStream -or $number -ne $Job.Context.LockNumber -or $number -ne (Read-GpupLockNumber)) {
            throw (New-GpupFault 'lock' 'the lock of this request is not the current one')
        }
    }

    # The last thing before a cmdlet that writes: from here on it may have happened.
    function global:Enter-GpupEffect {
        param($Job)
        Confirm-GpupLock $Job
        $Job.Performed = $true
    }

    function global:New-GpupBrokenFact {
        param([string]$Fact, [string]$Expected, [string]$Found)
        New-GpupFault 'facts' "$Fact is $Found, not $Expected" @{ fact = $Fact; expected = $Expected; found = $Found }
    }

    # The cluster's resource of a virtual machine: found by its id, as the resource's name may be any.
    function global:Get-GpupVmResource {
        param([guid]$Id)
        foreach ($resource in @(FailoverClusters\Get-ClusterResource -VMId $Id -ErrorAction Stop)) {
            if ($resource -and (Test-GpupSame (Get-GpupNameOf $resource.ResourceType) 'Virtual Machine')) { return $resource }
        }
    }

    # The virtual machine, if it is on this host. The cluster is asked for its owner just before each step.
    function global:Get-GpupVm {
        param([guid]$Id)
        $computer = Get-GpupComputer
        $vm = $null
        try {
            $vm = Hyper-V\Get-VM -Id $Id -ErrorAction Stop
        } catch {
            # No such machine here: seen as InvalidParameter, other cmdlets say ObjectNotFound.
            $first = $_.FullyQualifiedErrorId.Split(',')[0]
            if (-not (Test-GpupSame $first 'InvalidParameter') -and -not (Test-GpupSame $first 'ObjectNotFound')) { throw }
        }
        $owner = $null
        if ($null -ne $vm -and (Get-GpupValue $vm 'IsClustered')) {
            $resource = Get-GpupVmResource $Id
            if ($null -eq $resource) { throw (New-GpupBrokenFact 'ownerNode' $computer 'no resource of the cluster') }
            $owner = Get-GpupNameOf $resource.OwnerNode
        } elseif ($null -eq $vm -and $null -ne (Get-GpupCluster)) {
            try {
                $resource = Get-GpupVmResource $Id
                if ($null -ne $resource) { $owner = Get-GpupNameOf $resource.OwnerNode }
            } catch {
                $owner = $null
            }
        }
        if ($null -ne $owner -and -not (Test-GpupSameName $owner $computer)) {
            throw (New-GpupBrokenFact 'ownerNode' $computer $owner)
        }
        if ($null -eq $vm) { throw (New-GpupBrokenFact 'vm' $computer 'not on this host') }
        $vm
    }

    function global:Get-GpupVmState {
        param([guid]$Id)
        "$((Hyper-V\Get-VM -Id $Id -ErrorAction Stop).State)"
    }

    function global:Confirm-GpupVmIsOff {
        param($Vm)
        $state = "$($Vm.State)"
        if (-not (Test-GpupSame $state 'Off')) { throw (New-GpupBrokenFact 'state' 'Off' $state) }
    }

    # Waits until the virtual machine is in a state, and gives the state that it is in at last. One that is still in the
    # state From gets a moment only: then nothing is happening.
    function global:Wait-GpupVmState {
        param([guid]$Id, [string]$State, [string]$From, [int]$MostMilliseconds, [int]$MomentMilliseconds)
        $clock = [Diagnostics.Stopwatch]::StartNew()
        while ($true) {
            $now = Get-GpupVmState $Id
            $waited = $clock.ElapsedMilliseconds
            if ((Test-GpupSame $now $State) -or $waited -ge $MostMilliseconds) { return $now }
            if ((Test-GpupSame $now $From) -and $waited -ge $MomentMilliseconds) { return $now }
            [Threading.Thread]::Sleep(100)
        }
    }

    function global:Add-GpupOwedStart {
        param($Job, $Vm)
        $context = $Job.Context
        $id = "$($Vm.Id)".ToLowerInvariant()
        $note = ConvertTo-GpupJson ([ordered]@{
                vm = $id; name = [string]$Vm.Name; lock = $context.LockNumber
                since = Get-GpupTime
                by = [ordered]@{ host = $context.Client.host; process = $context.Client.process; user = $context.Client.user }
            })
        [Threading.Monitor]::Enter($context.Notes)
        try {
            Write-GpupFile (Get-GpupPath ([IO.Path]::Combine('owed', "$id.json"))) $note
        } finally {
            [Threading.Monitor]::Exit($context.Notes)
        }
    }

    function global:Remove-GpupOwedStart {
        param([guid]$Id)
        [IO.File]::Delete((Get-GpupPath ([IO.Path]::Combine('owed', "$Id.json"))))
    }

    # Forgets an owed start, of a machine that may be on another host by now. gpup has seen it off after the stop that the
    # note is of, so that this stop does not come any more, and it was started since or is to stay off.
    function global:Clear-GpupOwedStart {
        param($Job)
        $id = Read-GpupGuid $Job.Request 'vm'
        Confirm-GpupLock $Job
        Remove-GpupOwedStart $id
    }

    # After a start that was refused or lost: where the machine runs all the same, nothing is owed any more. What goes wrong
    # here does not matter beside that.
    function global:Remove-GpupOwedStartOfRunning {
        param($Job, [guid]$Id)
        try {
            if (Test-GpupSame "$((Get-GpupVm $Id).State)" 'Running') {
                Confirm-GpupLock $Job
                Remove-GpupOwedStart $Id
            }
        } catch {
            return
        }
    }

    # Forgets the owed starts that runs which were cut off have left behind, of machines that run. At is when the machines
    # were looked at, or a little before.
    function global:Clear-GpupOldOwedStarts {
        param($Job, $Vms, $Owed, [string]$At)
        if ($null -eq $Job.Context.LockStream) { return }
        foreach ($vm in $Vms) {
            $id = "$($vm.Id)"
            if (-not $Owed.ContainsKey($id) -or -not (Test-GpupSame "$($vm.State)" 'Running')) { continue }
            # A stop beside this one writes a note of its own: that must not go in place of the one that was read.
            [Threading.Monitor]::Enter($Job.Context.Notes)
            try {
                $text = Read-GpupFile $Owed[$id]
                if ($null -ne $text -and (Test-GpupOldOwedStart $Job $vm $text $At)) { Remove-GpupOwedStart $id }
            } finally {
                [Threading.Monitor]::Exit($Job.Context.Notes)
            }
        }
    }

    # The same of machines that have left this host: the cluster knows whether they run, and nobody for how long, so that
    # their notes are kept for the hour. What cannot be asked now is asked another time.
    function global:Clear-GpupOldOwedElsewhere {
        param($Job, $Ids, $Owed, [string]$At)
        if ($null -eq $Job.Context.LockStream) { return }
        foreach ($id in $Ids) {
            $text = Read-GpupFile $Owed[$id]
            if ($null -eq $text -or -not (Test-GpupOldOwedStart $Job $null $text $At)) { continue }
            try {
                $resource = Get-GpupVmResource $id
                if ($null -ne $resource -and (Test-GpupSame "$($resource.State)" 'Online')) { Remove-GpupOwedStart $id }
            } catch {
                continue
            }
        }
    }

    # Whether the note of an owed start, of a machine that runs, is of no use any more. Notes of this lock, and of a later
    # one where this lock was lost, are: their machine may be about to stop. So may that of an earlier one: where Stop-VM was
    # cut off, or took too long, the guest may shut down all the same, and shows Running until then (inferred). Its note is
    # kept until
    #   - the machine was started after it. Documented: what Get-VM gives has Uptime. Inferred: that counts from the last
    #     start or reset, and is a picture a few seconds old at most. Or, where it is absent, until
    #   - an hour has passed. Inferred: a guest that has not gone down by then does not go down.
    # Where the clock was put back, a note looks younger than it is, and is kept for longer.
    function global:Test-GpupOldOwedStart {
        param($Job, $Vm, [string]$Text, [string]$At)
        try {
            $note = ConvertFrom-GpupJson $Text
        } catch {
            return $true
        }
        if ($note.ContainsKey('lock') -and $note['lock'] -ge $Job.Context.LockNumber) { return $false }
        if (-not $note.ContainsKey('since')) { return $true }
        $since = ConvertFrom-GpupTime ([string]$note['since'])
        if ($null -eq $since) { return $true }
        $age = (ConvertFrom-GpupTime $At) - $since
        if ($age.TotalHours -gt 1) { return $true }
        $uptime = Get-GpupValue $Vm 'Uptime'
        $uptime -is [TimeSpan] -and $uptime.Ticks -gt 0 -and $age.TotalSeconds - $uptime.TotalSeconds -gt 5
    }

    # Stops a virtual machine. Stop-VM -Force asks the guest to shut down and never prompts; after five minutes it would
    # pull the plug, so the caller of this function ends it before (see Update-GpupJobs) and goes on with Complete-GpupStop.
    function global:Stop-GpupVm {
        param($Job)
        $id = Read-GpupGuid $Job.Request 'vm'
        $vm = Get-GpupVm $id
        $state = "$($vm.State)"
        if (Test-GpupSame $state 'Off') { return Complete-GpupStop $Job }
        if (-not (Test-GpupSame $state 'Running')) { throw (New-GpupBrokenFact 'state' 'Running' $state) }
        if (Read-GpupMember $Job.Request 'startOwed' ([bool]) $true) {
            Confirm-GpupLock $Job
            Add-GpupOwedStart $Job $vm
        }
        Enter-GpupEffect $Job
        $failure = $null
        try {
            Hyper-V\Stop-VM -VM $vm -Force -Confirm:$false -ErrorAction Stop
        } catch {
            $failure = $_
        }
        $left = [Math]::Max(0, $Job.StopMilliseconds - $Job.Clock.ElapsedMilliseconds)
        $Job.StopMilliseconds = [int]::MaxValue
        Complete-GpupStop $Job $failure $left
    }

    # The second half of a stop: is it off, and if not, may it be turned off?
    function global:Complete-GpupStop {
        param($Job, $Failure = $null, [int]$MostMilliseconds = 0)
        $id = Read-GpupGuid $Job.Request 'vm'
        $moment = 2000
        if ($null -ne $Failure) { $moment = 0 }
        $state = Wait-GpupVmState $id 'Off' 'Running' $MostMilliseconds $moment
        if (-not (Test-GpupSame $state 'Off') -and (Read-GpupMember $Job.Request 'turnOff' ([bool]) $true)) {
            $vm = Get-GpupVm $id
            Enter-GpupEffect $Job
            $Failure = $null
            try {
                Hyper-V\Stop-VM -VM $vm -TurnOff -Force -Confirm:$false -ErrorAction Stop
            } catch {
                $Failure = $_
            }
            $state = Wait-GpupVmState $id 'Off' 'Running' 30000 2000
        }
        if (Test-GpupSame $state 'Off') {
            # Off for good, whatever an earlier run was to do.
            if (-not (Read-GpupMember $Job.Request 'startOwed' ([bool]) $true)) { Clear-GpupOwedStart $Job }
            return [ordered]@{ state = $state }
        }
        if ($null -ne $Failure) { throw $Failure }
        throw (New-GpupFault 'timeout' 'the virtual machine is not off in time' @{ found = $state })
    }

    function global:Start-GpupVm {
        param($Job)
        $id = Read-GpupGuid $Job.Request 'vm'
        $vm = Get-GpupVm $id
        $state = "$($vm.State)"
        if (-not (Test-GpupSame $state 'Running')) {
            Confirm-GpupVmIsOff $vm
            Enter-GpupEffect $Job
            $tried = $false
            try {
                Hyper-V\Start-VM -VM $vm -Confirm:$false -ErrorAction Stop
                $tried = $true
            } finally {
                if (-not $tried) { Remove-GpupOwedStartOfRunning $Job $id }
            }
            $state = Wait-GpupVmState $id 'Running' 'Off' 30000 2000
        }
        if (Test-GpupSame $state 'Running') {
            Confirm-GpupLock $Job
            Remove-GpupOwedStart $id
        }
        [ordered]@{ state = $state }
    }

    # The adapters of one virtual machine, as `partitions` of a snapshot.
    function global:Get-GpupAdapters {
        param($Vm)
        $names = New-GpupNameTable
        foreach ($adapter in @(Hyper-V\Get-VMGpuPartitionAdapter -VM $Vm -ErrorAction Stop)) {
            ConvertTo-GpupAdapter $adapter $names
        }
    }

    # A GPU of this host that can be partitioned, by its name. The name holds '?', which a parameter could take for a
    # wildcard, so it is compared here.
    function global:Get-GpupGpuByName {
        param([string]$Name)
        foreach ($gpu in @(Get-GpupPartitionable)) {
            if ((Test-GpupSameName $gpu.Name $Name) -and -not (Test-GpupParavirtual $gpu.Name)) { return $gpu }
        }
        throw (New-GpupBrokenFact 'gpu' $Name 'no GPU of this host that can be partitioned')
    }

    function global:Add-GpupPartition {
        param($Job)
        $vm = Get-GpupVm (Read-GpupGuid $Job.Request 'vm')
        Confirm-GpupVmIsOff $vm
        $gpu = Read-GpupMember $Job.Request 'gpu' ([string]) $true
        if ($null -ne $gpu) { $gpu = [string](Get-GpupGpuByName $gpu).Name }
        # Adding twice would add two.
        $there = @(Hyper-V\Get-VMGpuPartitionAdapter -VM $vm -ErrorAction Stop)
        if ($there.Count -gt 0) { throw (New-GpupBrokenFact 'adapters' '0' ([string]$there.Count)) }
        Enter-GpupEffect $Job
        if ($null -eq $gpu) {
            Hyper-V\Add-VMGpuPartitionAdapter -VM $vm -Confirm:$false -ErrorAction Stop
        } else {
            Hyper-V\Add-VMGpuPartitionAdapter -VM $vm -InstancePath $gpu -Confirm:$false -ErrorAction Stop
        }
        [ordered]@{ adapters = @(Get-GpupAdapters $vm) }
    }

    function global:Remove-GpupPartition {
        param($Job)
        $vm = Get-GpupVm (Read-GpupGuid $Job.Request 'vm')
        $wanted = (Read-GpupGuid $Job.Request 'adapter').ToString()
        Confirm-GpupVmIsOff $vm
        $there = @(Hyper-V\Get-VMGpuPartitionAdapter -VM $vm -ErrorAction Stop)
        $adapter = $null
        foreach ($one in $there) { if (Test-GpupSame (Get-GpupAdapterId $one) $wanted) { $adapter = $one } }
        if ($null -eq $adapter) {
            $ids = @(foreach ($one in $there) { Get-GpupAdapterId $one }) -join ', '
            if ($ids.Length -eq 0) { $ids = 'none' }
            throw (New-GpupBrokenFact 'adapters' $wanted $ids)
        }
        Enter-GpupEffect $Job
        # By the adapter itself: without one, all adapters of the machine would go.
        Hyper-V\Remove-VMGpuPartitionAdapter -VMGpuPartitionAdapter $adapter -Confirm:$false -ErrorAction Stop
        [ordered]@{ adapters = @(Get-GpupAdapters $vm) }
    }

    function global:Set-GpupPartitionCount {
        param($Job)
        $name = Read-GpupMember $Job.Request 'gpu' ([string])
        $count = [uint16](Read-GpupNumber $Job.Request 'count' 1 65535)
        $gpu = Get-GpupGpuByName $name
        $valid = @(foreach ($one in @($gpu.ValidPartitionCounts)) { [uint16]$one })
        if ($valid -notcontains $count) {
            throw (New-GpupBrokenFact 'partitionCount' ([string]$count) ('valid are ' + ($valid -join ', ')))
        }
        if ([uint16]$gpu.PartitionCount -ne $count) {
            $inTheWay = 0
            $adapters = Get-GpupAdaptersByVm @(Hyper-V\Get-VM -ErrorAction Stop)
            foreach ($list in $adapters.Values) {
                foreach ($adapter in $list) {
                    $of = [string]$adapter.InstancePath
                    if ($of.Length -eq 0 -or (Test-GpupSameName $of $gpu.Name)) { $inTheWay += 1 }
                }
            }
            if ($inTheWay -gt 0) { throw (New-GpupBrokenFact 'adapters' '0' ([string]$inTheWay)) }
            Enter-GpupEffect $Job
            $isOlder = -not (Test-GpupCommand 'Hyper-V' 'Set-VMHostPartitionableGpu')
            if ($isOlder -and (Test-GpupCommand 'Hyper-V' 'Set-VMPartitionableGpu')) {
                Hyper-V\Set-VMPartitionableGpu -PartitionableGpu $gpu -PartitionCount $count -ErrorAction Stop
            } else {
                Hyper-V\Set-VMHostPartitionableGpu -HostPartitionableGpu $gpu -PartitionCount $count -ErrorAction Stop
            }
            $gpu = Get-GpupGpuByName $name
        }
        [ordered]@{ partitionCount = [int]$gpu.PartitionCount; partitionVram = ConvertTo-GpupNumber $gpu.MinPartitionVRAM }
    }

    function global:Set-GpupOfflineAction {
        param($Job)
        $id = Read-GpupGuid $Job.Request 'vm'
        $value = [uint32](Read-GpupNumber $Job.Request 'value' 0 3)
        $vm = Get-GpupVm $id
        $resource = $null
        if (Get-GpupValue $vm 'IsClustered') { $resource = Get-GpupVmResource $id }
        if ($null -eq $resource) { throw (New-GpupBrokenFact 'vm' 'clustered' 'not clustered') }
        Enter-GpupEffect $Job
        $resource | FailoverClusters\Set-ClusterParameter -Name 'OfflineAction' -Value $value -ErrorAction Stop
        # It can warn, and do nothing.
        $now = $resource | FailoverClusters\Get-ClusterParameter -Name 'OfflineAction' -ErrorAction Stop
        [ordered]@{ value = ConvertTo-GpupInt $now.Value }
    }

    function global:Invoke-GpupWriting {
        param($Job)
        Confirm-GpupLock $Job
        if ($Job.IsSecondHalf) { return (Complete-GpupStop $Job) }
        if (Test-GpupSame $Job.Op 'stop-vm') { return (Stop-GpupVm $Job) }
        if (Test-GpupSame $Job.Op 'start-vm') { return (Start-GpupVm $Job) }
        if (Test-GpupSame $Job.Op 'forget-owed-start') {
            Clear-GpupOwedStart $Job
            return [ordered]@{}
        }
        if (Test-GpupSame $Job.Op 'assign-partition') { return (Add-GpupPartition $Job) }
        if (Test-GpupSame $Job.Op 'unassign-partition') { return (Remove-GpupPartition $Job) }
        if (Test-GpupSame $Job.Op 'set-partition-count') { return (Set-GpupPartitionCount $Job) }
        if (Test-GpupSame $Job.Op 'set-offline-action') { return (Set-GpupOfflineAction $Job) }
        throw (New-GpupFault 'unknown-op' 'no such request')
    }
}

# ------------------------------------------------------------------------------------------------------------- workers
# Each request is a job in a runspace of its own, so that the input is watched while cmdlets run. Lanes: what reads, and
# what changes a count or an adapter, goes one after another; stops and starts go side by side.

function New-GpupAgent {
    @{
        Nonce = '0' * 32; Greeted = $false; Text = $gpupText
        Waiting = [Collections.Generic.List[object]]::new(); Running = [Collections.Generic.List[object]]::new()
        Idle = [Collections.Generic.Stack[object]]::new(); Replies = [Collections.Generic.Queue[string]]::new()
        Near = $null; WorkerState = $null
        # Shared with the workers.
        Context = [Collections.Hashtable]::Synchronized(@{
                Host = $null; Writing = $false; Client = $null; LockStream = $null; LockNumber = [int64]0
                Notes = [Collections.Hashtable]::new()  # entered (Threading.Monitor) by who changes a note of an owed start
            })
    }
}

# In a worker: one request from its members to its reply. Nothing but the reply may come out of it.
function Invoke-GpupJob {
    param($Job)
    Set-StrictMode -Version 3.0
    try {
        $result = if (Test-GpupSame $Job.Op 'hello') {
            Get-GpupHello $Job
        } elseif (Test-GpupSame $Job.Op 'observe') {
            Get-GpupSnapshot $Job
        } elseif (Test-GpupSame $Job.Op 'doctor') {
            Get-GpupDoctor $Job
        } else {
            Invoke-GpupWriting $Job
        }
        ConvertTo-GpupJson ([ordered]@{ id = $Job.Id; ok = $true; result = @($result)[-1] })
    } catch {
        ConvertTo-GpupJson ([ordered]@{ id = $Job.Id; ok = $false; error = ConvertTo-GpupError $_ $Job.Performed })
    }
}

function New-GpupJob {
    param($Agent, [int64]$Id, [string]$Op, [string]$Lane, $Request)
    @{
        Id = $Id; Op = $Op; Lane = $Lane; Request = $Request; Context = $Agent.Context; Performed = $false
        IsSecondHalf = $false; StopMilliseconds = [int]::MaxValue; Clock = [Diagnostics.Stopwatch]::new()
        Shell = $null; Result = $null; IsAbandoned = $false
    }
}

# What a worker begins with: the functions that are defined here, so those that write in mode "write" only. Shared, they
# are compiled once.
function New-GpupWorkerState {
    $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
    foreach ($function in @(Get-Command -Name '*-Gpup*' -CommandType Function -ListImported)) {
        $state.Commands.Add([Management.Automation.Runspaces.SessionStateFunctionEntry]::new(
                $function.Name, $function.Definition))
    }
    $quiet = @{
        ErrorActionPreference = 'Stop'; ProgressPreference = 'SilentlyContinue'; WarningPreference = 'SilentlyContinue'
        ConfirmPreference = 'None'
    }
    foreach ($name in $quiet.Keys) {
        $state.Variables.Add([Management.Automation.Runspaces.SessionStateVariableEntry]::new($name, $quiet[$name], ''))
    }
    $state
}

function Start-GpupJob {
    param($Agent, $Job)
    $shell = [PowerShell]::Create()
    if ($Agent.Idle.Count -gt 0) {
        $shell.Runspace = $Agent.Idle.Pop()
    } else {
        # A runspace without a console: whatever asks for a person's answer fails.
        if ($null -eq $Agent.WorkerState) { $Agent.WorkerState = New-GpupWorkerState }
        $shell.Runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($Agent.WorkerState)
        $shell.Runspace.Open()
    }
    if ($null -ne $Agent.Near) {
        [void]$shell.AddCommand('Invoke-GpupNear').AddParameter('Near', $Agent.Near).AddParameter('Lines', $Job.Request)
    } else {
        [void]$shell.AddCommand('Invoke-GpupJob').AddParameter('Job', $Job)
    }
    $Job.Shell = $shell
    $Job.Clock.Start()
    $Job.Result = $shell.BeginInvoke()
    $Agent.Running.Add($Job)
}

function Add-GpupReply {
    param($Agent, [string]$Json)
    $Agent.Replies.Enqueue("gpup-$($Agent.Nonce) $($Json.Length):$Json")
}

function Add-GpupErrorReply {
    param($Agent, [int64]$Id, [Management.Automation.ErrorRecord]$Record, [bool]$Performed)
    Add-GpupReply $Agent (ConvertTo-GpupJson ([ordered]@{ id = $Id; ok = $false; error = ConvertTo-GpupError $Record $Performed }))
}

# The output of a job that has ended; its runspace may serve the next one.
function Receive-GpupJob {
    param($Agent, $Job)
    try {
        , @($Job.Shell.EndInvoke($Job.Result))
        if ($Job.IsAbandoned) { $Job.Shell.Runspace.Dispose() } else { $Agent.Idle.Push($Job.Shell.Runspace) }
    } catch {
        $Job.Shell.Runspace.Dispose()
        throw
    } finally {
        $Job.Shell.Dispose()
    }
}

# The virtual machine that a job is about, as its request names it; empty where it names none.
function Get-GpupJobVm {
    param($Job)
    if ($Job.Request.ContainsKey('vm')) { [string]$Job.Request['vm'] } else { '' }
}

# Takes the replies of jobs that have ended, ends stops that take too long, and starts jobs that have waited.
function Update-GpupJobs {
    param($Agent)
    foreach ($job in $Agent.Running.ToArray()) {
        if ($job.Result.IsCompleted) {
            [void]$Agent.Running.Remove($job)
            try {
                $output = Receive-GpupJob $Agent $job
                if (-not $job.IsAbandoned) { Add-GpupReply $Agent ([string]$output[-1]) }
            } catch {
                if (-not $job.IsAbandoned) { Add-GpupErrorReply $Agent $job.Id $_ $job.Performed }
            }
        } elseif (-not $job.IsAbandoned -and $job.Clock.ElapsedMilliseconds -ge $job.StopMilliseconds) {
            # The cmdlet may take its time to end; the second half of the stop does not wait for it.
            $job.IsAbandoned = $true
            [void]$job.Shell.BeginStop($null, $null)
            $half = New-GpupJob $Agent $job.Id $job.Op $job.Lane $job.Request
            $half.IsSecondHalf = $true
            $half.Performed = $job.Performed
            Start-GpupJob $Agent $half
        }
    }
    $room = @{ read = 1; write = 1; vm = 32 }
    $busy = New-GpupNameTable
    foreach ($job in $Agent.Running) {
        if (-not $job.IsAbandoned) {
            $room[$job.Lane] -= 1
            $busy[(Get-GpupJobVm $job)] = $true
        }
    }
    foreach ($job in $Agent.Waiting.ToArray()) {
        # Of one machine's requests each waits for the one before it: a start must not be undone by the end of a stop.
        $vm = Get-GpupJobVm $job
        $isNext = $vm.Length -eq 0 -or -not $busy.ContainsKey($vm)
        $busy[$vm] = $true
        if ($isNext -and $room[$job.Lane] -gt 0) {
            $room[$job.Lane] -= 1
            [void]$Agent.Waiting.Remove($job)
            Start-GpupJob $Agent $job
        }
    }
}

# Waits until a job ends, or one of the further handles is set, or a stop has taken too long.
function Wait-GpupJobs {
    param($Agent, [Threading.WaitHandle[]]$Further, [int]$MostMilliseconds)
    $handles = [Collections.Generic.List[Threading.WaitHandle]]::new()
    foreach ($handle in $Further) { $handles.Add($handle) }
    foreach ($job in $Agent.Running) {
        # Windows waits for 64 handles at most; what is left out is seen a little later.
        if ($handles.Count -lt 60) {
            $handles.Add($job.Result.AsyncWaitHandle)
        } else {
            $MostMilliseconds = [Math]::Min($MostMilliseconds, 100)
        }
        if (-not $job.IsAbandoned) {
            $left = [Math]::Max(0, $job.StopMilliseconds - $job.Clock.ElapsedMilliseconds)
            $MostMilliseconds = [Math]::Min($MostMilliseconds, $left)
        }
    }
    if ($handles.Count -gt 0) { [void][Threading.WaitHandle]::WaitAny($handles.ToArray(), $MostMilliseconds) }
}

# One line of input: what is wrong with it is answered at once, the rest becomes a job.
function Receive-GpupLine {
    param($Agent, [string]$Line)
    $id = [int64]0
    try {
        if ($Line.Length -gt 1MB) { throw (New-GpupFault 'bad-request' 'a line of more than 1 MiB') }
        $colon = $Line.IndexOf([char]':')
        $length = 0
        if ($colon -lt 1 -or -not [int]::TryParse($Line.Substring(0, $colon), [Globalization.NumberStyles]::None,
                [Globalization.CultureInfo]::InvariantCulture, [ref]$length) -or $length -ne $Line.Length - $colon - 1) {
            throw (New-GpupFault 'cut-off' 'a line is not as long as it says')
        }
        $request = ConvertFrom-GpupJson $Line.Substring($colon + 1)
        $id = Read-GpupNumber $request 'id' 1 ([int64]::MaxValue)
        $op = Read-GpupMember $request 'op' ([string])
        if (Test-GpupSame $op 'hello') {
            Receive-GpupHello $Agent $id $request
            return
        }
        if (-not $Agent.Greeted) { throw (New-GpupFault 'bad-request' "the first request is 'hello'") }
        $lanes = New-GpupTable
        $lanes['observe'] = $lanes['doctor'] = 'read'
        $lanes['lock'] = $lanes['unlock'] = $lanes['withdraw'] = 'here'
        $lanes['stop-vm'] = $lanes['start-vm'] = $lanes['forget-owed-start'] = 'vm'
        $lanes['assign-partition'] = $lanes['unassign-partition'] = 'write'
        $lanes['set-partition-count'] = $lanes['set-offline-action'] = 'write'
        if (-not $lanes.ContainsKey($op)) { throw (New-GpupFault 'unknown-op' 'no such request') }
        $lane = $lanes[$op]
        if (-not $Agent.Context.Writing -and $lane -ne 'read') { throw (New-GpupFault 'reading' 'this session only reads') }
        $job = New-GpupJob $Agent $id $op $lane $request
        if ($lane -eq 'here') {
            if (Test-GpupSame $op 'withdraw') { Receive-GpupWithdrawal $Agent $job } else { Receive-GpupLockRequest $Agent $job }
            return
        }
        if (Test-GpupSame $op 'stop-vm') {
            $seconds = Read-GpupNumber $request 'timeoutSeconds' 0 86400
            # Stop-VM -Force pulls the plug after 300 seconds: it must not come to that unless it is allowed.
            if (-not (Read-GpupMember $request 'turnOff' ([bool]) $true)) { $seconds = [Math]::Min($seconds, 290) }
            $job.StopMilliseconds = [int]($seconds * 1000)
        }
        $Agent.Waiting.Add($job)
    } catch {
        Add-GpupErrorReply $Agent $id $_ $false
    }
}

# The first request: who asks, and whether this session may write. With `remoting` it is for the far end of a session.
function Receive-GpupHello {
    param($Agent, [int64]$Id, $Request)
    if ($Agent.Greeted) { throw (New-GpupFault 'bad-request' "'hello' was said before") }
    $nonce = Read-GpupMember $Request 'nonce' ([string])
    if (-not [regex]::IsMatch($nonce, '\A[0-9a-f]{32}\z')) { throw (New-GpupFault 'bad-request' "member 'nonce' has another form") }
    $Agent.Nonce = $nonce
    $mode = Read-GpupMember $Request 'mode' ([string])
    $isWriting = Test-GpupSame $mode 'write'
    if (-not $isWriting -and -not (Test-GpupSame $mode 'read')) {
        throw (New-GpupFault 'bad-request' "member 'mode' is 'read' or 'write'")
    }
    $name = Read-GpupMember $Request 'host' ([string])
    $client = [ordered]@{ host = $null; process = $null; user = $null }
    $given = Read-GpupMember $Request 'client' ([Collections.IDictionary]) $true
    if ($null -ne $given) {
        foreach ($member in @($client.Keys)) { if ($given.ContainsKey($member)) { $client[$member] = $given[$member] } }
    }
    $remoting = Read-GpupMember $Request 'remoting' ([Collections.IDictionary]) $true

    $Agent.Greeted = $true
    if ($null -ne $remoting) {
        $Request['remoting'] = $null
        $json = ConvertTo-GpupJson $Request
        $Agent.Near = @{
            HelloId = $Id; Remoting = $remoting; Text = $Agent.Text; Lines = [Collections.Generic.List[string]]::new()
            Outstanding = 1; IsOpen = $false; Silence = [Diagnostics.Stopwatch]::StartNew()
        }
        $Agent.Near.Lines.Add("$($json.Length):$json")
        return
    }
    $Agent.Context.Host = $name
    $Agent.Context.Client = $client
    $Agent.Context.Writing = $isWriting
    if ($isWriting) { Enable-GpupWriting }
    $Agent.Waiting.Add((New-GpupJob $Agent $Id 'hello' 'read' $Request))
}

# Who asked for it has given it up: what has not begun never will, and is not answered.
function Receive-GpupWithdrawal {
    param($Agent, $Job)
    $id = Read-GpupNumber $Job.Request 'request' 1 ([int64]::MaxValue)
    $withdrawn = 0
    foreach ($waiting in $Agent.Waiting.ToArray()) {
        if ($waiting.Id -eq $id -and $Agent.Waiting.Remove($waiting)) { $withdrawn = 1 }
    }
    Add-GpupReply $Agent (ConvertTo-GpupJson ([ordered]@{ id = $Job.Id; ok = $true; result = [ordered]@{ withdrawn = $withdrawn } }))
}

# Taking and giving back the lock needs no cmdlet of the host, and no worker.
function Receive-GpupLockRequest {
    param($Agent, $Job)
    if (Test-GpupSame $Job.Op 'lock') {
        $result = Lock-GpupHost $Job
    } else {
        foreach ($other in @($Agent.Running) + @($Agent.Waiting)) {
            if (-not (Test-GpupSame $other.Lane 'read')) {
                throw (New-GpupFault 'bad-request' 'a request that writes is not done yet')
            }
        }
        $result = Unlock-GpupHost $Job
    }
    Add-GpupReply $Agent (ConvertTo-GpupJson ([ordered]@{ id = $Job.Id; ok = $true; result = $result }))
}

# ------------------------------------------------------------------------------------------------- PowerShell remoting
# The near end, on gpup's machine, holds a session to the host and passes lines on; the far end, in the session, serves
# them. Both are this script. A session runs one command at a time, so the far end never keeps one for long: it answers
# with the replies that are there and the number of those that are not.

function Invoke-GpupFar {
    param($Lines)
    if ($null -eq $ExecutionContext.SessionState.PSVariable.GetValue('gpupFarAgent')) { $global:gpupFarAgent = New-GpupAgent }
    $agent = $global:gpupFarAgent
    foreach ($line in $Lines) { Receive-GpupLine $agent ([string]$line) }
    Update-GpupJobs $agent
    if ($agent.Replies.Count -eq 0 -and $agent.Running.Count -gt 0) {
        Wait-GpupJobs $agent @() 100
        Update-GpupJobs $agent
    }
    while ($agent.Replies.Count -gt 0) { $agent.Replies.Dequeue() }
    $awaited = $agent.Waiting.Count
    foreach ($job in $agent.Running) { if (-not $job.IsAbandoned) { $awaited += 1 } }
    $awaited
}

# In the near end's worker: opens the session when it is first used, and passes lines on.
function Invoke-GpupNear {
    param($Near, [string[]]$Lines)
    Set-StrictMode -Version 3.0
    $session = $ExecutionContext.SessionState.PSVariable.GetValue('gpupSession')
    if ($null -eq $session) {
        $session = Open-GpupSession $Near.Remoting
        $global:gpupSession = $session
        Invoke-Command -Session $session -ArgumentList $Near.Text -ErrorAction Stop -ScriptBlock {
            param($Text)
            $global:gpupText = $Text
            . ([ScriptBlock]::Create($Text))
        }
    }
    if ($null -eq $Lines) {
        Remove-PSSession -Session $session
        return
    }
    Invoke-Command -Session $session -ArgumentList (, $Lines) -ErrorAction Stop -ScriptBlock { param($Lines) Invoke-GpupFar $Lines }
}

function Open-GpupSession {
    param($Remoting)
    $options = @{ ErrorAction = 'Stop' }
    $computerName = Read-GpupMember $Remoting 'computerName' ([string]) $true
    $hostName = Read-GpupMember $Remoting 'hostName' ([string]) $true
    $user = Read-GpupMember $Remoting 'user' ([string]) $true
    $keyFile = Read-GpupMember $Remoting 'identityFile' ([string]) $true
    $configuration = Read-GpupMember $Remoting 'configurationName' ([string]) $true
    if ($null -ne (Read-GpupMember $Remoting 'port' ([int64]) $true)) {
        $options.Port = [int](Read-GpupNumber $Remoting 'port' 1 65535)
    }
    if ($null -ne $computerName) {
        # WinRM, with the rights of who runs this. The host ends a session that is silent for 60 seconds.
        $options.ComputerName = $computerName
        $options.SessionOption = [Management.Automation.Remoting.PSSessionOption]::new()
        $options.SessionOption.IdleTimeout = [TimeSpan]::FromSeconds(60)
        if ($null -ne $configuration) { $options.ConfigurationName = $configuration }
    } elseif ($null -ne $hostName) {
        $options.HostName = $hostName
        if ($null -ne $user) { $options.UserName = $user }
        if ($null -ne $keyFile) { $options.KeyFilePath = $keyFile }
        # PowerShell 7.3 and later pass options to ssh: ask nothing, trust no host that is not known.
        if ((Get-Command -Name 'New-PSSession' -CommandType Cmdlet).Parameters.ContainsKey('Options')) {
            $options.Options = @{ BatchMode = 'yes'; StrictHostKeyChecking = 'yes' }
        }
    } else {
        throw (New-GpupFault 'bad-request' "'remoting' names no host")
    }
    New-PSSession @options
}

# Takes what the far end has answered, and sends on what has come in. False once the session is lost.
function Update-GpupNear {
    param($Agent)
    $near = $Agent.Near
    foreach ($job in $Agent.Running.ToArray()) {
        if (-not $job.Result.IsCompleted) { return $true }
        [void]$Agent.Running.Remove($job)
        try {
            foreach ($item in (Receive-GpupJob $Agent $job)) {
                $value = $item.PSObject.BaseObject
                if ($value -is [int]) { $near.Outstanding = $value } else { $Agent.Replies.Enqueue([string]$value) }
            }
            $near.IsOpen = $true
        } catch {
            $record = $_
            # EndInvoke wraps what the worker threw.
            $inner = Get-GpupValue $record.Exception.InnerException 'ErrorRecord'
            if ($null -ne $inner) { $record = $inner }
            if ($near.IsOpen) {
                # What is still asked stays unanswered: whether it was done is not known here.
                [Console]::Error.WriteLine("gpup agent: the session is lost: $($record.Exception.Message)")
            } else {
                Add-GpupErrorReply $Agent $near.HelloId $record $false
            }
            return $false
        }
    }
    # A session that is silent for long is ended by the host.
    if ($near.Lines.Count -gt 0 -or $near.Outstanding -gt 0 -or $near.Silence.ElapsedMilliseconds -ge 20000) {
        $lines = $near.Lines.ToArray()
        $near.Lines.Clear()
        $near.Silence = [Diagnostics.Stopwatch]::StartNew()
        Start-GpupJob $Agent (New-GpupJob $Agent 0 'near' 'read' $lines)
    }
    $true
}

# ---------------------------------------------------------------------------------------------------------------- main

function Write-GpupReplies {
    param($Agent, [IO.Stream]$Output)
    while ($Agent.Replies.Count -gt 0) {
        $bytes = [Text.Encoding]::ASCII.GetBytes($Agent.Replies.Dequeue() + "`n")
        $Output.Write($bytes, 0, $bytes.Length)
        $Output.Flush()
    }
}

# Serves until the input ends. Cmdlets that run then are asked to end. One that writes is waited for: as long as it may
# still change something, the lock must not be anybody else's.
function Start-GpupAgent {
    param([IO.StreamReader]$Reader)
    $agent = New-GpupAgent
    $output = [Console]::OpenStandardOutput()
    $reading = $Reader.ReadLineAsync()
    $goesOn = $true
    while ($goesOn) {
        Wait-GpupJobs $agent @($reading.AsyncWaitHandle) 10000
        while ($goesOn -and $reading.IsCompleted) {
            $line = $null
            if (-not $reading.IsFaulted) { $line = $reading.Result }
            if ($null -eq $line) {
                $goesOn = $false
            } else {
                if ($null -ne $agent.Near) { $agent.Near.Lines.Add($line) } else { Receive-GpupLine $agent $line }
                $reading = $Reader.ReadLineAsync()
            }
        }
        if ($goesOn) {
            if ($null -ne $agent.Near) { $goesOn = Update-GpupNear $agent } else { Update-GpupJobs $agent }
            Write-GpupReplies $agent $output
        }
    }
    foreach ($job in $agent.Running) { [void]$job.Shell.BeginStop($null, $null) }
    if ($null -ne $agent.Near) {
        Close-GpupNear $agent
    } else {
        foreach ($job in $agent.Running) {
            if (-not (Test-GpupSame $job.Lane 'read')) { [void]$job.Result.AsyncWaitHandle.WaitOne(600000) }
        }
    }
    [Environment]::Exit(0)
}

# Ends the session, so that the host need not wait until it is missed.
function Close-GpupNear {
    param($Agent)
    if (-not $Agent.Near.IsOpen) { return }
    foreach ($job in $Agent.Running.ToArray()) {
        if (-not $job.Result.AsyncWaitHandle.WaitOne(2000)) { return }
        $Agent.Idle.Push($job.Shell.Runspace)
    }
    $job = New-GpupJob $Agent 0 'near' 'read' $null
    Start-GpupJob $Agent $job
    [void]$job.Result.AsyncWaitHandle.WaitOne(5000)
}

if ($null -ne $ExecutionContext.SessionState.PSVariable.GetValue('gpupIn')) { Start-GpupAgent $gpupIn }
