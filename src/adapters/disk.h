#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// What gpup asks of the system about files. Paths are UTF-8, descriptors the C library's, which no child inherits. A
/// call that fails says so by -1, false or nothing, and why by errno. Signals do not end one.
namespace gpup::disk {

int open_to_read(const std::string& path);
/// What is there already.
int open_to_write(const std::string& path);
/// Made where it is missing, for its owner alone.
int open_to_append(const std::string& path);
/// To be locked, and to hold a line. Made where it is missing.
int open_lock(const std::string& path);
/// A file (made where it is missing) or a pipe, of which it does not wait for a reader: ENXIO where it has none.
int open_lines(const std::string& path);
/// A new file. `path` ends in XXXXXX, which is replaced.
int make_temporary(std::string& path);
/// 0, or why what was written before may be lost.
int close(int descriptor);

/// So many bytes were read; 0 at the end.
std::ptrdiff_t read(int descriptor, char* to, std::size_t room);
std::ptrdiff_t read_at(int descriptor, std::uint64_t offset, char* to, std::size_t room);
/// So many bytes were written. EAGAIN where a descriptor would have to wait and may not.
std::ptrdiff_t write(int descriptor, std::string_view bytes);
std::ptrdiff_t write_at(int descriptor, std::uint64_t offset, std::string_view bytes);
/// 0, or why not all of it was written.
inline int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::ptrdiff_t put = write(descriptor, bytes);
    if (put < 0) {
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}
/// Whether `write` would not wait, as far as the system can tell beforehand.
bool takes_bytes(int descriptor, std::chrono::milliseconds most);
/// Ends a `write` of that thread that waits, where `takes_bytes` cannot tell beforehand.
void give_up_waiting(std::thread& writer);
bool truncate(int descriptor, std::uint64_t size);

/// To the disk itself.
bool flush(int descriptor);
/// The same, but for what nobody needs who reads the bytes: when they were written.
bool flush_bytes(int descriptor);
/// Begins with these bytes; `flush` then takes less.
void begin_flush(int descriptor, std::uint64_t offset, std::uint64_t bytes);
/// What the folder that holds `path` says of it, where the system can do that.
void flush_folder_of(const std::string& path);

/// What stands under a name.
struct Entry {
  bool folder = false;
  bool file = false;  ///< neither: a pipe, a device
  std::uint64_t size = 0;
  unsigned mode = 0;  ///< who may do what, on systems that tell so by bits
};
std::optional<Entry> look_at(const std::string& path);
std::optional<Entry> look_at(int descriptor);
bool may_write(const std::string& path);
/// As `like`, or as the user's new files are.
bool set_mode(int descriptor, const std::optional<Entry>& like);
/// Another one where the file was changed or replaced.
using Stamp = std::array<std::int64_t, 5>;
std::optional<Stamp> stamp_of(const std::string& path);

/// `from` takes the name `to`, whatever had that.
bool replace(const std::string& from, const std::string& to);
void remove(const std::string& path);
/// For its owner alone.
bool make_folder(const std::string& path);
/// The names in a folder, but for folders, pipes and devices.
bool list(const std::string& folder, std::vector<std::string>& names);
/// The folder that `path` is in.
std::string folder_of(const std::string& path);
/// Where writing to `path` ends up, links followed.
std::string target_of(std::string path);
/// From the root, without links.
std::optional<std::string> real_path(const std::string& path);

/// Takes a file for this process alone. 0; EWOULDBLOCK where another one has it, unless it is waited for; else why not.
int lock(int descriptor, bool wait);
/// Whether the file that is open still has this name.
bool is_at(int descriptor, const std::string& path);
/// Whether an error says that there is no room.
bool is_full(int error);

}  // namespace gpup::disk
