using System.Management.Automation;
using System.Text.Json.Nodes;
using Gpup.Doubles;

// Property names, types and numbers as the vendor's objects have them; each object is a picture of the moment.
namespace Microsoft.HyperV.PowerShell;

public class VirtualizationException(string message) : Exception(message);

/// Numbers up to 32782 are the same in all builds; above that these are the newer ones, and VMOlderState has the others.
public enum VMState {
    Other = 1, Running = 2, Off = 3, Stopping = 4, Saved = 6, Paused = 9, Starting = 10, Reset = 11,
    Saving = 32773, Pausing = 32776, Resuming = 32777, FastSaved = 32779, FastSaving = 32780, ForceShutdown = 32781,
    ForceReboot = 32782, Hibernated = 32783, ComponentServicing = 32784, RunningCritical = 32785, OffCritical = 32786,
    StoppingCritical = 32787, SavedCritical = 32788, PausedCritical = 32789, StartingCritical = 32790, ResetCritical = 32791,
    SavingCritical = 32792, PausingCritical = 32793, ResumingCritical = 32794, FastSavedCritical = 32795,
    FastSavingCritical = 32796,
}

/// What the module calls VMState, too, on builds that know of no hibernation.
public enum VMOlderState {
    Other = 1, Running = 2, Off = 3, Stopping = 4, Saved = 6, Paused = 9, Starting = 10, Reset = 11,
    Saving = 32773, Pausing = 32776, Resuming = 32777, FastSaved = 32779, FastSaving = 32780, ForceShutdown = 32781,
    ForceReboot = 32782, RunningCritical = 32783, OffCritical = 32784, StoppingCritical = 32785, SavedCritical = 32786,
    PausedCritical = 32787, StartingCritical = 32788, ResetCritical = 32789, SavingCritical = 32790, PausingCritical = 32791,
    ResumingCritical = 32792, FastSavedCritical = 32793, FastSavingCritical = 32794,
}

public enum StopAction { TurnOff = 2, Save = 3, ShutDown = 4 }

public enum StartAction { Nothing = 2, StartIfRunning = 3, Start = 4 }

public enum CheckpointType { Disabled = 2, Production = 3, ProductionOnly = 4, Standard = 5 }

public sealed class VirtualMachine {
    internal VirtualMachine(LabHost host, JsonObject vm) {
        var more = vm.Object("doubles");
        Id = LabHost.IdOf(vm);
        Name = vm.Text("name");
        var states = host.Doubles.Flag("olderStates") == true ? typeof(VMOlderState) : typeof(VMState);
        State = Enum.TryParse(states, vm.Text("state"), ignoreCase: true, out var state) ? (Enum)state : VMState.Other;
        Status = host.Say("Operating normally", "Normaler Betrieb");
        Generation = (int)(vm.Number("generation") ?? 2);
        Version = more.Text("version") is var version && version != "" ? version : "12.0";
        IsClustered = vm.Flag("clustered") ?? false;
        DynamicMemoryEnabled = vm.Flag("dynamicMemory") ?? false;
        AutomaticCheckpointsEnabled = vm.Flag("automaticCheckpoints") ?? false;
        AutomaticStopAction = Enum.TryParse(more.Text("automaticStopAction"), out StopAction stop) ? stop : StopAction.ShutDown;
        CheckpointType = Enum.TryParse(more.Text("checkpointType"), out CheckpointType kind) ? kind : CheckpointType.Production;
        Notes = more.Text("notes");
        ComputerName = host.ComputerName;
    }

    public Guid Id { get; }
    public Guid VMId => Id;
    public string Name { get; }
    public string VMName => Name;
    public Enum State { get; }
    public string Status { get; }
    public int Generation { get; }
    public string Version { get; }
    public bool IsClustered { get; }
    public bool DynamicMemoryEnabled { get; }
    public long MemoryStartup => 8L << 30;
    public long MemoryMinimum => 512L << 20;
    public long MemoryMaximum => 1L << 40;
    public long MemoryAssigned => IsRunning ? MemoryStartup : 0;
    public StopAction AutomaticStopAction { get; }
    public StartAction AutomaticStartAction => StartAction.StartIfRunning;
    public CheckpointType CheckpointType { get; }
    public bool AutomaticCheckpointsEnabled { get; }
    public bool GuestControlledCacheTypes => false;
    public uint LowMemoryMappedIoSpace => 128U << 20;
    public ulong HighMemoryMappedIoSpace => 512UL << 20;
    public Guid? ParentSnapshotId => null;
    public string Notes { get; }
    public string ComputerName { get; }
    public bool IsDeleted => false;
    internal bool IsRunning => $"{State}" == "Running";

