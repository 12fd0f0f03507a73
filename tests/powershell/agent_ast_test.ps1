# What the agent's text may hold, looked up in its syntax tree. Run by agent_ast_test.sh:
#   powershell -File agent_ast_test.ps1 AGENT.PS1 BOOTSTRAP.PS1
# A new cmdlet, type or comparison of the agent's is a row in one of the tables here, and so is looked at twice.
param([string]$AgentPath, [string]$BootstrapPath)
$ErrorActionPreference = 'Stop'

# Tables ---------------------------------------------------------------------------------------------------------------

# Engine commands (Microsoft.PowerShell.Core of 5.1), each with the parameters that it may be given.
$engineCommands = @{
    'Set-StrictMode' = 'Version'; 'Get-Module' = 'Name'; 'Import-Module' = 'Name DisableNameChecking ErrorAction'
    'Get-Command' = 'Name CommandType ListImported'; 'Out-Null' = ''; 'ForEach-Object' = 'Process'; 'Where-Object' = 'FilterScript'
    'New-PSSession' = ''; 'New-PSSessionOption' = 'IdleTimeout OperationTimeout OpenTimeout'; 'Remove-PSSession' = 'Session'
    'Invoke-Command' = 'Session ArgumentList ErrorAction ScriptBlock'
}
# What New-PSSession gets by a table: HostName and what belongs to it are PowerShell 7's, on gpup's machine.
$sessionOptions = 'ErrorAction', 'ComputerName', 'SessionOption', 'ConfigurationName', 'Port', 'HostName', 'UserName', 'KeyFilePath', 'Options', 'ConnectingTimeout'
# Cmdlets of Windows' modules, by parameter sets as domain/hyperv-gpup.md has them.
$readingCommands = @{
    'Hyper-V\Get-VM' = 'Id ErrorAction'; 'Hyper-V\Get-VMHost' = 'ErrorAction'
    'Hyper-V\Get-VMHostPartitionableGpu' = 'ErrorAction'; 'Hyper-V\Get-VMPartitionableGpu' = 'ErrorAction'
    'Hyper-V\Get-VMGpuPartitionAdapter' = 'VM ErrorAction'; 'Hyper-V\Get-VMHostAssignableDevice' = 'ErrorAction'
    'Hyper-V\Get-VMIntegrationService' = 'VM ErrorAction'
    'FailoverClusters\Get-Cluster' = 'ErrorAction'; 'FailoverClusters\Get-ClusterNode' = 'ErrorAction'
    'FailoverClusters\Get-ClusterResource' = 'VMId ErrorAction'; 'FailoverClusters\Get-ClusterGroup' = 'ErrorAction'
    'FailoverClusters\Get-ClusterParameter' = 'Name ErrorAction'; 'PnpDevice\Get-PnpDevice' = 'ErrorAction'
}
$writingCommands = @{
    'Hyper-V\Set-VMHostPartitionableGpu' = 'HostPartitionableGpu PartitionCount ErrorAction'
    'Hyper-V\Set-VMPartitionableGpu' = 'PartitionableGpu PartitionCount ErrorAction'
    'Hyper-V\Add-VMGpuPartitionAdapter' = 'VM InstancePath Confirm ErrorAction'
    'Hyper-V\Remove-VMGpuPartitionAdapter' = 'VMGpuPartitionAdapter Confirm ErrorAction'
    'Hyper-V\Stop-VM' = 'VM Force TurnOff Confirm ErrorAction'; 'Hyper-V\Start-VM' = 'VM Confirm ErrorAction'
    'FailoverClusters\Set-ClusterParameter' = 'Name Value ErrorAction'
}

