#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace gpup {

/// One deed that many ask for at once: it is under way once at a time, and all who wait for the same round share its
/// answer, which is copied to each. Used from several threads. Where the deed throws, whoever did it gets the exception
/// and those who waited do it anew.
template <class Answer>
class Rounds {
 public:
  /// The answer of a round that began after this call.
  template <class Deed>
  Answer next(const Deed& deed) {
    std::unique_lock lock(mutex_);
    while (running_) {
      if (!next_) {
        next_ = std::make_shared<Round>();
      }
      const std::shared_ptr<Round> mine = next_;
      changed_.wait(lock, [&] { return mine->ended || !running_; });
      if (mine->answer) {
        return *mine->answer;
      }
    }
    return lead(lock, deed);
  }

  /// The answer of a round that had not been told to anybody before this call: of the one under way, if there is one.
  /// It began no earlier than any that was.
  template <class Deed>
  Answer current(const Deed& deed) {
    std::unique_lock lock(mutex_);
    while (const std::shared_ptr<Round> mine = running_) {
      changed_.wait(lock, [&] { return mine->ended; });
      if (mine->answer) {
        return *mine->answer;
      }
    }
    return lead(lock, deed);
  }

 private:
  struct Round {
    bool ended = false;
    std::optional<Answer> answer;  ///< nothing where its deed threw
  };

  /// Whoever comes first once nothing is under way does it for all who wait.
  template <class Deed>
  Answer lead(std::unique_lock<std::mutex>& lock, const Deed& deed) {
    const std::shared_ptr<Round> mine = next_ ? std::exchange(next_, nullptr) : std::make_shared<Round>();
    running_ = mine;
    const End end(*this, lock);
    lock.unlock();
    Answer answer = deed();
    lock.lock();
    mine->answer = answer;
    return answer;
  }

  /// Ends a round, whether its deed gave an answer or threw.
  class End {
   public:
    End(Rounds& rounds, std::unique_lock<std::mutex>& lock) : rounds_(rounds), lock_(lock) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() {
      if (!lock_.owns_lock()) {
        lock_.lock();
      }
      rounds_.running_->ended = true;
      rounds_.running_.reset();
      rounds_.changed_.notify_all();
    }

   private:
    Rounds& rounds_;
    std::unique_lock<std::mutex>& lock_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Round> running_;
  std::shared_ptr<Round> next_;  ///< of those who wait for the one under way to end
};

}  // namespace gpup
