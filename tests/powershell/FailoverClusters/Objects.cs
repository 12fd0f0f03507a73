using System.Text.Json.Nodes;
using Gpup.Doubles;

// Property names, types and numbers as the vendor's objects have them. References are objects, not names.
namespace Microsoft.FailoverClusters.PowerShell;

public class ClusterCmdletException(string message) : Exception(message);

public enum ClusterNodeState { Unknown = -1, Up = 0, Down = 1, Paused = 2, Joining = 3 }

public enum ClusterNodeDrainStatus { NotInitiated = 0, InProgress = 1, Completed = 2, Failed = 3 }

public enum ClusterGroupState { Unknown = -1, Online = 0, Offline = 1, Failed = 2, PartialOnline = 3, Pending = 4 }

public enum ClusterResourceState {
    Inherited = 0, Initializing = 1, Online = 2, Offline = 3, Failed = 4, Pending = 128, OnlinePending = 129, OfflinePending = 130,
}

public enum ClusterGroupType { Cluster = 1, VirtualMachine = 111 }

public enum ClusterParameterType { UInt32 = 2, String = 3 }

/// An object with a name, which stands for it in text and in `-eq`: `$_.ResourceType -eq 'Virtual Machine'` is how
/// everybody asks.
public abstract class ClusterObject(string name) {
    public string Name { get; } = name;

    public sealed override string ToString() => Name;

    public sealed override bool Equals(object? other) =>
        ReferenceEquals(this, other) || (other is string text && string.Equals(text, Name, StringComparison.OrdinalIgnoreCase));

    public sealed override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Name);
}

public sealed class Cluster : ClusterObject {
    internal Cluster(Lab lab) : base(lab.Cluster) {
        Id = Guids.Of("cluster", lab.Cluster).ToString();
    }

    public string Domain => "contoso.local";
    public string Id { get; }
    public uint ClusterFunctionalLevel => 12;
    public uint ClusterUpgradeVersion => 1;
}

public sealed class ClusterNode : ClusterObject {
    internal ClusterNode(Cluster cluster, string name, int place, string state) : base(name.ToUpperInvariant()) {
        Cluster = cluster;
        Id = $"{place + 1}";
        State = Enum.TryParse(state, out ClusterNodeState parsed) ? parsed : ClusterNodeState.Up;
    }

    public Cluster Cluster { get; }
    public string Id { get; }
    public ClusterNodeState State { get; }
    public ClusterNodeDrainStatus DrainStatus =>
        State == ClusterNodeState.Paused ? ClusterNodeDrainStatus.Completed : ClusterNodeDrainStatus.NotInitiated;
    public uint NodeWeight => 1;

    /// The lab's hosts, and the nodes that only `doubles.nodes` of the lab has.
    internal static IReadOnlyList<ClusterNode> Of(Lab lab) {
        var cluster = new Cluster(lab);
        var nodes = lab.Hosts.Select(host => (host.Name, State: StateOf(host)))
            .Concat(lab.Document.Object("doubles").Objects("nodes").Select(node => (node.Text("name"), node.Text("state"))));
        return nodes.Select((node, place) => new ClusterNode(cluster, node.Item1, place, node.Item2)).ToList();
    }

    private static string StateOf(LabHost host) {
        if (host.Doubles.Text("nodeState") is var said && said != "") return said;
        return host.Json.Flag("reachable") == false ? "Down" : "Up";
    }
}

public sealed class ClusterGroup : ClusterObject {
    internal ClusterGroup(Cluster cluster, string name, ClusterGroupType type, ClusterGroupState state, ClusterNode owner,
                          uint priority) : base(name) {
        Cluster = cluster;
        Id = Guids.Of("group", name).ToString();
        GroupType = type;
        State = state;
        OwnerNode = owner;
        Priority = priority;
    }

    public Cluster Cluster { get; }

    /// Not the id of a VM.
    public string Id { get; }
    public ClusterGroupState State { get; }
    public ClusterGroupType GroupType { get; }
    public ClusterNode OwnerNode { get; }
    public uint Priority { get; }
}

public sealed class ClusterResourceType : ClusterObject {
    internal ClusterResourceType(string name) : base(name) { }

    public string DisplayName => Name;
}

public sealed class ClusterResource : ClusterObject {
    internal ClusterResource(ClusterGroup group, string type, string name, ClusterResourceState state, Guid vmId) : base(name) {
        Cluster = group.Cluster;
        Id = Guids.Of("resource", name).ToString();
        State = state;
        OwnerGroup = group;
        ResourceType = new(type);
        VmId = vmId;
    }

    public Cluster Cluster { get; }
    public string Id { get; }
    public ClusterResourceState State { get; }
    public ClusterGroup OwnerGroup { get; }
    public ClusterNode OwnerNode => OwnerGroup.OwnerNode;
    public ClusterResourceType ResourceType { get; }

    /// Known to users as the private property VmID only.
    internal Guid VmId { get; }
    internal bool IsOfVm => ResourceType.Name == VmRole.Type;
}

public sealed class ClusterParameter {
    internal ClusterParameter(ClusterResource resource, string name, object value) {
        ClusterObject = resource;
        Name = name;
        Value = value;
    }

    public object ClusterObject { get; }
    public string Name { get; }
    public bool IsReadOnly => Name == "VmID";
    public ClusterParameterType ParameterType => Value is string ? ClusterParameterType.String : ClusterParameterType.UInt32;
    public object Value { get; }

    public override string ToString() => Name;
}

/// A clustered VM: its group and its two resources.
internal sealed record VmRole(JsonObject Vm, ClusterGroup Group, IReadOnlyList<ClusterResource> Resources) {
    internal const string Type = "Virtual Machine";
    private const string ConfigurationType = "Virtual Machine Configuration";

    internal Guid Id => LabHost.IdOf(Vm);

    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Lab, IReadOnlyList<VmRole>> Made = [];

    /// Made once of a lab as it was read: parameters are asked for each resource of a pipeline.
    internal static IReadOnlyList<VmRole> Of(Lab lab) => Made.GetValue(lab, Make);

    private static IReadOnlyList<VmRole> Make(Lab lab) {
        var cluster = new Cluster(lab);
        var nodes = ClusterNode.Of(lab);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var clustered = from place in lab.Hosts.Zip(nodes)
                        from vm in place.First.Vms
                        where vm.Flag("clustered") == true
                        select (vm, node: place.Second);
        return clustered.Select(pair => {
            // A role is called as its VM was when it was made. Names of roles are unique, those of VMs are not.
            var wanted = pair.vm.Object("doubles").Text("group") is var said && said != "" ? said : pair.vm.Text("name");
            var name = wanted;
            for (var i = 2; !taken.Add(name); ++i) name = $"{wanted} ({i})";
            var runs = pair.vm.Text("state") == "Running";
            var group = new ClusterGroup(cluster, name, ClusterGroupType.VirtualMachine,
                                         runs ? ClusterGroupState.Online : ClusterGroupState.Offline, pair.node, 2000);
            var id = LabHost.IdOf(pair.vm);
            return new VmRole(pair.vm, group, [
                new(group, Type, $"{Type} {name}", runs ? ClusterResourceState.Online : ClusterResourceState.Offline, id),
                new(group, ConfigurationType, $"{ConfigurationType} {name}", ClusterResourceState.Online, id),
            ]);
        }).ToList();
    }
}

internal static class Guids {
    internal static Guid Of(string kind, string name) => LabHost.GuidOf($"{kind} {name}");
}