    internal static PSObject Of(LabHost host, JsonObject vm) {
        var machine = new VirtualMachine(host, vm);
        var row = new PSObject(machine);
        if (host.Doubles.Flag("uptime") ?? true) {
            row.Properties.Add(new PSNoteProperty("Uptime", machine.IsRunning ? DateTimeOffset.UtcNow - Rules.StartedAt(vm) : TimeSpan.Zero));
        }
        return row;
    }

    public override string ToString() => $"VirtualMachine (Name = '{Name}') [Id = '{Id}']";
}

public sealed class VMHostPartitionableGpu {
    private const ulong Scale = 1000000000;

    private VMHostPartitionableGpu(LabHost host, JsonObject gpu) {
        Name = LabHost.ShownName(gpu);
        ComputerName = host.ComputerName;
        ValidPartitionCounts = [];
    }

    public string Name { get; }
    public ushort[] ValidPartitionCounts { get; private init; }
    public ushort PartitionCount { get; private init; }
    public ulong? TotalVRAM { get; private init; }
    public ulong? AvailableVRAM { get; private init; }
    public ulong? MinPartitionVRAM { get; private init; }
    public ulong? MaxPartitionVRAM { get; private init; }
    public ulong? OptimalPartitionVRAM => MaxPartitionVRAM;
    public ulong? TotalEncode { get; private init; }
    public ulong? AvailableEncode { get; private init; }
    public ulong? MinPartitionEncode { get; private init; }
    public ulong? MaxPartitionEncode { get; private init; }
    public ulong? OptimalPartitionEncode => MaxPartitionEncode;
    public ulong? TotalDecode { get; private init; }
    public ulong? AvailableDecode { get; private init; }
    public ulong? MinPartitionDecode { get; private init; }
    public ulong? MaxPartitionDecode { get; private init; }
    public ulong? OptimalPartitionDecode => MaxPartitionDecode;
    public ulong? TotalCompute { get; private init; }
    public ulong? AvailableCompute { get; private init; }
    public ulong? MinPartitionCompute { get; private init; }
    public ulong? MaxPartitionCompute { get; private init; }
    public ulong? OptimalPartitionCompute => MaxPartitionCompute;
    public object? CimSession => null;
    public string ComputerName { get; }
    public bool IsDeleted => false;

    public override string ToString() => Name;

    /// All rows of the host. What the lab does not say is null; a real host always has a number there.
    internal static IEnumerable<PSObject> Of(LabHost host) {
        foreach (var gpu in host.Gpus) {
            var status = gpu.Text("status");
            if (status is not ("partitioned" or "paravirtualization")) continue;
            var row = new PSObject(status == "partitioned" ? Real(host, gpu) : Paravirtual(host, gpu));
            if (host.Build >= 26100) {
                row.Properties.Add(new PSNoteProperty("SupportsIncomingLiveMigration",
                                                      status == "partitioned" && (host.Doubles.Flag("liveMigration") ?? true)));
            }
            yield return row;
        }
    }

