using System.Security;
using System.Security.Principal;
using System.Text.Json.Nodes;
using Gpup.Doubles;

namespace Gpup.Engine;

/// `[Microsoft.Win32.Registry]` of a host: its release, as the lab has it now, and what `doubles.registry` says.
public static class Registry {
    private const string CurrentVersion = @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";

    /// The default is for a value that its key lacks: of a key that is not there the answer is null.
    public static object? GetValue(string keyName, string? valueName, object? defaultValue) {
        var host = LabFile.Read().Played;
        if (host.Doubles.Object("registry").Any(key => key.Value?.ToString() == "denied" && Json.Same(key.Key, keyName))) {
            throw new SecurityException("Requested registry access is not allowed.");
        }
        var values = ValuesOf(host);
        if (values.TryGetValue($@"{keyName}\{valueName}", out var value)) return value;
        var isThere = values.Keys.Any(path => path.StartsWith($@"{keyName}\", StringComparison.OrdinalIgnoreCase));
        return isThere ? defaultValue : null;
    }

    private static Dictionary<string, object> ValuesOf(LabHost host) {
        var found = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        void Set(string key, string name, object value) => found[$@"{key}\{name}"] = value;
        var edition = host.Json.Text("edition");
        if (host.Build is { } build) {
            Set(CurrentVersion, "CurrentBuildNumber", $"{build}");
            Set(CurrentVersion, "CurrentBuild", $"{build}");
            Set(CurrentVersion, "UBR", (int)(host.Doubles.Number("ubr") ?? 1));
        }
        if (edition != "") {
            Set(CurrentVersion, "EditionID", edition switch {
                "azure-stack-hci" => "ServerAzureStackHCICor",
                "datacenter" => "ServerDatacenter",
                "standard" => "ServerStandard",
                _ => "Professional",
            });
            Set(CurrentVersion, "ProductName", edition switch {
                "azure-stack-hci" => "Azure Stack HCI",
                "datacenter" => $"Windows Server {Year(host.Build)} Datacenter",
                "standard" => $"Windows Server {Year(host.Build)} Standard",
                _ => "Windows 10 Pro",
            });
        }
        foreach (var (key, values) in host.Doubles.Object("registry")) {
            foreach (var (name, value) in values as JsonObject ?? []) {
                Set(key, name, value.AsNumber() is { } number ? (int)number : $"{value}");
            }
        }
        return found;
    }

    private static int Year(ulong? build) => build >= 26100 ? 2025 : 2022;
}

/// Who runs the agent. .NET's own throws away from Windows.
public sealed class WindowsIdentity : IDisposable {
    public string Name => $@"CONTOSO\{Environment.UserName}";

    public static WindowsIdentity GetCurrent() => new();

    public void Dispose() { }
}

/// Whether that user is an administrator, elevated.
public sealed class WindowsPrincipal(WindowsIdentity identity) {
    private const string Administrators = "S-1-5-32-544";

    private static bool IsElevated => LabFile.Read().Played.IsElevated;

    public WindowsIdentity Identity { get; } = identity;

    public bool IsInRole(WindowsBuiltInRole role) => role == WindowsBuiltInRole.Administrator && IsElevated;

    public bool IsInRole(string role) => role == Administrators && IsElevated;
}
