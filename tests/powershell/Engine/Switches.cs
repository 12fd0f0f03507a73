using System.Text;

namespace Gpup.Engine;

/// The command line of powershell.exe: any case, any unambiguous beginning, `-` or `/`.
internal sealed record Switches {
    internal const int WrongCommandLine = 64;

    internal string Script { get; private init; } = "";
    internal string? File { get; private init; }
    internal string[] Arguments { get; private init; } = [];
    internal bool IsInteractive { get; private init; } = true;
    internal bool ServesRemoting { get; private init; }
    internal string? Mistake { get; private init; }

    // In the order in which a beginning is looked for: `-e` and `-ec` mean -EncodedCommand, `-ex` -ExecutionPolicy.
    private static readonly (string Name, int Least)[] Known = [
        ("nologo", 3), ("noprofile", 3), ("noninteractive", 4), ("sshs", 4), ("sta", 3), ("mta", 3),
        ("outputformat", 1), ("inputformat", 2), ("windowstyle", 1), ("executionpolicy", 2), ("ep", 2),
        ("encodedcommand", 1), ("ec", 2), ("command", 1), ("file", 1),
    ];

    internal static Switches Parse(string[] args) {
        var interactive = true;
        for (var i = 0; i < args.Length; ++i) {
            var given = args[i];
            if (given is "" || given[0] is not ('-' or '/')) return OfCommand(args[i..], interactive);
            var word = given.TrimStart('-', '/').ToLowerInvariant();
            var name = Known.FirstOrDefault(known => word.Length >= known.Least && known.Name.StartsWith(word, StringComparison.Ordinal)).Name;
            switch (name) {
                case "nologo" or "noprofile" or "sta" or "mta":
                    break;
                case "noninteractive":
                    interactive = false;
                    break;
                case "sshs":
                    return new() { ServesRemoting = true };
                case null:
                    return new() { Mistake = $"the switch {given} is not known" };
                default:
                    if (++i >= args.Length) return new() { Mistake = $"the switch {given} needs a value" };
                    switch (name) {
                        case "encodedcommand" or "ec":
                            return OfEncoded(args[i], interactive);
                        case "command":
                            return OfCommand(args[i..], interactive);
                        case "file":
                            return new() { File = args[i], Arguments = args[(i + 1)..], IsInteractive = interactive };
                    }
                    break;  // a format or a policy, which change nothing here
            }
        }
        return new() { Mistake = "there is no command: a console that asks for commands is not played" };
    }

    private static Switches OfCommand(string[] words, bool interactive) =>
        new() { Script = string.Join(' ', words), IsInteractive = interactive };

    private static Switches OfEncoded(string text, bool interactive) {
        try {
            return new() { Script = Encoding.Unicode.GetString(Convert.FromBase64String(text)), IsInteractive = interactive };
        } catch (FormatException) {
            return new() { Mistake = "the value of -EncodedCommand is not base64" };
        }
    }
}
