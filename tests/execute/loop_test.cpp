#include "execute/loop.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace gpup;

namespace {

using namespace std::chrono_literals;

Task<> say(std::vector<int>& said, int what) {
  said.push_back(what);
  co_return;
}

}  // namespace

TEST_CASE("nothing happens before the loop runs, then the most urgent task goes first, of equals the first begun") {
  Loop loop(0);
  std::vector<int> said;
  for (const int what : {31, 11, 21, 12, 32, 13}) {
    loop.begin(static_cast<Loop::Rank>(what / 10), say(said, what));
  }
  CHECK(said.empty());
  loop.run();
  CHECK_EQ(said, std::vector{11, 12, 13, 21, 31, 32});
  loop.run();
  CHECK_EQ(said.size(), 6);
}

TEST_CASE("a task that lets others go on comes after those that are as urgent, and keeps its rank") {
  Loop loop(0);
  std::vector<int> said;
  const auto polite = [&]() -> Task<> {
    said.push_back(1);
    co_await loop.behind(2);
    said.push_back(4);
    CHECK_EQ(loop.rank(), 2);
  };
  loop.begin(1, polite());
  loop.begin(1, say(said, 2));
  loop.begin(2, say(said, 3));
  loop.begin(3, say(said, 5));
  loop.run();
  CHECK_EQ(said, std::vector{1, 2, 3, 4, 5});
}

TEST_CASE("a task may begin others, and await many that do not wait without needing more of the stack") {
  Loop loop(0);
  constexpr int kMany = 200'000;
  int done = 0;
  const auto one = [&]() -> Task<int> { co_return ++done; };
  const auto all = [&]() -> Task<> {
    for (int i = 0; i < kMany; ++i) {
      const int told = co_await one();
      if (told != i + 1) {
        throw std::runtime_error("out of order");
      }
    }
    loop.begin(0, [](int& count) -> Task<> {
      ++count;
      co_return;
    }(done));
  };
  loop.begin(0, all());
  loop.run();
  CHECK_EQ(done, kMany + 1);
}

TEST_CASE("what is due comes in the order of its time, no sooner, and its thread does other things meanwhile") {
  Loop loop(0);
  std::vector<int> said;
  const auto begun = Loop::Clock::now();
  const auto later = [&](int ms) -> Task<> {
    const Result<int> told = co_await loop.get(
        HostAnswer<int>::due(begun + std::chrono::milliseconds(ms), [ms] { return Result<int>(ms); }));
    CHECK_GE(Loop::Clock::now() - begun, std::chrono::milliseconds(ms));
    said.push_back(*told);
  };
  for (const int ms : {30, 10, 20}) {
    loop.begin(0, later(ms));
  }
  loop.begin(1, say(said, 0));
  loop.run();
  CHECK_EQ(said, std::vector{0, 10, 20, 30});
}

TEST_CASE("an answer that is there costs no turn, and one that has to be waited for is, on another thread") {
  Loop loop(4);
  std::vector<int> said;
  const auto here = [&]() -> Task<> {
    const Result<int> told = co_await loop.get(HostAnswer<int>(7));
    said.push_back(*told);
  };
  std::set<std::thread::id> threads;
  const auto away = [&]() -> Task<> {
    std::thread::id thread;
    const Result<int> told = co_await loop.get(HostAnswer<int>::waited([&] {
      thread = std::this_thread::get_id();
      return Result<int>(8);
    }));
    threads.insert(thread);
    said.push_back(*told);
    CHECK_NE(thread, std::this_thread::get_id());
  };
  loop.begin(1, away());
  loop.begin(1, here());
  loop.run();
  CHECK_EQ(said, std::vector{7, 8});
  loop.begin(1, away());
  loop.run();
  CHECK_EQ(threads.size(), 1);  // the one that was there is taken again
}

TEST_CASE("what blocks goes side by side, as much as there are threads, and the rest waits for one of them") {
  constexpr int kThreads = 3;
  Loop loop(kThreads);
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  int most = 0;
  int met = 0;
  const auto one = [&]() -> Task<> {
    co_await loop.elsewhere([&] {
      std::unique_lock lock(mutex);
      most = std::max(most, ++inside);
      if (inside == kThreads) {
        ++met;
        changed.notify_all();
      }
      changed.wait_for(lock, 60s, [&] { return met > 0; });
      --inside;
    });
  };
  for (int i = 0; i < 3 * kThreads; ++i) {
    loop.begin(0, one());
  }
  loop.run();
  CHECK_EQ(most, kThreads);
  CHECK_GT(met, 0);
}

