#include "base/tar.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <string>

#include <fmt/format.h>

namespace gpup {

namespace {

constexpr std::size_t kBlock = 512;

// Where the fields of a header stand.
constexpr std::size_t kMode = 100;
constexpr std::size_t kUser = 108;
constexpr std::size_t kGroup = 116;
constexpr std::size_t kSize = 124;
constexpr std::size_t kTime = 136;
constexpr std::size_t kSum = 148;
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257;

using Header = std::array<char, kBlock>;

void put(Header& header, std::size_t at, std::string_view text) {
  assert(at + text.size() <= header.size());
  std::memcpy(header.data() + at, text.data(), text.size());
}

}  // namespace

void Tar::add(std::string_view name, std::string_view bytes) {
  assert(!name.empty() && name.size() <= kLongestName);
  Header header{};
  put(header, 0, name);
  put(header, kMode, fmt::format("{:07o}", 0644));
  put(header, kUser, fmt::format("{:07o}", 0));
  put(header, kGroup, fmt::format("{:07o}", 0));
  put(header, kSize, fmt::format("{:011o}", bytes.size()));
  put(header, kTime, fmt::format("{:011o}", time_));
  put(header, kSum, "        ");  // counted as blanks
  header[kType] = '0';
  put(header, kMagic,
      {"ustar\0"
       "00",
       8});
  const unsigned sum = std::accumulate(header.begin(), header.end(), 0U,
                                       [](unsigned all, char byte) { return all + static_cast<unsigned char>(byte); });
  put(header, kSum, fmt::format("{:06o}", sum));
  header[kSum + 6] = '\0';
  sink_.write({header.data(), header.size()});
  sink_.write(bytes);
  sink_.write(std::string((kBlock - bytes.size() % kBlock) % kBlock, '\0'));
}

void Tar::finish() { sink_.write(std::string(2 * kBlock, '\0')); }

}  // namespace gpup
