#include "cli/call.h"

#include <memory>
#include <string>

#include "base/text.h"
#include "cli/exit_codes.h"
#include "desired/scalars.h"
#include "render/diagnostics_json.h"
#include "render/drift.h"
#include "render/markdown.h"

namespace gpup {

namespace {

bool is_json(std::string_view form) { return form == "json" || form == "outage"; }

/// True for forms that tell also why there is no answer.
bool tells_refusals(std::string_view form) { return is_json(form) || is_pipeline_form(form); }

void write_refusal(std::string_view form, const Diagnostics& diagnostics, Sink& out) {
  if (is_json(form)) {
    write_diagnostics(diagnostics, out);
    return;
  }
  static const Plan kNoPlan;
  static const DesiredState kNothingDesired;
  render_drift_pipeline(form, Drift{kNoPlan, kNothingDesired, {}, {}, diagnostics, {}, 0}, out);
}

}  // namespace

std::size_t Call::most_markdown() const {
  const auto given = line.value("max-bytes");
  return given ? static_cast<std::size_t>(parse_whole_number(*given).value.value_or(kMarkdownBytes)) : kMarkdownBytes;
}

Diagnostic placeless(Code code, std::string_view message, std::string_view hint) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = hide_passwords(message);
  diagnostic.hint = hide_passwords(hint);
  return diagnostic;
}

void tell(const Call& call, const Diagnostics& diagnostics) {
  if (!diagnostics.empty()) {
    call.world.err().write(render_diagnostics(diagnostics, call.color_err));
  }
}

int give_up(const Call& call, const Error& error, Code code) {
  if (error.diagnostics.empty()) {
    tell(call, {placeless(code, error.message)});
  } else {
    tell(call, error.diagnostics);
  }
  switch (error.code) {
    case ErrorCode::kBadContent:
      return kExitForbidden;
    case ErrorCode::kHeld:
      return kExitNotAllowed;
    case ErrorCode::kCannotRead:
    case ErrorCode::kUnreachable:
    case ErrorCode::kRefused:
    case ErrorCode::kInterrupted:
      break;
  }
  return kExitError;
}

int refuse(const Call& call, const Diagnostics& diagnostics, int code) {
  for (const std::string& report : call.line.values("report")) {
    const std::size_t equals = report.find('=');
    const std::string_view form = std::string_view(report).substr(0, equals);
    if (tells_refusals(form)) {
      const auto written = write_file(call, std::string_view(report).substr(equals + 1),
                                      [&](OutputFile& file) { write_refusal(form, diagnostics, file); });
      if (!written) {
        return give_up(call, written.error(), Code::kCannotWrite);
      }
    }
  }
  if (const std::string_view form = call.form("text"); tells_refusals(form)) {
    write_refusal(form, diagnostics, call.world.out());
  } else {
    tell(call, diagnostics);
  }
  return code;
}

int cannot_work(const Call& call, const Error& error) {
  return error.code == ErrorCode::kBadContent && !error.diagnostics.empty() ? refuse(call, error.diagnostics)
                                                                            : give_up(call, error, Code::kCannotRead);
}

Result<std::unique_ptr<OutputFile>> write_file(const Call& call, std::string_view path,
                                               const std::function<void(OutputFile& file)>& write) {
  auto file = call.world.create_output(std::string(path));
  if (!file) {
    return tl::unexpected<Error>(file.error());
  }
  write(**file);
  if (const Result<Done> written = (*file)->commit(); !written) {
    return tl::unexpected<Error>(written.error());
  }
  return file;
}

int write_reports(const Call& call, const Answer& answer, int code) {
  for (const std::string& report : call.line.values("report")) {
    const std::size_t equals = report.find('=');
    const std::string form = report.substr(0, equals);
    const auto written =
        write_file(call, report.substr(equals + 1), [&](OutputFile& file) { answer(form, false, file); });
    if (!written) {
      return give_up(call, written.error(), Code::kCannotWrite);
    }
  }
  return code;
}

int give_answer(const Call& call, std::string_view default_form, const Answer& answer, int code) {
  if (const int written = write_reports(call, answer, code); written != code) {
    return written;
  }
  const std::string_view form = call.form(default_form);
  // `plan --out` saves the plan, whose form is fixed, and answers on stdout all the same.
  const auto out = call.line.value("out");
  if (out && call.line.command->name != "plan") {
    const auto written = write_file(call, *out, [&](OutputFile& file) { answer(form, false, file); });
    return written ? code : give_up(call, written.error(), Code::kCannotWrite);
  }
  answer(form, true, call.world.out());
  return code;
}

}  // namespace gpup
