$ProgressPreference='SilentlyContinue'
$gpupIn=[IO.StreamReader]::new([Console]::OpenStandardInput())
$t='';while($null-ne($l=$gpupIn.ReadLine())-and$l-cne'.'){$t+=$l}
if($l){$gpupText=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($t));.([ScriptBlock]::Create($gpupText))}
