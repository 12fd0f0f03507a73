using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;

namespace Gpup.Engine;

/// One run of the engine.
internal static class Session {
    private const string WentWell = "__gpupWentWell";

    internal static int Run(Switches switches) {
        var console = new ConsoleHost(switches.IsInteractive);
        using var runspace = RunspaceFactory.CreateRunspace(console, InitialSessionState.CreateDefault2());
        runspace.ThreadOptions = PSThreadOptions.UseCurrentThread;
        runspace.Open();
        using var shell = PowerShell.Create(runspace);
        if (switches.File is { } file) {
            var script = Path.GetFullPath(file);
            if (!File.Exists(script)) {
                console.UI.WriteErrorLine($"The argument '{file}' to the -File parameter does not exist.");
                return Switches.WrongCommandLine;
            }
            shell.AddCommand(script, useLocalScope: false);
            foreach (var argument in switches.Arguments) shell.AddArgument(argument);
        } else {
            // `$?` is true again once the engine has come back, so it is kept from within.
            shell.AddScript($"{switches.Script}\n$global:{WentWell} = $?", useLocalScope: false);
        }
        var failed = !Perform(shell, console);
        if (console.ExitCode is { } said) return said;
        if (failed) return 1;
        // The exit code of -File is 0 unless the script says otherwise; that of a command tells how its end went.
        return switches.File is not null || LastWentWell(runspace) ? 0 : 1;
    }

    /// What `pwsh -sshs` does. The type is internal to the engine.
    internal static int ServeRemoting() {
        var run = typeof(PowerShell).Assembly.GetType("System.Management.Automation.Remoting.Server.StdIOProcessMediator")!
            .GetMethod("Run", BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)!;
        run.Invoke(null, ["", null, null, null, false]);
        return 0;
    }

    private static bool Perform(PowerShell shell, ConsoleHost console) {
        using var output = new PSDataCollection<PSObject>();
        output.DataAdded += (_, added) => console.UI.WriteLine($"{output[added.Index]}");
        shell.Streams.Error.DataAdded += (_, added) => Tell(console, shell.Streams.Error[added.Index]);
        try {
            shell.Invoke(null, output);
            return true;
        } catch (RuntimeException e) {
            Tell(console, e.ErrorRecord);
            return false;
        }
    }

    private static bool LastWentWell(Runspace runspace) => runspace.SessionStateProxy.PSVariable.GetValue(WentWell) is true;

    private static void Tell(ConsoleHost console, ErrorRecord error) {
        console.UI.WriteErrorLine($"{error.InvocationInfo?.MyCommand?.Name ?? "engine"} : {error}");
        console.UI.WriteErrorLine($"    + CategoryInfo          : {error.CategoryInfo}");
        console.UI.WriteErrorLine($"    + FullyQualifiedErrorId : {error.FullyQualifiedErrorId}");
    }
}
