#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace gpup {

template <class T>
class Task;

namespace detail {

/// What every task's frame has: who waits for it, and what it threw.
class TaskPromise {
 public:
  /// Nothing runs before somebody waits.
  std::suspend_always initial_suspend() const noexcept { return {}; }

  /// Goes on with whoever waits, if it had to.
  auto final_suspend() const noexcept {
    struct Waker {
      std::coroutine_handle<> waits;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> /*ended*/) const noexcept {
        return waits ? waits : std::coroutine_handle<>(std::noop_coroutine());
      }
      void await_resume() const noexcept {}
    };
    return Waker{waits_};
  }

  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  void wake(std::coroutine_handle<> waits) { waits_ = waits; }
  void rethrow() const {
    if (thrown_) {
      std::rethrow_exception(thrown_);
    }
  }

 private:
  std::coroutine_handle<> waits_;
  std::exception_ptr thrown_;
};

template <class T>
class TaskPromiseOf : public TaskPromise {
 public:
  Task<T> get_return_object();
  template <class Value>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }
  T take() {
    rethrow();
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromiseOf<void> : public TaskPromise {
 public:
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const { rethrow(); }
};

}  // namespace detail

/// A deed that may have to wait for others on its way, and whose thread does something else meanwhile: a coroutine. It
/// begins when it is awaited, which may be done once; whoever awaits it gets its value, or what it threw. What it was
/// given by reference must live until it has ended, and so must a lambda that is one. All of one chain is done on one
/// thread.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromiseOf<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) {
      handle_.destroy();
    }
  }

  bool await_ready() const noexcept { return false; }
  /// Many that end without having waited, one after another, need no more of the stack than one.
  bool await_suspend(std::coroutine_handle<> waits) const {
    handle_.resume();
    if (handle_.done()) {
      return false;
    }
    handle_.promise().wake(waits);
    return true;
  }
  T await_resume() const { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
Task<T> TaskPromiseOf<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

inline Task<void> TaskPromiseOf<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

}  // namespace detail

}  // namespace gpup
