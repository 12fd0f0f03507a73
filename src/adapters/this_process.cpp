#include "adapters/this_process.h"

#include <array>

#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

namespace gpup {

Who who_runs_this() {
  constexpr std::size_t kLongestName = 256;
  Who who;
  const passwd* const user = ::getpwuid(::geteuid());
  who.user = user != nullptr ? std::string(user->pw_name) : fmt::format("uid {}", ::geteuid());
  std::array<char, kLongestName> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) {
    who.host = name.data();
  }
  return who;
}

}  // namespace gpup
