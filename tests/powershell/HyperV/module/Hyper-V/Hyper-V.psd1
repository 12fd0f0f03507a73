# What `doubles.missing` of the lab names comes here through the environment, since a host that lacks a cmdlet does not
# have it in its manifest either.
@{
    RootModule = '../../../Microsoft.HyperV.PowerShell.Cmdlets.dll'
    ModuleVersion = '2.0.0.0'
    GUID = '6d4c1a52-1df6-4c64-9a16-0c6e4c7f1b01'
    FunctionsToExport = @()
    AliasesToExport = @()
    CmdletsToExport = @(
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Add-VMGpuPartitionAdapter *') { 'Add-VMGpuPartitionAdapter' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VM *') { 'Get-VM' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VMGpuPartitionAdapter *') { 'Get-VMGpuPartitionAdapter' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VMHost *') { 'Get-VMHost' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VMHostAssignableDevice *') { 'Get-VMHostAssignableDevice' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VMHostPartitionableGpu *') { 'Get-VMHostPartitionableGpu' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VMIntegrationService *') { 'Get-VMIntegrationService' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Get-VMPartitionableGpu *') { 'Get-VMPartitionableGpu' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Remove-VMGpuPartitionAdapter *') { 'Remove-VMGpuPartitionAdapter' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Set-VMHostPartitionableGpu *') { 'Set-VMHostPartitionableGpu' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Set-VMPartitionableGpu *') { 'Set-VMPartitionableGpu' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Start-VM *') { 'Start-VM' }
        if ($env:GPUP_DOUBLES_MISSING -notlike '* Hyper-V\Stop-VM *') { 'Stop-VM' }
    )
}
