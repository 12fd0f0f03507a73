#include <array>
#include <vector>

#define SECURITY_WIN32
#include <windows.h>
// after it
#include <secext.h>
#include <shellapi.h>
#include <shlobj.h>

#include "adapters/common_windows.h"
#include "adapters/this_process.h"
#include "base/paths.h"

namespace gpup {

namespace {

constexpr unsigned long kLongestName = 512;

}  // namespace

Who who_runs_this() { return {user_name(), machine_name()}; }

std::string user_name() {
  std::array<wchar_t, kLongestName> name{};
  ULONG size = kLongestName;
  if (::GetUserNameExW(NameSamCompatible, name.data(), &size) != 0) {  // DOMAIN\name
    return windows::narrow({name.data(), size});
  }
  DWORD room = kLongestName;
  return ::GetUserNameW(name.data(), &room) != 0 && room > 0 ? windows::narrow({name.data(), room - 1}) : std::string();
}

std::string machine_name() {
  std::array<wchar_t, kLongestName> name{};
  DWORD size = kLongestName;
  return ::GetComputerNameExW(ComputerNamePhysicalDnsHostname, name.data(), &size) != 0
             ? windows::narrow({name.data(), size})
             : std::string();
}

std::uint64_t process_number() { return ::GetCurrentProcessId(); }

std::vector<std::string> arguments(int /*argc*/, char** /*argv*/) {
  // What main is given is in the system's code page.
  int count = 0;
  wchar_t** const words = ::CommandLineToArgvW(::GetCommandLineW(), &count);
  std::vector<std::string> all;
  for (int i = 1; words != nullptr && i < count; ++i) {
    all.push_back(windows::narrow(words[i]));
  }
  ::LocalFree(words);
  return all;
}

std::optional<std::string> environment_variable(const std::string& name) {
  const std::wstring wide = windows::wide(name);
  ::SetLastError(ERROR_SUCCESS);
  const DWORD room = ::GetEnvironmentVariableW(wide.c_str(), nullptr, 0);
  if (room == 0) {
    return ::GetLastError() == ERROR_ENVVAR_NOT_FOUND ? std::nullopt : std::optional<std::string>("");
  }
  std::wstring value(room, L'\0');
  value.resize(::GetEnvironmentVariableW(wide.c_str(), value.data(), room));
  return windows::narrow(value);
}

std::string state_home() {
  if (const auto state = environment_variable("XDG_STATE_HOME"); state && is_from_root(*state)) {
    return *state;
  }
  if (const auto local = environment_variable("LOCALAPPDATA"); local && is_from_root(*local)) {
    return path_text(path_of(*local));
  }
  wchar_t* folder = nullptr;  // a service may run without an environment
  const bool known = SUCCEEDED(::SHGetKnownFolderPath(FOLDERID_LocalAppData, KF_FLAG_DEFAULT, nullptr, &folder));
  std::string home = known ? path_text(path_of(windows::narrow(folder))) : std::string();
  ::CoTaskMemFree(folder);
  return home;
}

const char* const kNoStateHome = "neither XDG_STATE_HOME nor LOCALAPPDATA is set";

}  // namespace gpup
