#pragma once

#include <string>

namespace gpup {

/// Whose run it is, as the machine knows it. Either is empty where that is not known.
struct Who {
  std::string user;
  std::string host;
};

}  // namespace gpup
