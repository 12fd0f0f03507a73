using System.Globalization;
using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// What a host does and refuses. This is the platform by another hand: it is written from the same contract as the
/// simulated host of gpup, shares no code with it, and must leave the same lab behind.
public static class Rules {
    private const string NoResources = "0x800705AA";

    /// Off, by the guest's own shutdown or by taking its power.
    public static void Stop(LabHost host, JsonObject vm) {
        foreach (var adapter in vm.Objects("partitions")) {
            Release(host, adapter, forgets: host.Simulate.Flag("forgetsGpu") ?? false);
        }
        vm["state"] = "Off";
        vm.Object("doubles").Remove("leavesAt");
        host.Lab.Changed = true;
    }

    /// The guest has been asked to shut down, and will be off after a while, whoever waits for it.
    public static bool Leave(LabHost host, JsonObject? vm, ulong milliseconds) {
        if (vm?.Text("state") != "Running" || vm.Object("doubles").ContainsKey("leavesAt")) return false;
        if (vm["doubles"] is not JsonObject) vm["doubles"] = new JsonObject();
        ((JsonObject)vm["doubles"]!).Put("leavesAt", (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + milliseconds);
        host.Lab.Changed = true;
        return true;
    }

    public static bool HasLeft(JsonObject vm) =>
        vm.Object("doubles").Number("leavesAt") is { } at && at <= (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    /// When a VM was started, where the lab tells; else long ago.
    public static DateTimeOffset StartedAt(JsonObject vm) =>
        DateTimeOffset.TryParse(vm.Object("doubles").Text("startedAt"), CultureInfo.InvariantCulture, out var at)
            ? at
            : DateTimeOffset.UtcNow - TimeSpan.FromDays(10);

    /// Running, with a partition for each adapter; refused whole where one of them gets none.
    public static void Start(LabHost host, JsonObject vm) {
        if (vm.Text("state") != "Off") throw Refusal.State(WrongState(host, vm));
        if (vm.Object("doubles").Number("staleAdapters") > 0) throw NoPartition(host, vm);
        foreach (var (adapter, gpu, id) in Resolve(host, vm)) Take(host, adapter, gpu, id);
        vm["state"] = "Running";
        vm.Remove("startOwed");
        if (vm.Object("doubles").ContainsKey("startedAt")) {
            vm["doubles"]!["startedAt"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
        host.Lab.Changed = true;
    }

    public static void Save(LabHost host, JsonObject vm) {
        if (vm.Objects("partitions").Any()) {
            throw Refusal.Failed(host.Say(
                "The operation cannot be performed on the virtual machine because it is assigned one or more GPUP partitions",
                "Der Vorgang kann nicht ausgeführt werden, da dem virtuellen Computer GPUP-Partitionen zugewiesen sind."));
        }
        vm["state"] = "Saved";
        host.Lab.Changed = true;
    }

    /// A new adapter, each time anew. With a GPU it is pinned to it, otherwise the host chooses at start.
    public static JsonObject AddAdapter(LabHost host, JsonObject vm, string? gpuName) {
        RequireOff(host, vm);
        var adapter = new JsonObject {
            ["id"] = Guid.NewGuid().ToString(), ["gpu"] = null, ["partitionId"] = null, ["vram"] = null,
        };
        if (!string.IsNullOrEmpty(gpuName)) {
            adapter["gpu"] = TargetGpu(host, gpuName).Text("name");
            adapter["pinned"] = true;
        }
        if (vm["partitions"] is not JsonArray) vm["partitions"] = new JsonArray();
        ((JsonArray)vm["partitions"]!).Add(adapter);
        host.Lab.Changed = true;
        return adapter;
    }

    public static void RemoveAdapter(LabHost host, JsonObject vm, JsonObject adapter) {
        RequireOff(host, vm);
        ((JsonArray)vm["partitions"]!).Remove(adapter);
        host.Lab.Changed = true;
    }

    public static void SetPartitionCount(LabHost host, string gpuName, ulong count) {
        var gpu = TargetGpu(host, gpuName);
        var valid = (gpu["validPartitionCounts"] as JsonArray)?.Select(value => value.AsNumber()) ?? [];
        if (count == 0 || !valid.Contains(count)) {
            throw Refusal.Invalid(host.Say($"The partition count {count} is not valid for the GPU.",
                                           $"Die Partitionsanzahl {count} ist für die GPU ungültig."));
        }
        var name = gpu.Text("name");
        var holder = host.Vms.FirstOrDefault(vm => vm.Objects("partitions").Any(
            adapter => adapter.Text("gpu") is var held && (held == "" || Json.Same(held, name))));
        if (holder is not null) {
            throw Refusal.Failed(host.Say($"The GPU is in use by the virtual machine '{holder.Text("name")}'.",
                                          $"Die GPU wird vom virtuellen Computer \"{holder.Text("name")}\" verwendet."));
        }
        if (gpu.Number("partitionCount") == count) return;
        var totals = Sizes.Totals(gpu);
        var size = Sizes.At(host, gpu, count);
        // Kept, since shares are rounded: the way back must give the same again.
        gpu.Put("totalEncode", totals.Encode);
        gpu.Put("totalDecode", totals.Decode);
        gpu.Put("totalCompute", totals.Compute);
        gpu.Put("partitionCount", count);
        gpu.Put("partitionVram", size.Vram);
        gpu.Put("partitionEncode", size.Encode);
        gpu.Put("partitionDecode", size.Decode);
        gpu.Put("partitionCompute", size.Compute);
        if (gpu.Number("totalVram") is { } total) gpu.Put("availableVram", total);
        host.Lab.Changed = true;
    }

    /// As a failover does: a running VM gives its partitions back, and runs on the other host if that has some.
    public static void Move(LabHost from, LabHost to, JsonObject vm) {
        if (ReferenceEquals(from.Json, to.Json)) return;
        foreach (var adapter in vm.Objects("partitions")) Release(from, adapter, forgets: true);
        ((JsonArray)from.Json["vms"]!).Remove(vm);
        if (to.Json["vms"] is not JsonArray) to.Json["vms"] = new JsonArray();
        ((JsonArray)to.Json["vms"]!).Add(vm);
        from.Lab.Changed = true;
        if (vm.Text("state") != "Running") return;
        vm["state"] = "Off";
        try {
            Start(to, vm);
        } catch (Refusal) {
            // It stays off there, as after a failover without a free partition.
        }
    }

    /// How many partitions of the GPU running VMs hold.
    public static ulong PartitionsHeld(LabHost host, JsonObject gpu) => (ulong)Holders(host, gpu).Count();

    private static void RequireOff(LabHost host, JsonObject vm) {
        if (vm.Text("state") != "Off") throw Refusal.State(WrongState(host, vm));
    }

    public static string WrongState(LabHost host, JsonObject vm) => host.Say(
        $"'{vm.Text("name")}': The operation cannot be performed while the object is in its current state.",
        $"\"{vm.Text("name")}\": Der Vorgang kann nicht ausgeführt werden, solange sich das Objekt im aktuellen Zustand befindet.");

    private static JsonObject TargetGpu(LabHost host, string name) {
        var gpu = host.FindGpu(name) ?? throw Refusal.NotFound(host.Say(
            $"Unable to find a partitionable GPU '{name}'.", $"Es wurde keine partitionierbare GPU \"{name}\" gefunden."));
        if (gpu.Text("status") != "partitioned") {
            throw Refusal.Invalid(host.Say($"The GPU '{name}' cannot be partitioned.", $"Die GPU \"{name}\" ist nicht partitionierbar."));
        }
        return gpu;
    }

    private static Refusal NoPartition(LabHost host, JsonObject vm) {
        var name = vm.Text("name");
        var id = LabHost.IdOf(vm).ToString().ToUpperInvariant();
        var english = $"'{name}' failed to start.\n'{name}' GPU Partition: Failed to finish reserving resources with Error " +
                      $"'Insufficient system resources exist to complete the requested service.' ({NoResources}). (Virtual machine ID {id})";
        var german = $"Fehler beim Starten von \"{name}\".\n\"{name}\" GPU-Partition: Fehler beim Reservieren von Ressourcen: " +
                     $"\"Nicht genügend Systemressourcen, um den angeforderten Dienst auszuführen.\" ({NoResources}). (ID des virtuellen Computers: {id})";
        return Refusal.Failed(host.Say(english, german));
    }

    // Starting ----------------------------------------------------------------------------------------------------

    private sealed record Choice(JsonObject Gpu, HashSet<ulong> Ids) {
        internal ulong Free { get; set; }
        internal bool IsPartitioned => Gpu.Text("status") == "partitioned";
    }

    /// A partition for each adapter of the VM. Adapters that name a GPU come first: the host's choice must not take
    /// their place.
    private static List<(JsonObject Adapter, JsonObject Gpu, ulong Id)> Resolve(LabHost host, JsonObject vm) {
        var choices = Choices(host);
        var resolved = new List<(JsonObject, JsonObject, ulong)>();
        foreach (var adapter in vm.Objects("partitions").OrderBy(adapter => adapter.Text("gpu") == "")) {
            var name = adapter.Text("gpu");
            var choice = name == ""
                ? Chosen(choices, host.Simulate.Text("placement"))
                : choices.LastOrDefault(candidate => Json.Same(candidate.Gpu.Text("name"), name));
            if (choice is null || choice.Free == 0) throw NoPartition(host, vm);
            ulong id = 0;
            while (!choice.Ids.Add(id)) ++id;
            --choice.Free;
            resolved.Add((adapter, choice.Gpu, id));
        }
        return resolved;
    }

    /// The GPUs that can give partitions, real ones first, in the order of the lab.
    private static List<Choice> Choices(LabHost host) {
        var able = host.Gpus.Where(gpu => gpu.Text("status") is "partitioned" or "paravirtualization");
        return able.OrderBy(gpu => gpu.Text("status") != "partitioned").Select(gpu => {
            var held = Holders(host, gpu).ToList();
            var count = gpu.Number("partitionCount") ?? 0;
            var ids = held.Select(adapter => adapter.Number("partitionId")).OfType<ulong>().ToHashSet();
            return new Choice(gpu, ids) { Free = count > (ulong)held.Count ? count - (ulong)held.Count : 0 };
        }).ToList();
    }

    /// The one that a host takes for an adapter that names none. A paravirtual GPU only where no real one is free.
    private static Choice? Chosen(List<Choice> choices, string placement) {
        var free = choices.Where(choice => choice.Free > 0).ToList();
        var rank = free.Where(choice => choice.IsPartitioned == free[0].IsPartitioned);
        return placement switch {
            "last" => rank.LastOrDefault(),
            "spread" => rank.MaxBy(choice => choice.Free),
            _ => rank.FirstOrDefault(),
        };
    }

    private static IEnumerable<JsonObject> Holders(LabHost host, JsonObject gpu) =>
        from vm in host.Vms
        let state = vm.Text("state")
        where state != "Off"
        from adapter in vm.Objects("partitions")
        where state == "Running" || adapter.Number("partitionId") is not null
        where Json.Same(adapter.Text("gpu"), gpu.Text("name"))
        select adapter;

    private static void Take(LabHost host, JsonObject adapter, JsonObject gpu, ulong id) {
        if ((host.Simulate.Flag("forgetsGpu") ?? false) && adapter.Text("gpu") != "") {
            adapter["pinned"] = true;  // a host that forgets would have named no GPU that was not pinned
        }
        var size = Sizes.At(host, gpu, gpu.Number("partitionCount") ?? 1);
        var vram = gpu.Number("partitionVram") ?? size.Vram ?? 0;
        adapter["gpu"] = gpu.Text("name");
        adapter.Put("partitionId", id);
        adapter.Put("vram", vram);
        adapter.Put("encode", gpu.Number("partitionEncode") ?? size.Encode);
        adapter.Put("decode", gpu.Number("partitionDecode") ?? size.Decode);
        if (gpu.Number("availableVram") is { } available) gpu.Put("availableVram", available > vram ? available - vram : 0);
    }

    private static void Release(LabHost host, JsonObject adapter, bool forgets) {
        var gpu = host.Gpus.FirstOrDefault(gpu => Json.Same(gpu.Text("name"), adapter.Text("gpu")));
        if (gpu?.Number("availableVram") is { } available && adapter.Number("vram") is { } vram) {
            var total = gpu.Number("totalVram") ?? ulong.MaxValue;
            gpu.Put("availableVram", total > available && total - available > vram ? available + vram : total);
        }
        adapter["partitionId"] = null;
        adapter["vram"] = null;
        adapter.Put("encode", null);
        adapter.Put("decode", null);
        if (forgets && adapter.Flag("pinned") != true) adapter["gpu"] = null;
    }
}
