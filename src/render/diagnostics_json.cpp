#include "render/diagnostics_json.h"

#include "base/json_writer.h"

namespace gpup {

namespace {

void append_position(std::string& out, std::uint32_t value) {
  if (value == 0) {
    out += "null";
  } else {
    append_json_number(out, value);
  }
}

}  // namespace

void append_diagnostic(std::string& out, const Diagnostic& diagnostic) {
  out += "{\"code\": ";
  append_json_string(out, to_string(diagnostic.code));
  out += ", \"severity\": ";
  append_json_string(out, to_string(diagnostic.severity));
  out += ", \"message\": ";
  append_json_string(out, diagnostic.message);
  out += ", \"file\": ";
  append_json_string_or_null(out, diagnostic.file);
  out += ", \"line\": ";
  append_position(out, diagnostic.line);
  out += ", \"column\": ";
  append_position(out, diagnostic.line == 0 ? 0 : diagnostic.column);
  out += ", \"host\": ";
  append_json_string_or_null(out, diagnostic.host);
  out += ", \"object\": ";
  append_json_string_or_null(out, diagnostic.object);
  out += ", \"name\": ";
  append_json_string_or_null(out, diagnostic.name);
  out += ", \"hint\": ";
  append_json_string_or_null(out, diagnostic.hint);
  out += "}";
}

void write_diagnostics(const Diagnostics& diagnostics, Sink& sink) {
  std::string out = "{\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Diagnostics\",\n\"diagnostics\": [";
  const char* between = "\n";
  for (const Diagnostic& diagnostic : diagnostics) {
    out += between;
    append_diagnostic(out, diagnostic);
    between = ",\n";
    sink.write(out);
    out.clear();
  }
  out += "]}\n";
  sink.write(out);
}

}  // namespace gpup
