#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/build_record.h"
#include "cli/command_runs.h"
#include "cli/completion.h"
#include "cli/exit_codes.h"
#include "cli/explain.h"
#include "cli/help.h"
#include "cli/schemas.h"

namespace gpup {

namespace {

int wrong_argument(const Call& call, std::string_view message, std::string_view hint) {
  tell(call, {placeless(Code::kUsage, message, hint)});
  return kExitUsage;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known, std::string_view otherwise) {
  const auto near = nearest(word, known);
  return near ? fmt::format("did you mean '{}'?", *near) : std::string(otherwise);
}

}  // namespace

int run_help(const Call& call) {
  const Command* command = call.line.argument ? find_command(*call.line.argument) : nullptr;
  call.world.out().write(command == nullptr ? render_help() : render_help(*command));
  return kExitDone;
}

int run_agent(const Call& call) {
  const AgentTexts texts = call.world.agent_texts();
  const std::string part = call.line.argument.value_or("script");
  if (part == "command") {
    call.world.out().write(texts.command + "\n");
  } else {
    call.world.out().write(part == "bootstrap" ? texts.bootstrap : texts.script);
  }
  return kExitDone;
}

int run_version(const Call& call) {
  const BuildRecord& record = build_record();
  if (!call.line.has("json")) {
    call.world.out().write(fmt::format("gpup {}\n", record.version));
    return kExitDone;
  }
  std::string out = "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Version\", \"name\": \"gpup\", \"version\": ";
  append_json_string(out, record.version);
  out += ",\n \"commit\": ";
  append_json_string_or_null(out, record.commit);
  out += ", \"compiler\": ";
  append_json_string(out, record.compiler);
  out += ", \"system\": ";
  append_json_string(out, record.system);
  out += ",\n \"libraries\": [";
  std::string_view separator = "\n  ";
  for (const Library& library : record.libraries) {
    out.append(separator).append("{\"name\": ");
    separator = ",\n  ";
    append_json_string(out, library.name);
    out += ", \"version\": ";
    append_json_string_or_null(out, library.version);
    out += '}';
  }
  out += "]}\n";
  call.world.out().write(out);
  return kExitDone;
}

int run_explain(const Call& call) {
  if (!call.line.argument) {
    call.world.out().write(render_explanations());
    return kExitDone;
  }
  const auto code = parse_code(*call.line.argument);
  const Explanation* row = code ? find_explanation(*code) : nullptr;
  if (row == nullptr) {
    std::vector<std::string> codes;
    for (const Explanation* each : explanations()) {
      codes.push_back(to_string(each->code));
    }
    return wrong_argument(call, fmt::format("there is no code '{}'", *call.line.argument),
                          suggestion(*call.line.argument, std::vector<std::string_view>(codes.begin(), codes.end()),
                                     "'gpup explain' lists them"));
  }
  call.world.out().write(render_explanation(*row));
  return kExitDone;
}

int run_schema(const Call& call) {
  std::vector<std::string_view> names;
  for (const Schema& schema : schemas()) {
    names.push_back(schema.name);
  }
  if (!call.line.argument) {
    for (const std::string_view name : names) {
      call.world.out().write(fmt::format("{}\n", name));
    }
    return kExitDone;
  }
  const Schema* schema = find_schema(*call.line.argument);
  if (schema == nullptr) {
    return wrong_argument(call, fmt::format("there is no schema '{}'", *call.line.argument),
                          suggestion(*call.line.argument, names, "'gpup schema' lists them"));
  }
  call.world.out().write(schema->text);
  return kExitDone;
}

int run_completion(const Call& call) {
  call.world.out().write(render_completion(*call.line.argument));
  return kExitDone;
}

}  // namespace gpup