# Types that both .NET Framework 4.7 and .NET have, and one that only .NET has: the agent asks first.
$types = @(
    'bool', 'byte', 'char', 'enum', 'guid', 'hashtable', 'int', 'int64', 'object', 'ordered', 'pscustomobject', 'ref', 'regex', 'scriptblock'
    'string', 'switch', 'type', 'uint16', 'uint32', 'uint64', 'void', 'powershell'
    'Collections.Generic.Dictionary', 'Collections.Generic.HashSet', 'Collections.Generic.List', 'Collections.Generic.Queue'
    'Collections.Generic.Stack', 'Collections.Hashtable', 'Collections.IDictionary', 'Collections.IEnumerable'
    'Console', 'Convert', 'DateTime', 'DateTimeOffset', 'Environment', 'Exception', 'InvalidOperationException', 'Math', 'NullString', 'PlatformID'
    'StringComparer', 'StringComparison', 'TimeSpan', 'Diagnostics.Stopwatch', 'Globalization.CultureInfo', 'Globalization.DateTimeStyles'
    'Globalization.NumberStyles'
    'IO.Directory', 'IO.File', 'IO.FileAccess', 'IO.FileAttributes', 'IO.FileMode', 'IO.FileShare', 'IO.FileStream', 'IO.Path', 'IO.Stream'
    'IO.StreamReader', 'IO.FileSystemAclExtensions'
    'Management.Automation.CommandNotFoundException', 'Management.Automation.ErrorRecord', 'Management.Automation.ParameterBindingException'
    'Management.Automation.Remoting.PSSessionOption', 'Management.Automation.Runspaces.InitialSessionState'
    'Management.Automation.Runspaces.RunspaceFactory', 'Management.Automation.Runspaces.SessionStateFunctionEntry'
    'Management.Automation.Runspaces.SessionStateVariableEntry'
    'Microsoft.Win32.Registry', 'Reflection.Assembly', 'Runtime.Serialization.Json.JsonReaderWriterFactory'
    'Security.AccessControl.DirectorySecurity', 'Security.AccessControl.FileSystemAccessRule', 'Security.Principal.SecurityIdentifier'
    'Security.Principal.WindowsBuiltInRole', 'Security.Principal.WindowsIdentity', 'Security.Principal.WindowsPrincipal'
    'Text.Encoding', 'Text.RegularExpressions.MatchEvaluator', 'Text.StringBuilder', 'Threading.Monitor', 'Threading.Thread'
    'Threading.WaitHandle'
    'Xml.XmlDictionaryReaderQuotas', 'Xml.XmlDocument', 'Xml.XmlElement'
)
# Methods that only .NET has, by name and number of arguments (* for any): what 5.1 would find out when it comes to them.
$newerMethods = @(
    'TryAdd/2', 'AppendJoin/*', 'GetValueOrDefault/*', 'EnsureCapacity/*', 'ToHashSet/*', 'AsSpan/*', 'TryDequeue/1', 'TryPeek/1', 'TryPop/1'
    'Kill/1', 'WaitForExitAsync/*', 'ReadExactly/*', 'Move/3', 'WriteAllTextAsync/*', 'ReadAllTextAsync/*', 'FromHexString/1', 'ToHexString/*'
    'Clamp/3', 'ReplaceLineEndings/*', 'GetRelativePath/2', 'IsPathFullyQualified/1', 'Contains/2', 'DistinctBy/*', 'MaxBy/*', 'IsOSPlatform/1'
)
# What runs text, finds code by name, or is a way around this list.
$forbiddenMethods = @(
    'AddScript', 'InvokeScript', 'ExpandString', 'NewScriptBlock', 'Invoke', 'InvokeReturnAsIs', 'InvokeWithContext', 'DynamicInvoke', 'GetMethod', 'GetMethods'
    'InvokeMember', 'CreateInstance', 'CreateDelegate', 'LoadFrom', 'LoadFile', 'LoadWithPartialName', 'CreatePipeline', 'CreateNestedPipeline', 'GetSteppablePipeline'
    'SetEnvironmentVariable', 'AddStatement', 'InvokeProvider', 'ForEach', 'Where'
)
# Where text becomes code, each place as it stands: the agent's own text, which came before any request.
$codeFromText = @{
    '. ([ScriptBlock]::Create($Text))' = 'the agent loads its own text at the far end of a PSSession; it is the argument $Near.Text'
    '.([ScriptBlock]::Create($gpupText))' = 'the bootstrap runs the text that gpup sent before the line "."'
    '[ScriptBlock]::Create($Text)' = 'the same'
    '[ScriptBlock]::Create($gpupText)' = 'the same'
    '[Management.Automation.Runspaces.SessionStateFunctionEntry]::new( $function.Name, $function.Definition)' = 'workers begin with the functions of the agent'
    "[Reflection.Assembly]::Load('System.Runtime.Serialization, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089')" = 'constant'
}
# Comparisons in which a string could stand, by function: -eq and its kin compare text linguistically. One without a row is refused.
$comparisons = @{
    "Receive-GpupLine: `$lane -ne 'read'" = 'a word of the agent''s own, from the table above it'
    "Receive-GpupLine: `$lane -eq 'here'" = 'the same'
    'Receive-GpupWithdrawal: $waiting.Id -eq $id' = 'int64 on both sides'
    'Confirm-GpupLock: $number -ne $Job.Context.LockNumber' = 'Read-GpupMember has seen that it is an int64'
    'Confirm-GpupLock: $number -ne (Read-GpupLockNumber)' = 'the same'
    "Test-GpupOldOwedStart: `$note['lock'] -ge `$Job.Context.LockNumber" = 'a number of a file that only administrators write'
    'Set-GpupPartitionCount: $valid -notcontains $count' = 'uint16 on both sides'
    "main: `$null-ne(`$l=`$gpupIn.ReadLine())-and`$l-cne'.'" = ''
    "main: `$l-cne'.'" = 'no line of base64 is "." in any culture, and the sender is gpup'
}
# Searches in text that are linguistic where no StringComparison is given.
$searches = @{
    "Receive-GpupLine: `$Line.IndexOf([char]':')" = 'a char is looked for ordinally'
}

$longestLine = 140

# Checks ---------------------------------------------------------------------------------------------------------------

$lookup = [StringComparer]::OrdinalIgnoreCase
function New-Set($words) { , [Collections.Generic.HashSet[string]]::new([string[]]@($words), $lookup) }
$typeSet = New-Set $types
$forbiddenSet = New-Set $forbiddenMethods
$newerSet = New-Set $newerMethods

# Words on one line, with one blank between them.
function Get-Text($ast) { [regex]::Replace($ast.Extent.Text, '\s+', ' ') }