TEST_CASE("without other threads what blocks is done on that of the loop") {
  Loop loop(0);
  std::thread::id thread;
  const auto one = [&]() -> Task<> {
    co_await loop.elsewhere([&] {
      thread = std::this_thread::get_id();
      loop.call([&] { CHECK_EQ(std::this_thread::get_id(), thread); });
    });
  };
  loop.begin(0, one());
  loop.run();
  CHECK_EQ(thread, std::this_thread::get_id());
}

TEST_CASE("what another thread has done on the loop's is done there, in order, before it goes on") {
  Loop loop(2);
  std::vector<int> said;
  const auto one = [&]() -> Task<> {
    co_await loop.elsewhere([&] {
      for (int i = 0; i < 100; ++i) {
        loop.call([&] { said.push_back(i); });
        CHECK_THROWS_AS(loop.call([] { throw std::runtime_error("out of luck"); }), std::runtime_error);
      }
    });
    said.push_back(100);
  };
  loop.begin(0, one());
  loop.run();
  REQUIRE_EQ(said.size(), 101);
  for (int i = 0; i <= 100; ++i) {
    CHECK_EQ(said[static_cast<std::size_t>(i)], i);
  }
}

TEST_CASE(
    "what is thrown, here or elsewhere, comes to whoever awaits it, at last to whoever runs, when all has ended") {
  Loop loop(1);
  std::vector<int> said;
  const auto throws = [&](bool away) -> Task<> {
    const auto deed = [] { throw std::runtime_error("out of luck"); };
    if (away) {
      co_await loop.elsewhere(deed);
    }
    deed();
  };
  const auto catches = [&](bool away) -> Task<> {
    try {
      co_await throws(away);
    } catch (const std::runtime_error&) {
      said.push_back(away ? 2 : 1);
    }
  };
  loop.begin(0, catches(false));
  loop.begin(0, catches(true));
  loop.run();
  CHECK_EQ(said, std::vector{1, 2});

  const auto slow = [&]() -> Task<> {
    co_await loop.until(Loop::Clock::now() + 20ms);
    said.push_back(3);
  };
  loop.begin(0, throws(true));
  loop.begin(0, throws(false));
  loop.begin(0, slow());
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  CHECK_EQ(said, std::vector{1, 2, 3});
  CHECK_FALSE(loop.broken());
}

TEST_CASE("turns are taken one at a time, in the order in which they were asked for, also where one throws") {
  Loop loop(0);
  Turns turns(loop);
  std::vector<int> said;
  int inside = 0;
  const auto one = [&](int number) -> Task<> {
    {
      const Turns::Turn turn = co_await turns.take();
      CHECK_EQ(++inside, 1);
      CHECK_EQ(loop.rank(), Loop::kMostUrgent);
      co_await loop.until(Loop::Clock::now() + 1ms);
      said.push_back(number);
      --inside;
      if (number == 2) {
        throw std::runtime_error("out of luck");
      }
    }
    CHECK_EQ(loop.rank(), 5);
  };
  for (const int number : {1, 2, 3, 4}) {
    loop.begin(5, one(number));
  }
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  CHECK_EQ(said, std::vector{1, 2, 3, 4});
}

TEST_CASE("whoever waits for a turn has it before all others go on, however urgent") {
  Loop loop(0);
  Turns turns(loop);
  std::vector<int> said;
  const auto first = [&]() -> Task<> {
    {
      const Turns::Turn turn = co_await turns.take();
      co_await loop.until(Loop::Clock::now() + 5ms);
      loop.begin(1, say(said, 3));
      said.push_back(1);
    }
    co_await loop.behind(loop.rank());
    said.push_back(4);
  };
  const auto second = [&]() -> Task<> {
    const Turns::Turn turn = co_await turns.take();
    said.push_back(2);
  };
  loop.begin(5, first());
  loop.begin(9, second());
  loop.run();
  CHECK_EQ(said, std::vector{1, 2, 3, 4});
}
