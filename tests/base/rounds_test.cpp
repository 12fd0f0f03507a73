#include "base/rounds.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace gpup;

namespace {

constexpr int kAskers = 4;

/// Asks once from each of several threads while a round is under way, which lasts `hold` after the last of them was
/// about to ask; gives how many rounds there were in all.
template <class Ask>
int rounds_of(std::chrono::milliseconds hold, const Ask& ask) {
  Rounds<int> rounds;
  std::atomic<int> begun = 0;
  std::atomic<int> about_to = 0;
  std::vector<std::jthread> askers;
  rounds.next([&] {
    for (int i = 0; i < kAskers; ++i) {
      askers.emplace_back([&] {
        ++about_to;
        ask(rounds, [&] { return ++begun; });
      });
    }
    while (about_to < kAskers) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(hold);
    return ++begun;
  });
  askers.clear();
  return begun;
}

/// Until the threads are quick enough for once: only on a machine that never runs them this fails.
template <class Ask>
bool ever(int rounds, const Ask& ask) {
  for (int ms = 1; ms <= 4096; ms *= 2) {
    if (rounds_of(std::chrono::milliseconds(ms), ask) == rounds) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("all who ask for the next round while one is under way share one") {
  CHECK(ever(2, [](auto& rounds, const auto& deed) { CHECK_GT(rounds.next(deed), 1); }));
}

TEST_CASE("all who ask for the current round get the one under way") {
  CHECK(ever(1, [](auto& rounds, const auto& deed) { CHECK_GE(rounds.current(deed), 1); }));
}

TEST_CASE(
    "rounds never overlap, the next one begins after it was asked for, the current one is as late as any that ended") {
  Rounds<int> rounds;
  std::atomic<int> clock = 0;
  std::atomic<int> latest = 0;  // of the rounds that somebody has the answer of, when it began
  std::atomic<bool> inside = false;
  std::atomic<int> wrong = 0;
  const auto deed = [&] {
    wrong += inside.exchange(true) ? 1 : 0;
    const int begun = ++clock;
    std::this_thread::yield();
    inside = false;
    return begun;
  };
  {
    std::vector<std::jthread> askers;
    for (int i = 0; i < kAskers; ++i) {
      askers.emplace_back([&, i] {
        for (int times = 0; times < 500; ++times) {
          const bool next = (i + times) % 2 == 0;
          const int before = latest;
          const int asked = ++clock;
          const int begun = next ? rounds.next(deed) : rounds.current(deed);
          wrong += begun < before || (next && begun < asked) ? 1 : 0;
          for (int seen = latest; seen < begun && !latest.compare_exchange_weak(seen, begun);) {
          }
        }
      });
    }
  }
  CHECK_EQ(wrong.load(), 0);
}

TEST_CASE("a round that breaks is its own asker's matter: those who waited for it have one anew") {
  Rounds<int> rounds;
  std::atomic<int> times = 0;
  std::atomic<int> broken = 0;
  std::atomic<int> answered = 0;
  const auto deed = [&]() -> int {
    std::this_thread::yield();
    return ++times % 2 != 0 ? throw std::runtime_error("out of luck") : 7;
  };
  {
    std::vector<std::jthread> askers;
    for (int i = 0; i < 2 * kAskers; ++i) {
      askers.emplace_back([&, i] {
        try {
          answered += (i % 2 == 0 ? rounds.next(deed) : rounds.current(deed)) == 7 ? 1 : 0;
        } catch (const std::runtime_error&) {
          ++broken;
        }
      });
    }
  }
  CHECK_EQ(answered + broken, 2 * kAskers);
  CHECK_EQ(broken, (times + 1) / 2);
}
