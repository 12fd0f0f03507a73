#include "desired/desired_state.h"

#include <algorithm>
#include <limits>

namespace gpup {

namespace {

template <class Number>
bool fits(std::int64_t value) {
  return value >= std::numeric_limits<Number>::min() && value <= std::numeric_limits<Number>::max();
}

}  // namespace

DesiredAssignment::Detail::Detail(Place from, Place to) {
  const std::int64_t lines = std::int64_t{to.line} - from.line;
  const std::int64_t columns = std::int64_t{to.column} - from.column;
  if (lines == 0 && columns > -kSameColumn && columns < kSameColumn) {
    column_ = static_cast<std::uint16_t>(kSameColumn + columns);
  } else if (lines != 0 && fits<std::int16_t>(lines) && fits<std::uint16_t>(to.column)) {
    lines_ = static_cast<std::int16_t>(lines);
    column_ = static_cast<std::uint16_t>(to.column);
  } else {
    column_ = kSameColumn;
  }
}

std::uint32_t DownLimit::of(std::size_t vms) const {
  if (!percent) {
    return value;
  }
  const std::uint64_t share = std::uint64_t{vms} * value / 100;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(share, 1, std::numeric_limits<std::uint32_t>::max()));
}

Place DesiredAssignment::Detail::seen_from(Place from) const {
  if (lines_ == 0) {
    return {from.file, from.line, static_cast<std::uint32_t>(std::int64_t{from.column} + column_ - kSameColumn)};
  }
  return {from.file, static_cast<std::uint32_t>(std::int64_t{from.line} + lines_), column_};
}

}  // namespace gpup
