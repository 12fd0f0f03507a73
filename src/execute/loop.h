#pragma once

#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "base/task.h"
#include "observed/host_answer.h"

namespace gpup {

/// Where the tasks of a run go on: all on the thread that calls `run`, one at a time, so that what they share needs no
/// lock. Of those that can go on the most urgent does. What has to wait, waits beside it: answers that come at their
/// time cost no thread, what blocks is given to one of a few others, in the order in which it comes. All but `call` is
/// for the thread of `run`.
class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  /// How urgent a task is: the lowest goes first, of equals whoever could first. What it awaits inherits it.
  using Rank = std::uint64_t;
  static constexpr Rank kMostUrgent = 0;
  /// A task that was put aside.
  struct Waiting {
    Rank rank = 0;
    std::coroutine_handle<> task;
  };

  /// `most_threads`: beside the one of `run`. Without any, and where the system has none, what blocks is done there.
  explicit Loop(std::size_t most_threads) : most_threads_(most_threads) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// The task goes on once `run` is called, or goes on.
  void begin(Rank rank, Task<> task);
  /// Returns when all that was begun has ended. What the first of them threw, if any did, is thrown then.
  void run();
  /// Of the task that goes on now.
  Rank rank() const { return rank_; }
  void set_rank(Rank rank) { rank_ = rank; }
  /// Some task has thrown.
  bool broken() const { return broken_ != nullptr; }

  // For tasks of this loop.

  /// What a host answers.
  template <class T>
  Task<Result<T>> get(HostAnswer<T> answer) {
    if (const auto time = answer.due()) {
      co_await until(*time);
    } else if (!answer.is_here()) {
      std::optional<Result<T>> got;
      co_await elsewhere([&] { got.emplace(answer.get()); });
      co_return *std::move(got);
    }
    co_return answer.get();
  }
  Task<> until(Clock::time_point time);
  /// `deed` blocks: it is done on another thread. What it throws is thrown here.
  Task<> elsewhere(std::function<void()> deed);
  /// Puts the task that awaits this aside: `keep(Waiting)` must see to it that `go_on` is called with it, once.
  template <class Keep>
  auto put_aside(Keep keep) {
    struct Aside {
      Loop& loop;
      Keep keep;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> task) { keep(Waiting{loop.rank_, task}); }
      void await_resume() const noexcept {}
    };
    return Aside{*this, std::move(keep)};
  }
  /// Lets those go on that are more urgent than that rank, and goes on with it.
  auto behind(Rank rank) {
    return put_aside([this, rank](const Waiting& waiting) { go_on({rank, waiting.task}); });
  }
  void go_on(const Waiting& waiting) { ready_.push({waiting.rank, ++order_, waiting.task}); }

  /// For what is done elsewhere: does something on the thread of `run`, and returns when that is done. What it throws
  /// is thrown here.
  void call(const std::function<void()>& deed);

 private:
  struct Ready {
    Rank rank;
    std::uint64_t order;
    std::coroutine_handle<> task;
    bool operator>(const Ready& other) const { return rank != other.rank ? rank > other.rank : order > other.order; }
  };
  struct Timer {
    Clock::time_point time;
    Waiting waiting;
    bool operator>(const Timer& other) const { return time > other.time; }
  };
  template <class T>
  using LeastFirst = std::priority_queue<T, std::vector<T>, std::greater<>>;

  class Begun;
  Begun see_through(Task<> task);
  void wake_due();
  void take_told();
  void sleep();
  void tell(std::function<void()> deed);
  void give_away(std::function<void()> deed);
  void help();

  // Of the thread of `run`.
  LeastFirst<Ready> ready_;
  LeastFirst<Timer> timers_;
  std::uint64_t order_ = 0;
  std::size_t begun_ = 0;  ///< tasks that have not ended
  Rank rank_ = 0;          ///< of the task that goes on now
  std::exception_ptr broken_;
  std::thread::id thread_;

  std::mutex mutex_;
  std::condition_variable told_anew_;
  std::vector<std::function<void()>> told_;  ///< by other threads, to be done on that of `run`
  std::condition_variable called_;           ///< what was told is done
  std::condition_variable given_anew_;
  std::deque<std::function<void()>> given_;  ///< to other threads
  std::size_t idle_ = 0;                     ///< of them
  bool over_ = false;
  std::size_t most_threads_;
  std::vector<std::jthread> threads_;
};

/// Only one task at a time; the others wait for their turn in the order in which they came.
class Turns {
 public:
  class [[nodiscard]] Turn {
   public:
    Turn(Turns& turns, Loop::Rank before) : turns_(&turns), before_(before) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), before_(other.before_) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) {
        turns_->end();
        turns_->loop_.set_rank(before_);
      }
    }

   private:
    Turns* turns_;
    Loop::Rank before_;
  };

  explicit Turns(Loop& loop) : loop_(loop) {}

  /// Until what it returns is gone. Whoever has it is more urgent than all others: they wait for it.
  Task<Turn> take() {
    const Loop::Rank before = loop_.rank();
    if (taken_) {
      co_await loop_.put_aside([this](const Loop::Waiting& waiting) { waiting_.push_back(waiting); });
    }
    taken_ = true;
    loop_.set_rank(Loop::kMostUrgent);
    co_return Turn(*this, before);
  }

 private:
  /// Whoever is next has it already: nobody comes between.
  void end() {
    taken_ = !waiting_.empty();
    if (taken_) {
      loop_.go_on({Loop::kMostUrgent, waiting_.front().task});
      waiting_.pop_front();
    }
  }

  Loop& loop_;
  bool taken_ = false;
  std::deque<Loop::Waiting> waiting_;
};

}  // namespace gpup
