using System.Management.Automation;
using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// What a call is about. Null: the call is about no one VM or GPU.
public sealed record Subject(JsonObject? Vm = null, string? Gpu = null);

/// A fault of `doubles.faults` that happens now.
public sealed class Fault {
    private static readonly string[] Deeds = ["fail", "fail-after", "hang", "die-before", "die-after", "claim", "move"];

    private readonly JsonObject told_;

    private Fault(JsonObject told) => told_ = told;

    public string Do => told_.Text("do");
    public string To => told_.Text("to");

    /// hang: how long, or for good.
    public int Milliseconds => (int?)told_.Number("ms") ?? Timeout.Infinite;

    /// hang: the cmdlet cannot be stopped either, as one that waits in the system.
    public bool IsDeaf => told_.Flag("deaf") ?? false;

    public Refusal Refusal(LabHost host) {
        var id = told_.Text("errorId");
        var category = Enum.TryParse(told_.Text("category"), out ErrorCategory parsed) ? parsed : ErrorCategory.InvalidOperation;
        var message = told_.Text("message");
        // The cmdlet's own type is added to the id by the engine.
        return new(id == "" ? "OperationFailed" : id.Split(',')[0], category,
                   message == "" ? host.Say("The operation failed.", "Fehler bei dem Vorgang.") : message,
                   told_["hresult"] is JsonValue value && value.TryGetValue(out long code) ? unchecked((int)code) : null);
    }

    /// The first fault of the host that is about such a call and has not had its times, if there is one. It counts in
    /// the lab (`seen`), so that this holds across processes.
    public static Fault? Next(string cmdlet, Func<LabHost, Subject> subject) {
        bool IsOwn(LabHost host, JsonObject fault) => IsAbout(fault, cmdlet, subject(host)) && !IsOver(fault);
        var played = LabFile.Read().Played;
        if (!played.Doubles.Objects("faults").Any(fault => IsOwn(played, fault))) return null;
        return LabFile.Change(lab => {
            foreach (var fault in lab.Played.Doubles.Objects("faults").Where(fault => IsOwn(lab.Played, fault))) {
                var seen = fault.Number("seen") ?? 0;
                fault.Put("seen", seen + 1);
                lab.Changed = true;
                if (seen >= (fault.Number("skip") ?? 0)) return new Fault(fault);
            }
            return null;
        });
    }

    private static bool IsOver(JsonObject fault) =>
        (fault.Number("seen") ?? 0) >= (fault.Number("skip") ?? 0) + (fault.Number("times") ?? 1);

    private static bool IsAbout(JsonObject fault, string cmdlet, Subject subject) {
        var vm = fault.Text("vm");
        var gpu = fault.Text("gpu");
        return string.Equals(fault.Text("cmdlet"), cmdlet, StringComparison.OrdinalIgnoreCase) &&
               (vm == "" || (subject.Vm is { } own && (own.Text("name") == vm || Json.Same(own.Text("id"), vm)))) &&
               (gpu == "" || (subject.Gpu is { } name && Json.Same(name, gpu)));
    }

    /// What is wrong with a fault, as far as a wrong word would make it happen never or otherwise.
    internal static IEnumerable<string> Mistakes(JsonObject fault) {
        if (fault.Text("cmdlet") == "") yield return "a fault names no cmdlet";
        if (!Deeds.Contains(fault.Text("do"))) yield return $"a fault cannot do '{fault.Text("do")}', only {string.Join(", ", Deeds)}";
        if (fault.Text("do") == "move" && fault.Text("to") == "") yield return "a fault that moves a VM says no host to move to";
        var category = fault.Text("category");
        if (category != "" && !Enum.TryParse<ErrorCategory>(category, out _)) yield return $"there is no error category '{category}'";
    }
}
