using System.Management.Automation;
using Gpup.Doubles;

namespace Gpup.Engine;

/// What a Windows host has around the engine: its modules, its registry, its name, who is logged in.
internal static class Scenery {
    /// As ssh says it of a host that does not answer.
    internal const int Unreachable = 255;

    private static readonly string[] ModuleNames = ["Hyper-V", "FailoverClusters", "PnpDevice"];

    internal static void Build(LabHost host) {
        var missing = host.Doubles.Texts("missing").ToList();
        // A host that is no cluster's node has no cluster module either, unless the lab says what its service does.
        if (host.Lab.Cluster == "" && host.Doubles.Text("clusterService") == "") missing.Add("FailoverClusters");
        Modules(missing);
        var accelerators = typeof(PSObject).Assembly.GetType("System.Management.Automation.TypeAccelerators")!;
        var add = accelerators.GetMethod("Add", [typeof(string), typeof(Type)])!;
        // The engine knows a type by the words in the script: with these names it finds ours before those of .NET,
        // which throw away from Windows.
        foreach (var prefix in new[] { "", "System." }) {
            add.Invoke(null, [$"{prefix}Security.Principal.WindowsIdentity", typeof(WindowsIdentity)]);
            add.Invoke(null, [$"{prefix}Security.Principal.WindowsPrincipal", typeof(WindowsPrincipal)]);
        }
        add.Invoke(null, ["Microsoft.Win32.Registry", typeof(Registry)]);
        Environment.SetEnvironmentVariable("COMPUTERNAME", host.ComputerName);
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("ProgramData"))) {
            Environment.SetEnvironmentVariable("ProgramData", $"{LabFile.Path}.{Uri.EscapeDataString(host.Name)}.programdata");
        }
    }

    /// Each module lies in a folder of its own, so that one can be left out.
    internal static void Modules(IReadOnlyCollection<string> missing) {
        var root = Path.Combine(AppContext.BaseDirectory, "modules");
        var present = ModuleNames.Except(missing, StringComparer.OrdinalIgnoreCase).Select(name => Path.Combine(root, name));
        Environment.SetEnvironmentVariable("PSModulePath", string.Join(Path.PathSeparator, present));
        Environment.SetEnvironmentVariable("GPUP_DOUBLES_MISSING", $" {string.Join(' ', missing)} ");
        // What one lab's host lacks must not be remembered for the next.
        Environment.SetEnvironmentVariable("PSModuleAnalysisCachePath", "/dev/null");
    }
}
