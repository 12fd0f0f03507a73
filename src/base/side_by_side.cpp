#include "base/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace gpup {

void side_by_side(std::size_t count, std::size_t most, const std::function<void(std::size_t)>& deed) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr broken;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) {
        deed(i);
      }
    } catch (...) {
      const std::lock_guard guard(mutex);
      broken = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, most); ++i) {
      try {
        threads.emplace_back(work);
      } catch (const std::system_error&) {
        break;  // the system has no more threads: those that there are do it all
      }
    }
    work();
  }
  if (broken) {
    std::rethrow_exception(broken);
  }
}

}  // namespace gpup
