#include "adapters/subprocess.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace gpup {

namespace {

/// A pipe's ends, closed unless they were taken.
struct Pipe {
  std::array<int, 2> ends{-1, -1};

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) {
        ::close(end);
      }
    }
  }
  // Children of other sessions must not hold this one's pipes: its end of input would never come.
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  int take(std::size_t end) {
    const int taken = std::exchange(ends.at(end), -1);
    if (taken < 0) {
      return taken;
    }
    ::fcntl(taken, F_SETFL, ::fcntl(taken, F_GETFL) | O_NONBLOCK);
    return taken;
  }
};

constexpr std::size_t kReading = 0;
constexpr std::size_t kWriting = 1;

/// What posix_spawn is told.
class Orders {
 public:
  Orders() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int ignored : {SIGPIPE, SIGXFSZ}) {  // by us, and so by the child
      sigaddset(&signals, ignored);
    }
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::posix_spawnattr_setflags(&attributes,
                               static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  Orders(const Orders&) = delete;
  Orders& operator=(const Orders&) = delete;
  ~Orders() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

std::vector<std::string> environment_with(const Subprocess::Environment& more) {
  std::vector<std::string> all;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view given(*one);
    const std::string_view name = given.substr(0, given.find('='));
    if (std::none_of(more.begin(), more.end(), [&](const auto& set) { return set.first == name; })) {
      all.emplace_back(given);
    }
  }
  for (const auto& [name, value] : more) {
    all.push_back(name + "=" + value);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    all.push_back(text.data());
  }
  all.push_back(nullptr);
  return all;
}

void ignore_broken_pipes() {
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
}

tl::unexpected<Subprocess::NotStarted> not_started(int error) {
  using Trouble = Subprocess::Trouble;
  return tl::unexpected(Subprocess::NotStarted{error == ENOENT   ? Trouble::kNotFound
                                               : error == EACCES ? Trouble::kNotAllowed
                                                                 : Trouble::kOther,
                                               std::generic_category().message(error)});
}

constexpr std::chrono::milliseconds::rep kMostWait = 3'600'000;

Subprocess::Piped read_from(int& descriptor, char* to, std::size_t room, std::size_t& got) {
  got = 0;
  while (descriptor >= 0) {
    const ssize_t count = ::read(descriptor, to, room);
    if (count > 0) {
      got = static_cast<std::size_t>(count);
      return Subprocess::Piped::kSome;
    }
    if (count < 0 && errno == EAGAIN) {
      return Subprocess::Piped::kNothingNow;
    }
    if (count == 0 || errno != EINTR) {
      ::close(std::exchange(descriptor, -1));
    }
  }
  return Subprocess::Piped::kEnded;
}

/// Whether it has ended, and how.
bool reap(pid_t number, Ending& ending) {
  int status = 0;
  pid_t pid = 0;
  do {
    pid = ::waitpid(number, &status, WNOHANG);
  } while (pid < 0 && errno == EINTR);
  if (pid == 0) {
    return false;
  }
  if (pid > 0 && WIFEXITED(status)) {
    ending.code = WEXITSTATUS(status);
  } else if (pid > 0 && WIFSIGNALED(status)) {
    ending.signal = WTERMSIG(status);
  }
  return true;
}

}  // namespace

std::unique_ptr<Bell> Bell::make() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return nullptr;
  }
  return std::unique_ptr<Bell>(new Bell({ends[kReading], ends[kWriting]}));
}

Bell::~Bell() {
  for (const std::intptr_t end : ends_) {
    ::close(static_cast<int>(end));
  }
}

void Bell::ring() {
  const char nothing = 0;
  const ssize_t put = ::write(static_cast<int>(ends_[kWriting]), &nothing, 1);
  static_cast<void>(put);  // a full pipe wakes as well
}

void Bell::silence() {
  std::array<char, 64> ignored{};
  while (::read(static_cast<int>(ends_[kReading]), ignored.data(), ignored.size()) > 0) {
  }
}

struct Subprocess::Parts {
  pid_t pid = 0;
  int in = -1;
  int out = -1;
  int err = -1;
};

Subprocess::Subprocess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

