using System.Management.Automation;
using System.Text.Json.Nodes;
using Gpup.Doubles;

namespace Microsoft.HyperV.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "VM", DefaultParameterSetName = "Name")]
[OutputType(typeof(VirtualMachine))]
public sealed class GetVM : HyperVCmdlet {
    [Parameter(ParameterSetName = "Name", Position = 0, ValueFromPipeline = true)]
    [Alias("VMName")]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    [Parameter(ParameterSetName = "Id", Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public Guid? Id { get; set; }

    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Id")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    protected override void Perform() => Look(Asked, host => {
        RequirePlayed(host, ComputerName);
        if (Id is { } id) {
            Write(host, host.FindVm(id) ?? throw Refusal.Invalid(host.Say(
                $"Hyper-V was unable to find a virtual machine with id \"{id}\".",
                $"Hyper-V konnte keinen virtuellen Computer mit der ID \"{id}\" finden.")));
            return;
        }
        foreach (var name in Name ?? ["*"]) {
            Guarded(() => {
                foreach (var vm in Named(host, name, (at, wanted) => Refusal.Invalid(NoSuchVmText(at, wanted)))) Write(host, vm);
            });
        }
    });

    private Subject Asked(LabHost host) =>
        new(Id is { } id ? host.FindVm(id) : host.Vms.FirstOrDefault(vm => Name?.Contains(vm.Text("name")) == true));

    private void Write(LabHost host, JsonObject vm) => WriteObject(VirtualMachine.Of(host, vm));
}

/// Start-VM and Stop-VM: names, or objects.
public abstract class VmPowerCmdlet : VmTargetCmdlet {
    [Parameter(ParameterSetName = "Name", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("VMName")]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    [Parameter(ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    [Parameter]
    public SwitchParameter Passthru { get; set; }

    protected override string[]? Names => Name;
    protected override string[]? Computers => ComputerName;

    protected void Pass(Guid id) {
        var host = LabFile.Read().Played;
        if (Passthru && host.FindVm(id) is { } vm) WriteObject(VirtualMachine.Of(host, vm));
    }

    protected void WarnOfState(LabHost host) => WriteWarning(host.Say(
        "The virtual machine is already in the specified state.",
        "Der virtuelle Computer befindet sich bereits im angegebenen Zustand."));
}

[Cmdlet(VerbsLifecycle.Start, "VM", DefaultParameterSetName = "Name", SupportsShouldProcess = true)]
[OutputType(typeof(VirtualMachine))]
public sealed class StartVM : VmPowerCmdlet {
    protected override void Perform() => ForTargets((id, name) => {
        if (!ShouldProcess(name)) return;
        ChangeVm(id, name, (host, vm) => {
            if (vm.Text("state") == "Running") WarnOfState(host);
            else Rules.Start(host, vm);
        });
        Pass(id);
    });
}

[Cmdlet(VerbsLifecycle.Stop, "VM", DefaultParameterSetName = "Name", SupportsShouldProcess = true)]
[OutputType(typeof(VirtualMachine))]
public sealed class StopVM : VmPowerCmdlet {
    private const int FiveMinutes = 300_000;

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter TurnOff { get; set; }

    [Parameter]
    public SwitchParameter Save { get; set; }

    protected override void Perform() => ForTargets((id, name) => {
        if (!ShouldProcess(name)) return;
        if (!TurnOff && !Save && !GuestShutsDown(id, name)) return;
        ChangeVm(id, name, (host, vm) => {
            switch (vm.Text("state")) {
                case "Off":
                    WarnOfState(host);
                    break;
                case "Running" when Save:
                    Rules.Save(host, vm);
                    break;
                case "Running":
                case "Paused" when TurnOff:
                    Rules.Stop(host, vm);
                    if (IsRestartedByCluster(vm)) Rules.Start(host, vm);
                    break;
                default:
                    throw Refusal.State(Rules.WrongState(host, vm));
            }
        });
        Pass(id);
    });

    /// A guest takes its time, and keeps to what it was asked where nobody waits for it any more. One that does not answer
    /// leaves a question, or with -Force its time and then a cut.
    private bool GuestShutsDown(Guid id, string name) {
        var host = LabFile.Read().Played;
        var vm = host.FindVm(id);
        if (vm is null || vm.Text("state") != "Running") return true;
        if (GuestAnswers(vm.Object("doubles"))) {
            if (host.Doubles.Number("shutdownMs") is { } milliseconds) {
                LabFile.Change(lab => Rules.Leave(lab.Played, lab.Played.FindVm(id), milliseconds));
                Wait((int)milliseconds);
            }
            return true;
        }
        if (Force) {
            Wait((int)(host.Doubles.Number("cutAfterMs") ?? FiveMinutes));
            return true;
        }
        return ShouldContinue(
            host.Say($"Hyper-V cannot shut down the virtual machine {name}. Do you want to turn it off?",
                     $"Der virtuelle Computer {name} kann nicht heruntergefahren werden. Möchten Sie ihn ausschalten?"),
            host.Say("Confirm", "Bestätigen"));
    }

    private static bool GuestAnswers(JsonObject told) =>
        (told.Flag("guestAnswers") ?? true) && (told.Flag("shutdownService") ?? true);

    /// ShutdownAction 1: the cluster takes a stop made here for a failure.
    private static bool IsRestartedByCluster(JsonObject vm) =>
        vm.Flag("clustered") == true && vm.Object("doubles").Number("shutdownAction") == 1;
}

[Cmdlet(VerbsCommon.Get, "VMIntegrationService", DefaultParameterSetName = "VMName")]
[OutputType(typeof(VMIntegrationComponent))]
public sealed class GetVMIntegrationService : VmTargetCmdlet {
    [Parameter(ParameterSetName = "VMName", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string[]? VMName { get; set; }

    [Parameter(ParameterSetName = "VMName")]
    [ValidateNotNullOrEmpty]
    public string[]? ComputerName { get; set; }

    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    protected override string[]? Names => VMName;
    protected override string[]? Computers => ComputerName;

    protected override void Perform() => LookAtTargets((host, vm) => {
        var patterns = (Name ?? ["*"]).Select(wanted => WildcardPattern.Get(wanted, WildcardOptions.IgnoreCase)).ToList();
        WriteObject(VMIntegrationComponent.Of(host, vm).Where(service => patterns.Any(p => p.IsMatch(service.Name))), true);
    });
}
