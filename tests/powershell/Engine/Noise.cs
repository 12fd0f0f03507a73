using System.Runtime.InteropServices;
using System.Text;
using Gpup.Doubles;

namespace Gpup.Engine;

/// What surrounds the lines of an agent on a real host: a banner, a byte order mark, CR before LF, CLIXML on stderr.
internal static partial class Noise {
    private const int StandardOutput = 1;

    private static readonly byte[] LastWords = Guid.NewGuid().ToByteArray();
    private static Thread? pump_;

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    private static partial int Pipe(int[] ends);

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Dup(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte[] bytes, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte[] bytes, nint count);

    internal static void Begin(LabHost host) {
        // First of all: whoever opens stdout keeps what descriptor 1 was then.
        if (host.Doubles.Flag("crlf") == true) EndLinesWithCrLf();
        if (host.Doubles.Flag("bom") == true) WriteAll(StandardOutput, [0xEF, 0xBB, 0xBF]);
        if (host.Doubles.Flag("noise") == true) {
            // No line end: a reply may begin in the middle of a line.
            WriteAll(StandardOutput, Encoding.UTF8.GetBytes("Last login: Mon Nov 23 08:41:00 2026\nWillkommen auf " + host.ComputerName + " > "));
            Console.Error.WriteLine("#< CLIXML");
            Console.Error.WriteLine("<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj S=\"progress\" " +
                                    "RefId=\"0\"><MS><I64 N=\"SourceId\">1</I64><S N=\"Activity\">gpup-0 2:{}</S></MS></Obj></Objs>");
            Console.Error.WriteLine("The profile of this host talks.");
        }
    }

    /// What is on its way goes out. Not reached by a process that is killed, and so the real one.
    internal static void End() {
        if (pump_ is null) return;
        Console.Out.Flush();
        WriteAll(StandardOutput, LastWords);
        pump_.Join();
        pump_ = null;
    }

    /// A script may write to stdout in several ways, all of which end at descriptor 1: a pipe takes its place.
    private static void EndLinesWithCrLf() {
        var ends = new int[2];
        var real = Dup(StandardOutput);
        if (real < 0 || Pipe(ends) != 0 || Dup2(ends[1], StandardOutput) < 0) throw new IOException("cannot make a pipe of stdout");
        pump_ = new Thread(() => Pump(ends[0], real)) { IsBackground = true };
        pump_.Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End();
    }

    private static void Pump(int from, int to) {
        var bytes = new byte[65536];
        for (nint got; (got = Read(from, bytes, bytes.Length)) > 0;) {
            var part = bytes.AsSpan(0, (int)got);
            var isLast = part.EndsWith(LastWords);
            if (isLast) part = part[..^LastWords.Length];
            var ended = new List<byte>(part.Length + 16);
            foreach (var one in part) {
                if (one == '\n') ended.Add((byte)'\r');
                ended.Add(one);
            }
            WriteAll(to, ended.ToArray());
            if (isLast) return;
        }
    }

    private static void WriteAll(int descriptor, byte[] bytes) {
        while (bytes.Length > 0) {
            var written = Write(descriptor, bytes, bytes.Length);
            if (written <= 0) return;  // nobody reads any more
            bytes = bytes[(int)written..];
        }
    }
}
