#include "execute/flushes.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "execute/quiet_journal.h"

using namespace gpup;
using namespace gpup::test;

namespace {

/// Counts its flushes, which take a while, or break.
class Flushed : public QuietJournal {
 public:
  Result<Done> flush() override {
    const int mine = ++begun;
    overlaps += inside.exchange(true) ? 1 : 0;
    if (mine > quick) {
      std::this_thread::sleep_for(takes);
    }
    inside = false;
    if (breaks) {
      throw std::runtime_error("out of luck");
    }
    ended = mine;
    return Done{};
  }

  std::chrono::milliseconds takes{0};
  int quick = 0;  ///< the first flushes take no time
  bool breaks = false;
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> overlaps = 0;
  std::atomic<bool> inside = false;
};

}  // namespace

TEST_CASE(
    "what is ready together is flushed together, however long that takes, and each by a flush that began after it") {
  for (const int ms : {0, 5}) {
    CAPTURE(ms);
    Flushed journal;
    journal.takes = std::chrono::milliseconds(ms);
    Loop loop(2);
    Flushes flushes(loop, journal);
    int wrong = 0;
    const auto noter = [&]() -> Task<> {
      for (int times = 0; times < 3; ++times) {
        const int before = journal.begun;
        const Result<Done> done = co_await flushes.next();
        wrong += done && journal.ended > before ? 0 : 1;
      }
    };
    for (int i = 0; i < 50; ++i) {
      loop.begin(7, noter());
    }
    loop.run();
    CHECK_EQ(wrong, 0);
    CHECK_EQ(journal.begun, 3);
    CHECK_EQ(journal.overlaps, 0);
  }
}

TEST_CASE("whoever asks while a flush is under way is on disk by the one after it, and others go on meanwhile") {
  Flushed journal;
  journal.takes = std::chrono::milliseconds(30);
  Loop loop(2);
  Flushes flushes(loop, journal);
  std::vector<std::string> said;
  const auto noter = [&](const char* name, int ms) -> Task<> {
    co_await loop.until(Loop::Clock::now() + std::chrono::milliseconds(ms));
    const int before = journal.begun;
    const Result<Done> done = co_await flushes.next();
    CHECK(done);
    CHECK_GT(journal.ended, before);
    said.emplace_back(name);
  };
  const auto other = [&]() -> Task<> {
    while (journal.begun == 0) {
      co_await loop.until(Loop::Clock::now() + std::chrono::milliseconds(1));
    }
    if (journal.ended == 0) {
      said.emplace_back("meanwhile");
    }
  };
  loop.begin(5, noter("first", 0));
  loop.begin(9, noter("late", 10));
  loop.begin(1, noter("urgent", 10));
  loop.begin(0, other());
  loop.run();
  CHECK_EQ(said.size(), 4);
  CHECK_EQ(said.front(), "meanwhile");
  CHECK_EQ(journal.begun, 2);
  CHECK_EQ(journal.overlaps, 0);
}

TEST_CASE("where flushing is quick the more urgent do not wait for others, where it is not they share one") {
  for (const bool quick : {true, false}) {
    CAPTURE(quick);
    Flushed journal;
    journal.quick = quick ? 100 : 0;
    journal.takes = std::chrono::milliseconds(2);
    Loop loop(0);
    Flushes flushes(loop, journal);
    const auto noter = [&]() -> Task<> { static_cast<void>(co_await flushes.next()); };
    loop.begin(1, noter());
    loop.run();  // by now it is known how long that takes
    for (const Loop::Rank rank : {1U, 2U, 3U}) {
      loop.begin(rank, noter());
    }
    loop.run();
    CHECK_EQ(journal.begun, quick ? 4 : 2);
  }
}

TEST_CASE("a flush that breaks is told to all who wait for it, and the next one is tried") {
  Flushed journal;
  journal.breaks = true;
  Loop loop(1);
  Flushes flushes(loop, journal);
  std::vector<std::string> said;
  const auto noter = [&]() -> Task<> {
    const Result<Done> done = co_await flushes.next();
    said.push_back(done ? "on disk" : done.error().message);
  };
  loop.begin(1, noter());
  loop.begin(2, noter());
  loop.run();
  CHECK_EQ(said, std::vector<std::string>{"out of luck", "out of luck"});
  journal.breaks = false;
  loop.begin(1, noter());
  loop.run();
  CHECK_EQ(said.back(), "on disk");
}
