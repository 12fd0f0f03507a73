namespace Gpup.Doubles;

/// The lock of a lab, as the simulated host of gpup takes it: flock on a file that is removed while it is held.
internal sealed class FileLock : IDisposable {
    private readonly string path_;
    private readonly int descriptor_;

    private FileLock(string path, int descriptor) {
        path_ = path;
        descriptor_ = descriptor;
    }

    internal static FileLock Acquire(string path) {
        for (;;) {
            var descriptor = Native.OpenLocked(path);
            // Whoever held it before removed the file: a lock on a file without a name is nobody's.
            var name = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget ?? "";
            if (!name.EndsWith(" (deleted)", StringComparison.Ordinal)) return new FileLock(path, descriptor);
            Native.Close(descriptor);
        }
    }

    public void Dispose() {
        Native.Unlink(path_);
        Native.Close(descriptor_);
    }
}
