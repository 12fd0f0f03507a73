#include <optional>
#include <utility>
#include <vector>

#include "base/side_by_side.h"
#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "cli/log.h"
#include "plan/doctor.h"
#include "render/doctor.h"

namespace gpup {

namespace {

void examine(World& world, HostReader& reader, Examined& host) {
  host.asked = world.now();
  auto facts = reader.examine(host.target);
  host.answered = world.now();
  if (facts) {
    host.facts = std::move(*facts);
  } else {
    host.error = std::move(facts.error());
  }
}

/// Asks all hosts, side by side: each waits for its network, and a silent one for its bound.
std::vector<Examined> examine_all(World& world, std::vector<HostTarget> targets) {
  std::vector<Examined> hosts(targets.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    hosts[i].target = std::move(targets[i]);
  }
  HostReader& reader = world.reader();
  side_by_side(hosts.size(), kMostReadAtOnce, [&](std::size_t i) { examine(world, reader, hosts[i]); });
  for (const Examined& host : hosts) {
    if (host.facts) {
      log_debug("examined {}", host.target.name);
    } else {
      log_info("{} could not be examined: {}", host.target.name, host.error.message);
    }
  }
  return hosts;
}

}  // namespace

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
  const int code = checkup.count(Verdict::kFail) > 0         ? kExitForbidden
                   : checkup.count(Verdict::kNotChecked) > 0 ? kExitNotChecked
                                                             : kExitDone;
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
