#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/lab_bench.h"

using namespace gpup;
using namespace gpup::lab_bench;

TEST_CASE("two processes may use a lab at once") {
  constexpr int kEach = 25;
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Off"), vm(2, "Off")}));
  std::vector<pid_t> children;
  for (int number = 1; number <= 2; ++number) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto hosts = make_simulated_hosts();
      bool well = true;
      for (int i = 0; i < kEach; ++i) {
        well = hosts->assign_partition(bench.target(), guid(number), {}).get().has_value() && well;
      }
      ::_exit(well ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
  }
  CHECK_EQ(bench.machine(0)["partitions"].size(), kEach);
  CHECK_EQ(bench.machine(1)["partitions"].size(), kEach);
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(bench.folder.path()), {}), 1);
}

TEST_CASE("a host's lock names who holds it and dies with its process") {
  Bench bench(lab({a2(kGpu0, 16)}, json::array()));
  int ready[2];
  int leave[2];
  REQUIRE_EQ(::pipe(ready), 0);
  REQUIRE_EQ(::pipe(leave), 0);
  const pid_t child = ::fork();
  char byte = 0;
  if (child == 0) {
    const auto hosts = make_simulated_hosts();
    byte = hosts->lock(bench.target()) ? 'y' : 'n';
    [[maybe_unused]] const ssize_t put = ::write(ready[1], &byte, 1);
    [[maybe_unused]] const ssize_t got = ::read(leave[0], &byte, 1);
    ::_exit(0);  // without unlocking
  }
  REQUIRE_EQ(::read(ready[0], &byte, 1), 1);
  CHECK_EQ(byte, 'y');
  const auto held = bench.hosts->lock(bench.target("HV-1"));
  REQUIRE_FALSE(held);
  CHECK_EQ(held.error().code, ErrorCode::kHeld);
  CHECK(says(held.error().message, "held by process " + std::to_string(child) + " since 2"));
  REQUIRE_EQ(::write(leave[1], &byte, 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(bench.hosts->lock(bench.target()));
  CHECK(bench.hosts->lock(bench.target()));  // ours already
  bench.hosts->unlock(bench.target());
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(bench.folder.path()), {}), 1);
}