    private static VMHostPartitionableGpu Real(LabHost host, JsonObject gpu) {
        var held = Rules.PartitionsHeld(host, gpu);
        ulong? Left(ulong? total, ulong? part) => total - (part * held < total ? part * held : total);
        var (vram, encode, decode, compute) = Sizes.Totals(gpu);
        var (partVram, partEncode) = (gpu.Number("partitionVram"), gpu.Number("partitionEncode"));
        var (partDecode, partCompute) = (gpu.Number("partitionDecode"), gpu.Number("partitionCompute"));
        return new(host, gpu) {
            ValidPartitionCounts = (gpu["validPartitionCounts"] as JsonArray ?? []).Select(count => (ushort)(count.AsNumber() ?? 0)).ToArray(),
            PartitionCount = (ushort)(gpu.Number("partitionCount") ?? 0),
            TotalVRAM = gpu.Number("totalVram"),
            AvailableVRAM = gpu.Number("availableVram") ?? Left(vram, partVram),
            MinPartitionVRAM = partVram,
            MaxPartitionVRAM = partVram,
            TotalEncode = encode,
            AvailableEncode = Left(encode, partEncode),
            MinPartitionEncode = partEncode,
            MaxPartitionEncode = partEncode,
            TotalDecode = decode,
            AvailableDecode = Left(decode, partDecode),
            MinPartitionDecode = partDecode,
            MaxPartitionDecode = partDecode,
            TotalCompute = compute,
            AvailableCompute = Left(compute, partCompute),
            MinPartitionCompute = partCompute,
            MaxPartitionCompute = partCompute,
        };
    }

    /// The same numbers on every card: a scale, not a size.
    private static VMHostPartitionableGpu Paravirtual(LabHost host, JsonObject gpu) => new(host, gpu) {
        ValidPartitionCounts = [32],
        PartitionCount = 32,
        TotalVRAM = Scale,
        AvailableVRAM = Scale,
        MinPartitionVRAM = 0,
        MaxPartitionVRAM = Scale,
        TotalEncode = ulong.MaxValue,
        AvailableEncode = ulong.MaxValue,
        MinPartitionEncode = 0,
        MaxPartitionEncode = ulong.MaxValue,
        TotalDecode = Scale,
        AvailableDecode = Scale,
        MinPartitionDecode = 0,
        MaxPartitionDecode = Scale,
        TotalCompute = Scale,
        AvailableCompute = Scale,
        MinPartitionCompute = 0,
        MaxPartitionCompute = Scale,
    };
}

public sealed class VMGpuPartitionAdapter {
    private VMGpuPartitionAdapter(LabHost host, JsonObject vm, JsonObject adapter) {
        var gpu = host.FindGpu(adapter.Text("gpu"));
        var nothing = host.Doubles.Flag("nulls") == true ? null : "";
        VMId = LabHost.IdOf(vm);
        VMName = vm.Text("name");
        Id = $"Microsoft:{VMId.ToString().ToUpperInvariant()}\\{adapter.Text("id").ToUpperInvariant()}";
        InstancePath = gpu is not null ? LabHost.ShownName(gpu) : adapter.Text("gpu") is var name && name != "" ? name : nothing;
        PartitionId = (ushort?)adapter.Number("partitionId");
        CurrentPartitionVRAM = adapter.Number("vram");
        CurrentPartitionEncode = PartitionId is null ? null : adapter.Number("encode");
        CurrentPartitionDecode = PartitionId is null ? null : adapter.Number("decode");
        CurrentPartitionCompute = PartitionId is null ? null : gpu?.Number("partitionCompute");
        PartitionVfLuid = PartitionId is { } id ? $"10-{973909323 + id}" : null;
        ComputerName = host.ComputerName;
    }

    public string? InstancePath { get; }
    public ulong? CurrentPartitionVRAM { get; }
    public ulong? MinPartitionVRAM => null;
    public ulong? MaxPartitionVRAM => null;
    public ulong? OptimalPartitionVRAM => null;
    public ulong? CurrentPartitionEncode { get; }
    public ulong? MinPartitionEncode => null;
    public ulong? MaxPartitionEncode => null;
    public ulong? OptimalPartitionEncode => null;
    public ulong? CurrentPartitionDecode { get; }
    public ulong? MinPartitionDecode => null;
    public ulong? MaxPartitionDecode => null;
    public ulong? OptimalPartitionDecode => null;
    public ulong? CurrentPartitionCompute { get; }
    public ulong? MinPartitionCompute => null;
    public ulong? MaxPartitionCompute => null;
    public ulong? OptimalPartitionCompute => null;
    public ushort? PartitionId { get; }
    public string? PartitionVfLuid { get; }
    public string Name => "GPU Partition Settings";
    public string Id { get; }
    public Guid VMId { get; }
    public string VMName { get; }
    public Guid VMSnapshotId => Guid.Empty;
    public string VMSnapshotName => "";
    public Guid VMCheckpointId => Guid.Empty;
    public string VMCheckpointName => "";
    public object? CimSession => null;
    public string ComputerName { get; }
    public bool IsDeleted => false;

