#pragma once

#include "base/diagnostics.h"
#include "base/sink.h"

namespace gpup {

/// Diagnostics as the document that stands where an answer would (`schemas/diagnostics.v1.schema.json`).
void write_diagnostics(const Diagnostics& diagnostics, Sink& sink);

/// One diagnostic as a JSON object, without a line's end: as plans and the document above hold it.
void append_diagnostic(std::string& out, const Diagnostic& diagnostic);

}  // namespace gpup
