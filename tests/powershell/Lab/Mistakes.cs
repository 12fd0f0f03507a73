using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// A member of `doubles` that nobody reads would make a test pass for the wrong reason, so it is refused.
public static class Mistakes {
    private static readonly string[] OfLab = ["nodes"];
    private static readonly string[] OfHost = [
        "language", "latencyMs", "faults", "noise", "bom", "crlf", "elevated", "missing", "log", "ubr", "registry", "pnp",
        "iovSupport", "iovSupportReasons", "nodeState", "clusterService", "nulls", "cutAfterMs", "liveMigration",
        "olderStates", "uptime", "shutdownMs",
    ];
    private static readonly string[] OfVm = [
        "staleAdapters", "guestAnswers", "shutdownAction", "shutdownService", "checkpointType", "automaticStopAction",
        "group", "notes", "version", "startedAt", "leavesAt",
    ];
    private static readonly string[] OfFault = [
        "cmdlet", "vm", "gpu", "skip", "times", "seen", "do", "errorId", "category", "hresult", "message", "to", "ms", "deaf",
    ];

    public static IEnumerable<string> Of(Lab lab) {
        var found = Unknown(lab.Document.Object("doubles"), OfLab, "the lab's doubles");
        foreach (var host in lab.Hosts) {
            found = found.Concat(Unknown(host.Doubles, OfHost, $"{host.Name}: doubles"));
            foreach (var vm in host.Vms) found = found.Concat(Unknown(vm.Object("doubles"), OfVm, $"{host.Name}: {vm.Text("name")}: doubles"));
            foreach (var fault in host.Doubles.Objects("faults")) {
                found = found.Concat(Unknown(fault, OfFault, $"{host.Name}: a fault"))
                             .Concat(Fault.Mistakes(fault).Select(mistake => $"{host.Name}: {mistake}"));
            }
        }
        return found;
    }

    private static IEnumerable<string> Unknown(JsonObject of, string[] known, string where) =>
        of.Select(member => member.Key).Except(known).Select(name => $"{where} has no member '{name}'");
}
