#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cwctype>
#include <memory>
#include <utility>

#include <windows.h>

#include <fmt/format.h>

#include "adapters/common_windows.h"
#include "adapters/subprocess.h"
#include "base/paths.h"

namespace gpup {

namespace {

using windows::Handle;

constexpr DWORD kMostWait = 3'600'000;

/// An event that is set by hand.
Handle new_event(bool set) { return Handle(::CreateEventW(nullptr, TRUE, set ? TRUE : FALSE, nullptr)); }

HANDLE handle(std::intptr_t number) { return reinterpret_cast<HANDLE>(number); }
std::intptr_t number(HANDLE handle) { return reinterpret_cast<std::intptr_t>(handle); }

/// Our end of a pipe, which never blocks: one transfer at a time goes on behind it, in a buffer that is ours.
class Stream {
 public:
  Stream() : buffer_(kPipeBytes, '\0') {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (pending_) {
      ::CancelIoEx(pipe_.get(), &transfer_);
      DWORD moved = 0;
      ::GetOverlappedResult(pipe_.get(), &transfer_, &moved, TRUE);
    }
  }

  /// Makes the pipe. `theirs` is the child's end, which it may inherit.
  bool open(bool to_child, Handle& theirs) {
    static std::atomic<unsigned> made = 0;
    const std::wstring name =
        windows::wide(fmt::format(R"(\\.\pipe\gpup-{}-{}-{})", ::GetCurrentProcessId(), ::GetTickCount64(), ++made));
    const DWORD direction = to_child ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND;
    pipe_ = Handle(::CreateNamedPipeW(name.c_str(), direction | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                      PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, kPipeBytes,
                                      kPipeBytes, 0, nullptr));
    if (!pipe_.ok()) {
      return false;
    }
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    theirs = Handle(
        ::CreateFileW(name.c_str(), to_child ? GENERIC_READ : GENERIC_WRITE, 0, &inherited, OPEN_EXISTING, 0, nullptr));
    ready_ = new_event(true);
    return theirs.ok() && ready_.ok();
  }

  bool is_open() const { return pipe_.ok(); }
  /// Set while there is something to do with it.
  std::intptr_t ready() const { return is_open() ? number(ready_.get()) : -1; }

  Subprocess::Piped read(char* to, std::size_t room, std::size_t& got) {
    got = 0;
    while (is_open()) {
      if (size_ > 0) {
        got = std::min(room, size_);
        std::copy_n(buffer_.data() + begin_, got, to);
        begin_ += got;
        size_ -= got;
        if (size_ == 0) {
          begin_reading();
        }
        return Subprocess::Piped::kSome;
      }
      if (!pending_ && !begin_reading()) {
        break;
      }
      if (!finish(FALSE)) {
        return Subprocess::Piped::kNothingNow;
      }
    }
    return Subprocess::Piped::kEnded;
  }

  Subprocess::Piped write(std::string_view bytes, std::size_t& taken) {
    taken = 0;
    if (is_open() && !bytes.empty() && !ends_ && finish(FALSE)) {
      taken = std::min(bytes.size(), buffer_.size());
      std::copy_n(bytes.data(), taken, buffer_.data());
      begin(::WriteFile(pipe_.get(), buffer_.data(), static_cast<DWORD>(taken), nullptr, fresh_transfer()));
      finish(FALSE);
    }
    return is_open() && !ends_ ? (taken > 0 ? Subprocess::Piped::kSome : Subprocess::Piped::kNothingNow)
                               : Subprocess::Piped::kEnded;
  }

  /// Nothing more is written, and it is closed once all that was taken is gone; at once with `now`.
  void end(bool now) {
    ends_ = true;
    if (is_open() && (now || finish(FALSE))) {
      close();
    }
  }
  void close() {
    if (pending_) {
      ::CancelIoEx(pipe_.get(), &transfer_);
      DWORD moved = 0;
      ::GetOverlappedResult(pipe_.get(), &transfer_, &moved, TRUE);
      pending_ = false;
    }
    pipe_.close();
  }
  /// It is to be closed: `end` is to be called again once it is ready.
  bool is_ending() const { return ends_ && is_open(); }

