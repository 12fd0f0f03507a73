using System.Management.Automation;
using System.Text.Json.Nodes;
using Gpup.Doubles;

namespace Microsoft.HyperV.PowerShell.Commands;

/// What the cmdlets of the module have in common.
public abstract class HyperVCmdlet : DoubleCmdlet {
    private const int AccessDenied = unchecked((int)0x80070005);

    protected override Exception ExceptionOf(string message) => new VirtualizationException(message);

    /// Without elevation Get-VM gives another error than most.
    protected override Refusal? Barred(LabHost host) {
        if (host.IsElevated) return null;
        var message = host.Say(
            $"You do not have the required permission to complete this task. Contact the administrator of the authorization policy for the computer '{host.ComputerName}'.",
            $"Sie verfügen nicht über die erforderliche Berechtigung, um diese Aufgabe auszuführen. Wenden Sie sich an den Administrator der Autorisierungsrichtlinie für den Computer \"{host.ComputerName}\".");
        return this is GetVM
            ? new("Unspecified", ErrorCategory.NotSpecified, message)
            : new("AccessDenied", ErrorCategory.PermissionDenied, message, AccessDenied);
    }

    /// Only this computer is played: `-ComputerName` may name it.
    protected static void RequirePlayed(LabHost host, string[]? computers) {
        foreach (var computer in computers ?? []) {
            if (computer is "." or "localhost" || Json.Same(computer, host.Name)) continue;
            throw Refusal.Invalid(host.Say($"The computer '{computer}' could not be resolved.",
                                           $"Der Computer \"{computer}\" konnte nicht aufgelöst werden."));
        }
    }

    protected static Refusal NoSuchVm(LabHost host, string name) => Refusal.NotFound(NoSuchVmText(host, name));

    protected static string NoSuchVmText(LabHost host, string name) =>
        host.Say($"Hyper-V was unable to find a virtual machine with name \"{name}\".",
                 $"Hyper-V konnte keinen virtuellen Computer mit dem Namen \"{name}\" finden.");

    /// The VMs that a name means: it is a wildcard, without case, and names are not unique. A name without wildcards that
    /// means none is refused, a pattern is not.
    protected static IReadOnlyList<JsonObject> Named(LabHost host, string name, Func<LabHost, string, Refusal> missing) {
        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        var found = host.Vms.Where(vm => pattern.IsMatch(vm.Text("name"))).ToList();
        return found.Count > 0 || WildcardPattern.ContainsWildcardCharacters(name) ? found : throw missing(host, name);
    }
}

/// A cmdlet whose targets are VMs, by name or as objects. Each target is refused for itself.
public abstract class VmTargetCmdlet : HyperVCmdlet {
    protected abstract string[]? Names { get; }
    protected abstract string[]? Computers { get; }

    [Parameter(ParameterSetName = "VMObject", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public VirtualMachine[]? VM { get; set; }

    /// The targets, found again where they are objects: a VM may have gone since it was read.
    protected IReadOnlyList<JsonObject> Targets(LabHost host) {
        RequirePlayed(host, Computers);
        var found = new List<JsonObject>();
        foreach (var vm in VM ?? []) Guarded(() => found.Add(host.FindVm(vm.Id) ?? throw NoSuchVm(host, vm.Name)));
        foreach (var name in Names ?? []) Guarded(() => found.AddRange(Named(host, name, NoSuchVm)));
        return found;
    }

    /// One look, however many VMs it is at.
    protected void LookAtTargets(Action<LabHost, JsonObject> look) => Look(First, host => {
        foreach (var vm in Targets(host)) Guarded(() => look(host, vm));
    });

    /// Performs for one VM after another, each a change of its own.
    protected void ForTargets(Action<Guid, string> perform) {
        var host = LabFile.Read().Played;
        if (Barred(host) is { } refusal) throw refusal;
        foreach (var vm in Targets(host)) Guarded(() => perform(LabHost.IdOf(vm), vm.Text("name")));
    }

    protected void ChangeVm(Guid id, string name, Action<LabHost, JsonObject> change) =>
        Change(host => new(host.FindVm(id)), host => change(host, host.FindVm(id) ?? throw NoSuchVm(host, name)));

    private Subject First(LabHost host) => new(VM is { Length: > 0 } given
        ? host.FindVm(given[0].Id)
        : host.Vms.FirstOrDefault(vm => Names?.Contains(vm.Text("name")) == true));
}
