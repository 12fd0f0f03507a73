using System.Collections;
using System.Collections.Specialized;
using System.Management.Automation;
using Gpup.Doubles;

namespace Microsoft.FailoverClusters.PowerShell;

/// What the cmdlets of the module have in common: they ask the cluster service of this node for the whole cluster.
public abstract class ClusterCmdlet : DoubleCmdlet {
    protected override Exception ExceptionOf(string message) => new ClusterCmdletException(message);

    protected override Refusal? Barred(LabHost host) {
        if (host.Lab.Cluster == "" || host.Doubles.Text("clusterService") == "down") {
            return new("ClusterEndpointNotRegistered", ErrorCategory.ConnectionError, host.Say(
                "The cluster service is not running.  Make sure that the service is running on all nodes in the cluster.\n    There are no more endpoints available from the endpoint mapper",
                "Der Clusterdienst wird nicht ausgeführt. Stellen Sie sicher, dass der Dienst auf allen Knoten im Cluster ausgeführt wird.\n    Es sind keine weiteren Endpunkte in der Endpunktzuordnung verfügbar."));
        }
        return null;
    }

    protected static Refusal NotFound(LabHost host, string what) => new(
        "ClusterObjectNotFound", ErrorCategory.ObjectNotFound,
        host.Say($"The cluster object '{what}' was not found.", $"Das Clusterobjekt \"{what}\" wurde nicht gefunden."));

    /// The objects that names mean: each is a wildcard, without case.
    protected void WriteNamed<T>(LabHost host, StringCollection? names, IReadOnlyList<T> all) where T : notnull {
        if (names is null) {
            WriteObject(all, enumerateCollection: true);
            return;
        }
        foreach (var name in names.OfType<string>()) {
            Guarded(() => {
                var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
                var found = all.Where(one => pattern.IsMatch(one.ToString())).ToList();
                if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(name)) throw NotFound(host, name);
                WriteObject(found, enumerateCollection: true);
            });
        }
    }

    private protected static VmRole? RoleOf(LabHost host, Guid? vmId) => VmRole.Of(host.Lab).FirstOrDefault(role => role.Id == vmId);
}

[Cmdlet(VerbsCommon.Get, "Cluster")]
[OutputType(typeof(Cluster))]
public sealed class GetClusterCommand : ClusterCmdlet {
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public StringCollection? Name { get; set; }

    protected override void Perform() => Look(Nobody, host => WriteNamed(host, Name, [new Cluster(host.Lab)]));
}

[Cmdlet(VerbsCommon.Get, "ClusterNode")]
[OutputType(typeof(ClusterNode))]
public sealed class GetNodeCommand : ClusterCmdlet {
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public StringCollection? Name { get; set; }

    protected override void Perform() => Look(Nobody, host => WriteNamed(host, Name, ClusterNode.Of(host.Lab)));
}

[Cmdlet(VerbsCommon.Get, "ClusterGroup", DefaultParameterSetName = "Name")]
[OutputType(typeof(ClusterGroup))]
public sealed class GetGroupCommand : ClusterCmdlet {
    [Parameter(ParameterSetName = "Name", Position = 0)]
    [ValidateNotNullOrEmpty]
    public StringCollection? Name { get; set; }

    [Parameter(ParameterSetName = "VMId", Mandatory = true)]
    public Guid? VMId { get; set; }

    protected override void Perform() => Look(host => new(RoleOf(host, VMId)?.Vm), host => {
        if (VMId is { } id) {
            WriteObject((RoleOf(host, id) ?? throw NotFound(host, $"{id}")).Group);
            return;
        }
        var core = new ClusterGroup(new(host.Lab), "Cluster Group", ClusterGroupType.Cluster, ClusterGroupState.Online,
                                    ClusterNode.Of(host.Lab)[0], 3000);
        WriteNamed(host, Name, [core, .. VmRole.Of(host.Lab).Select(role => role.Group)]);
    });
}

[Cmdlet(VerbsCommon.Get, "ClusterResource", DefaultParameterSetName = "Name")]
[OutputType(typeof(ClusterResource))]
public sealed class GetResourceCommand : ClusterCmdlet {
    [Parameter(ParameterSetName = "Name", Position = 0)]
    [ValidateNotNullOrEmpty]
    public StringCollection? Name { get; set; }

    [Parameter(ParameterSetName = "VMId", Mandatory = true)]
    public Guid? VMId { get; set; }

    [Parameter(ParameterSetName = "InputObject", Mandatory = true, ValueFromPipeline = true)]
    public ClusterGroup? InputObject { get; set; }

