#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "adapters/agent_launch.h"
#include "adapters/agent_script.h"
#include "adapters/clock.h"
#include "adapters/files.h"
#include "adapters/hook_programs.h"
#include "adapters/hosts_by_transport.h"
#include "adapters/journal_durations.h"
#include "adapters/journal_file.h"
#include "adapters/lines.h"
#include "adapters/powershell_hosts.h"
#include "adapters/simulated_host.h"
#include "adapters/ssh_signatures.h"
#include "adapters/this_process.h"
#include "cli/run.h"
#include "cli/world.h"
#include "render/journal_reader.h"
#include "render/plan_json.h"

namespace gpup {

namespace {

std::atomic<bool> cancelled_flag = false;
std::atomic<int> asked_to_end = 0;
std::atomic<int> signal_pipe = -1;  // to whoever answers them; the second ends the process
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

constexpr int kEndedBySignal = 128;

extern "C" void note_signal(int signal) {
  cancelled_flag = true;
  // Where a terminal is closed the kernel sends a SIGHUP, and a shell that had it passes it on.
  const int asked = signal == SIGHUP ? 0 : ++asked_to_end;
  if (asked == 0) {
    return;
  }
  const int error = errno;
  const auto number = static_cast<unsigned char>(signal);
  const bool told = asked <= 2 && signal_pipe >= 0 && write(signal_pipe, &number, 1) == 1;
  if (asked > 1 && !told) {
    _exit(kEndedBySignal + signal);
  }
  errno = error;
}

// A descriptor below 3 that is closed would go to the next file that is opened, and what is said on it would be written
// there. It is held by one that fails as a closed one does.
void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int descriptor_of(Stream stream) {
  switch (stream) {
    case Stream::kIn:
      return STDIN_FILENO;
    case Stream::kOut:
      return STDOUT_FILENO;
    case Stream::kErr:
      break;
  }
  return STDERR_FILENO;
}

/// stderr, each piece as it comes.
class Unbuffered : public Sink {
 public:
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::write(STDERR_FILENO, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) {
        continue;
      }
      if (put <= 0) {
        return;  // nobody can be told
      }
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
};

/// What is to be said at the first signal, and where a second one ends the process.
struct WordsAtSignals {
  std::mutex mutex;
  std::string first;
  std::function<std::string()> last;
};

/// Never destroyed: a signal may come until the process has ended.
WordsAtSignals& words_at_signals() {
  static WordsAtSignals& only = *new WordsAtSignals;
  return only;
}

/// The number of the signal that comes next.
int next_signal(int pipe) {
  unsigned char signal = SIGTERM;
  while (read(pipe, &signal, 1) < 0 && errno == EINTR) {
  }
  return signal;
}

[[noreturn]] void answer_signals(int pipe) {
  WordsAtSignals& words = words_at_signals();
  next_signal(pipe);
  std::unique_lock lock(words.mutex);
  const std::string first = words.first;
  lock.unlock();  // whoever reads stderr may take long
  Unbuffered().write(first);
  const int signal = next_signal(pipe);
  lock.lock();
  if (words.last) {
    Unbuffered().write(words.last());
  }
  _exit(kEndedBySignal + signal);
}

/// A thread of its own waits for signals: in a handler little is allowed. Without one the second just ends.
void wait_for_signals() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return;
  }
  // The others get the signals, so that a question that is open ends.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(answer_signals, ends[0]).detach();
    signal_pipe = ends[1];
  } catch (const std::system_error&) {
    close(ends[0]);
    close(ends[1]);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void watch_signals() {
  wait_for_signals();
  struct sigaction action {};
  action.sa_handler = note_signal;  // without SA_RESTART: a question that is open ends
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {  // nohup
    sigaction(SIGHUP, &action, nullptr);
  }
}

/// This machine, and the hosts that it reaches.
class RealWorld : public WritingWorld {
 public:
  Result<std::string> read_file(const std::string& path, std::uint64_t most) override {
    return gpup::read_file(path, most);
  }
  Result<std::string> read_stdin(std::uint64_t most) override { return gpup::read_stdin(most); }
  bool is_folder(const std::string& path) override { return gpup::is_folder(path); }
  std::string absolute(const std::string& path) override {
    std::error_code unknown;
    const std::filesystem::path whole = std::filesystem::absolute(path, unknown);
    return unknown ? path : whole.lexically_normal().string();
  }
  Result<std::vector<std::string>> list_folder(const std::string& path) override { return gpup::list_folder(path); }
  Result<std::unique_ptr<OutputFile>> create_output(const std::string& path) override {
    return gpup::create_output(path);
  }

  Sink& out() override { return out_; }
  Result<Done> flush_out() override { return out_.finish(); }
  Sink& err() override { return err_; }

  bool is_terminal(Stream stream) override { return isatty(descriptor_of(stream)) == 1; }
  unsigned terminal_width(Stream stream) override {
    constexpr unsigned kUsual = 80;
    struct winsize size {};
    return ioctl(descriptor_of(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
  }
  std::optional<std::string> ask(std::string_view question) override {
    err_.write(question);
    std::string line;
    char c = 0;
    for (ssize_t got = ::read(STDIN_FILENO, &c, 1); got == 1; got = ::read(STDIN_FILENO, &c, 1)) {
      if (c == '\n') {
        return line;
      }
      line += c;
    }
    return std::nullopt;
  }
  std::optional<std::string> env(const std::string& name) override {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  Time now() override { return system_now(); }
  Who who() override { return who_runs_this(); }
  Signatures& signatures() override { return *signatures_; }
  Durations past_durations(const std::string& folder) override {
    if (!durations_) {
      durations_ = read_durations(
          folder, [](std::string_view text, const std::string& path) { return read_journal(text, path, path); });
    }
    return *durations_;
  }
  AgentTexts agent_texts() override {
    return {agent_script(), agent_bootstrap(), agent_command("powershell", agent_bootstrap())};
  }

  void prepare_hosts(const HostUse& use) override { use_ = use; }
  HostReader& reader() override { return writer(); }
  HostWriter& writer() override {
    if (!hosts_) {
      hosts_ =
          make_hosts_by_transport(make_simulated_hosts(), make_powershell_hosts(use_.request_timeout, use_.may_write));
    }
    return *hosts_;
  }
  Result<std::unique_ptr<LineSink>> create_lines(const std::string& path) override { return gpup::create_lines(path); }
  std::string state_folder() override { return default_state_folder(); }
  Hooks& hooks() override { return *hooks_; }
  Journal& journal(const JournalUse& use) override {
    journal_ = make_journal_file(use, [](const Plan& plan, OutputFile& file) { write_plan(plan, file); });
    return *journal_;
  }
  const std::atomic<bool>& cancelled() override {
    if (!watching_) {
      watching_ = true;
      watch_signals();
    }
    return cancelled_flag;
  }
  void set_words(std::string_view at_first, const std::function<std::string()>& at_last) override {
    WordsAtSignals& words = words_at_signals();
    const std::lock_guard guard(words.mutex);
    words.first = at_first;
    words.last = at_last;
  }

 private:
  StreamSink out_{STDOUT_FILENO};
  Unbuffered err_;
  HostUse use_;
  std::unique_ptr<HostWriter> hosts_;
  const std::unique_ptr<Hooks> hooks_ = make_hook_programs();
  const std::unique_ptr<Signatures> signatures_ = make_ssh_signatures();
  std::unique_ptr<Journal> journal_;
  std::optional<Durations> durations_;  // asked for twice where a plan is shown and performed
  bool watching_ = false;
};

}  // namespace

}  // namespace gpup

int main(int argc, char** argv) {
  gpup::hold_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error like a full disk
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
  gpup::RealWorld world;
  return gpup::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), world);
}
