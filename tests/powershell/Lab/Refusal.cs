using System.Management.Automation;

namespace Gpup.Doubles;

/// What a cmdlet refuses, with everything by which a program may tell one refusal from another.
public sealed class Refusal(string id, ErrorCategory category, string message, int? hresult = null) : Exception(message) {
    public string Id { get; } = id;
    public ErrorCategory Category { get; } = category;
    public int? Code { get; } = hresult;

    public static Refusal NotFound(string message) => new("ObjectNotFound", ErrorCategory.ObjectNotFound, message);
    public static Refusal Invalid(string message) => new("InvalidParameter", ErrorCategory.InvalidArgument, message);
    public static Refusal State(string message) => new("InvalidState", ErrorCategory.InvalidOperation, message);
    public static Refusal Failed(string message) => new("OperationFailed", ErrorCategory.InvalidOperation, message);
}