function Get-Function($ast) {
    for ($node = $ast.Parent; $null -ne $node; $node = $node.Parent) {
        if ($node -is [Management.Automation.Language.FunctionDefinitionAst]) { return [regex]::Replace($node.Name, '^global:', '') }
    }
    'main'
}

function Test-Inside($ast, $outer) {
    for ($node = $ast; $null -ne $node; $node = $node.Parent) { if ([object]::ReferenceEquals($node, $outer)) { return $true } }
    $false
}

# A value that is no string, as far as its text tells.
function Test-NoString($ast) {
    while ($ast -is [Management.Automation.Language.ParenExpressionAst]) {
        $inner = $ast.Pipeline
        if ($inner -isnot [Management.Automation.Language.PipelineAst] -or $inner.PipelineElements.Count -ne 1) { return $false }
        $element = $inner.PipelineElements[0]
        if ($element -isnot [Management.Automation.Language.CommandExpressionAst]) { return $false }
        $ast = $element.Expression
    }
    switch ($ast.GetType().Name) {
        'ConstantExpressionAst' { return $true }
        'UnaryExpressionAst' { return $true }
        'BinaryExpressionAst' { return "$($ast.Operator)" -in 'Minus', 'Multiply', 'Band', 'Bor' }
        'ConvertExpressionAst' { return $ast.Type.TypeName.FullName -in 'int', 'int64', 'uint16', 'uint32', 'uint64', 'bool', 'char' }
        'InvokeMemberExpressionAst' { return "$($ast.Member)" -in 'IndexOf', 'LastIndexOf', 'WaitOne' }
        'MemberExpressionAst' {
            return "$($ast.Member)" -in 'Count', 'Length', 'HResult', 'ElapsedMilliseconds' -or
                ($ast.Static -and $ast.Expression.TypeName.FullName -eq 'PlatformID')
        }
        'VariableExpressionAst' {
            $name = $ast.VariablePath.UserPath
            if ($name -in 'null', 'true', 'false') { return $true }
            for ($node = $ast.Parent; $null -ne $node; $node = $node.Parent) {
                if ($node -isnot [Management.Automation.Language.ScriptBlockAst] -or $null -eq $node.ParamBlock) { continue }
                foreach ($parameter in $node.ParamBlock.Parameters) {
                    if ($parameter.Name.VariablePath.UserPath -eq $name) {
                        return $parameter.StaticType.FullName -in 'System.Int32', 'System.Int64', 'System.UInt16', 'System.UInt32', 'System.UInt64'
                    }
                }
                return $false
            }
        }
    }
    $false
}

