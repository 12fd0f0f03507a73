# On a real host this is a function as well, made from CIM, with what follows from that: it is not found as a cmdlet, and
# it does not see the caller's $ErrorActionPreference.
function Get-PnpDevice {
    [CmdletBinding(DefaultParameterSetName = 'ByInstanceId')]
    param(
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [string[]] $InstanceId,
        [Parameter()] [string[]] $FriendlyName,
        [Parameter()] [string[]] $Class,
        [Parameter()] [string[]] $Status,
        [Parameter()] [switch] $PresentOnly
    )
    process { Get-PnpDeviceRow @PSBoundParameters }
}
