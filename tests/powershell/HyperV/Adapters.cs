using System.Management.Automation;
using System.Text.Json.Nodes;
using Gpup.Doubles;

namespace Microsoft.HyperV.PowerShell.Commands;

/// The cmdlets for adapters: VMs by name or as objects.
public abstract class AdapterCmdlet : VmTargetCmdlet {
    [Parameter(ParameterSetName = "VMName", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string[]? VMName { get; set; }

    [Parameter(ParameterSetName = "VMName")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    protected override string[]? Names => VMName;
    protected override string[]? Computers => ComputerName;

    protected static Refusal NoSuchAdapter(LabHost host) => Refusal.NotFound(host.Say(
        "Unable to find a Gpu partition adapter matching the given criteria.",
        "Es wurde kein GPU-Partitionsadapter gefunden, der den angegebenen Kriterien entspricht."));

    protected static List<(JsonObject Adapter, PSObject Row)> Matching(LabHost host, JsonObject vm, string? id) =>
        VMGpuPartitionAdapter.Of(host, vm)
            .Where(pair => id is null || Json.Same(((VMGpuPartitionAdapter)pair.Row.BaseObject).Id, id)).ToList();
}

[Cmdlet(VerbsCommon.Get, "VMGpuPartitionAdapter", DefaultParameterSetName = "VMName")]
[OutputType(typeof(VMGpuPartitionAdapter))]
public sealed class GetVMGpuPartitionAdapter : AdapterCmdlet {
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? AdapterId { get; set; }

    protected override void Perform() => LookAtTargets((host, vm) => {
        var found = Matching(host, vm, AdapterId);
        if (AdapterId is not null && found.Count == 0) throw NoSuchAdapter(host);
        foreach (var (_, row) in found) WriteObject(row);
    });
}

[Cmdlet(VerbsCommon.Add, "VMGpuPartitionAdapter", DefaultParameterSetName = "VMName", SupportsShouldProcess = true)]
[OutputType(typeof(VMGpuPartitionAdapter))]
public sealed class AddVMGpuPartitionAdapter : AdapterCmdlet {
    [Parameter]
    public string? InstancePath { get; set; }

    [Parameter]
    public SwitchParameter Passthru { get; set; }

    protected override void Perform() => ForTargets((id, name) => {
        if (!ShouldProcess(name)) return;
        ChangeVm(id, name, (host, vm) => {
            var added = Rules.AddAdapter(host, vm, InstancePath);
            if (Passthru) WriteObject(VMGpuPartitionAdapter.Of(host, vm, added));
        });
    });
}

[Cmdlet(VerbsCommon.Remove, "VMGpuPartitionAdapter", DefaultParameterSetName = "VMName", SupportsShouldProcess = true)]
public sealed class RemoveVMGpuPartitionAdapter : AdapterCmdlet {
    [Parameter(ParameterSetName = "Object", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public VMGpuPartitionAdapter[]? VMGpuPartitionAdapter { get; set; }

    /// Left out: every adapter of the VM.
    [Parameter(ParameterSetName = "VMName")]
    [Parameter(ParameterSetName = "VMObject")]
    [ValidateNotNullOrEmpty]
    public string? AdapterId { get; set; }

    protected override void Perform() {
        if (VMGpuPartitionAdapter is null) {
            ForTargets((id, name) => Remove(id, name, AdapterId));
            return;
        }
        foreach (var adapter in VMGpuPartitionAdapter) Guarded(() => Remove(adapter.VMId, adapter.VMName, adapter.Id));
    }

    private void Remove(Guid id, string name, string? adapterId) {
        if (!ShouldProcess(name)) return;
        ChangeVm(id, name, (host, vm) => {
            var found = Matching(host, vm, adapterId);
            if (found.Count == 0) throw NoSuchAdapter(host);
            foreach (var (adapter, _) in found) Rules.RemoveAdapter(host, vm, adapter);
        });
    }
}
