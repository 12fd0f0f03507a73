#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "base/sink.h"
#include "render/history.h"
#include "render/journal_reader.h"

namespace gpup::test {

namespace {

const std::string kBegin =
    R"({"time":"2026-11-26T03:38:02.511Z","entry":"begin","apiVersion":"gpup/v1","folder":"/srv","resumes":null,)"
    R"("plan":"sha256:00","name":"east","steps":2,"later":{"a":[1]}})"
    "\n";
const std::string kIntent =
    R"({"time":"2026-11-26T03:38:02.514Z","entry":"intent","step":1,"op":"stop-vm","host":"hv-1","vm":"vdi-01"})"
    "\n";
const std::string kOutcome =
    R"({"time":"2026-11-26T03:38:02.520Z","entry":"outcome","step":1,"op":"stop-vm","host":"hv-1","vm":"vdi-01",)"
    R"("outcome":"done","message":null})"
    "\n";
const std::string kUndo =
    R"({"time":"2026-11-26T03:38:02.525Z","entry":"undo","step":1,"op":"stop-vm","host":"hv-1","vm":"vdi-01"})"
    "\n";
const std::string kHook =
    R"({"time":"2026-11-26T03:38:02.511Z","entry":"hook","hook":"before","step":1,"host":"hv-1","vm":"vdi-01",)"
    R"("vmId":"711c"})"
    "\n";
const std::string kHookEnded =
    R"({"time":"2026-11-26T03:38:02.513Z","entry":"hook-ended","hook":"before","step":1,"host":"hv-1","vm":"vdi-01",)"
    R"("vmId":"711c","outcome":"failed","message":"exited with 1"})"
    "\n";
const std::string kEnd = R"({"time":"2026-11-26T03:38:02.531Z","entry":"end","exitCode":7})"
                         "\n";

std::string shown(const std::string& text) {
  const auto run = read_journal(text, "run.jsonl", "run");
  if (!run) {
    return render_diagnostics(run.error().diagnostics);
  }
  StringSink sink;
  render_run_text(*run, sink);
  return sink.text;
}

std::string first_line_of(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

TEST_CASE("a journal tells what was done, what was begun, and how the run ended") {
  CHECK_EQ(shown(kBegin + kIntent + kOutcome + kEnd),
           "run: east, 1 of 2 steps done, ended 2026-11-26T03:38:02.531Z with exit code 7\n"
           "\n"
           "Step  Time                      Host  What             Outcome\n"
           "1     2026-11-26T03:38:02.520Z  hv-1  stop-vm  vdi-01  done\n");
  CHECK(read_journal(kBegin + kIntent + kOutcome + kUndo, "run.jsonl", "run")->steps.at(0).undone);
  CHECK_NE(shown(kBegin + kIntent + kOutcome + kUndo).find("done: taken back: its VM did not start with it\n"),
           std::string::npos);
  CHECK_EQ(shown(kBegin), "run: east, 0 of 2 steps done, not ended\n");
}

TEST_CASE("a journal tells which hooks were run, and which nobody saw the end of") {
  const std::string of_run = R"({"time":"2026-11-26T03:38:02.529Z","entry":"hook","hook":"on-failure"})"
                             "\n";
  CHECK_EQ(shown(kBegin + kHook + kHookEnded + of_run),
           "run: east, 0 of 2 steps done, not ended\n"
           "\n"
           "Step  Time                      Host  What                     Outcome\n"
           "      2026-11-26T03:38:02.513Z  hv-1  hook before      vdi-01  failed: exited with 1\n"
           "      2026-11-26T03:38:02.529Z        hook on-failure          begun\n");
  CHECK_FALSE(read_journal(kBegin + kHook, "run.jsonl", "run")->hooks.at(0).outcome);
}

TEST_CASE("a last line that was cut off is left out, wherever it was cut") {
  const std::string whole = kBegin + kIntent + kOutcome;
  for (std::size_t cut = 0; cut < kOutcome.size(); ++cut) {
    const auto run = read_journal(whole.substr(0, whole.size() - kOutcome.size() + cut), "run.jsonl", "run");
    REQUIRE(run);
    REQUIRE_EQ(run->steps.size(), 1);
    CHECK(run->steps[0].intended);
    CHECK_FALSE(run->steps[0].outcome);
  }
  const auto nothing = read_journal(kBegin.substr(0, 20), "run.jsonl", "run");
  REQUIRE(nothing);
  CHECK_FALSE(nothing->begun);
}

TEST_CASE("a line that is no entry, or an entry out of place, is refused with its line") {
  struct Case {
    std::string_view name;
    std::string text;
    std::string_view message;
  };
  const Case cases[] = {
      {"no begin", kIntent, "run.jsonl:1:1: error[GP211]: a journal starts with the entry 'begin' of gpup/v1"},
      {"another step", kBegin + R"({"time":"t","entry":"intent","step":3})" + "\n",
       "run.jsonl:2:1: error[GP211]: 'step' must be a number from 1 to 2"},
      {"twice", kBegin + kIntent + kIntent, "run.jsonl:3:1: error[GP211]: step 1 began twice"},
      {"ended twice", kBegin + kIntent + kOutcome + kOutcome, "run.jsonl:4:1: error[GP211]: step 1 ended twice"},
      {"undone before it ended", kBegin + kIntent + kUndo, "run.jsonl:3:1: error[GP211]: step 1 cannot be undone here"},
      {"undone twice", kBegin + kIntent + kOutcome + kUndo + kUndo,
       "run.jsonl:5:1: error[GP211]: step 1 cannot be undone here"},
      {"after the end", kBegin + kEnd + kIntent, "run.jsonl:3:1: error[GP211]: nothing may follow the entry 'end'"},
      {"a hook that had not begun", kBegin + kHookEnded,
       "run.jsonl:2:1: error[GP211]: a hook ended that had not begun"},
      {"a hook that ended twice", kBegin + kHook + kHookEnded + kHookEnded,
       "run.jsonl:4:1: error[GP211]: a hook ended that had not begun"},
      {"an unknown hook", kBegin + R"({"time":"t","entry":"hook","hook":"between"})" + "\n",
       "run.jsonl:2:1: error[GP211]: 'hook' is none that gpup knows"},
      {"an unknown entry", kBegin + R"({"time":"t","entry":"pause"})" + "\n",
       "run.jsonl:2:1: error[GP211]: there is no entry 'pause'"},
      {"a wrong type", kBegin + R"({"time":"t","entry":"intent","step":"1"})" + "\n",
       "run.jsonl:2:37: error[GP211]: 'step' must be a whole number, not a string"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_EQ(first_line_of(shown(c.text)), c.message);
  }
}

}  // namespace gpup::test
