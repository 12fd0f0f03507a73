#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "adapters/agent_launch.h"
#include "adapters/agent_script.h"
#include "adapters/clock.h"
#include "adapters/disk.h"
#include "adapters/files.h"
#include "adapters/hook_programs.h"
#include "adapters/hosts_by_transport.h"
#include "adapters/journal_durations.h"
#include "adapters/journal_file.h"
#include "adapters/lines.h"
#include "adapters/powershell_hosts.h"
#include "adapters/signals.h"
#include "adapters/simulated_host.h"
#include "adapters/ssh_signatures.h"
#include "adapters/terminal.h"
#include "adapters/this_process.h"
#include "base/paths.h"
#include "cli/exit_codes.h"
#include "cli/run.h"
#include "cli/world.h"
#include "render/journal_reader.h"
#include "render/plan_json.h"

namespace gpup {

namespace {

int descriptor_of(Stream stream) {
  switch (stream) {
    case Stream::kIn:
      return 0;
    case Stream::kOut:
      return 1;
    case Stream::kErr:
      break;
  }
  return 2;
}

/// stderr, each piece as it comes.
class Unbuffered : public Sink {
 public:
  void write(std::string_view bytes) override { disk::write_all(descriptor_of(Stream::kErr), bytes); }
};

/// This machine, and the hosts that it reaches.
class RealWorld : public WritingWorld {
 public:
  Result<std::string> read_file(const std::string& path, std::uint64_t most) override {
    return gpup::read_file(path, most);
  }
  Result<std::string> read_stdin(std::uint64_t most) override { return gpup::read_stdin(most); }
  bool is_folder(const std::string& path) override { return gpup::is_folder(path); }
  bool is_taken(const std::string& path) override { return gpup::is_taken(path); }
  std::string absolute(const std::string& path) override {
    std::error_code unknown;
    const std::filesystem::path whole = std::filesystem::absolute(path_of(path), unknown);
    return unknown ? path : path_text(whole.lexically_normal());
  }
  Result<std::vector<std::string>> list_folder(const std::string& path) override { return gpup::list_folder(path); }
  Result<std::unique_ptr<OutputFile>> create_output(const std::string& path) override {
    return gpup::create_output(path);
  }

  Sink& out() override { return out_; }
  Result<Done> flush_out() override { return out_.finish(); }
  Sink& err() override { return err_; }

  bool is_terminal(Stream stream) override { return gpup::is_terminal(descriptor_of(stream)); }
  unsigned terminal_width(Stream stream) override {
    constexpr unsigned kUsual = 80;
    const unsigned columns = terminal_columns(descriptor_of(stream));
    return columns > 0 ? columns : kUsual;
  }
  std::optional<std::string> ask(std::string_view question) override {
    err_.write(question);
    std::string line;
    char c = 0;
    while (read_typed(c)) {
      if (c == '\n') {
        line.resize(line.find_last_not_of('\r') + 1);
        return line;
      }
      line += c;
    }
    return std::nullopt;
  }
  std::optional<std::string> env(const std::string& name) override { return environment_variable(name); }
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
  const std::atomic<bool>& cancelled() override { return cancelled_by_signal(); }
  void set_words(std::string_view at_first, const std::function<std::string()>& at_last) override {
    set_words_at_signals(std::string(at_first), at_last);
  }

 private:
  StreamSink out_{descriptor_of(Stream::kOut)};
  Unbuffered err_;
  HostUse use_;
  std::unique_ptr<HostWriter> hosts_;
  const std::unique_ptr<Hooks> hooks_ = make_hook_programs();
  const std::unique_ptr<Signatures> signatures_ = make_ssh_signatures();
  std::unique_ptr<Journal> journal_;
  std::optional<Durations> durations_;  // asked for twice where a plan is shown and performed
};

}  // namespace

}  // namespace gpup

int main(int argc, char** argv) {
  gpup::prepare_standard_streams();
  gpup::RealWorld world;
  try {
    return gpup::run(gpup::arguments(argc, argv), world);
  } catch (const std::bad_alloc&) {
    world.err().write("gpup: there is not enough memory\n");
    return gpup::kExitError;
  }
}
