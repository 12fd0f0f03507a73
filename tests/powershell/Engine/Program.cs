using Gpup.Doubles;
using Gpup.Engine;

// A program that stands for powershell.exe and pwsh: their switches, their way with output, errors and exit codes, and
// the real engine inside. What it plays of a host comes from the lab that GPUP_DOUBLES names.
var switches = Switches.Parse(args);
if (switches.Mistake is { } mistake) {
    Console.Error.WriteLine(mistake);
    return Switches.WrongCommandLine;
}
if (LabFile.IsGiven) {
    var lab = LabFile.Read();
    if (Mistakes.Of(lab).ToList() is { Count: > 0 } mistakes) {
        foreach (var line in mistakes) Console.Error.WriteLine(line);
        return Switches.WrongCommandLine;
    }
    var host = lab.Played;
    if (host.Json.Flag("reachable") == false) {
        Console.Error.WriteLine(host.Json.Text("error") is var why && why != "" ? why : "the host cannot be reached");
        return Scenery.Unreachable;
    }
    Scenery.Build(host);
    if (!switches.ServesRemoting) Noise.Begin(host);
} else {
    Scenery.Modules([]);
}
var status = switches.ServesRemoting ? Session.ServeRemoting() : Session.Run(switches);
Noise.End();
return status;
