#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace gpup {

/// Calls `deed` after each period, on a thread of its own, until it is destroyed. Where there is no thread to be had it
/// calls nothing.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds period, std::function<void()> deed);
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace gpup