tl::expected<std::unique_ptr<Subprocess>, Subprocess::NotStarted> Subprocess::start(
    const std::vector<std::string>& argv, const Environment& environment, Input input) {
  Pipe in;
  Pipe out;
  Pipe err;
  if (argv.empty() || argv.front().empty()) {
    return not_started(ENOENT);
  }
  if ((input == Input::kPipe && !in.open()) || !out.open() || !err.open()) {
    return not_started(errno);
  }
  Orders orders;
  if (input == Input::kPipe) {
    ::posix_spawn_file_actions_adddup2(&orders.files, in.ends[kReading], STDIN_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&orders.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ::posix_spawn_file_actions_adddup2(&orders.files, out.ends[kWriting], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&orders.files, err.ends[kWriting], STDERR_FILENO);
  std::vector<std::string> words = argv;
  std::vector<std::string> variables = environment_with(environment);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words.front().c_str(), &orders.files, &orders.attributes,
                                   pointers(words).data(), pointers(variables).data());
  if (error != 0) {
    return not_started(error);
  }
  ignore_broken_pipes();
  return std::unique_ptr<Subprocess>(
      new Subprocess(std::make_unique<Parts>(Parts{pid, in.take(kWriting), out.take(kReading), err.take(kReading)})));
}

std::optional<Subprocess::NotStarted> Subprocess::look_for(const std::vector<std::string>& argv) {
  const std::string name = argv.empty() ? std::string() : argv.front();
  std::vector<std::string> paths = {name};
  if (name.find('/') == std::string::npos) {
    const char* const variable = std::getenv("PATH");
    std::string_view folders = variable != nullptr ? variable : "/bin:/usr/bin";
    for (paths.clear();;) {
      const std::size_t end = std::min(folders.find(':'), folders.size());
      const std::string_view folder = folders.substr(0, end);
      paths.push_back((folder.empty() ? std::string(".") : std::string(folder)) + "/" + name);
      if (end == folders.size()) {
        break;
      }
      folders.remove_prefix(end + 1);
    }
  }
  int error = ENOENT;
  for (const std::string& path : paths) {
    struct stat what {};
    if (!name.empty() && ::stat(path.c_str(), &what) == 0) {
      if (S_ISREG(what.st_mode) && ::access(path.c_str(), X_OK) == 0) {
        return std::nullopt;
      }
      error = EACCES;
    }
  }
  return not_started(error).value();
}

Subprocess::~Subprocess() {
  close_input();
  kill();
  while (!wait(std::chrono::hours(1))) {
  }
  for (const int descriptor : {parts_->out, parts_->err}) {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
}

Subprocess::Piped Subprocess::write(std::string_view bytes, std::size_t& taken) {
  taken = 0;
  while (parts_->in >= 0) {
    const ssize_t put = ::write(parts_->in, bytes.data(), bytes.size());
    if (put >= 0) {
      taken = static_cast<std::size_t>(put);
      return Piped::kSome;
    }
    if (errno == EAGAIN) {
      return Piped::kNothingNow;
    }
    if (errno != EINTR) {
      close_input();
    }
  }
  return Piped::kEnded;
}

void Subprocess::close_input() {
  if (parts_->in >= 0) {
    ::close(std::exchange(parts_->in, -1));
  }
}

Subprocess::Piped Subprocess::read_out(char* to, std::size_t room, std::size_t& got) {
  return read_from(parts_->out, to, room, got);
}
Subprocess::Piped Subprocess::read_err(char* to, std::size_t room, std::size_t& got) {
  return read_from(parts_->err, to, room, got);
}

bool Subprocess::wait(std::chrono::milliseconds most) {
  constexpr std::chrono::milliseconds kLongest(20);
  const auto until = std::chrono::steady_clock::now() + most;
  for (std::chrono::milliseconds pause(1); !ended_ && !(ended_ = reap(parts_->pid, ending_));
       pause = std::min(2 * pause, kLongest)) {
    if (std::chrono::steady_clock::now() >= until) {
      return false;
    }
    std::this_thread::sleep_for(pause);
  }
  return true;
}

bool Subprocess::is_silent() const { return parts_->out < 0 && parts_->err < 0; }

Subprocess::Watch Subprocess::watch(bool input) const { return {parts_->out, parts_->err, input ? parts_->in : -1}; }

Subprocess::Ready Subprocess::wait_for(const Watch& watch, Bell* bell, std::chrono::milliseconds most) {
  std::array<pollfd, 4> polled{{{static_cast<int>(watch.out), POLLIN, 0},
                                {static_cast<int>(watch.err), POLLIN, 0},
                                {static_cast<int>(watch.in), POLLOUT, 0},
                                {bell == nullptr ? -1 : static_cast<int>(bell->ends_[kReading]), POLLIN, 0}}};
  const auto left = std::clamp<std::chrono::milliseconds::rep>(most.count(), 0, kMostWait);
  if (::poll(polled.data(), polled.size(), static_cast<int>(left)) <= 0) {
    return {};
  }
  if (polled[3].revents != 0) {
    bell->silence();
  }
  return {true, polled[0].revents != 0, polled[1].revents != 0, polled[2].revents != 0};
}

bool Subprocess::gone() const {
  siginfo_t info{};
  return ended_ ||
         (::waitid(P_PID, static_cast<id_t>(parts_->pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0);
}

void Subprocess::terminate() {
  if (!ended_) {
    ::kill(-parts_->pid, SIGTERM);
  }
}

void Subprocess::release() {
  close_input();
  ended_ = true;
  parts_->out = -1;
  parts_->err = -1;
}

void Subprocess::kill() {
  // A process that was waited for has no number any more: somebody else may have it.
  if (!ended_) {
    ::kill(-parts_->pid, SIGKILL);
    ::kill(parts_->pid, SIGKILL);
  }
}

}  // namespace gpup
