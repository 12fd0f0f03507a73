using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// One host of a lab.
public sealed class LabHost(Lab lab, JsonObject json) {
    private const string ParavirtualSuffix = "\\GPUPARAV";

    public Lab Lab { get; } = lab;
    public JsonObject Json { get; } = json;
    public string Name => Json.Text("name");

    /// Windows shows the name of a computer in capitals.
    public string ComputerName => Name.ToUpperInvariant();

    public ulong? Build => Json.Number("build");
    public JsonObject Doubles => Json.Object("doubles");
    public JsonObject Simulate => Json.Object("simulate");
    public IEnumerable<JsonObject> Gpus => Json.Objects("gpus");
    public IEnumerable<JsonObject> Vms => Json.Objects("vms");
    public bool IsElevated => Doubles.Flag("elevated") ?? true;

    /// A text in the language of the host.
    public string Say(string english, string german) => Doubles.Text("language") == "de" ? german : english;

    public JsonObject? FindVm(Guid id) => Vms.FirstOrDefault(vm => IdOf(vm) == id);

    /// The GPU of that name, as the lab or as the host's own cmdlets have it.
    public JsonObject? FindGpu(string name) =>
        Gpus.FirstOrDefault(gpu => SameName(gpu.Text("name"), name) || SameName(ShownName(gpu), name));

    /// The name that the cmdlets give: a paravirtual GPU is known by the end of its name.
    public static string ShownName(JsonObject gpu) {
        var name = gpu.Text("name");
        return gpu.Text("status") == "paravirtualization" && !name.EndsWith(ParavirtualSuffix, StringComparison.OrdinalIgnoreCase)
            ? name + ParavirtualSuffix
            : name;
    }

    /// The PnP instance id of a GPU. The device that stands for one dismounted for DDA is on a bus of its own.
    public static string PnpId(JsonObject gpu) {
        var name = gpu.Text("name");
        if (name.StartsWith("\\\\?\\", StringComparison.Ordinal)) name = name[4..];
        var end = name.IndexOf("#{", StringComparison.Ordinal);
        var id = (end < 0 ? name : name[..end]).Replace('#', '\\').ToUpperInvariant();
        return gpu.Text("status") == "ready-for-dda" && id.StartsWith("PCI\\", StringComparison.Ordinal) ? "PCIP" + id[3..] : id;
    }

    /// The id of a VM. A lab may call its VMs by any text: one that is no GUID has one made of it.
    public static Guid IdOf(JsonObject vm) => GuidOf(vm.Text("id"));

    public static Guid GuidOf(string text) =>
        Guid.TryParse(text, out var id) ? id : new Guid(MD5.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool SameName(string a, string b) => Gpup.Doubles.Json.Same(a, b);
}
