#include <string>

#include "base/json_writer.h"
#include "render/doctor.h"

namespace gpup {

namespace {

void append_result(std::string& out, const CheckResult& result) {
  out += "{\"check\": ";
  append_json_string(out, result.check.id);
  out += ", \"title\": ";
  append_json_string(out, result.check.title);
  out += ", \"object\": ";
  append_json_string(out, to_string(result.check.object));
  out += ", \"host\": ";
  append_json_string_or_null(out, result.host);
  out += ", \"name\": ";
  append_json_string_or_null(out, result.name);
  out += ", \"vmId\": ";
  append_json_string_or_null(out, result.vm_id);
  out += ", \"verdict\": ";
  append_json_string(out, to_string(result.verdict));
  out += ", \"seen\": ";
  append_json_string(out, result.seen);
  out += ", \"mend\": ";
  append_json_string_or_null(out, result.mend);
  out += ", \"code\": ";
  append_json_string_or_null(out, result.code ? to_string(*result.code) : std::string());
  out += ", \"statement\": ";
  append_json_string(out, result.check.statement);
  out += ", \"document\": ";
  append_json_string(out, result.check.document);
  out += ", \"certainty\": ";
  append_json_string(out, to_string(result.check.certainty));
  out += "}";
}

void append_sum(std::string& out, std::string_view member, std::size_t count) {
  out += member;
  append_json_number(out, count);
}

}  // namespace

void write_doctor_json(const Checkup& checkup, int exit_code, Sink& sink) {
  std::string out = "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Doctor\",\n\"name\": ";
  append_json_string_or_null(out, checkup.name);
  append_sum(out, ", \"exitCode\": ", static_cast<std::size_t>(exit_code));
  out += ",\n\"checks\": [";
  const char* between = "\n";
  for (const CheckResult& result : checkup.results) {
    out += between;
    append_result(out, result);
    between = ",\n";
    sink.write(out);
    out.clear();
  }
  out += "],\n\"leftOut\": [";
  between = "";
  for (const LeftOut& each : checkup.left_out) {
    out += between;
    out += "{\"check\": ";
    append_json_string(out, each.check);
    out += ", \"why\": ";
    append_json_string(out, each.why);
    out += "}";
    between = ",\n";
  }
  append_sum(out, "],\n\"summary\": {\"pass\": ", checkup.count(Verdict::kPass));
  append_sum(out, ", \"warn\": ", checkup.count(Verdict::kWarn));
  append_sum(out, ", \"fail\": ", checkup.count(Verdict::kFail));
  append_sum(out, ", \"notChecked\": ", checkup.count(Verdict::kNotChecked));
  out += "}}\n";
  sink.write(out);
}

}  // namespace gpup
