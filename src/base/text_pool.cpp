#include "base/text_pool.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gpup {

namespace {
constexpr std::size_t kBytesAtOnce = 64UL * 1024;
}

std::string_view TextPool::keep(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  if (text.size() > left_) {
    const std::size_t size = std::max(kBytesAtOnce, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    next_ = blocks_.back().get();
    left_ = size;
  }
  std::memcpy(next_, text.data(), text.size());
  const std::string_view kept(next_, text.size());
  next_ += text.size();
  left_ -= text.size();
  return kept;
}

std::string_view TextPool::adopt(std::string text) {
  adopted_.push_back(std::make_unique<const std::string>(std::move(text)));
  return *adopted_.back();
}

}  // namespace gpup
