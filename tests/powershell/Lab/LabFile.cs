using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// A lab as it was read: a snapshot of hosts, of which this process plays one.
public sealed class Lab {
    public Lab(JsonObject document, string played) {
        Document = document;
        Hosts = document.Objects("hosts").Select(json => new LabHost(this, json)).ToList();
        Played = Hosts.FirstOrDefault(host => played == "" || Json.Same(host.Name, played)) ??
            throw new InvalidOperationException($"the lab has no host '{played}'");
    }

    public JsonObject Document { get; }
    public IReadOnlyList<LabHost> Hosts { get; }
    public LabHost Played { get; }
    public string Cluster => Document.Text("cluster");

    /// What changes the lab says so; it is written only then.
    public bool Changed { get; set; }

    public bool HasLeavers => Hosts.Any(host => host.Vms.Any(Rules.HasLeft));

    /// Guests that have shut down since the lab was written are off.
    public void Settle() {
        foreach (var host in Hosts) {
            foreach (var vm in host.Vms.Where(Rules.HasLeft).ToList()) Rules.Stop(host, vm);
        }
    }
}

/// The file named by GPUP_DOUBLES, which the simulated host of gpup may use at the same time.
public static class LabFile {
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true };

    public static bool IsGiven => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("GPUP_DOUBLES"));

    /// The file itself, where GPUP_DOUBLES is a link: the lock lies beside it.
    public static string Path {
        get {
            var path = Environment.GetEnvironmentVariable("GPUP_DOUBLES");
            if (string.IsNullOrEmpty(path)) throw new InvalidOperationException("GPUP_DOUBLES names no lab file");
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? System.IO.Path.GetFullPath(path);
        }
    }

    private static string Played => Environment.GetEnvironmentVariable("GPUP_DOUBLES_HOST") ?? "";

    [ThreadStatic]
    private static (string Text, Lab Lab)? last_;

    /// The lab as it is now, to look at. Every change makes a new file, so no lock is needed to see a whole one. A text that
    /// is still the same is not parsed again: a cmdlet looks for each object of its pipeline.
    public static Lab Read() {
        var text = File.ReadAllText(Path);
        if (last_ is not { } last || last.Text != text) last_ = last = (text, Parse(text));
        if (!last.Lab.HasLeavers) return last.Lab;
        Change(_ => true);
        return Read();
    }

    /// Reads, changes and replaces the file under its lock. Nothing is written where the deed throws or changes nothing.
    public static T Change<T>(Func<Lab, T> deed) {
        var path = Path;
        using var held = FileLock.Acquire(path + ".lock");
        var text = File.ReadAllText(path);
        var lab = Parse(text);
        lab.Settle();
        var result = deed(lab);
        if (lab.Changed) {
            var lineEnd = text.IndexOf('\n');
            var options = lineEnd >= 0 && lineEnd < text.Length - 1 ? Indented : Compact;
            var written = $"{path}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.new";
            File.WriteAllText(written, lab.Document.ToJsonString(options) + "\n", new UTF8Encoding(false));
            File.Move(written, path, overwrite: true);
        }
        return result;
    }

    private static Lab Parse(string text) =>
        new(JsonNode.Parse(text) as JsonObject ?? throw new InvalidOperationException("the lab is not an object"), Played);

    /// Adds a line to the list of calls that `doubles.log` of the host names, beside the lab.
    public static void Log(LabHost host, JsonObject call) {
        var name = host.Doubles.Text("log");
        if (name == "") return;
        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, name);
        Native.Append(path, call.ToJsonString(Compact) + "\n");
    }

    /// Ends the process as `kill -9` does: nothing is flushed, no block is left in order.
    public static void Die() {
        Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
