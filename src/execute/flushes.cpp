#include "execute/flushes.h"

#include <chrono>
#include <exception>
#include <utility>

#include "execute/schedule.h"

namespace gpup {

namespace {

constexpr std::chrono::microseconds kLong(100);

}  // namespace

Task<Result<Done>> Flushes::next() {
  Result<Done> result;
  co_await loop_.put_aside([&](const Loop::Waiting& waiting) {
    asked_.push_back({waiting, &result});
    const Loop::Rank rank = takes_long_ ? Schedule::last_as_urgent(waiting.rank) : waiting.rank;
    if (!planned_ || rank < *planned_) {
      planned_ = rank;
      loop_.begin(rank, flush());
    }
  });
  co_return result;
}

/// One is under way at a time, and goes on for as long as it is asked.
Task<> Flushes::flush() {
  planned_.reset();
  if (under_way_) {
    co_return;
  }
  under_way_ = true;
  while (!asked_.empty()) {
    const std::vector<Asked> asked = std::exchange(asked_, {});
    Result<Done> result;
    Loop::Clock::duration took{};
    const auto flush_all = [&] {  // perhaps on another thread
      const Loop::Clock::time_point begun = Loop::Clock::now();
      result = flush_now();
      took = Loop::Clock::now() - begun;
    };
    if (takes_long_) {
      co_await loop_.elsewhere(flush_all);
    } else {
      flush_all();
    }
    takes_long_ = took > kLong;
    for (const Asked& one : asked) {
      *one.result = result;
      loop_.go_on(one.waiting);
    }
  }
  under_way_ = false;
}

/// Never throws: they wait for it.
Result<Done> Flushes::flush_now() {
  try {
    return journal_.flush();
  } catch (const std::exception& error) {
    return fail(ErrorCode::kCannotRead, error.what());
  }
}

}  // namespace gpup