# Everything that is wrong with a text, as 'CHECK|LINE|WHY'. `used` collects its commands and types with their numbers.
function Find-Refusals([string]$text, $used) {
    $tokens = $null
    $mistakes = $null
    $tree = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$mistakes)
    foreach ($mistake in $mistakes) { "parse|$($mistake.Extent.StartLineNumber)|$($mistake.Message)" }
    $all = @($tree.FindAll({ $true }, $true))

    # Text.
    $lines = $text.Split([char]10)
    for ($i = 0; $i -lt $lines.Length; ++$i) {
        if ([regex]::IsMatch($lines[$i], '[^\x20-\x7E]')) { "ascii|$($i + 1)|a character beyond ASCII, a tab or CR" }
        if ($lines[$i].Length -gt $longestLine) { "lines|$($i + 1)|$($lines[$i].Length) characters, more than $longestLine" }
        if ($lines[$i].EndsWith(' ')) { "lines|$($i + 1)|a blank at its end" }
    }
    if (-not $text.EndsWith("`n")) { "lines|$($lines.Length)|no line end at the end" }

    # What 5.1 cannot read.
    foreach ($token in $tokens) {
        $line = $token.Extent.StartLineNumber
        if ("$($token.Kind)" -in 'QuestionQuestion', 'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'QuestionMark', 'AndAnd', 'OrOr', 'Clean') {
            "newer syntax|$line|$($token.Text)"
        }
        if ("$($token.Kind)" -eq 'Number' -and [regex]::IsMatch($token.Text, '(?i)^[-+]?(0b|(0x[0-9a-f]+|[0-9.]+(e[-+]?[0-9]+)?)(y|uy|s|us|u|ul|n)(kb|mb|gb|tb|pb)?$)')) {
            "newer syntax|$line|$($token.Text)"
        }
        if ($token -is [Management.Automation.Language.StringExpandableToken] -and [regex]::IsMatch($token.Text, '(?<!`)(``)*`(u\{|e)')) {
            "newer syntax|$line|the escape in $($token.Text)"
        }
        if ($token -is [Management.Automation.Language.VariableToken] -and
            $token.VariablePath.UserPath -in 'IsWindows', 'IsLinux', 'IsMacOS', 'IsCoreCLR', 'PSStyle', 'EnabledExperimentalFeatures', 'PSNativeCommandUseErrorActionPreference') {
            "newer syntax|$line|$($token.Text) exists in 7 only"
        }
        if ("$($token.Kind)" -in 'Class', 'Enum', 'Workflow', 'Configuration', 'InlineScript', 'Parallel', 'Sequence' -and "$($token.TokenFlags)".Contains('Keyword')) {
            "newer syntax|$line|$($token.Text): not in text that is dot-sourced"
        }
    }
    foreach ($node in $all) {
        $line = $node.Extent.StartLineNumber
        switch ($node.GetType().Name) {
            'TernaryExpressionAst' { "newer syntax|$line|$(Get-Text $node)" }
            'PipelineChainAst' { "newer syntax|$line|$(Get-Text $node)" }
            'PipelineAst' { if ($node.Background) { "newer syntax|$line|a pipeline in the background: $(Get-Text $node)" } }
            'ScriptBlockAst' { if ($null -ne $node.CleanBlock) { "newer syntax|$line|a clean block" } }
            'UsingStatementAst' { "newer syntax|$line|$(Get-Text $node): nothing of 5.1 needs it here" }
            'AttributeAst' {
                if ($node.TypeName.FullName -notin 'Parameter', 'CmdletBinding', 'ValidateSet', 'ValidateRange', 'ValidatePattern', 'OutputType', 'AllowNull', 'AllowEmptyString', 'AllowEmptyCollection') {
                    "newer syntax|$line|the attribute $($node.TypeName.FullName)"
                }
            }
            { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst', 'IndexExpressionAst' } {
                if ($node.NullConditional) { "newer syntax|$line|$(Get-Text $node)" }
            }
        }
    }

    # Own functions, and the one that holds what writes.
    $own = New-Set @()
    $writing = $null
    foreach ($node in $all) {
        if ($node -isnot [Management.Automation.Language.FunctionDefinitionAst]) { continue }
        $name = [regex]::Replace($node.Name, '^global:', '')
        if (-not $own.Add($name)) { "commands|$($node.Extent.StartLineNumber)|$name is defined twice" }
        if ($name -eq 'Enable-GpupWriting') { $writing = $node }
        if (-not [regex]::IsMatch($name, '^[A-Z][A-Za-z]+-Gpup[A-Za-z]*$')) { "commands|$($node.Extent.StartLineNumber)|$name is no name of the agent's own" }
    }

    foreach ($node in $all) {
        $line = $node.Extent.StartLineNumber
        $inWriting = $null -ne $writing -and (Test-Inside $node $writing)
        if ($node -is [Management.Automation.Language.CommandAst]) {
            $name = $node.GetCommandName()
            if ($null -eq $name -or "$($node.InvocationOperator)" -ne 'Unknown') {
                if (-not $codeFromText.ContainsKey((Get-Text $node))) { "built code|$line|$(Get-Text $node)" }
                continue
            }
            if ($own.Contains($name)) {
                if ($name -eq 'Enable-GpupWriting') {
                    $guard = $node.Parent
                    while ($null -ne $guard -and $guard -isnot [Management.Automation.Language.IfStatementAst]) { $guard = $guard.Parent }
                    $condition = if ($null -ne $guard) { $guard.Clauses[0].Item1.Extent.Text } else { '' }
                    if ($condition -notin '$isWriting', '$Agent.Context.Writing') { "reading|$line|Enable-GpupWriting is called without asking for the mode" }
                }
                continue
            }
            $rank = 'engine'
            $parameters = $engineCommands[$name]
            if ($null -eq $parameters) { $rank = 'reads'; $parameters = $readingCommands[$name] }
            if ($null -eq $parameters) { $rank = 'WRITES'; $parameters = $writingCommands[$name] }
            if ($null -ne $used) { $used.Commands[$name] = 1 + $(if ($used.Commands.ContainsKey($name)) { $used.Commands[$name] }); $used.Ranks[$name] = $rank }
            if (-not [regex]::IsMatch($name, '^((Hyper-V|FailoverClusters|PnpDevice)\\)?[A-Z][A-Za-z]+-[A-Z][A-Za-z]+$')) {
                "alias|$line|$name is no verb and noun: an alias, or a program"
            }
            if ($null -eq $parameters) {
                "commands|$line|$name is not on the list"
                continue
            }
            if ($rank -eq 'WRITES' -and -not $inWriting) { "reading|$line|$name outside Enable-GpupWriting" }
            foreach ($element in $node.CommandElements) {
                if ($element -is [Management.Automation.Language.CommandParameterAst]) {
                    if ($element.ParameterName -cnotin $parameters.Split(' ')) { "commands|$line|the parameter -$($element.ParameterName) of $name is not on the list" }
                }
                if ($element -is [Management.Automation.Language.VariableExpressionAst] -and $element.Splatted -and $name -ne 'New-PSSession') {
                    "commands|$line|the parameters of $name are in a table"
                }
            }
            if ($name -eq 'New-PSSession') {
                $function = $node
                while ($null -ne $function.Parent -and $function -isnot [Management.Automation.Language.FunctionDefinitionAst]) { $function = $function.Parent }
                $given = @(foreach ($inner in $function.FindAll({ $true }, $true)) {
                        if ($inner -is [Management.Automation.Language.AssignmentStatementAst]) {
                            $to = $inner.Left
                            if ($to -is [Management.Automation.Language.MemberExpressionAst] -and $to.Expression.Extent.Text -eq '$options') { "$($to.Member)" }
                            if ($to -is [Management.Automation.Language.IndexExpressionAst] -and $to.Target.Extent.Text -eq '$options') { $to.Index.Extent.Text }
                            if ($to.Extent.Text -eq '$options') {
                                foreach ($table in $inner.Right.FindAll({ param($n) $n -is [Management.Automation.Language.HashtableAst] }, $true)) {
                                    foreach ($pair in $table.KeyValuePairs) { $pair.Item1.Extent.Text }
                                }
                            }
                        }
                    })
                foreach ($option in $given) { if ($option -notin $sessionOptions) { "commands|$line|the parameter -$option of New-PSSession is not on the list" } }
            }
        }

        if ($node -is [Management.Automation.Language.TypeExpressionAst] -or $node -is [Management.Automation.Language.TypeConstraintAst]) {
            $type = $node.TypeName
            while ($type -is [Management.Automation.Language.ArrayTypeName]) { $type = $type.ElementType }
            $of = @($type)
            if ($type -is [Management.Automation.Language.GenericTypeName]) { $of = @($type.TypeName) + @($type.GenericArguments) }
            foreach ($one in $of) {
                $name = [regex]::Replace($one.FullName, '^System\.', '')
                if (-not $typeSet.Contains($name)) { "types|$line|[$($one.FullName)] is not on the list" }
                if ($null -ne $used) { $used.Types[$name] = 1 + $(if ($used.Types.ContainsKey($name)) { $used.Types[$name] }) }
            }
        }
        if ($node -is [Management.Automation.Language.ConvertExpressionAst] -and $node.Type.TypeName.FullName -in 'type', 'scriptblock', 'System.Type') {
            "built code|$line|$(Get-Text $node): a type or code by its name"
        }

        if ($node -is [Management.Automation.Language.MemberExpressionAst] -and $node.Member -isnot [Management.Automation.Language.StringConstantExpressionAst]) {
            "built code|$line|$(Get-Text $node): a member by a value"
        }
        if ($node -is [Management.Automation.Language.MemberExpressionAst] -and "$($node.Member)" -in 'InvokeCommand', 'InvokeProvider') { "built code|$line|$(Get-Text $node)" }
        if ($node -is [Management.Automation.Language.InvokeMemberExpressionAst]) {
            $member = "$($node.Member)"
            $count = 0
            if ($null -ne $node.Arguments) { $count = $node.Arguments.Count }
            if ($forbiddenSet.Contains($member)) { "built code|$line|$(Get-Text $node)" }
            if ($newerSet.Contains("$member/$count") -or $newerSet.Contains("$member/*")) { "types|$line|.$member with $count arguments exists in .NET only" }
            if (-not $node.Static -and $member -eq 'Replace' -and $count -gt 2) { "types|$line|.Replace with $count arguments exists in .NET only" }
            # 5.1 divides at each of the characters, 7 at the text.
            if ($member -eq 'Split' -and $node.Arguments[0] -is [Management.Automation.Language.StringConstantExpressionAst] -and $node.Arguments[0].Value.Length -gt 1) {
                "types|$line|$(Get-Text $node) differs between 5.1 and 7"
            }
            $static = if ($node.Static -and $node.Expression -is [Management.Automation.Language.TypeExpressionAst]) { [regex]::Replace($node.Expression.TypeName.FullName, '^System\.', '') } else { '' }
            $isCode = ($static -eq 'ScriptBlock' -and $member -eq 'Create') -or $static -eq 'Reflection.Assembly' -or
                $static -eq 'Management.Automation.Runspaces.SessionStateFunctionEntry'
            if ($isCode -and -not $codeFromText.ContainsKey((Get-Text $node))) { "built code|$line|$(Get-Text $node)" }
            if ($member -eq 'AddCommand') {
                $command = $node.Arguments[0]
                if ($command -isnot [Management.Automation.Language.StringConstantExpressionAst] -or -not $own.Contains($command.Value)) { "built code|$line|$(Get-Text $node)" }
            }
            # A table of strings compares by the culture, or by case, unless it is told how.
            if ($member -eq 'new' -and $node.Expression.Extent.Text -match '^\[(System\.)?Collections\.Generic\.(Dictionary|HashSet|SortedDictionary|SortedSet)\[string' -and
                -not [regex]::IsMatch($node.Extent.Text, '\[StringComparer\]::Ordinal')) {
                "comparisons|$line|$(Get-Text $node) without [StringComparer]"
            }
            # Searches in text.
            if ($member -in 'StartsWith', 'EndsWith', 'IndexOf', 'LastIndexOf', 'Compare', 'CompareTo' -and -not $node.Extent.Text.Contains('[StringComparison]::Ordinal')) {
                $place = "$(Get-Function $node): $(Get-Text $node)"
                if (-not $searches.ContainsKey($place)) { "comparisons|$line|$place" } elseif ($null -ne $used) { [void]$used.Comparisons.Add("$place    ($($searches[$place]))") }
            }
            if ($static -eq 'string' -and $member -eq 'Equals' -and -not $node.Extent.Text.Contains('[StringComparison]::Ordinal')) { "comparisons|$line|$(Get-Text $node)" }
            # Effects on the disk and beyond.
            $isEffect = $static -in 'IO.File', 'IO.FileStream', 'IO.FileSystemAclExtensions' -or ($static -eq 'IO.Directory' -and $member -notin 'Exists', 'GetFiles') -or
                ($static -eq 'Microsoft.Win32.Registry' -and $member -ne 'GetValue') -or $member -in 'SetAccessControl', 'SetOwner', 'SetValue', 'Delete', 'MoveTo', 'CopyTo'
            if ($isEffect -and -not $inWriting) { "reading|$line|$(Get-Text $node) outside Enable-GpupWriting" }
        }

        if ($node -is [Management.Automation.Language.VariableExpressionAst]) {
            $name = $node.VariablePath.UserPath
            if ($name -eq 'input') { "input|$line|`$input makes the host eat lines of the input" }
            if ($name -in 'args', 'MyInvocation', 'PSCmdlet') { "input|$line|`$$name is not the agent's" }
        }
        if ($node -is [Management.Automation.Language.AssignmentStatementAst] -and "$($node.Left.Extent.Text)" -match '^\$env:') { "reading|$line|$(Get-Text $node)" }
        if ($node -is [Management.Automation.Language.FileRedirectionAst] -and -not $inWriting) { "reading|$line|$(Get-Text $node)" }

        if ($node -is [Management.Automation.Language.SwitchStatementAst]) { "comparisons|$line|$(Get-Function $node): a switch compares text linguistically" }
        if ($node -is [Management.Automation.Language.BinaryExpressionAst]) {
            $operator = [regex]::Replace("$($node.Operator)", '^[IC](?=[a-z])', '')
            $isOfText = $operator -in 'like', 'notlike', 'match', 'notmatch', 'contains', 'notcontains', 'in', 'notin', 'split', 'replace', 'As'
            $isListed = $operator -in 'eq', 'ne', 'ge', 'gt', 'le', 'lt' -and -not (Test-NoString $node.Left) -and -not (Test-NoString $node.Right)
            if ($isOfText -or $isListed) {
                $place = "$(Get-Function $node): $(Get-Text $node)"
                if (-not $comparisons.ContainsKey($place)) { "comparisons|$line|$place" } elseif ($null -ne $used) { [void]$used.Comparisons.Add("$place    ($($comparisons[$place]))") }
            }
        }
        if ($node -is [Management.Automation.Language.UnaryExpressionAst] -and "$($node.TokenKind)" -in 'Isplit', 'Csplit') { "comparisons|$line|$(Get-Text $node)" }
    }
}

