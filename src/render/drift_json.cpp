#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "render/diagnostics_json.h"
#include "render/difference_words.h"
#include "render/drift.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

void append_value(std::string& out, const Plan& plan, const Difference& difference, bool after) {
  const std::uint32_t value = after ? difference.after : difference.before;
  if (difference.property == Property::kPartitions) {
    std::vector<std::string_view> names;
    held_gpus(plan, plan.vms[difference.index], after, names);
    out += "[";
    for (std::size_t i = 0; i < names.size(); ++i) {
      out += i == 0 ? "" : ", ";
      append_json_string_or_null(out, names[i]);
    }
    out += "]";
  } else if (value == kNone) {
    out += "null";
  } else if (is_number(difference.property)) {
    append_json_number(out, value);
  } else {
    append_json_string(out, property_word(difference.property, value));
  }
}

void append_subject(std::string& out, const Plan& plan, const DifferenceWords& words, const Difference& difference) {
  out += "\"host\": ";
  append_json_string(out, plan.hosts[words.host(difference)].name);
  switch (difference.subject) {
    case Subject::kHost:
      out += ", \"object\": \"host\", \"name\": ";
      append_json_string(out, plan.hosts[difference.index].name);
      return;
    case Subject::kGpu:
      out += ", \"object\": \"gpu\", \"name\": ";
      append_json_string(out, plan.gpus[difference.index].name);
      out += ", \"model\": ";
      append_json_string_or_null(out, plan.gpus[difference.index].model);
      return;
    case Subject::kVm:
      out += ", \"object\": \"vm\", \"name\": ";
      append_json_string(out, plan.vms[difference.index].name);
      out += ", \"vmId\": ";
      append_json_string(out, plan.vms[difference.index].id);
      out += plan.vms[difference.index].place.known() ? ", \"listed\": true" : ", \"listed\": false";
      return;
  }
}

void append_place(std::string& out, const Plan& plan, const Place& place) {
  if (!place.known() || place.file >= plan.files.size()) {
    out += "null";
    return;
  }
  out += "{\"file\": ";
  append_json_string(out, plan.files[place.file].path);
  out += ", \"line\": ";
  append_json_number(out, place.line);
  out += ", \"column\": ";
  append_json_number(out, place.column);
  out += "}";
}

void append_difference(std::string& out, const Drift& drift, const DifferenceWords& words, const Drifted& drifted) {
  const Plan& plan = drift.plan;
  const Difference& difference = plan.differences[drifted.difference];
  out += "{";
  append_subject(out, plan, words, difference);
  out += ", \"property\": ";
  append_json_string(out, to_string(difference.property));
  out += ", \"before\": ";
  append_value(out, plan, difference, false);
  out += ", \"after\": ";
  append_value(out, plan, difference, true);
  if (difference.subject == Subject::kGpu) {
    out += ", \"partitionVramBefore\": ";
    append_json_number_or_null(out, plan.gpus[difference.index].vram_before);
    out += ", \"partitionVramAfter\": ";
    append_json_number_or_null(out, plan.gpus[difference.index].vram_after);
  }
  out += ", \"source\": ";
  append_place(out, plan, difference.source);
  out += ", \"place\": ";
  append_place(out, plan, drifted.place);
  out.append(", \"cause\": \"").append(to_string(drifted.cause)).append("\", \"run\": ");
  append_json_string_or_null(out, drifted.run == kNone ? std::string_view() : drift.runs[drifted.run]);
  out += ", \"ignored\": ";
  if (drifted.ignored()) {
    const DesiredIgnore& line = drift.desired.policy.ignores[drifted.ignore];
    out += "{\"reason\": ";
    append_json_string(out, line.reason);
    out += ", \"until\": ";
    append_json_string_or_null(out, line.until);
    out += ", \"source\": ";
    append_place(out, plan, line.place);
    out += "}";
  } else {
    out += "null";
  }
  out += "}";
}

/// A list, an element a line.
template <class List, class Append>
void write_list(Sink& sink, std::string_view name, const List& list, Append append) {
  std::string out = ",\n\"";
  out.append(name).append("\": [");
  const char* between = "\n";
  for (const auto& element : list) {
    out += between;
    append(out, element);
    between = ",\n";
    sink.write(out);
    out.clear();
  }
  out += list.empty() ? "]" : "\n]";
  sink.write(out);
}

}  // namespace

void render_drift_json(const Drift& drift, Sink& sink) {
  const Plan& plan = drift.plan;
  const DifferenceWords words(plan);
  std::string out = "{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Drift\",\n\"name\": ";
  append_json_string(out, plan.name);
  out += ",\n\"drift\": ";
  append_json_bool(out, drift.counted() > 0);
  sink.write(out);
  write_list(sink, "differences", drift.found,
             [&](std::string& text, const Drifted& drifted) { append_difference(text, drift, words, drifted); });
  write_list(sink, "diagnostics", drift.diagnostics,
             [](std::string& text, const Diagnostic& diagnostic) { append_diagnostic(text, diagnostic); });
  write_list(sink, "notChecked", plan.not_checked, [](std::string& text, const NotChecked& host) {
    text += "{\"host\": ";
    append_json_string(text, host.host);
    text += ", \"error\": ";
    append_json_string(text, host.error);
    text += "}";
  });
  sink.write("\n}\n");
}

}  // namespace gpup
