using System.Runtime.InteropServices;
using System.Text;

namespace Gpup.Doubles;

/// The few calls of Linux that .NET has no name for.
internal static partial class Native {
    private const int WriteOnly = 1, ReadWrite = 2, Create = 0x40, AppendFlag = 0x400, NoFollow = 0x20000, CloseOnExec = 0x80000;
    private const int LockExclusive = 2;
    private const int Interrupted = 4;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "unlink", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte[] bytes, nint count);

    /// A lock file, open and locked; waits for whoever holds it.
    internal static int OpenLocked(string path) {
        var descriptor = Opened(path, ReadWrite | Create | CloseOnExec | NoFollow);
        while (Flock(descriptor, LockExclusive) != 0) {
            if (Marshal.GetLastPInvokeError() == Interrupted) continue;
            Close(descriptor);
            throw new IOException($"cannot lock {path}");
        }
        return descriptor;
    }

    /// One write at the end of the file: lines of several processes do not mix, which FileMode.Append does not promise.
    internal static void Append(string path, string text) {
        var descriptor = Opened(path, WriteOnly | Create | AppendFlag | CloseOnExec);
        var bytes = Encoding.UTF8.GetBytes(text);
        var written = Write(descriptor, bytes, bytes.Length);
        Close(descriptor);
        if (written != bytes.Length) throw new IOException($"cannot write {path}");
    }

    private static int Opened(string path, int flags) {
        var descriptor = Open(path, flags, 0b110_110_110);
        return descriptor >= 0 ? descriptor : throw new IOException($"cannot open {path}: error {Marshal.GetLastPInvokeError()}");
    }
}
