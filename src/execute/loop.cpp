#include "execute/loop.h"

#include <algorithm>
#include <system_error>

namespace gpup {

/// A task that nobody awaits: its frame goes when it has ended.
class Loop::Begun {
 public:
  struct promise_type {
    Begun get_return_object() { return Begun{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // it catches all
  };

  std::coroutine_handle<promise_type> handle;
};

Loop::~Loop() {
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  given_anew_.notify_all();
}

void Loop::begin(Rank rank, Task<> task) {
  ++begun_;
  go_on({rank, see_through(std::move(task)).handle});
}

Loop::Begun Loop::see_through(Task<> task) {
  try {
    co_await task;
  } catch (...) {
    if (!broken_) {
      broken_ = std::current_exception();
    }
  }
  --begun_;
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  while (begun_ > 0) {
    take_told();
    wake_due();
    if (ready_.empty()) {
      sleep();
      continue;
    }
    const Ready best = ready_.top();
    ready_.pop();
    rank_ = best.rank;
    best.task.resume();
  }
  if (broken_) {
    std::rethrow_exception(std::exchange(broken_, nullptr));
  }
}

void Loop::wake_due() {
  if (timers_.empty()) {
    return;
  }
  const Clock::time_point now = Clock::now();
  while (!timers_.empty() && timers_.top().time <= now) {
    go_on(timers_.top().waiting);
    timers_.pop();
  }
}

void Loop::take_told() {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard guard(mutex_);
    told.swap(told_);
  }
  for (const std::function<void()>& deed : told) {
    deed();
  }
}

void Loop::sleep() {
  std::unique_lock lock(mutex_);
  const auto told = [this] { return !told_.empty(); };
  if (timers_.empty()) {
    told_anew_.wait(lock, told);
  } else {
    // Some systems wait by a clock that may be set back.
    constexpr std::chrono::seconds kLongest(1);
    told_anew_.wait_until(lock, std::min(timers_.top().time, Clock::now() + kLongest), told);
  }
}

Task<> Loop::until(Clock::time_point time) {
  if (time > Clock::now()) {
    co_await put_aside([&](const Waiting& waiting) { timers_.push({time, waiting}); });
  }
}

Task<> Loop::elsewhere(std::function<void()> deed) {
  std::exception_ptr thrown;
  const auto all = [&] {
    try {
      deed();
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  if (most_threads_ == 0) {
    all();
  } else {
    co_await put_aside([&](const Waiting& waiting) {
      give_away([this, &all, waiting] {
        all();
        tell([this, waiting] { go_on(waiting); });
      });
    });
  }
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

void Loop::call(const std::function<void()>& deed) {
  if (std::this_thread::get_id() == thread_) {
    deed();
    return;
  }
  std::exception_ptr thrown;
  bool done = false;
  tell([&] {
    try {
      deed();
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard guard(mutex_);
    done = true;
    called_.notify_all();
  });
  {
    std::unique_lock lock(mutex_);
    called_.wait(lock, [&] { return done; });
  }
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

void Loop::tell(std::function<void()> deed) {
  const std::lock_guard guard(mutex_);
  told_.push_back(std::move(deed));
  told_anew_.notify_one();
}

void Loop::give_away(std::function<void()> deed) {
  std::unique_lock lock(mutex_);
  given_.push_back(std::move(deed));
  if (idle_ >= given_.size()) {
    given_anew_.notify_one();
  } else if (threads_.size() < most_threads_) {
    try {
      threads_.emplace_back([this] { help(); });
    } catch (const std::system_error&) {
      most_threads_ = threads_.size();  // the system has no more
      if (most_threads_ == 0) {
        const std::function<void()> mine = std::move(given_.back());
        given_.pop_back();
        lock.unlock();
        mine();
      }
    }
  }
}

void Loop::help() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    given_anew_.wait(lock, [this] { return over_ || !given_.empty(); });
    --idle_;
    if (given_.empty()) {
      return;
    }
    const std::function<void()> deed = std::move(given_.front());
    given_.pop_front();
    lock.unlock();
    deed();
    lock.lock();
  }
}

}  // namespace gpup
