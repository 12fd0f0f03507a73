using System.Text.Json.Nodes;

namespace Gpup.Doubles;

/// Members of a lab's objects. Absent, null and of another type are the same: "" or null, as a lab may leave out nearly
/// everything.
public static class Json {
    public static string Text(this JsonObject of, string name) =>
        of[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    public static ulong? Number(this JsonObject of, string name) => of[name].AsNumber();

    public static ulong? AsNumber(this JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out ulong number) ? number : null;

    public static bool? Flag(this JsonObject of, string name) =>
        of[name] is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    public static IEnumerable<JsonObject> Objects(this JsonObject of, string name) =>
        (of[name] as JsonArray)?.OfType<JsonObject>() ?? [];

    public static IEnumerable<string> Texts(this JsonObject of, string name) =>
        (of[name] as JsonArray)?.OfType<JsonValue>().Select(v => v.TryGetValue(out string? text) ? text : "") ?? [];

    /// The object of that name, or an empty one that belongs to nothing.
    public static JsonObject Object(this JsonObject of, string name) => of[name] as JsonObject ?? [];

    /// Sets a number; null only where the member is there already.
    public static void Put(this JsonObject of, string name, ulong? value) {
        if (value is not null) of[name] = JsonValue.Create(value.Value);
        else if (of.ContainsKey(name)) of[name] = null;
    }

    /// Names and ids are compared without case, of ASCII letters only: the program's rule.
    public static bool Same(string a, string b) =>
        a.Length == b.Length && a.Zip(b).All(pair => Lower(pair.First) == Lower(pair.Second));

    private static char Lower(char c) => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c;
}