    public override string ToString() => Name;

    internal static PSObject Of(LabHost host, JsonObject vm, JsonObject adapter) {
        var row = new PSObject(new VMGpuPartitionAdapter(host, vm, adapter));
        if (host.Build >= 26100) {
            row.Properties.Add(new PSNoteProperty("SupportsOutgoingLiveMigration", host.Doubles.Flag("liveMigration") ?? true));
        }
        return row;
    }

    /// The VM's adapters that the host still sees. Stale ones are in its configuration only.
    internal static IEnumerable<(JsonObject Adapter, PSObject Row)> Of(LabHost host, JsonObject vm) =>
        vm.Objects("partitions").Select(adapter => (adapter, Of(host, vm, adapter)));
}

public sealed class VMHost {
    internal VMHost(LabHost host) {
        Name = host.ComputerName;
        IovSupport = host.Doubles.Flag("iovSupport") ?? true;
        IovSupportReasons = host.Doubles.Texts("iovSupportReasons").ToArray();
    }

    public string Name { get; }
    public string ComputerName => Name;
    public string FullyQualifiedDomainName => "contoso.local";
    public long LogicalProcessorCount => 64;
    public long MemoryCapacity => 512L << 30;
    public bool VirtualMachineMigrationEnabled => true;
    public bool IovSupport { get; }
    public string[] IovSupportReasons { get; }
    public bool IsDeleted => false;
}

/// A device that was dismounted for DDA.
public sealed class VMHostAssignableDevice {
    internal VMHostAssignableDevice(LabHost host, JsonObject gpu, int place) {
        InstanceID = LabHost.PnpId(gpu);
        LocationPath = $"PCIROOT({place + 1})#PCI(0000)#PCI(0000)";
        ComputerName = host.ComputerName;
    }

    public string InstanceID { get; }
    public string LocationPath { get; }
    public object? CimSession => null;
    public string ComputerName { get; }
    public bool IsDeleted => false;
}

public enum VMIntegrationComponentOperationalStatus { Ok = 2, Degraded = 3, Error = 6, NoContact = 12, LostCommunication = 13 }

public sealed class VMIntegrationComponent {
    private VMIntegrationComponent(LabHost host, JsonObject vm, string id, string name, bool enabled) {
        var machine = new VirtualMachine(host, vm);
        var answers = machine.IsRunning && (vm.Object("doubles").Flag("guestAnswers") ?? true);
        Id = $"Microsoft:{machine.Id.ToString().ToUpperInvariant()}\\{id}";
        Name = name;
        Enabled = enabled;
        VMId = machine.Id;
        VMName = machine.Name;
        PrimaryOperationalStatus = answers ? VMIntegrationComponentOperationalStatus.Ok : VMIntegrationComponentOperationalStatus.NoContact;
        PrimaryStatusDescription = answers ? "OK" : host.Say("No Contact", "Kein Kontakt");
        ComputerName = host.ComputerName;
    }

    public string Id { get; }
    public string Name { get; }
    public bool Enabled { get; }
    public Guid VMId { get; }
    public string VMName { get; }
    public VMIntegrationComponentOperationalStatus? PrimaryOperationalStatus { get; }
    public string PrimaryStatusDescription { get; }
    public string ComputerName { get; }
    public bool IsDeleted => false;

    /// The services of a VM. Their names are translated; the ends of their ids are not.
    internal static IEnumerable<VMIntegrationComponent> Of(LabHost host, JsonObject vm) => [
        new(host, vm, "6C09BB55-D683-4DA0-8931-C9BF705F6480", host.Say("Guest Service Interface", "Gastdienstschnittstelle"), false),
        new(host, vm, "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47", host.Say("Heartbeat", "Takt"), true),
        new(host, vm, "9F8233AC-BE49-4C79-8EE3-E7E1985B2077", host.Say("Shutdown", "Herunterfahren"),
            vm.Object("doubles").Flag("shutdownService") ?? true),
        new(host, vm, "2497F4DE-E9FA-4204-80E4-4B75C46419C0", host.Say("Time Synchronization", "Zeitsynchronisierung"), true),
    ];
}