$passed = 0
$failed = 0
function Test-That([string]$title, [string[]]$wrong) {
    if ($wrong.Length -eq 0) {
        $script:passed += 1
        "ok      $title"
    } else {
        $script:failed += 1
        "FAILED  $title"
        foreach ($one in $wrong) { "          $one" }
    }
}
function New-Used {
    @{
        Commands = [Collections.Generic.SortedDictionary[string, int]]::new([StringComparer]::Ordinal); Ranks = @{}
        Types = [Collections.Generic.SortedDictionary[string, int]]::new([StringComparer]::Ordinal)
        Comparisons = [Collections.Generic.SortedSet[string]]::new([StringComparer]::Ordinal)
    }
}

# The agent and its bootstrap ------------------------------------------------------------------------------------------

$titles = [ordered]@{
    'parse' = 'the engine can read it'; 'newer syntax' = 'Windows PowerShell 5.1 can read it'; 'types' = 'its .NET types and methods are in .NET Framework, too'
    'commands' = 'its commands and their parameters are on the list'; 'alias' = 'it uses no alias and no program'
    'built code' = 'no text becomes code but its own'; 'input' = 'it leaves $input alone'
    'comparisons' = 'text is compared ordinally'; 'reading' = 'outside Enable-GpupWriting it only reads'
    'ascii' = 'it is ASCII, without tabs and CR'; 'lines' = "its lines are at most $longestLine characters long"
}
$agentUsed = $null
foreach ($path in $AgentPath, $BootstrapPath) {
    $name = [IO.Path]::GetFileName($path)
    # As bytes: a mark at the beginning must not get lost.
    $text = [Text.Encoding]::GetEncoding('iso-8859-1').GetString([IO.File]::ReadAllBytes($path))
    $used = New-Used
    $refusals = @(Find-Refusals $text $used)
    foreach ($check in $titles.Keys) {
        Test-That "${name}: $($titles[$check])" @(foreach ($refusal in $refusals) { if ($refusal.StartsWith("$check|")) { "line $($refusal.Substring($check.Length + 1).Replace('|', ': '))" } })
    }
    if ($path -eq $AgentPath) { $agentUsed = $used }
}

