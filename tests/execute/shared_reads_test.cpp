#include "execute/shared_reads.h"

#include <doctest/doctest.h>

#include <atomic>
#include <utility>
#include <vector>

#include "execute/east.h"

using namespace gpup;
using namespace gpup::test;

namespace {

/// Hosts of which each reading says how many there were.
class Counted : public HostReader {
 public:
  HostAnswer<ObservedState> observe(const HostTarget& host) override {
    if (host.name == "broken") {
      return fail(ErrorCode::kUnreachable, "no way there");
    }
    ObservedState state;
    if (host.name != "empty") {
      state.hosts.resize(1);
      state.hosts.front().build = static_cast<std::uint32_t>(++readings);
    }
    return state;
  }
  Result<HostFacts> examine(const HostTarget&) override { return fail(ErrorCode::kUnreachable, "not asked"); }

  std::atomic<int> readings = 0;
};

}  // namespace

TEST_CASE("one who asks alone reads each time, and is told of a host that says nothing of itself") {
  const std::vector<HostTarget> hosts = {{"hv-1", {}}, {"empty", {}}, {"broken", {}}};
  Counted reader;
  Loop loop(0);
  SharedReads reads(loop, hosts, reader);
  const auto told = [&](Task<Reading> reading) {
    Reading got;
    loop.begin(
        0, [](Task<Reading> asked, Reading& answer) -> Task<> { answer = co_await asked; }(std::move(reading), got));
    loop.run();
    return got;
  };
  CHECK_EQ((*told(reads.by_now(0)))->hosts.front().build, 1);
  CHECK_EQ((*told(reads.after_now(0)))->hosts.front().build, 2);
  CHECK_EQ((*told(reads.by_now(0)))->hosts.front().build, 3);
  CHECK_EQ(told(reads.after_now(1))->error().message, "it is not there");
  CHECK_EQ(told(reads.by_now(2))->error().message, "no way there");
}

TEST_CASE("what was done before a reading is asked for is in it, however many read and write a host at once") {
  East east;
  const Plan plan = east.plan();
  Watched hosts;  // asked on threads of its own
  Loop loop(4);
  SharedReads reads(loop, plan.hosts, hosts);
  int wrong = 0;
  const auto writer = [&](int number) -> Task<> {
    for (int times = 0; times < 20; ++times) {
      const VmState now = times % 2 == 0 ? VmState::kOff : VmState::kRunning;
      Result<Done> done;
      if (now == VmState::kOff) {
        done = co_await loop.get(hosts.stop_vm(plan.hosts[1], guid(number), {}, false));
      } else {
        done = co_await loop.get(hosts.start_vm(plan.hosts[1], guid(number)));
      }
      const Reading after = co_await reads.after_now(1);
      const Reading again = co_await reads.by_now(1);
      for (const Reading& reading : {after, again}) {
        wrong += done && *reading && find_vm((*reading)->hosts.front(), guid(number))->state == now ? 0 : 1;
      }
    }
  };
  loop.begin(0, writer(2));
  loop.begin(0, writer(3));
  loop.run();
  CHECK_EQ(wrong, 0);
}