    protected override void Perform() => Look(host => new(RoleOf(host, VMId)?.Vm), host => {
        if (VMId is { } id) {
            WriteObject((RoleOf(host, id) ?? throw NotFound(host, $"{id}")).Resources, enumerateCollection: true);
            return;
        }
        var resources = VmRole.Of(host.Lab).SelectMany(role => role.Resources);
        if (InputObject is not null) resources = resources.Where(resource => resource.OwnerGroup.Name == InputObject.Name);
        WriteNamed(host, Name, resources.ToList());
    });
}

/// The private properties of a VM's resource.
public abstract class ParameterCmdlet : ClusterCmdlet {
    private static readonly string[] OfflineActions = ["turn-off", "save", "shutdown", "force-shutdown"];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    /// Without an object there is nothing but a text.
    protected ClusterResource Resource(LabHost host) => InputObject?.BaseObject as ClusterResource ?? throw new Refusal(
        CmdletName, ErrorCategory.NotSpecified,
        host.Say("No cluster object was specified.", "Es wurde kein Clusterobjekt angegeben."));

    private protected VmRole Role(LabHost host) {
        var resource = Resource(host);
        return RoleOf(host, resource.VmId) ?? throw NotFound(host, resource.Name);
    }

    protected Subject About(LabHost host) =>
        new(InputObject?.BaseObject is ClusterResource resource ? RoleOf(host, resource.VmId)?.Vm : null);

    private protected static IReadOnlyList<ClusterParameter> ParametersOf(VmRole role, ClusterResource resource) {
        var id = new ClusterParameter(resource, "VmID", $"{role.Id}");
        if (!resource.IsOfVm) return [id];
        var action = Array.IndexOf(OfflineActions, role.Vm.Text("offlineAction"));
        return [
            id,
            new(resource, "OfflineAction", action < 0 ? 1U : (uint)action),
            new(resource, "ShutdownAction", (uint)(role.Vm.Object("doubles").Number("shutdownAction") ?? 0)),
            new(resource, "CheckHeartbeat", 1U),
        ];
    }

    private protected static void Set(LabHost host, VmRole role, string name, object? value) {
        var isNumber = LanguagePrimitives.TryConvertTo(value, out uint number);
        switch (name.ToLowerInvariant()) {
            case "offlineaction" when isNumber && number < OfflineActions.Length:
                if (role.Vm.Text("offlineAction") == OfflineActions[number]) return;
                role.Vm["offlineAction"] = OfflineActions[number];
                break;
            case "shutdownaction" when isNumber && number < 2:
                if (role.Vm["doubles"] is null) role.Vm["doubles"] = new System.Text.Json.Nodes.JsonObject();
                role.Vm.Object("doubles").Put("shutdownAction", number);
                break;
            default:
                throw new Refusal("Set-ClusterParameter", ErrorCategory.InvalidArgument,
                                  host.Say($"The parameter '{name}' cannot have this value.",
                                           $"Der Parameter \"{name}\" kann diesen Wert nicht haben."));
        }
        host.Lab.Changed = true;
    }
}

[Cmdlet(VerbsCommon.Get, "ClusterParameter")]
[OutputType(typeof(ClusterParameter))]
public sealed class GetClusterParameterCommand : ParameterCmdlet {
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public StringCollection? Name { get; set; }

    protected override void Perform() => Look(About, host => {
        var role = Role(host);
        WriteNamed(host, Name, ParametersOf(role, Resource(host)));
    });
}

[Cmdlet(VerbsCommon.Set, "ClusterParameter", DefaultParameterSetName = "Name")]
public sealed class SetClusterParameterCommand : ParameterCmdlet {
    [Parameter(ParameterSetName = "Name", Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    [Parameter(ParameterSetName = "Name", Position = 1)]
    public PSObject? Value { get; set; }

    [Parameter(ParameterSetName = "Multiple", Mandatory = true)]
    public Hashtable? Multiple { get; set; }

    protected override void Perform() {
        var resource = Resource(LabFile.Read().Played);
        Change(About, host => {
            var role = Role(host);
            if (Multiple is null) Set(host, role, Name!, Value?.BaseObject);
            else foreach (DictionaryEntry entry in Multiple) Set(host, role, $"{entry.Key}", entry.Value);
        });
        var host = LabFile.Read().Played;
        if (resource.State != ClusterResourceState.Online) return;
        WriteWarning(host.Say(
            $"The properties were stored, but not all changes will take effect until {resource.Name} is taken offline and then online again.",
            $"Die Eigenschaften wurden gespeichert, aber nicht alle Änderungen werden wirksam, bevor {resource.Name} offline und wieder online geschaltet wurde."));
    }
}
