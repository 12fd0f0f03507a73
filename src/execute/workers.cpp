#include "execute/workers.h"

#include <condition_variable>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace gpup {

namespace {

using Perform = std::function<void(std::uint32_t step, std::unique_lock<std::mutex>& lock)>;

class Workers {
 public:
  Workers(Schedule& schedule, std::mutex& mutex, std::size_t most, const Perform& perform)
      : schedule_(schedule), mutex_(mutex), most_(most), perform_(perform) {}

  void run() {
    work();
    for (std::jthread& thread : threads_) {  // all has ended: nobody adds to them any more
      thread.join();
    }
    if (broken_) {
      std::rethrow_exception(broken_);
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      changed_.wait(lock, [&] { return broken_ || schedule_.done() || schedule_.may_take(); });
      --idle_;
      if (broken_ || schedule_.done()) {
        break;
      }
      const std::uint32_t step = *schedule_.take();
      try {
        call_another();
        perform_(step, lock);
      } catch (...) {
        if (!lock.owns_lock()) {
          lock.lock();
        }
        broken_ = std::current_exception();
        break;
      }
      schedule_.ended(step);
    }
    changed_.notify_all();
  }

  /// Whoever took a step calls one more where there is another: all that may go on does, and nobody wakes for nothing.
  void call_another() {
    if (!schedule_.may_take()) {
      return;
    }
    if (idle_ > 0) {
      changed_.notify_one();
    } else if (threads_.size() + 1 < most_) {
      try {
        threads_.emplace_back([this] { work(); });
      } catch (const std::system_error&) {
        most_ = threads_.size() + 1;  // the system has no more
      }
    }
  }

  Schedule& schedule_;
  std::mutex& mutex_;
  std::size_t most_;
  const Perform& perform_;
  std::condition_variable changed_;
  std::size_t idle_ = 0;
  std::exception_ptr broken_;
  std::vector<std::jthread> threads_;
};

}  // namespace

void perform_all(Schedule& schedule, std::mutex& mutex, std::size_t most, const Perform& perform) {
  Workers(schedule, mutex, most, perform).run();
}

}  // namespace gpup
