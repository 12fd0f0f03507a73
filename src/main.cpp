#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "adapters/agent_launch.h"
#include "adapters/agent_script.h"
#include "adapters/clock.h"
#include "adapters/files.h"
#include "adapters/hosts_by_transport.h"
#include "adapters/journal_durations.h"
#include "adapters/journal_file.h"
#include "adapters/powershell_hosts.h"
#include "adapters/simulated_host.h"
#include "cli/run.h"
#include "cli/world.h"
#include "render/plan_json.h"

namespace gpup {

namespace {

std::atomic<bool> cancelled_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void note_signal(int signal) {
  constexpr int kEndedBySignal = 128;
  if (cancelled_flag.exchange(true)) {
    _exit(kEndedBySignal + signal);
  }
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

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;  // without SA_RESTART: a question that is open ends
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);  // the terminal was closed
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
  unsigned terminal_width() override {
    constexpr unsigned kUsual = 80;
    struct winsize size {};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
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
  Durations past_durations(const std::string& folder) override { return read_durations(folder); }
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
  std::string state_folder() override { return default_state_folder(); }
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

 private:
  StreamSink out_{STDOUT_FILENO};
  Unbuffered err_;
  HostUse use_;
  std::unique_ptr<HostWriter> hosts_;
  std::unique_ptr<Journal> journal_;
  bool watching_ = false;
};

}  // namespace

}  // namespace gpup

int main(int argc, char** argv) {
  gpup::hold_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error like a full disk
  gpup::RealWorld world;
  return gpup::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), world);
}
