#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>

#include <windows.h>
// after it
#include <fcntl.h>
#include <io.h>
#include <pthread.h>

#include <fmt/format.h>

#include "adapters/common_windows.h"
#include "adapters/disk.h"
#include "base/paths.h"

namespace gpup::disk {

namespace {

using windows::Handle;
using windows::wide_path;

constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;  // as files are elsewhere
constexpr DWORD kMostAtOnce = 1U << 30U;

int fail_with(unsigned long error) {
  ::SetLastError(error);
  errno = windows::errno_of(error);
  return -1;
}
int failed() { return fail_with(::GetLastError()); }
bool worked(BOOL result) {
  if (result == 0) {
    failed();
  }
  return result != 0;
}

HANDLE handle_of(int descriptor) { return reinterpret_cast<HANDLE>(::_get_osfhandle(descriptor)); }

/// For as long as somebody (a scanner of viruses, another run that reads) has a file open in a way that forbids a deed.
template <class Deed>
bool after_others(const Deed& deed) {
  constexpr int kTries = 100;
  constexpr DWORD kPause = 20;  // ms
  for (int tries = 1;; ++tries) {
    if (deed()) {
      return true;
    }
    const DWORD error = ::GetLastError();
    if ((error != ERROR_SHARING_VIOLATION && error != ERROR_ACCESS_DENIED) || tries == kTries) {
      ::SetLastError(error);
      return false;
    }
    ::Sleep(kPause);
  }
}

int open(const std::string& path, DWORD access, DWORD how, int flags = 0) {
  const std::wstring wide = wide_path(path);
  Handle file(::CreateFileW(wide.c_str(), access, kShared, nullptr, how, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.ok()) {
    const DWORD error = ::GetLastError();
    const DWORD what = error == ERROR_ACCESS_DENIED ? ::GetFileAttributesW(wide.c_str()) : INVALID_FILE_ATTRIBUTES;
    fail_with(error);
    if (what != INVALID_FILE_ATTRIBUTES && (what & FILE_ATTRIBUTE_DIRECTORY) != 0) {
      errno = EISDIR;
    }
    return -1;
  }
  const int descriptor = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(file.get()), flags | O_BINARY | O_NOINHERIT);
  if (descriptor >= 0) {
    file.take();
  }
  return descriptor;
}

/// To look at alone: a folder can be opened so, too.
Handle open_to_look(const std::string& path) {
  return Handle(::CreateFileW(wide_path(path).c_str(), FILE_READ_ATTRIBUTES, kShared, nullptr, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

std::uint64_t both(DWORD high, DWORD low) { return (static_cast<std::uint64_t>(high) << 32U) | low; }
std::int64_t number(const FILETIME& time) {
  return static_cast<std::int64_t>(both(time.dwHighDateTime, time.dwLowDateTime));
}

std::optional<Entry> entry_of(HANDLE handle) {
  Entry entry;
  if (::GetFileType(handle) == FILE_TYPE_DISK) {
    BY_HANDLE_FILE_INFORMATION told{};
    if (!worked(::GetFileInformationByHandle(handle, &told))) {
      return std::nullopt;
    }
    entry.folder = (told.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    entry.file = !entry.folder;
    entry.size = both(told.nFileSizeHigh, told.nFileSizeLow);
  }
  return entry;
}

OVERLAPPED at(std::uint64_t offset) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset & 0xffffffffU);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32U);
  return place;
}

std::ptrdiff_t read_from(int descriptor, char* to, std::size_t room, OVERLAPPED* place) {
  DWORD got = 0;
  if (::ReadFile(handle_of(descriptor), to, static_cast<DWORD>(std::min<std::size_t>(room, kMostAtOnce)), &got,
                 place) == 0) {
    const DWORD error = ::GetLastError();
    return error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF ? 0 : fail_with(error);
  }
  return static_cast<std::ptrdiff_t>(got);
}

std::ptrdiff_t write_to(int descriptor, std::string_view bytes, OVERLAPPED* place) {
  DWORD put = 0;
  const bool done =
      worked(::WriteFile(handle_of(descriptor), bytes.data(),
                         static_cast<DWORD>(std::min<std::size_t>(bytes.size(), kMostAtOnce)), &put, place));
  return done ? static_cast<std::ptrdiff_t>(put) : -1;
}

std::wstring final_path(HANDLE handle) {
  std::wstring path(std::numeric_limits<std::int16_t>::max(), L'\0');
  path.resize(::GetFinalPathNameByHandleW(handle, path.data(), static_cast<DWORD>(path.size()), FILE_NAME_NORMALIZED));
  return path;
}

/// Far behind all that a file may hold: a lock keeps others from reading what it is on.
constexpr std::uint64_t kLockedByte = std::uint64_t{1} << 62U;

}  // namespace

int open_to_read(const std::string& path) { return open(path, GENERIC_READ, OPEN_EXISTING, O_RDONLY); }
int open_to_write(const std::string& path) { return open(path, GENERIC_WRITE, OPEN_EXISTING, O_WRONLY); }
int open_to_append(const std::string& path) {
  // Whom a file belongs to is told by the folder that it is in: nobody else reads the user's own.
  const int descriptor = open(path, GENERIC_WRITE, OPEN_ALWAYS, O_WRONLY);
  if (descriptor >= 0) {
    ::SetFilePointerEx(handle_of(descriptor), {}, nullptr, FILE_END);
  }
  return descriptor;
}
int open_lock(const std::string& path) {
  int descriptor = -1;
  // A file that is removed, and still open, denies access.
  after_others([&] { return (descriptor = open(path, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS, O_RDWR)) >= 0; });
  return descriptor;
}
int open_lines(const std::string& path) { return open(path, GENERIC_WRITE, OPEN_ALWAYS, O_WRONLY); }
int make_temporary(std::string& path) {
  static std::atomic<unsigned> made = 0;
  constexpr std::size_t kEnd = 6;  // XXXXXX
  const std::string beginning = path.substr(0, path.size() - kEnd);
  for (;;) {
    path = beginning + fmt::format("{:x}-{:x}", ::GetCurrentProcessId(), ::GetTickCount64() + ++made);
    const int descriptor = open(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW, O_RDWR);
    if (descriptor >= 0 || errno != EEXIST) {
      return descriptor;
    }
  }
}
int close(int descriptor) { return ::_close(descriptor) == 0 ? 0 : errno; }

std::ptrdiff_t read(int descriptor, char* to, std::size_t room) { return read_from(descriptor, to, room, nullptr); }
std::ptrdiff_t read_at(int descriptor, std::uint64_t offset, char* to, std::size_t room) {
  OVERLAPPED place = at(offset);
  return read_from(descriptor, to, room, &place);
}
std::ptrdiff_t write(int descriptor, std::string_view bytes) { return write_to(descriptor, bytes, nullptr); }
std::ptrdiff_t write_at(int descriptor, std::uint64_t offset, std::string_view bytes) {
  OVERLAPPED place = at(offset);
  return write_to(descriptor, bytes, &place);
}
bool takes_bytes(int /*descriptor*/, std::chrono::milliseconds /*most*/) { return true; }
void give_up_waiting(std::thread& writer) { ::CancelSynchronousIo(::pthread_gethandle(writer.native_handle())); }
bool truncate(int descriptor, std::uint64_t size) {
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
  return worked(::SetFileInformationByHandle(handle_of(descriptor), FileEndOfFileInfo, &end, sizeof end)) &&
         worked(::SetFilePointerEx(handle_of(descriptor), end.EndOfFile, nullptr, FILE_BEGIN));
}

bool flush(int descriptor) { return worked(::FlushFileBuffers(handle_of(descriptor))); }
bool flush_bytes(int descriptor) { return flush(descriptor); }
void begin_flush(int /*descriptor*/, std::uint64_t /*offset*/, std::uint64_t /*bytes*/) {}
void flush_folder_of(const std::string& /*path*/) {}  // `replace` writes through; a folder cannot be flushed

std::optional<Entry> look_at(const std::string& path) {
  const Handle handle = open_to_look(path);
  if (!handle.ok()) {
    failed();
    return std::nullopt;
  }
  return entry_of(handle.get());
}
std::optional<Entry> look_at(int descriptor) { return entry_of(handle_of(descriptor)); }
bool may_write(const std::string& path) {
  const Handle handle(
      ::CreateFileW(wide_path(path).c_str(), GENERIC_WRITE, kShared, nullptr, OPEN_EXISTING, 0, nullptr));
  // Whoever has it open right now forbids nobody to replace it.
  return handle.ok() || ::GetLastError() == ERROR_SHARING_VIOLATION || failed() == 0;
}
bool set_mode(int /*descriptor*/, const std::optional<Entry>& /*like*/) {
  return true;
}  // the folder's rights are kept
std::optional<Stamp> stamp_of(const std::string& path) {
  const Handle handle = open_to_look(path);
  BY_HANDLE_FILE_INFORMATION told{};
  if (!handle.ok() || ::GetFileInformationByHandle(handle.get(), &told) == 0) {
    failed();
    return std::nullopt;
  }
  return Stamp{static_cast<std::int64_t>(told.dwVolumeSerialNumber),
               static_cast<std::int64_t>(both(told.nFileIndexHigh, told.nFileIndexLow)),
               static_cast<std::int64_t>(both(told.nFileSizeHigh, told.nFileSizeLow)), number(told.ftLastWriteTime),
               number(told.ftCreationTime)};
}

bool replace(const std::string& from, const std::string& to) {
  const std::wstring wide_from = wide_path(from);
  const std::wstring wide_to = wide_path(to);
  return after_others([&] {
           return ::MoveFileExW(wide_from.c_str(), wide_to.c_str(),
                                MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0;
         }) ||
         failed() == 0;
}
void remove(const std::string& path) { ::DeleteFileW(wide_path(path).c_str()); }
bool make_folder(const std::string& path) {
  // The user's own folder is readable by its owner only: what is made below it is, too.
  const std::wstring wide = wide_path(path);
  if (::CreateDirectoryW(wide.c_str(), nullptr) != 0) {
    return true;
  }
  failed();
  const DWORD what = ::GetFileAttributesW(wide.c_str());  // a drive is there, and cannot be made
  if (what != INVALID_FILE_ATTRIBUTES && (what & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    errno = EEXIST;
  }
  return false;
}
bool list(const std::string& folder, std::vector<std::string>& names) {
  WIN32_FIND_DATAW found{};
  const HANDLE search = ::FindFirstFileW(wide_path(folder + "/*").c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) {
    const auto there = look_at(folder);
    if (there && !there->folder) {
      errno = ENOTDIR;
    }
    return false;
  }
  do {
    if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
      names.push_back(windows::narrow(found.cFileName));
    }
  } while (::FindNextFileW(search, &found) != 0);
  const DWORD error = ::GetLastError();
  ::FindClose(search);
  return error == ERROR_NO_MORE_FILES || fail_with(error) == 0;
}
std::string folder_of(const std::string& path) {
  const std::size_t divider = path.find_last_of(kPathDividers);
  if (divider == std::string::npos) {
    return ".";
  }
  return divider == 0 ? "/" : path.substr(0, divider);
}
std::string target_of(std::string path) {
  const DWORD what = ::GetFileAttributesW(wide_path(path).c_str());
  if (what == INVALID_FILE_ATTRIBUTES || (what & FILE_ATTRIBUTE_REPARSE_POINT) == 0) {
    return path;
  }
  const Handle handle = open_to_look(path);  // a link to nothing yet is replaced itself
  return handle.ok() ? windows::narrow(final_path(handle.get())) : path;
}
std::optional<std::string> real_path(const std::string& path) {
  const Handle handle = open_to_look(path);
  if (!handle.ok()) {
    failed();
    return std::nullopt;
  }
  return windows::narrow(final_path(handle.get()));
}

int lock(int descriptor, bool wait) {
  OVERLAPPED place = at(kLockedByte);
  const DWORD how = LOCKFILE_EXCLUSIVE_LOCK | (wait ? 0U : static_cast<DWORD>(LOCKFILE_FAIL_IMMEDIATELY));
  if (::LockFileEx(handle_of(descriptor), how, 0, 1, 0, &place) != 0) {
    return 0;
  }
  const DWORD error = ::GetLastError();
  return error == ERROR_IO_PENDING ? EWOULDBLOCK : windows::errno_of(error);
}
bool is_at(int descriptor, const std::string& /*path*/) {
  // A name goes only when the last who has the file open closes it: until then nobody can make another one.
  FILE_STANDARD_INFO told{};
  return ::GetFileInformationByHandleEx(handle_of(descriptor), FileStandardInfo, &told, sizeof told) != 0 &&
         told.DeletePending == 0 && told.NumberOfLinks > 0;
}
bool is_full(int error) { return error == ENOSPC; }

}  // namespace gpup::disk
