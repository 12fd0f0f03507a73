#include "cli/examine.h"

#include <cstddef>
#include <utility>

#include "base/side_by_side.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "cli/log.h"

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

}  // namespace

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

int exit_code(const Checkup& checkup) {
  return checkup.count(Verdict::kFail) > 0         ? kExitForbidden
         : checkup.count(Verdict::kNotChecked) > 0 ? kExitNotChecked
                                                   : kExitDone;
}

}  // namespace gpup
