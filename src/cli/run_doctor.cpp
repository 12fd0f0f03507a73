#include <optional>
#include <utility>
#include <vector>

#include "cli/command_runs.h"
#include "cli/examine.h"
#include "cli/inputs.h"
#include "plan/doctor.h"
#include "render/doctor.h"

namespace gpup {

int run_doctor(const Call& call) {
  std::optional<Files> files;
  std::vector<HostTarget> targets;
  if (call.line.has("file")) {
    auto read = read_files(call);
    if (!read) {
      return cannot_work(call, read.error());
    }
    files = std::move(*read);
    targets = files->targets();
    tell(call, files->warnings);
  } else {
    auto given = connect_targets(call);
    if (!given) {
      return cannot_work(call, given.error());
    }
    targets = std::move(*given);
  }
  const std::vector<Examined> hosts = examine_all(call.world, std::move(targets));
  const Checkup checkup = check_up(files ? &files->desired : nullptr, hosts);
  const int code = exit_code(checkup);
  const auto answer = [&](std::string_view form, bool on_stdout, Sink& out) {
    if (form == "json") {
      write_doctor_json(checkup, code, out);
    } else {
      render_doctor_text(checkup, {call.line.has("full"), on_stdout && call.color_out}, out);
    }
  };
  return give_answer(call, "text", answer, code);
}

}  // namespace gpup
