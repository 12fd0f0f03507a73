# See Hyper-V.psd1 for what is missing.
@{
    RootModule = 'PnpDevice.psm1'
    NestedModules = @('../../../Gpup.Doubles.PnpDevice.dll')
    ModuleVersion = '1.0.0.0'
    GUID = '6d4c1a52-1df6-4c64-9a16-0c6e4c7f1b03'
    CmdletsToExport = @()
    AliasesToExport = @()
    FunctionsToExport = @(
        if ($env:GPUP_DOUBLES_MISSING -notlike '* PnpDevice\Get-PnpDevice *') { 'Get-PnpDevice' }
    )
}
