using System.Management.Automation;
using Gpup.Doubles;

namespace Microsoft.HyperV.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "VMHost", DefaultParameterSetName = "ComputerName")]
[OutputType(typeof(VMHost))]
public sealed class GetVMHost : HyperVCmdlet {
    [Parameter(ParameterSetName = "ComputerName", Position = 0)]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    protected override void Perform() => Look(Nobody, host => {
        RequirePlayed(host, ComputerName);
        WriteObject(new VMHost(host));
    });
}

[Cmdlet(VerbsCommon.Get, "VMHostAssignableDevice", DefaultParameterSetName = "ComputerName")]
[OutputType(typeof(VMHostAssignableDevice))]
public sealed class GetVMHostAssignableDevice : HyperVCmdlet {
    [Parameter(ParameterSetName = "ComputerName")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? InstancePath { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? LocationPath { get; set; }

    protected override void Perform() => Look(Nobody, host => {
        RequirePlayed(host, ComputerName);
        var devices = host.Gpus.Where(gpu => gpu.Text("status") == "ready-for-dda")
                          .Select((gpu, place) => new VMHostAssignableDevice(host, gpu, place));
        WriteObject(devices.Where(device => (InstancePath is null || Json.Same(InstancePath, device.InstanceID)) &&
                                            (LocationPath is null || Json.Same(LocationPath, device.LocationPath))), true);
    });
}

[Cmdlet(VerbsCommon.Get, "VMHostPartitionableGpu", DefaultParameterSetName = "ComputerName")]
[OutputType(typeof(VMHostPartitionableGpu))]
public class GetVMHostPartitionableGpu : HyperVCmdlet {
    [Parameter(ParameterSetName = "ComputerName")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    protected override void Perform() => Look(_ => new(Gpu: Name), host => {
        RequirePlayed(host, ComputerName);
        var rows = VMHostPartitionableGpu.Of(host).Where(row => Name is null || Json.Same(Name, Row(row).Name)).ToList();
        if (Name is not null && rows.Count == 0) {
            throw Refusal.NotFound(host.Say($"Unable to find a partitionable GPU '{Name}'.",
                                            $"Es wurde keine partitionierbare GPU \"{Name}\" gefunden."));
        }
        WriteObject(rows, enumerateCollection: true);
    });

    internal static VMHostPartitionableGpu Row(PSObject row) => (VMHostPartitionableGpu)row.BaseObject;
}

/// The only name that older builds have.
[Cmdlet(VerbsCommon.Get, "VMPartitionableGpu", DefaultParameterSetName = "ComputerName")]
[OutputType(typeof(VMHostPartitionableGpu))]
public sealed class GetVMPartitionableGpu : GetVMHostPartitionableGpu;

[Cmdlet(VerbsCommon.Set, "VMHostPartitionableGpu", DefaultParameterSetName = "ComputerName")]
[OutputType(typeof(VMHostPartitionableGpu))]
public class SetVMHostPartitionableGpu : HyperVCmdlet {
    [Parameter(ParameterSetName = "ComputerName")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    /// The older cmdlet calls it PartitionableGpu.
    [Parameter(ParameterSetName = "Object", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("PartitionableGpu")]
    [ValidateNotNullOrEmpty]
    public VMHostPartitionableGpu[]? HostPartitionableGpu { get; set; }

    [Parameter(ParameterSetName = "Name", Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    [Parameter(Mandatory = true)]
    public ushort PartitionCount { get; set; }

    [Parameter]
    public SwitchParameter Passthru { get; set; }

    protected override void Perform() {
        var host = LabFile.Read().Played;
        RequirePlayed(host, ComputerName);
        var names = ParameterSetName switch {
            "Object" => HostPartitionableGpu!.Select(gpu => gpu.Name),
            "Name" => [Name!],
            // Without a name the count is meant for all of the computer.
            _ => VMHostPartitionableGpu.Of(host).Select(row => GetVMHostPartitionableGpu.Row(row).Name).ToList(),
        };
        foreach (var name in names) Guarded(() => Set(name));
    }

    private void Set(string name) {
        Change(_ => new(Gpu: name), host => Rules.SetPartitionCount(host, name, PartitionCount));
        if (!Passthru) return;
        var rows = VMHostPartitionableGpu.Of(LabFile.Read().Played);
        WriteObject(rows.Where(row => Json.Same(GetVMHostPartitionableGpu.Row(row).Name, name)), enumerateCollection: true);
    }
}

/// The only name that older builds have.
[Cmdlet(VerbsCommon.Set, "VMPartitionableGpu", DefaultParameterSetName = "ComputerName")]
[OutputType(typeof(VMHostPartitionableGpu))]
public sealed class SetVMPartitionableGpu : SetVMHostPartitionableGpu;
