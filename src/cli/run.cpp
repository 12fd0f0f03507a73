#include "cli/run.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/call.h"
#include "cli/check_line.h"
#include "cli/command_line.h"
#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/help.h"
#include "cli/log.h"
#include "desired/scalars.h"

namespace gpup {

namespace {

struct Runner {
  std::string_view name;
  int (*run)(const Call& call);
};

constexpr Runner kReaders[] = {
    {"validate", run_validate}, {"fmt", run_fmt},
    {"doctor", run_doctor},     {"observe", run_observe},
    {"plan", run_plan},         {"show", run_show},
    {"history", run_history},   {"drift", run_drift},
    {"export", run_export},     {"why", run_why},
    {"explain", run_explain},   {"schema", run_schema},
    {"agent", run_agent},       {"verify-receipt", run_verify_receipt},
    {"bundle", run_bundle},     {"version", run_version},
    {"help", run_help},         {"completion", run_completion},
};

struct WritingRunner {
  std::string_view name;
  int (*run)(const Call& call, WritingWorld& world);
};

constexpr WritingRunner kWriters[] = {
    {"apply", run_apply}, {"resume", run_resume}, {"rollback", run_rollback}, {"restore-power", run_restore_power}};

bool colored(const Invocation& line, World& world, Stream stream) {
  const std::string_view when = line.value("color").value_or("auto");
  if (when != "auto") {
    return when == "always";
  }
  const bool refused = !world.env("NO_COLOR").value_or("").empty() || world.env("TERM") == "dumb";
  return !refused && world.is_terminal(stream);
}

/// Only commands that read or write more than their own table have something to log.
bool may_log(const Invocation& line) {
  return find_option(*line.command, "output") != nullptr || find_option(*line.command, "out") != nullptr;
}

bool asks_for_log(const Invocation& line) {
  return line.has("log-level") || line.has("log-format") || line.has("log-file");
}

int dispatch(const Call& call, WritingWorld& world) {
  if (call.line.help) {
    world.out().write(render_help(*call.line.command));
    return kExitDone;
  }
  const auto* const writer = std::find_if(std::begin(kWriters), std::end(kWriters), [&](const WritingRunner& one) {
    return one.name == call.line.command->name;
  });
  const bool writes = writer != std::end(kWriters);
  HostUse use{.may_write = writes};
  if (const auto timeout = call.line.value("request-timeout")) {
    use.request_timeout = parse_duration(*timeout).value.value_or(use.request_timeout);
  }
  world.prepare_hosts(use);
  if (writes) {
    return writer->run(call, world);
  }
  for (const Runner& reader : kReaders) {
    if (reader.name == call.line.command->name) {
      return reader.run(call);
    }
  }
  return kExitUsage;
}

int refuse_line(const UsageError& error, WritingWorld& world) {
  std::string hint = error.hint;
  if (hint.empty() && error.command != nullptr) {
    hint = fmt::format("'gpup help {}' tells more", error.command->name);
  }
  world.err().write(render_diagnostics({placeless(Code::kUsage, error.message, std::move(hint))}));
  return kExitUsage;
}

}  // namespace

int run(const std::vector<std::string>& arguments, WritingWorld& world) {
  Parsed parsed = parse_command_line(arguments);
  if (!parsed.error && !parsed.invocation.help) {
    parsed.error = check_line(parsed.invocation);
  }
  if (parsed.error) {
    return refuse_line(*parsed.error, world);
  }
  Call call{parsed.invocation, world};
  int code = kExitDone;
  if (!parsed.invocation.help && (may_log(parsed.invocation) || asks_for_log(parsed.invocation))) {
    call.color_out = colored(parsed.invocation, world, Stream::kOut);
    call.color_err = colored(parsed.invocation, world, Stream::kErr);
    if (const auto opened = open_log(parsed.invocation, world); !opened) {
      return give_up(call, opened.error(), Code::kCannotWrite);
    }
    code = dispatch(call, world);
    close_log();
  } else {
    code = dispatch(call, world);
  }
  if (const auto flushed = world.flush_out(); !flushed) {
    const int lost = give_up(call, flushed.error(), Code::kCannotWrite);
    // What was done to hosts is worse than an answer that did not arrive.
    return code >= kExitStale && code <= kExitCancelled ? code : lost;
  }
  return code;
}

}  // namespace gpup
