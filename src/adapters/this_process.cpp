#include "adapters/this_process.h"

#include <array>
#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

namespace gpup {

Who who_runs_this() {
  Who who{user_name(), machine_name()};
  if (who.user.empty()) {
    who.user = fmt::format("uid {}", ::geteuid());
  }
  return who;
}

std::string user_name() {
  struct passwd entry {};
  struct passwd* found = nullptr;
  std::array<char, 4096> texts{};
  if (::getpwuid_r(::geteuid(), &entry, texts.data(), texts.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return {};
}

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::uint64_t process_number() { return static_cast<std::uint64_t>(::getpid()); }

std::vector<std::string> arguments(int argc, char** argv) { return {argv + (argc > 0 ? 1 : 0), argv + argc}; }

std::optional<std::string> environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string state_home() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') {
    return state;
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] == '\0') {
    const passwd* const user = ::getpwuid(::getuid());  // a service may run without an environment
    home = user == nullptr ? nullptr : user->pw_dir;
  }
  return home != nullptr && home[0] != '\0' ? std::string(home) + "/.local/state" : std::string();
}

const char* const kNoStateHome = "neither XDG_STATE_HOME nor HOME is set";

}  // namespace gpup