"`nCommands of the agent (how often; 'reads' and 'WRITES' are cmdlets of Windows' modules):"
foreach ($name in $agentUsed.Commands.Keys) { '{0,5}  {1,-6}  {2}' -f $agentUsed.Commands[$name], $agentUsed.Ranks[$name], $name }
"`nTypes: " + [regex]::Replace((@(foreach ($name in $agentUsed.Types.Keys) { "$name $($agentUsed.Types[$name])" }) -join ', '), '(.{1,120})(?: |$)', "`$1`n  ")
"Comparisons in which a string could stand, and why they may:"
foreach ($place in $agentUsed.Comparisons) { "  $place" }
''
$stale = @(foreach ($known in $comparisons, $searches) {
        foreach ($place in $known.Keys) {
            if (-not $place.StartsWith('main: ') -and -not $agentUsed.Comparisons.Contains("$place    ($($known[$place]))")) { $place }
        }
    })
Test-That 'each row of the comparisons is still needed' $stale
$reads = @(foreach ($name in $agentUsed.Ranks.Keys) { if ($agentUsed.Ranks[$name] -eq 'reads' -and -not $name.Split('\')[1].StartsWith('Get-')) { $name } })
Test-That 'what reads has the verb Get' $reads

# By running it: a session that reads does not even have the functions that write.
. $AgentPath
Set-StrictMode -Off
$tokens = $mistakes = $null
$tree = [Management.Automation.Language.Parser]::ParseFile($AgentPath, [ref]$tokens, [ref]$mistakes)
$writingFunction = $tree.Find({ param($node) $node -is [Management.Automation.Language.FunctionDefinitionAst] -and $node.Name -eq 'Enable-GpupWriting' }, $true)
$inner = @(foreach ($function in $writingFunction.Body.FindAll({ param($node) $node -is [Management.Automation.Language.FunctionDefinitionAst] }, $true)) { [regex]::Replace($function.Name, '^global:', '') })
Test-That "a session that reads lacks the $($inner.Length) functions of Enable-GpupWriting" @(foreach ($name in $inner) { if (Get-Command -Name $name -CommandType Function -ErrorAction Ignore) { $name } })
Enable-GpupWriting
Test-That 'a session that writes has them' @(foreach ($name in $inner) { if (-not (Get-Command -Name $name -CommandType Function -ErrorAction Ignore)) { $name } })

# Each check can fail --------------------------------------------------------------------------------------------------

$bad = @(
    'parse', 'if (', 'parse', '"unfinished'
    'newer syntax', '$a ? 1 : 2', 'newer syntax', 'Get-Module && Get-Module', 'newer syntax', 'Get-Module || Get-Module', 'newer syntax', '$a ?? 1'
    'newer syntax', '$a ??= 1', 'newer syntax', '${a}?.Name', 'newer syntax', '${a}?.Name()', 'newer syntax', '${a}?[0]', 'newer syntax', 'Get-Module &'
    'newer syntax', 'function Get-GpupX { process { 1 } clean { 2 } }', 'newer syntax', 'using namespace System.IO', 'newer syntax', '1y', 'newer syntax', '0b101'
    'newer syntax', '1ul', 'newer syntax', '5n', 'newer syntax', '"`u{1F600}"', 'newer syntax', '"`e[0m"', 'newer syntax', 'if ($IsWindows) { 1 }'
    'newer syntax', 'class A { }', 'newer syntax', 'function Get-GpupX { param([ValidateNotNullOrWhiteSpace()]$A) }'
    'commands', '1, 2 | ForEach-Object -Parallel { $_ }', 'commands', 'ForEach-Object -P { $_ }', 'commands', 'Get-VM', 'commands', 'Hyper-V\Get-VM -Name a', 'commands', 'Hyper-V\Remove-VM'
    'commands', 'Write-Output 1', 'commands', 'Invoke-Expression "1"', 'commands', 'Hyper-V\Get-VM @options', 'commands', 'Import-Module -Na x', 'commands', 'Start-Process x', 'commands', 'Add-Type x'
    'commands', 'function Get-GpupA { }; function Get-GpupA { }', 'commands', 'function Get-VM { }', 'commands', 'function Open-GpupX { $options.Credential = 1; New-PSSession @options }'
    'commands', 'function Open-GpupX { $options = @{ Credential = 1 }; New-PSSession @options }', 'commands', 'Invoke-Command -ComputerName x -ScriptBlock { }'
    'alias', 'iex $a', 'alias', '1 | % { $_ }', 'alias', '1 | ? { $_ }', 'alias', 'gci', 'alias', 'cmd.exe /c dir', 'alias', 'powershell -File x', 'alias', '1 | foreach { $_ }'
    'types', '[IO.Pipes.NamedPipeServerStream]::new("a")', 'types', '[Diagnostics.Process]::Start("a")', 'types', '[Text.Json.JsonSerializer]', 'types', '$table.TryAdd(1, 2)', 'types', '[IO.File]::Move(1, 2, $true)'
    'types', '[Collections.Generic.List[Text.Rune]]::new()', 'types', '$name.Contains("a", [StringComparison]::Ordinal)', 'types', '$name.Replace("a", "b", 1)', 'types', '$text.Split("::")', 'types', '[Activator]', 'types', 'function Get-GpupX { param([Net.WebClient]$A) }'
    'built code', '& $name', 'built code', '. $name', 'built code', '& "Get-$what"', 'built code', '& { 1 }', 'built code', '. ([ScriptBlock]::Create("a$b"))', 'built code', '[ScriptBlock]::Create($Request.text)'
    'built code', '[scriptblock]$text', 'built code', '$shell.AddScript($text)', 'built code', '$shell.AddCommand($name)', 'built code', '$shell.AddCommand("Stop-VM")', 'built code', '$ExecutionContext.InvokeCommand.InvokeScript($a)'
    'built code', '$ExecutionContext.InvokeCommand.ExpandString($a)', 'built code', '$a.$name', 'built code', '$a.$name()', 'built code', '[int]::$name', 'built code', '$block.Invoke()', 'built code', '[type]$name'
    'built code', '[Reflection.Assembly]::Load($name)', 'built code', '[Reflection.Assembly]::LoadFrom("a")', 'built code', '$a.ForEach("Name")'
    'built code', '[Management.Automation.Runspaces.SessionStateFunctionEntry]::new("a", $text)', 'built code', '[int].InvokeMember("Parse", 0, $null, $null, 1)'
    'input', 'foreach ($line in $input) { $line }', 'input', '"$input"', 'input', '$args[0]'
    'comparisons', '$name -eq $other', 'comparisons', '$name -ne "a"', 'comparisons', '$name -ceq "a"', 'comparisons', '"a" -eq $name', 'comparisons', '$name -like "a*"', 'comparisons', '$name -match "a"'
    'comparisons', '$names -contains $name', 'comparisons', '$name -in "a", "b"', 'comparisons', '$name -replace "a", "b"', 'comparisons', '$text -split ","', 'comparisons', '-split $text', 'comparisons', 'switch ($op) { "a" { 1 } }'
    'comparisons', '$name.StartsWith("a")', 'comparisons', '$name.EndsWith("a")', 'comparisons', '$name.IndexOf("a")', 'comparisons', '[string]::Equals($a, $b)', 'comparisons', '[string]::Compare($a, $b)'
    'comparisons', '[Collections.Generic.Dictionary[string, object]]::new()', 'comparisons', '$name.CompareTo("a")', 'comparisons', '$a -as [int]', 'comparisons', '"$a" -gt $b', 'comparisons', '$a.Name -eq $b.Name'
    'comparisons', 'function Get-GpupX { param([string]$A, [int]$B) $A -eq $a }'
    'reading', 'Hyper-V\Stop-VM -VM $vm -Force', 'reading', 'function Get-GpupX { Hyper-V\Start-VM -VM $vm }', 'reading', 'FailoverClusters\Set-ClusterParameter -Name a -Value 1', 'reading', '[IO.File]::Delete("a")'
    'reading', '[IO.FileStream]::new("a", 1)', 'reading', '[IO.Directory]::CreateDirectory("a")', 'reading', '[Microsoft.Win32.Registry]::SetValue("a", "b", 1)', 'reading', '$env:PATH = "a"', 'reading', '1 > file'
    'reading', 'function Enable-GpupWriting { }; Enable-GpupWriting', 'reading', 'function Enable-GpupWriting { }; if ($true) { Enable-GpupWriting }'
    'reading', 'function Enable-GpupWriting { function global:Stop-GpupVm { } }; function Get-GpupX { Hyper-V\Stop-VM -VM 1 }'
    'ascii', "'$([char]0xe4)'", 'ascii', "`t1", 'ascii', "1`r", 'lines', ('1' * 141), 'lines', '1 '
)
$missed = @(for ($i = 0; $i -lt $bad.Length; $i += 2) {
        $found = @(foreach ($refusal in @(Find-Refusals "$($bad[$i + 1])`n" $null)) { $refusal.Split('|')[0] })
        if ($bad[$i] -notin $found) { "$($bad[$i]) lets through: $($bad[$i + 1])    (it says: $($found -join ', '))" }
    })
Test-That "each of $($bad.Length / 2) bad scripts is refused by its own check" $missed
Test-That 'a text without a line end is refused' @(if (-not (@(Find-Refusals '1' $null) -match '^lines')) { 'it is not' })

# And what is fine is not refused.
$fine = @(
    '[Text.StringBuilder]::new()', '$null -eq $a', '$a.Count -gt 0', '"$a".Length -eq 36', '$a -eq 5', '1 -lt $b', '[int]$a -eq $b', '$a.IndexOf([char]46, 1) -ge 0 -or [string]::Equals($a, $b, [StringComparison]::Ordinal)'
    '$name.StartsWith("a", [StringComparison]::OrdinalIgnoreCase)', '[Collections.Generic.Dictionary[string, object]]::new([StringComparer]::Ordinal)', 'Get-Module -Name "a" | Out-Null', '@(1, 2) | ForEach-Object { $_ }'
    'Hyper-V\Get-VM -ErrorAction Stop', 'function Enable-GpupWriting { function global:Stop-GpupVm { Hyper-V\Start-VM -VM 1 } }; if ($isWriting) { Enable-GpupWriting }', 'try { 1 } catch { throw } finally { 2 }'
    'function Get-GpupA { 1 }; [void]$shell.AddCommand("Get-GpupA")', '[ordered]@{ a = 1 }', '0xFF; 1.5; 1MB; 100L; "`n`t``e"', 'function Get-GpupX { param([int]$A) $A -ge $b }', '. ([ScriptBlock]::Create($Text))'
    '[regex]::IsMatch($a, "b")', '"a,b".Split(",")', 'function Open-GpupX { $options.Port = 1; New-PSSession @options }', 'foreach ($a in $b) { continue }; do { } while ($false)', 'Invoke-Command -Session $session -ScriptBlock { param($A) $A }'
)
# These searches have no row, as their function is another one.
$wronged = @(foreach ($text in $fine) { foreach ($refusal in @(Find-Refusals "$text`n" $null)) { if (-not $refusal.Contains('[char]46')) { "$text    ($refusal)" } } })
Test-That "none of $($fine.Length) good scripts is" $wronged

"AST $passed $failed"
