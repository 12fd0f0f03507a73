#include <cstddef>

#include <windows.h>

#include "model/zone_folder.h"

namespace gpup {

std::string zone_folder() {
  constexpr std::size_t kLongestPath = 32768;
  std::wstring program(kLongestPath, L'\0');
  program.resize(::GetModuleFileNameW(nullptr, program.data(), static_cast<DWORD>(program.size())));
  program.resize(program.find_last_of(L'\\') + 1);
  program += L"tzdata";
  // The library opens its files by names in the system's code page, which is UTF-8 by the program's manifest.
  std::string folder(
      static_cast<std::size_t>(::WideCharToMultiByte(CP_ACP, 0, program.c_str(), -1, nullptr, 0, nullptr, nullptr)),
      '\0');
  ::WideCharToMultiByte(CP_ACP, 0, program.c_str(), -1, folder.data(), static_cast<int>(folder.size()), nullptr,
                        nullptr);
  folder.resize(folder.find('\0'));
  return folder;
}

}  // namespace gpup
