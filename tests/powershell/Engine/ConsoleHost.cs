using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace Gpup.Engine;

/// The engine's window on the world, with the habits of the real console.
internal sealed class ConsoleHost(bool isInteractive) : PSHost {
    /// What the script said with `exit`.
    internal int? ExitCode { get; private set; }

    public override string Name => "ConsoleHost";
    public override Version Version => typeof(PSObject).Assembly.GetName().Version!;
    public override Guid InstanceId { get; } = Guid.NewGuid();
    public override PSHostUserInterface UI { get; } = new ConsoleUi(isInteractive);
    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;
    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;
    public override void EnterNestedPrompt() => throw new NotSupportedException();
    public override void ExitNestedPrompt() => throw new NotSupportedException();
    public override void NotifyBeginApplication() { }
    public override void NotifyEndApplication() { }
}

internal sealed class ConsoleUi(bool isInteractive) : PSHostUserInterface {
    public override PSHostRawUserInterface? RawUI => null;

    public override void Write(string value) => Console.Out.Write(value);
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);
    public override void WriteLine(string value) => Console.Out.WriteLine(value);
    public override void WriteErrorLine(string value) => Console.Error.WriteLine(value);
    public override void WriteProgress(long sourceId, ProgressRecord record) { }

    // These go to stdout on the real one, too: an agent's lines may have such neighbours.
    public override void WriteWarningLine(string message) => WriteLine($"WARNING: {message}");
    public override void WriteVerboseLine(string message) => WriteLine($"VERBOSE: {message}");
    public override void WriteDebugLine(string message) => WriteLine($"DEBUG: {message}");

    // A question eats the next line of stdin, whoever it was meant for.
    public override string ReadLine() {
        RequireInteractive();
        return Console.In.ReadLine() ?? "";
    }

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) {
        RequireInteractive();
        WriteLine($"{caption}\n{message}");
        var answer = Console.In.ReadLine() ?? "";
        var chosen = choices.ToList().FindIndex(choice => choice.Label.Contains("&" + answer, StringComparison.OrdinalIgnoreCase));
        return answer != "" && chosen >= 0 ? chosen : defaultChoice;
    }

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) {
        RequireInteractive();
        return descriptions.ToDictionary(field => field.Name, field => {
            WriteLine($"{field.Name}:");
            return PSObject.AsPSObject(ReadLine());
        });
    }

    public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        throw new NotSupportedException();
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName,
                                                     PSCredentialTypes allowedCredentialTypes,
                                                     PSCredentialUIOptions options) => throw new NotSupportedException();

    private void RequireInteractive() {
        if (isInteractive) return;
        throw new PSInvalidOperationException("Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.");
    }
}
