#include "execute/rounds.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

using namespace gpup;

namespace {

/// Rounds of a deed that takes as many turns of the loop as it is told, and says which one it was.
class CountedRounds {
 public:
  Task<int> next() {
    return rounds_.next([this] { return deed(); });
  }
  Task<int> current() {
    return rounds_.current([this] { return deed(); });
  }

  /// Lets others go on.
  Task<> pass(int times) {
    for (int i = 0; i < times; ++i) {
      co_await loop.behind(loop.rank());
    }
  }

  Loop loop{0};
  int turns = 3;
  bool slow = false;  ///< less urgent tasks go on meanwhile
  int begun = 0;
  int latest = 0;  ///< of the rounds that somebody has the answer of
  int under_way = 0;
  int overlaps = 0;
  bool breaks = false;  ///< each other one does

 private:
  Task<int> deed() {
    const int mine = ++begun;
    overlaps += under_way++ > 0 ? 1 : 0;
    co_await pass(turns);
    if (slow) {
      co_await loop.until(Loop::Clock::now() + std::chrono::milliseconds(1));
    }
    --under_way;
    if (breaks && mine % 2 != 0) {
      throw std::runtime_error("out of luck");
    }
    co_return mine;
  }

  Rounds<int> rounds_{loop};
};

Task<> keep(Task<int> asked, std::vector<int>& answers) { answers.push_back(co_await asked); }

}  // namespace

TEST_CASE("all who ask for the next round while one is under way share one") {
  CountedRounds rounds;
  rounds.slow = true;
  std::vector<int> answers;
  for (int i = 0; i < 5; ++i) {
    rounds.loop.begin(1, keep(rounds.next(), answers));
  }
  rounds.loop.run();
  CHECK_EQ(answers, std::vector{1, 2, 2, 2, 2});
}

TEST_CASE("all who ask for the current round get the one under way") {
  CountedRounds rounds;
  rounds.slow = true;
  std::vector<int> answers;
  for (int i = 0; i < 5; ++i) {
    rounds.loop.begin(1, keep(rounds.current(), answers));
  }
  rounds.loop.run();
  CHECK_EQ(answers, std::vector(5, 1));
}

TEST_CASE("whoever asks alone is told of a round of his own") {
  CountedRounds rounds;
  std::vector<int> answers;
  for (int i = 0; i < 2; ++i) {
    rounds.loop.begin(1, keep(rounds.next(), answers));
    rounds.loop.run();
    rounds.loop.begin(1, keep(rounds.current(), answers));
    rounds.loop.run();
  }
  CHECK_EQ(answers, std::vector{1, 2, 3, 4});
}

TEST_CASE("the most urgent of those who wait for the next round leads it, and one who comes between does not lose it") {
  for (const Loop::Rank newcomer : {Loop::Rank{1}, Loop::Rank{9}}) {
    CAPTURE(newcomer);
    CountedRounds rounds;
    rounds.slow = true;
    std::vector<int> answers;
    const auto first = [&]() -> Task<> {
      co_await keep(rounds.next(), answers);
      rounds.loop.begin(newcomer, keep(rounds.next(), answers));
    };
    rounds.loop.begin(5, first());
    for (const Loop::Rank rank : {7U, 6U, 8U}) {
      rounds.loop.begin(rank, keep(rounds.next(), answers));
    }
    rounds.loop.run();
    CHECK_EQ(answers.size(), 5);
    CHECK_EQ(*std::max_element(answers.begin(), answers.end()), rounds.begun);
    CHECK_LE(rounds.begun, 3);
    CHECK_EQ(rounds.overlaps, 0);
  }
}

TEST_CASE(
    "rounds never overlap, the next one begins after it was asked for, the current one is as late as any that ended") {
  std::mt19937 random(20261127);
  const auto below = [&](std::uint32_t most) { return random() % most; };
  for (int times = 0; times < 200; ++times) {
    CountedRounds rounds;
    rounds.turns = static_cast<int>(below(4));
    int wrong = 0;
    const auto asker = [&](std::uint32_t seed) -> Task<> {
      std::mt19937 own(seed);
      for (int i = 0; i < 20; ++i) {
        const bool next = own() % 2 == 0;
        const int before = rounds.latest;
        const int asked = rounds.begun;
        int told = 0;
        if (next) {
          told = co_await rounds.next();
        } else {
          told = co_await rounds.current();
        }
        wrong += told < before || (next && told <= asked) ? 1 : 0;
        rounds.latest = std::max(rounds.latest, told);
        co_await rounds.pass(static_cast<int>(own() % 5));
      }
    };
    for (std::uint32_t i = 0; i < 5; ++i) {
      rounds.loop.begin(below(3), asker(static_cast<std::uint32_t>(random())));
    }
    rounds.loop.run();
    CHECK_EQ(wrong, 0);
    CHECK_EQ(rounds.overlaps, 0);
  }
}

TEST_CASE("a round that breaks is its own asker's matter: those who waited for it have one anew") {
  for (const int turns : {0, 1, 3}) {
    CAPTURE(turns);
    CountedRounds rounds;
    rounds.turns = turns;
    rounds.breaks = true;
    int broken = 0;
    int answered = 0;
    const auto asker = [&](bool next) -> Task<> {
      try {
        int told = 0;
        if (next) {
          told = co_await rounds.next();
        } else {
          told = co_await rounds.current();
        }
        answered += told % 2 == 0 ? 1 : 0;
      } catch (const std::runtime_error&) {
        ++broken;
      }
    };
    for (int i = 0; i < 8; ++i) {
      rounds.loop.begin(1, asker(i % 2 == 0));
    }
    rounds.loop.run();
    CHECK_EQ(answered + broken, 8);
    CHECK_EQ(broken, (rounds.begun + 1) / 2);
    CHECK_EQ(rounds.overlaps, 0);
  }
}