 private:
  OVERLAPPED* fresh_transfer() {
    transfer_ = {};
    transfer_.hEvent = ready_.get();
    return &transfer_;
  }

  /// Takes the result of a call that begins a transfer. False where the other end is gone.
  bool begin(BOOL done) {
    if (done == 0 && ::GetLastError() != ERROR_IO_PENDING) {
      close();
      return false;
    }
    pending_ = true;
    return true;
  }

  bool begin_reading() {
    reads_ = true;
    return begin(
        ::ReadFile(pipe_.get(), buffer_.data(), static_cast<DWORD>(buffer_.size()), nullptr, fresh_transfer()));
  }

  /// False where a transfer still goes on.
  bool finish(BOOL wait) {
    if (!pending_) {
      return true;
    }
    DWORD moved = 0;
    if (::GetOverlappedResult(pipe_.get(), &transfer_, &moved, wait) == 0) {
      if (::GetLastError() == ERROR_IO_INCOMPLETE) {
        return false;
      }
      pending_ = false;
      close();
      return true;
    }
    pending_ = false;
    begin_ = 0;
    size_ = reads_ ? moved : 0;
    if (!reads_) {
      ::SetEvent(ready_.get());  // room for more
    }
    return true;
  }

  Handle pipe_;
  Handle ready_;
  OVERLAPPED transfer_{};
  bool pending_ = false;
  bool reads_ = false;
  bool ends_ = false;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what was read and not taken
  std::size_t size_ = 0;
};

std::wstring in_capitals(std::wstring text) {
  ::CharUpperBuffW(text.data(), static_cast<DWORD>(text.size()));
  return text;
}

/// The block that a process gets, sorted by names as the system wants it.
std::wstring environment_with(const Subprocess::Environment& more) {
  std::vector<std::pair<std::wstring, std::wstring>> all;  // the name in capitals, and the whole
  for (const auto& [name, value] : more) {
    all.emplace_back(in_capitals(windows::wide(name)), windows::wide(name + "=" + value));
  }
  const std::size_t ours = all.size();
  wchar_t* const block = ::GetEnvironmentStringsW();
  for (const wchar_t* one = block; one != nullptr && *one != L'\0'; one += std::wcslen(one) + 1) {
    const std::wstring_view given(one);
    // `=C:` is a drive's folder.
    const std::wstring name = in_capitals(std::wstring(given.substr(0, given.find(L'=', 1))));
    const auto set = all.begin() + static_cast<std::ptrdiff_t>(ours);
    if (std::none_of(all.begin(), set, [&](const auto& other) { return other.first == name; })) {
      all.emplace_back(name, given);
    }
  }
  ::FreeEnvironmentStringsW(block);
  std::sort(all.begin(), all.end());
  std::wstring text;
  for (const auto& [name, whole] : all) {
    text += whole;
    text += L'\0';
  }
  return text + L'\0';
}

tl::unexpected<Subprocess::NotStarted> not_started(unsigned long error) {
  using Trouble = Subprocess::Trouble;
  const int as_errno = windows::errno_of(error);
  return tl::unexpected(Subprocess::NotStarted{as_errno == ENOENT   ? Trouble::kNotFound
                                               : as_errno == EACCES ? Trouble::kNotAllowed
                                                                    : Trouble::kOther,
                                               windows::words_of(error)});
}

bool is_program(const std::wstring& path) {
  const DWORD what = ::GetFileAttributesW(path.c_str());
  return what != INVALID_FILE_ATTRIBUTES && (what & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

/// Where the program is: in PATH, unless its name says a folder. The current folder is not looked at. `.exe` may be
/// left out.
tl::expected<std::wstring, Subprocess::NotStarted> find_program(const std::vector<std::string>& argv) {
  constexpr std::size_t kLongestPath = 32768;
  const std::string name = argv.empty() ? std::string() : argv.front();
  const std::wstring wide = windows::wide_path(name);
  std::wstring found;
  if (has_folder(name)) {
    found = !is_program(wide) && is_program(wide + L".exe") ? wide + L".exe" : wide;
  } else {
    std::wstring path(kLongestPath, L'\0');
    path.resize(::GetEnvironmentVariableW(L"PATH", path.data(), static_cast<DWORD>(path.size())));
    found.resize(kLongestPath);
    found.resize(::SearchPathW(path.c_str(), wide.c_str(), L".exe", kLongestPath, found.data(), nullptr));
  }
  if (!is_program(found)) {
    return not_started(::GetFileAttributesW(found.c_str()) == INVALID_FILE_ATTRIBUTES ? ERROR_FILE_NOT_FOUND
                                                                                      : ERROR_ACCESS_DENIED);
  }
  if (const std::wstring capitals = in_capitals(found); capitals.ends_with(L".BAT") || capitals.ends_with(L".CMD")) {
    return tl::unexpected(Subprocess::NotStarted{Subprocess::Trouble::kNotAllowed,
                                                 "it is a batch file, in which cmd would take arguments for commands"});
  }
  return found;
}

/// The handles that a child inherits, and no others: children of other sessions must not hold this one's pipes.
class Inherited {
 public:
  explicit Inherited(const std::array<HANDLE, 3>& handles) : handles_(handles) {
    SIZE_T size = 0;
    ::InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    room_.resize(size);
    list_ = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(room_.data());
    ok_ = ::InitializeProcThreadAttributeList(list_, 1, 0, &size) != 0 &&
          ::UpdateProcThreadAttribute(list_, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(), sizeof handles_,
                                      nullptr, nullptr) != 0;
  }
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;
  ~Inherited() { ::DeleteProcThreadAttributeList(list_); }

  LPPROC_THREAD_ATTRIBUTE_LIST list() const { return list_; }
  bool ok() const { return ok_; }

 private:
  std::array<HANDLE, 3> handles_;
  std::vector<char> room_;
  LPPROC_THREAD_ATTRIBUTE_LIST list_ = nullptr;
  bool ok_ = false;
};

}  // namespace

std::unique_ptr<Bell> Bell::make() {
  Handle event = new_event(false);
  return event.ok() ? std::unique_ptr<Bell>(new Bell({number(event.take()), 0})) : nullptr;
}

Bell::~Bell() { ::CloseHandle(handle(ends_[0])); }
void Bell::ring() { ::SetEvent(handle(ends_[0])); }
void Bell::silence() { ::ResetEvent(handle(ends_[0])); }

struct Subprocess::Parts {
  Handle process;
  /// All that it starts, so that it can be ended with it. A job does not end with us: an agent that changes its host
  /// when we are gone must be able to end that.
  Handle job;
  Stream in;
  Stream out;
  Stream err;
};

Subprocess::Subprocess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

tl::expected<std::unique_ptr<Subprocess>, Subprocess::NotStarted> Subprocess::start(
    const std::vector<std::string>& argv, const Environment& environment, Input input) {
  const auto program = find_program(argv);
  if (!program) {
    return tl::unexpected(program.error());
  }
  auto parts = std::make_unique<Parts>();
  Handle in;
  Handle out;
  Handle err;
  if (input == Input::kNothing) {
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    in = Handle(
        ::CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, nullptr));
  } else if (!parts->in.open(true, in)) {
    return not_started(::GetLastError());
  }
  if (!parts->out.open(false, out) || !parts->err.open(false, err)) {
    return not_started(::GetLastError());
  }
  const Inherited inherited({in.get(), out.get(), err.get()});
  if (!inherited.ok()) {
    return not_started(::GetLastError());
  }
  STARTUPINFOEXW orders{};
  orders.StartupInfo.cb = sizeof orders;
  orders.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  orders.StartupInfo.hStdInput = in.get();
  orders.StartupInfo.hStdOutput = out.get();
  orders.StartupInfo.hStdError = err.get();
  orders.lpAttributeList = inherited.list();
  std::wstring line = windows::command_line(argv);
  std::wstring variables = environment_with(environment);
  PROCESS_INFORMATION begun{};
  // A console of its own, which nobody sees: Ctrl-C in ours does not reach it. Suspended until it is in its job.
  constexpr DWORD kHow =
      CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
  if (::CreateProcessW(program->c_str(), line.data(), nullptr, nullptr, TRUE, kHow, variables.data(), nullptr,
                       &orders.StartupInfo, &begun) == 0) {
    return not_started(::GetLastError());
  }
  parts->process = Handle(begun.hProcess);
  const Handle thread(begun.hThread);
  parts->job = Handle(::CreateJobObjectW(nullptr, nullptr));
  if (!parts->job.ok() || ::AssignProcessToJobObject(parts->job.get(), begun.hProcess) == 0) {
    const DWORD error = ::GetLastError();
    ::TerminateProcess(begun.hProcess, 1);
    return not_started(error);
  }
  ::ResumeThread(begun.hThread);
  return std::unique_ptr<Subprocess>(new Subprocess(std::move(parts)));
}

std::optional<Subprocess::NotStarted> Subprocess::look_for(const std::vector<std::string>& argv) {
  const auto program = find_program(argv);
  return program ? std::nullopt : std::optional(program.error());
}

Subprocess::~Subprocess() {
  close_input();
  kill();
  while (!wait(std::chrono::hours(1))) {
  }
}

Subprocess::Piped Subprocess::write(std::string_view bytes, std::size_t& taken) {
  return parts_->in.write(bytes, taken);
}

void Subprocess::close_input() { parts_->in.end(false); }

Subprocess::Piped Subprocess::read_out(char* to, std::size_t room, std::size_t& got) {
  return parts_->out.read(to, room, got);
}
Subprocess::Piped Subprocess::read_err(char* to, std::size_t room, std::size_t& got) {
  return parts_->err.read(to, room, got);
}

bool Subprocess::wait(std::chrono::milliseconds most) {
  const auto left = static_cast<DWORD>(std::clamp<std::chrono::milliseconds::rep>(most.count(), 0, kMostWait));
  if (!ended_ && ::WaitForSingleObject(parts_->process.get(), left) == WAIT_OBJECT_0) {
    DWORD code = 0;
    ended_ = true;
    if (::GetExitCodeProcess(parts_->process.get(), &code) != 0) {
      ending_.code = code;
    }
  }
  return ended_;
}

bool Subprocess::is_silent() const { return !parts_->out.is_open() && !parts_->err.is_open(); }

Subprocess::Watch Subprocess::watch(bool input) const {
  if (parts_->in.is_ending()) {
    parts_->in.end(false);
  }
  return {parts_->out.ready(), parts_->err.ready(), input || parts_->in.is_ending() ? parts_->in.ready() : -1};
}

Subprocess::Ready Subprocess::wait_for(const Watch& watch, Bell* bell, std::chrono::milliseconds most) {
  std::array<HANDLE, 4> events{};
  std::array<bool Ready::*, 4> what{};
  DWORD count = 0;
  const auto add = [&](std::intptr_t event, bool Ready::*which) {
    if (event != -1) {
      events.at(count) = handle(event);
      what.at(count++) = which;
    }
  };
  add(watch.out, &Ready::out);
  add(watch.err, &Ready::err);
  add(watch.in, &Ready::in);
  if (bell != nullptr) {
    add(bell->ends_[0], &Ready::any);
  }
  const DWORD left = static_cast<DWORD>(std::clamp<std::chrono::milliseconds::rep>(most.count(), 0, kMostWait));
  Ready ready;
  if (count == 0) {
    ::Sleep(left);
    return ready;
  }
  const DWORD woken = ::WaitForMultipleObjects(count, events.data(), FALSE, left);
  if (woken >= WAIT_OBJECT_0 + count) {
    return ready;
  }
  for (DWORD i = 0; i < count; ++i) {
    if (::WaitForSingleObject(events.at(i), 0) == WAIT_OBJECT_0) {
      ready.*what.at(i) = true;
      ready.any = true;
    }
  }
  if (bell != nullptr && ::WaitForSingleObject(handle(bell->ends_[0]), 0) == WAIT_OBJECT_0) {
    bell->silence();
  }
  return ready;
}

bool Subprocess::gone() const { return ended_ || ::WaitForSingleObject(parts_->process.get(), 0) == WAIT_OBJECT_0; }

void Subprocess::terminate() { kill(); }

void Subprocess::release() {
  parts_->in.end(true);
  ended_ = true;
  static_cast<void>(parts_.release());  // its output stays open, as long as we are there
  parts_ = std::make_unique<Parts>();
}

void Subprocess::kill() {
  if (!ended_) {
    ::TerminateJobObject(parts_->job.get(), 1);
  }
}

}  // namespace gpup
