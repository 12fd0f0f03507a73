using System.Collections;
using System.Management.Automation;
using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// A cmdlet on the lab: tells its call to the log, waits and fails as the lab was told, and writes what is refused as
/// a non-terminating error, which is how the vendor's cmdlets do it.
public abstract class DoubleCmdlet : PSCmdlet {
    private readonly CancellationTokenSource stop_ = new();
    private bool logged_;

    /// One object of the pipeline, or the whole call where there is none.
    protected abstract void Perform();

    /// The name under which users know the cmdlet.
    protected virtual string CmdletName => MyInvocation.MyCommand.Name;

    /// What forbids every call on this host, if something does.
    protected virtual Refusal? Barred(LabHost host) => null;

    protected virtual Exception ExceptionOf(string message) => new InvalidOperationException(message);

    protected sealed override void ProcessRecord() {
        Log();
        Guarded(Perform);
    }

    protected sealed override void EndProcessing() => Log();
    protected sealed override void StopProcessing() => stop_.Cancel();

    /// Performs and writes a refusal as an error, so that the next target has its turn.
    protected void Guarded(Action deed) {
        try {
            deed();
        } catch (Refusal refusal) {
            WriteRefusal(refusal);
        }
    }

    /// A look at the lab.
    protected void Look(Func<LabHost, Subject> subject, Action<LabHost> look) =>
        Happen(subject, () => look(Ready(LabFile.Read().Played)));

    /// A change of the lab, whole or not at all.
    protected void Change(Func<LabHost, Subject> subject, Action<LabHost> change) =>
        Happen(subject, () => LabFile.Change(lab => {
            change(Ready(lab.Played));
            return true;
        }));

    protected static Subject Nobody(LabHost host) => new();

    /// Waits, unless the pipeline is stopped before.
    protected void Wait(int milliseconds) {
        if (stop_.Token.WaitHandle.WaitOne(milliseconds)) throw new PipelineStoppedException();
    }

    private void Happen(Func<LabHost, Subject> subject, Action deed) {
        var host = LabFile.Read().Played;
        var latency = host.Doubles.Object("latencyMs").FirstOrDefault(
            entry => string.Equals(entry.Key, CmdletName, StringComparison.OrdinalIgnoreCase));
        if (latency.Value.AsNumber() is { } milliseconds) Wait((int)milliseconds);
        var fault = Fault.Next(CmdletName, subject);
        switch (fault?.Do) {
            case "fail":
                throw fault.Refusal(host);
            case "claim":
                return;
            case "hang" when fault.IsDeaf:
                Thread.Sleep(fault.Milliseconds);
                break;
            case "hang":
                Wait(fault.Milliseconds);
                break;
            case "die-before":
                LabFile.Die();
                break;
            case "move":
                LabFile.Change(lab => MoveAway(lab, subject(lab.Played).Vm, fault.To));
                break;
        }
        deed();
        switch (fault?.Do) {
            case "fail-after":
                throw fault.Refusal(host);
            case "die-after":
                LabFile.Die();
                break;
        }
    }

    private static bool MoveAway(Lab lab, JsonObject? vm, string to) {
        if (vm is not null && lab.Hosts.FirstOrDefault(host => Json.Same(host.Name, to)) is { } other) {
            Rules.Move(lab.Played, other, vm);
        }
        return true;
    }

    private LabHost Ready(LabHost host) => Barred(host) is { } refusal ? throw refusal : host;

    private void WriteRefusal(Refusal refusal) {
        var exception = ExceptionOf(refusal.Message);
        if (refusal.Code is { } code) exception.HResult = code;
        WriteError(new ErrorRecord(exception, refusal.Id, refusal.Category, null));
    }

    /// A call is told once, when its parameters are bound: those from the pipeline are so with its first object.
    private void Log() {
        if (logged_) return;
        logged_ = true;
        var host = LabFile.Read().Played;
        var parameters = new JsonObject();
        foreach (var (name, value) in MyInvocation.BoundParameters) parameters[name] = Told(value);
        LabFile.Log(host, new JsonObject {
            ["cmdlet"] = CmdletName, ["host"] = host.Name, ["process"] = Environment.ProcessId, ["parameters"] = parameters,
        });
    }

    private static JsonNode? Told(object? value) => value switch {
        null => null,
        string text => text,
        PSObject wrapped => Told(wrapped.BaseObject),
        SwitchParameter on => on.IsPresent,
        IDictionary table => new JsonObject(table.Keys.Cast<object>().Select(
            key => KeyValuePair.Create($"{key}", Told(table[key])))),
        IEnumerable many => new JsonArray(many.Cast<object?>().Select(Told).ToArray()),
        _ => value.ToString(),
    };
}
