using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// What a partition of a GPU gets, or a whole GPU has. Null: the lab does not say and nothing tells.
public sealed record Size(ulong? Vram, ulong? Encode, ulong? Decode, ulong? Compute);

public static class Sizes {
    private const ulong VramStep = 64UL << 20;

    // Counts 16 and 4 were seen on real cards; 8, 2 and 1 are inferred. An A16 has the same device id, not the same subsystem.
    private static readonly Size A2 = new(15918030848, 36, 24, 2048);
    private static readonly Dictionary<ulong, Size> A2Partitions = new() {
        [16] = new(939524096, 2, 1, 128),
        [8] = new(1988100096, 4, 3, 256),
        [4] = new(3825205248, 9, 6, 512),
        [2] = new(7650410496, 18, 12, 1024),
        [1] = new(15300820992, 36, 24, 2048),
    };

    /// The whole card: as the lab says, else as the card is known, else what its present partitions make together.
    public static Size Totals(JsonObject gpu) {
        var known = IsA2(gpu) ? A2 : null;
        ulong? Total(string total, string partition, ulong? of) {
            if ((gpu.Number(total) ?? of) is { } said) return said;
            var part = gpu.Number(partition);
            var count = gpu.Number("partitionCount");
            return part is not null && count > 0 && part <= ulong.MaxValue / count ? part * count : null;
        }
        return new(Total("totalVram", "partitionVram", known?.Vram), Total("totalEncode", "partitionEncode", known?.Encode),
                   Total("totalDecode", "partitionDecode", known?.Decode),
                   Total("totalCompute", "partitionCompute", known?.Compute));
    }

    /// What a partition gets at a count: as `simulate.profiles` tells, as the card is known, or its share.
    internal static Size At(LabHost host, JsonObject gpu, ulong count) {
        var totals = Totals(gpu);
        var known = Told(host, gpu, count) ?? Known(gpu, count);
        return new(known?.Vram ?? totals.Vram / count / VramStep * VramStep, known?.Encode ?? totals.Encode / count,
                   known?.Decode ?? totals.Decode / count, known?.Compute ?? totals.Compute / count);
    }

    private static Size? Told(LabHost host, JsonObject gpu, ulong count) {
        foreach (var profile in host.Simulate.Objects("profiles")) {
            var model = profile.Text("model");
            var device = profile.Text("device");
            if (model != "" && model != gpu.Text("model")) continue;
            if (device != "" && !Json.Same(device, gpu.Text("device"))) continue;
            if (profile.Objects("counts").FirstOrDefault(row => row.Number("count") == count) is { } row) {
                return new(row.Number("vram"), row.Number("encode"), row.Number("decode"), row.Number("compute"));
            }
        }
        return null;
    }

    private static Size? Known(JsonObject gpu, ulong count) {
        if (!IsA2(gpu) || !A2Partitions.TryGetValue(count, out var size)) return null;
        // A card of the lab's own making may be smaller than the real one.
        return gpu.Number("totalVram") is { } total && size.Vram > total / count ? null : size;
    }

    private static bool IsA2(JsonObject gpu) {
        var subsystem = gpu.Text("subsystem");
        var bySubsystem = Json.Same(subsystem, "157e10de");
        return (bySubsystem && Json.Same(gpu.Text("device"), "10de:25b6")) ||
               (gpu.Text("model") == "NVIDIA A2" && (subsystem == "" || bySubsystem));
    }
}
