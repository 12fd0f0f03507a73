#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/task.h"
#include "execute/loop.h"

namespace gpup {

/// One deed that many tasks of a loop ask for at once: it is under way once at a time, and all who wait for the same
/// round share its answer, which is copied to each. Where the deed throws, whoever did it gets the exception and those
/// who waited do it anew.
template <class Answer>
class Rounds {
 public:
  using Deed = std::function<Task<Answer>()>;

  explicit Rounds(Loop& loop) : loop_(loop) {}

  /// The answer of a round that began after this call.
  Task<Answer> next(Deed deed) {
    std::shared_ptr<Round> mine;
    while (running_) {
      if (!mine || (mine != running_ && mine != next_)) {
        next_ = next_ ? next_ : std::make_shared<Round>();
        mine = next_;
      }
      co_await end_of(*mine);
      if (mine->answer) {
        co_return *mine->answer;
      }
    }
    co_return co_await lead(std::move(deed));
  }

  /// The answer of a round that had not been told to anybody before this call: of the one under way, if there is one.
  /// It began no earlier than any that was.
  Task<Answer> current(Deed deed) {
    while (const std::shared_ptr<Round> mine = running_) {
      co_await end_of(*mine);
      if (mine->answer) {
        co_return *mine->answer;
      }
    }
    co_return co_await lead(std::move(deed));
  }

 private:
  struct Round {
    std::vector<Loop::Waiting> waiting;
    std::optional<Answer> answer;  ///< nothing until it has ended, nor where its deed threw
  };

  auto end_of(Round& round) {
    return loop_.put_aside([&round](const Loop::Waiting& waiting) { round.waiting.push_back(waiting); });
  }

  /// Whoever comes first once nothing is under way does it for all who wait.
  Task<Answer> lead(Deed deed) {
    const std::shared_ptr<Round> mine = next_ ? std::exchange(next_, nullptr) : std::make_shared<Round>();
    running_ = mine;
    const End end(*this);
    loop_.set_rank(Loop::kMostUrgent);  // whoever joins may be more urgent
    mine->answer = co_await deed();
    co_return *mine->answer;
  }

  /// Ends a round, whether its deed gave an answer or threw. One of those who wait for the next one is to lead it.
  class End {
   public:
    explicit End(Rounds& rounds) : rounds_(rounds), before_(rounds.loop_.rank()) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() {
      rounds_.loop_.set_rank(before_);
      for (const Loop::Waiting& waiting : std::exchange(rounds_.running_, nullptr)->waiting) {
        rounds_.loop_.go_on(waiting);
      }
      if (rounds_.next_) {
        std::vector<Loop::Waiting>& waiting = rounds_.next_->waiting;
        const auto most_urgent = std::min_element(
            waiting.begin(), waiting.end(), [](const auto& one, const auto& other) { return one.rank < other.rank; });
        rounds_.loop_.go_on(*most_urgent);
        waiting.erase(most_urgent);
      }
    }

   private:
    Rounds& rounds_;
    const Loop::Rank before_;
  };

  Loop& loop_;
  std::shared_ptr<Round> running_;
  std::shared_ptr<Round> next_;  ///< of those who wait for the one under way to end
};

}  // namespace gpup
