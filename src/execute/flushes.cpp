#include "execute/flushes.h"

#include <chrono>
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

Task<> Flushes::flush() {
  planned_.reset();
  const std::vector<Asked> asked = std::exchange(asked_, {});
  if (asked.empty()) {
    co_return;  // a more urgent one has done it
  }
  const Loop::Clock::time_point begun = Loop::Clock::now();
  const Result<Done> result = journal_.flush();
  takes_long_ = Loop::Clock::now() - begun > kLong;
  for (const Asked& one : asked) {
    *one.result = result;
    loop_.go_on(one.waiting);
  }
}

}  // namespace gpup
