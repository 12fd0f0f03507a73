#include <cerrno>
#include <cstddef>
#include <utility>

#include <windows.h>

#include <fmt/format.h>

#include "adapters/common_windows.h"

namespace gpup::windows {

std::wstring wide(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const int size = static_cast<int>(text.size());
  std::wstring out(static_cast<std::size_t>(::MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)), L'\0');
  ::MultiByteToWideChar(CP_UTF8, 0, text.data(), size, out.data(), static_cast<int>(out.size()));
  return out;
}

std::string narrow(std::wstring_view text) {
  if (text.empty()) {
    return {};
  }
  const int size = static_cast<int>(text.size());
  std::string out(
      static_cast<std::size_t>(::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr)),
      '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, out.data(), static_cast<int>(out.size()), nullptr, nullptr);
  return out;
}

std::wstring wide_path(std::string_view path) {
  constexpr std::size_t kShort = 240;  // a folder's may have 248, and a name is put after ours at times
  std::wstring given = wide(path);
  for (wchar_t& letter : given) {
    letter = letter == L'/' ? L'\\' : letter;
  }
  if (given.starts_with(L"\\\\?\\") || given.starts_with(L"\\\\.\\")) {
    return given;
  }
  const DWORD room = ::GetFullPathNameW(given.c_str(), 0, nullptr, nullptr);
  if (room <= kShort) {
    return given;
  }
  std::wstring whole(room, L'\0');
  whole.resize(::GetFullPathNameW(given.c_str(), room, whole.data(), nullptr));
  return whole.starts_with(L"\\\\") ? L"\\\\?\\UNC" + whole.substr(1) : L"\\\\?\\" + whole;
}

std::wstring command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += line.empty() ? "" : " ";
    if (!word.empty() && word.find_first_of(" \t\n\v\"") == std::string::npos) {
      line += word;
      continue;
    }
    line += '"';
    std::size_t backslashes = 0;  // only before a quote are they more than themselves
    for (const char letter : word) {
      if (letter == '"') {
        line.append(backslashes + 1, '\\');
      }
      backslashes = letter == '\\' ? backslashes + 1 : 0;
      line += letter;
    }
    line.append(backslashes, '\\');
    line += '"';
  }
  return wide(line);
}

int errno_of(unsigned long error) {
  switch (error) {
    case ERROR_SUCCESS:
      return 0;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
      return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
    case ERROR_WRITE_PROTECT:
    case ERROR_PRIVILEGE_NOT_HELD:
      return EACCES;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return EEXIST;
    case ERROR_DIRECTORY:
      return ENOTDIR;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return ENOSPC;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
    case ERROR_PIPE_NOT_CONNECTED:
      return EPIPE;
    case ERROR_PIPE_BUSY:
      return EBUSY;
    case ERROR_LOCK_VIOLATION:
      return EWOULDBLOCK;
    case ERROR_FILENAME_EXCED_RANGE:
      return ENAMETOOLONG;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
      return ENOMEM;
    case ERROR_TOO_MANY_OPEN_FILES:
      return EMFILE;
    case ERROR_OPERATION_ABORTED:
      return EAGAIN;
    case ERROR_INVALID_HANDLE:
      return EBADF;
    default:
      return EIO;
  }
}

std::string words_of(unsigned long error) {
  wchar_t* text = nullptr;
  const DWORD size =
      ::FormatMessageW(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                       nullptr, error, 0, reinterpret_cast<wchar_t*>(&text), 0, nullptr);
  std::string words = size == 0 ? std::string() : narrow({text, size});
  ::LocalFree(text);
  words.erase(words.find_last_not_of(" .\r\n") + 1);
  return words.empty() ? fmt::format("error {} of Windows", error) : words;
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = other.take();
  }
  return *this;
}

void* Handle::take() { return std::exchange(handle_, nullptr); }

void Handle::close() {
  if (ok()) {
    ::CloseHandle(handle_);
  }
  handle_ = nullptr;
}

}  // namespace gpup::windows
