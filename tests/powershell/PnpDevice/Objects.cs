using System.Management.Automation;
using Gpup.Doubles;

namespace Gpup.Doubles.PnpDevice;

/// Numbers of the device manager.
public enum Problem : uint { None = 0, FailedStart = 10, Disabled = 22, FailedInstall = 28, DriverFailedLoad = 39, FailedPostStart = 43 }

/// A device, with the property names of `Get-PnpDevice`.
public sealed record Device(string? FriendlyName, string InstanceId, string Status, string? Class, Problem Problem, bool Present) {
    public string? Name => FriendlyName;
    public string DeviceID => InstanceId;
    public string PNPDeviceID => InstanceId;

    public override string ToString() => FriendlyName ?? InstanceId;

    /// The devices of the GPUs that the lab has, and those that it adds.
    internal static IEnumerable<Device> Of(LabHost host) {
        foreach (var gpu in host.Gpus) {
            var works = gpu.Text("status") != "not-assignable";
            yield return new(gpu.Text("model") is var model && model != "" ? model : null, LabHost.PnpId(gpu), works ? "OK" : "Error",
                             "Display", works ? Problem.None : Problem.FailedInstall, true);
        }
        foreach (var row in host.Doubles.Objects("pnp")) {
            var problem = (Problem)(row.Number("problem") ?? 0);
            yield return new(Told(row.Text("friendlyName")), row.Text("instanceId"), Told(row.Text("status")) ?? "OK",
                             Told(row.Text("class")), problem, row.Flag("present") ?? true);
        }
    }

    private static string? Told(string text) => text == "" ? null : text;
}

/// The work of the function Get-PnpDevice.
[Cmdlet(VerbsCommon.Get, "PnpDeviceRow")]
[OutputType(typeof(Device))]
public sealed class GetPnpDeviceRow : DoubleCmdlet {
    [Parameter]
    public string[]? FriendlyName { get; set; }

    [Parameter]
    public string[]? InstanceId { get; set; }

    [Parameter]
    public string[]? Class { get; set; }

    [Parameter]
    public string[]? Status { get; set; }

    [Parameter]
    public SwitchParameter PresentOnly { get; set; }

    protected override string CmdletName => "Get-PnpDevice";

    protected override void Perform() => Look(Nobody, host => WriteObject(Device.Of(host).Where(device =>
        Matches(FriendlyName, device.FriendlyName) && Matches(InstanceId, device.InstanceId) && Matches(Class, device.Class) &&
        Matches(Status, device.Status) && (device.Present || !PresentOnly)).ToList(), enumerateCollection: true));

    private static bool Matches(string[]? wanted, string? text) => wanted is null || wanted.Any(
        pattern => WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(text ?? ""));
}
