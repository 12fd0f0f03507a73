# Lists what the agent calls, from its syntax tree:  powershell -File agent_cmdlets.ps1 src/adapters/agent/agent.ps1
#
#   reading CMDLET      called outside Enable-GpupWriting: all that a session in mode "read" can call
#   writing CMDLET      called inside it: only a session in mode "write" has defined these functions
#   wrong LINE: WHY     what Windows PowerShell 5.1 cannot read, or what hides a call from this list
#
# A cmdlet of a module of Windows is written MODULE\NAME; functions of the agent (defined in the same file) are left out.
param([string]$Path)
$errors = $null
$tokens = $null
$tree = [Management.Automation.Language.Parser]::ParseFile([IO.Path]::GetFullPath($Path), [ref]$tokens, [ref]$errors)
foreach ($mistake in $errors) { "wrong $($mistake.Extent.StartLineNumber): $($mistake.Message)" }

$own = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
$writing = $null
foreach ($function in $tree.FindAll({ param($node) $node -is [Management.Automation.Language.FunctionDefinitionAst] }, $true)) {
    $name = $function.Name
    if ($name.StartsWith('global:', [StringComparison]::Ordinal)) { $name = $name.Substring(7) }
    if (-not $own.Add($name)) { "wrong $($function.Extent.StartLineNumber): $name is defined twice" }
    if ([string]::Equals($name, 'Enable-GpupWriting', [StringComparison]::Ordinal)) { $writing = $function }
}
if ($null -eq $writing) { 'wrong 0: there is no function Enable-GpupWriting' }

$found = [Collections.Generic.SortedSet[string]]::new([StringComparer]::Ordinal)
foreach ($call in $tree.FindAll({ param($node) $node -is [Management.Automation.Language.CommandAst] }, $true)) {
    $line = $call.Extent.StartLineNumber
    $name = $call.GetCommandName()
    if ($null -eq $name) {
        # Dot-sourcing the agent itself in a remote session is the one call of what is no name.
        if (-not [regex]::IsMatch($call.Extent.Text, '\A\. \(\[ScriptBlock\]::Create\(\$Text\)\)\z')) { "wrong ${line}: a call by a value: $($call.Extent.Text)" }
    } elseif (-not $own.Contains($name)) {
        $inside = $false
        for ($node = $call.Parent; $null -ne $node; $node = $node.Parent) { if ($node -eq $writing) { $inside = $true } }
        [void]$found.Add($(if ($inside) { "writing $name" } else { "reading $name" }))
    }
}
$found

# What later PowerShells brought.
$newer = 'TernaryExpressionAst', 'PipelineChainAst'
$new = 'QuestionQuestion', 'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'AndAnd', 'OrOr'
foreach ($node in $tree.FindAll({ param($node) $newer -contains $node.GetType().Name }, $true)) {
    "wrong $($node.Extent.StartLineNumber): $($node.GetType().Name)"
}
foreach ($token in $tokens) {
    if ($new -contains "$($token.Kind)") { "wrong $($token.Extent.StartLineNumber): $($token.Text)" }
    # A pipeline that runs in the background.
    if ("$($token.Kind)" -eq 'Ampersand' -and -not [regex]::IsMatch($token.Extent.StartScriptPosition.Line, '&\s*[\(\{\$"'']')) {
        "wrong $($token.Extent.StartLineNumber): &"
    }
}
# Aliases are not the agent's words: every name has a verb and a noun.
foreach ($line in $found) {
    if (-not [regex]::IsMatch($line, '\A(reading|writing) ((Hyper-V|FailoverClusters|PnpDevice)\\)?[A-Z][A-Za-z]+-[A-Z][A-Za-z]+\z')) { "wrong 0: $line" }
}
