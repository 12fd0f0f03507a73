#pragma once

// For the files that are compiled for Windows alone, X_windows.cpp. windows.h itself is included by them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpup::windows {

/// UTF-8 as UTF-16, and back. What is no valid text becomes U+FFFD.
std::wstring wide(std::string_view text);
std::string narrow(std::wstring_view text);

/// A path as the system's calls take it, also where it is longer than 260 letters.
std::wstring wide_path(std::string_view path);

/// A program and its arguments as one line, of which CommandLineToArgvW and the C library make the same words again.
std::wstring command_line(const std::vector<std::string>& words);

/// An error of the system as one of the C library's.
int errno_of(unsigned long error);
/// The system's words for it, in one line.
std::string words_of(unsigned long error);

/// Owns a HANDLE.
class Handle {
 public:
  Handle() = default;
  explicit Handle(void* handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(other.take()) {}
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close(); }

  void* get() const { return handle_; }
  /// Neither of both values that stand for none.
  bool ok() const { return handle_ != nullptr && reinterpret_cast<std::intptr_t>(handle_) != -1; }
  void* take();
  void close();

 private:
  void* handle_ = nullptr;
};

}  // namespace gpup::windows
