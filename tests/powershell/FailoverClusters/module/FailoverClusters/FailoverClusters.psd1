# See Hyper-V.psd1 for what is missing.
@{
    RootModule = '../../../Microsoft.FailoverClusters.PowerShell.dll'
    ModuleVersion = '2.0.0.0'
    GUID = '6d4c1a52-1df6-4c64-9a16-0c6e4c7f1b02'
    FunctionsToExport = @()
    AliasesToExport = @()
    CmdletsToExport = @(
        if ($env:GPUP_DOUBLES_MISSING -notlike '* FailoverClusters\Get-Cluster *') { 'Get-Cluster' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* FailoverClusters\Get-ClusterGroup *') { 'Get-ClusterGroup' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* FailoverClusters\Get-ClusterNode *') { 'Get-ClusterNode' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* FailoverClusters\Get-ClusterParameter *') { 'Get-ClusterParameter' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* FailoverClusters\Get-ClusterResource *') { 'Get-ClusterResource' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* FailoverClusters\Set-ClusterParameter *') { 'Set-ClusterParameter' }
    )
}
