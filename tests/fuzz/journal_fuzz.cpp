#include <cstddef>
#include <cstdint>
#include <string>

#include "base/sink.h"
#include "fuzz/require.h"
#include "render/history.h"
#include "render/journal_reader.h"

// Any bytes are read without harm; what is refused names a line of the file, what is read can be shown. Cut off
// anywhere, a journal that was read is read again.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const gpup::Result<gpup::RecordedRun> run = gpup::read_journal(text, "fuzz.jsonl", "fuzz");
  if (!run) {
    require(run.error().diagnostics.size() == 1);
    const gpup::Diagnostic& wrong = run.error().diagnostics.front();
    require(wrong.code == gpup::Code::kJournalSyntax && wrong.line > 0);
    check_terminal(gpup::render_diagnostics(run.error().diagnostics));
    return 0;
  }
  gpup::StringSink shown;
  gpup::render_run_text(*run, shown);
  gpup::render_history_text({*run}, "folder", shown);
  gpup::render_run_json(*run, shown);
  gpup::render_history_json({*run}, shown);
  check_terminal(shown.text);
  for (std::size_t part = 1; part < 8; ++part) {
    require(gpup::read_journal(text.substr(0, size * part / 8), "fuzz.jsonl", "fuzz").has_value());
  }
  return 0;
}
