#include "execute/shared_reads.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
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
  SharedReads reads(hosts, reader);
  CHECK_EQ((*reads.by_now(0))->hosts.front().build, 1);
  CHECK_EQ((*reads.after_now(0))->hosts.front().build, 2);
  CHECK_EQ((*reads.by_now(0))->hosts.front().build, 3);
  CHECK_EQ(reads.after_now(1)->error().message, "it is not there");
  CHECK_EQ(reads.by_now(2)->error().message, "no way there");
}

TEST_CASE("what was done before a reading is asked for is in it, however many read and write a host at once") {
  East east;
  const Plan plan = east.plan();
  const auto hosts = make_simulated_hosts();
  SharedReads reads(plan.hosts, *hosts);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> writers;
    for (const int number : {2, 3}) {
      writers.emplace_back([&, number] {
        for (int times = 0; times < 20; ++times) {
          const VmState now = times % 2 == 0 ? VmState::kOff : VmState::kRunning;
          const Result<Done> done = now == VmState::kOff ? hosts->stop_vm(plan.hosts[1], guid(number), {}, false).get()
                                                         : hosts->start_vm(plan.hosts[1], guid(number)).get();
          const Reading after = reads.after_now(1);
          const Reading again = reads.by_now(1);
          for (const Reading& reading : {after, again}) {
            wrong += done && *reading && find_vm((*reading)->hosts.front(), guid(number))->state == now ? 0 : 1;
          }
        }
      });
    }
  }
  CHECK_EQ(wrong, 0);
}
