#include <utility>
#include <vector>

#include "cli/command_runs.h"
#include "cli/runs.h"
#include "render/history.h"

namespace gpup {

int run_history(const Call& call) {
  if (call.line.argument) {
    const auto run = read_run(call, *call.line.argument);
    if (!run) {
      return cannot_work(call, run.error());
    }
    const auto answer = [&](std::string_view form, bool, Sink& out) {
      form == "json" ? render_run_json(*run, out) : render_run_text(*run, out);
    };
    return give_answer(call, "text", answer, kExitDone);
  }
  const auto runs = read_runs(call);
  if (!runs) {
    return cannot_work(call, runs.error());
  }
  const auto answer = [&](std::string_view form, bool, Sink& out) {
    form == "json" ? render_history_json(*runs, out) : render_history_text(*runs, state_folder(call), out);
  };
  return give_answer(call, "text", answer, kExitDone);
}

}  // namespace gpup
