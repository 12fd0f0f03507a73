#include "base/ticker.h"

#include <system_error>
#include <utility>

namespace gpup {

Ticker::Ticker(std::chrono::milliseconds period, std::function<void()> deed) {
  try {
    thread_ = std::thread([this, period, tick = std::move(deed)] {
      std::unique_lock lock(mutex_);
      while (!changed_.wait_for(lock, period, [this] { return over_; })) {
        lock.unlock();
        tick();
        lock.lock();
      }
    });
  } catch (const std::system_error&) {
    over_ = true;
  }
}

Ticker::~Ticker() {
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace gpup
