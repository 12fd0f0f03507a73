#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gpup {

/// Owns the bytes that names view. It only grows; every view that it gave stays
/// valid for as long as the pool lives.
class TextPool {
 public:
  TextPool() = default;
  TextPool(const TextPool&) = delete;
  TextPool& operator=(const TextPool&) = delete;

  /// A copy of `text` that lives as long as the pool.
  std::string_view keep(std::string_view text);

  /// The whole text, taken over without a copy.
  std::string_view adopt(std::string text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::unique_ptr<const std::string>> adopted_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

/// The pools that a value's views point into; whoever copies the views copies this too.
using Texts = std::vector<std::shared_ptr<const TextPool>>;

}  // namespace gpup
