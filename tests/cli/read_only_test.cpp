#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/simulated_host.h"
#include "cli/program.h"
#include "cli/run.h"
#include "cli/world.h"

namespace gpup::test {

namespace {

/// Hosts that can be read; any other request fails the test.
class ReadOnlyHosts : public HostWriter {
 public:
  HostAnswer<ObservedState> observe(const HostTarget& host) override { return real_->observe(host); }
  Result<HostFacts> examine(const HostTarget& host) override { return real_->examine(host); }
  Result<Done> lock(const HostTarget&) override { return written("lock"); }
  void unlock(const HostTarget&) override { static_cast<void>(written("unlock")); }
  HostAnswer<Done> stop_vm(const HostTarget&, const std::string&, const StopPolicy&, bool) override {
    return written("stop");
  }
  HostAnswer<Done> start_vm(const HostTarget&, const std::string&) override { return written("start"); }
  HostAnswer<Done> forget_owed_start(const HostTarget&, const std::string&) override { return written("forget"); }
  HostAnswer<Done> assign_partition(const HostTarget&, const std::string&, const std::optional<std::string>&) override {
    return written("assign");
  }
  HostAnswer<Done> unassign_partition(const HostTarget&, const std::string&, const std::string&) override {
    return written("unassign");
  }
  HostAnswer<Done> set_partition_count(const HostTarget&, const std::string&, std::uint32_t) override {
    return written("set count");
  }
  HostAnswer<Done> set_offline_action(const HostTarget&, const std::string&, OfflineAction) override {
    return written("set action");
  }

 private:
  static Result<Done> written(const char* what) {
    FAIL_CHECK("a reading command wrote to a host: " << what);
    return fail(ErrorCode::kRefused, what);
  }

  std::unique_ptr<HostWriter> real_ = make_simulated_hosts();
};

/// A journal that no reading command may begin.
class NoJournal : public Journal {
 public:
  Result<Done> begin(const Plan&, Time) override { return noted(); }
  Result<Done> intent(const Plan&, std::uint32_t, Time) override { return noted(); }
  Result<Done> outcome(const Plan&, const StepResult&) override { return noted(); }
  Result<Done> undo(const Plan&, std::uint32_t, Time) override { return noted(); }
  Result<Done> restored(const Plan&, const Restored&) override { return noted(); }
  Result<Done> hook(const HookResult&) override { return noted(); }
  Result<Done> hook_ended(const HookResult&) override { return noted(); }
  Result<Done> end(const Plan&, const Report&) override { return noted(); }
  Result<Done> flush() override { return noted(); }

 private:
  static Result<Done> noted() {
    FAIL_CHECK("a reading command wrote to the journal");
    return Done{};
  }
};

class MemoryFile : public OutputFile {
 public:
  explicit MemoryFile(std::string& target) : target_(target) {}
  void write(std::string_view bytes) override { text_ += bytes; }
  void patch(std::uint64_t offset, std::string_view bytes) override { text_.replace(offset, bytes.size(), bytes); }
  Result<Done> commit() override {
    target_ = text_;
    return Done{};
  }

 private:
  std::string& target_;
  std::string text_;
};

/// A world whose files are in memory.
class NoHooks : public Hooks {
 public:
  Result<Done> look_for(const std::vector<std::string>&) const override { return Done{}; }
  Result<Done> run(const HookCall&, const std::function<void(std::string_view)>&) override {
    FAIL_CHECK("a reading command ran a hook");
    return Done{};
  }
};

class NoSignatures : public Signatures {
 public:
  Result<std::string> sign(const std::string&, std::string_view, std::string_view) override {
    return fail(ErrorCode::kCannotRead, "nothing is signed here");
  }
  Result<Signer> verify(const std::string&, const std::string&, std::string_view, std::string_view) override {
    return fail(ErrorCode::kCannotRead, "nobody is known here");
  }
};

class PaperWorld : public WritingWorld {
 public:
  Result<std::string> read_file(const std::string& path, std::uint64_t) override {
    const auto found = files.find(path);
    if (found == files.end()) {
      return fail(ErrorCode::kCannotRead, "cannot read " + path);
    }
    return found->second;
  }
  Result<std::string> read_stdin(std::uint64_t) override { return std::string(); }
  bool is_folder(const std::string&) override { return false; }
  std::string absolute(const std::string& path) override { return path; }
  Result<std::vector<std::string>> list_folder(const std::string&) override { return std::vector<std::string>(); }
  Result<std::unique_ptr<OutputFile>> create_output(const std::string& path) override {
    return std::make_unique<MemoryFile>(files[path]);
  }
  Sink& out() override { return out_; }
  Result<Done> flush_out() override { return Done{}; }
  Sink& err() override { return err_; }
  bool is_terminal(Stream) override { return terminal; }
  unsigned terminal_width(Stream) override { return 100; }
  std::optional<std::string> ask(std::string_view question) override {
    err_.write(question);
    return answer;
  }
  std::optional<std::string> env(const std::string&) override { return std::nullopt; }
  Time now() override { return {}; }
  Signatures& signatures() override { return signatures_; }
  Durations past_durations(const std::string&) override {
    ++durations_asked;
    return {};
  }
  HostReader& reader() override { return hosts_; }
  HostWriter& writer() override { return hosts_; }
  Result<std::unique_ptr<LineSink>> create_lines(const std::string& path) override {
    return fail(ErrorCode::kCannotRead, "cannot write " + path);
  }
  Hooks& hooks() override { return hooks_; }
  Journal& journal(const JournalUse&) override { return journal_; }
  const std::atomic<bool>& cancelled() override { return cancelled_; }

  std::map<std::string, std::string> files;
  int durations_asked = 0;
  bool terminal = false;
  std::optional<std::string> answer;
  std::string out_text() const { return out_.text; }
  std::string err_text() const { return err_.text; }
  void cancel() { cancelled_ = true; }

 private:
  StringSink out_;
  StringSink err_;
  ReadOnlyHosts hosts_;
  NoJournal journal_;
  NoHooks hooks_;
  NoSignatures signatures_;
  std::atomic<bool> cancelled_ = false;
};

std::string desired_for(const Folder& folder) {
  std::string text(kDesired);
  text.replace(text.find("lab.json"), 8, folder.path() + "/lab.json");
  return text;
}

}  // namespace

TEST_CASE("no reading command writes to a host or to the journal") {
  const Folder folder;
  folder.write("lab.json", kLab);
  for (const std::string_view line :
       {"validate -f d.yaml", "doctor -f d.yaml", "doctor -f d.yaml -o json", "observe -f d.yaml",
        "observe -f d.yaml -o json --out s.json", "plan -f d.yaml --out p", "drift -f d.yaml",
        "drift -f d.yaml -o json", "export -f d.yaml", "why vdi-01 -f d.yaml", "why 1 -f d.yaml",
        "plan -f d.yaml -o markdown", "apply -f d.yaml", "restore-power -f d.yaml", "history", "explain GP001",
        "schema", "version", "help"}) {
    CAPTURE(line);
    PaperWorld world;
    world.files["d.yaml"] = desired_for(folder);
    run(split_words(line), world);
    CHECK_EQ(folder.read("lab.json"), kLab);
  }
  PaperWorld world;
  world.files["d.yaml"] = desired_for(folder);
  CHECK_EQ(run({"plan", "-f", "d.yaml", "--out", "p"}, world), 0);
  CHECK_EQ(run({"show", "p"}, world), 0);
}

TEST_CASE("apply takes only 'yes' for an answer") {
  const Folder folder;
  folder.write("lab.json", kLab);
  for (const std::optional<std::string>& answer :
       {std::optional<std::string>("y"), std::optional<std::string>("YES"), std::optional<std::string>(""),
        std::optional<std::string>("yes please"), std::optional<std::string>()}) {
    PaperWorld world;
    world.files["d.yaml"] = desired_for(folder);
    world.terminal = true;
    world.answer = answer;
    CHECK_EQ(run({"apply", "-f", "d.yaml"}, world), 6);
    CHECK_NE(world.err_text().find("Only 'yes' is accepted"), std::string::npos);
    CHECK_EQ(folder.read("lab.json"), kLab);
  }
}

TEST_CASE("a signal at the question cancels, and nothing is touched") {
  const Folder folder;
  folder.write("lab.json", kLab);
  PaperWorld world;
  world.files["d.yaml"] = desired_for(folder);
  world.terminal = true;
  world.cancel();
  CHECK_EQ(run({"apply", "-f", "d.yaml"}, world), 8);
  CHECK_EQ(folder.read("lab.json"), kLab);
}

TEST_CASE("journals are looked at only where a plan's outage is told or bounded, and once") {
  struct Case {
    std::string_view line;
    int asked;
  };
  const Case cases[] = {
      {"plan -f d.yaml -o json --out p", 0},
      {"plan -f d.yaml -o json --report json=q", 0},
      {"plan -f d.yaml -o json --max-outage 1h", 1},
      {"plan -f d.yaml -o json --report outage=q", 1},
      {"plan -f d.yaml --report markdown=q --max-outage 1h", 1},
      {"plan -f d.yaml -o outage", 1},
      {"drift -f d.yaml", 0},
      {"apply -f d.yaml", 1},
  };
  const Folder folder;
  folder.write("lab.json", kLab);
  for (const Case& c : cases) {
    CAPTURE(c.line);
    PaperWorld world;
    world.files["d.yaml"] = desired_for(folder);
    run(split_words(c.line), world);
    CHECK_EQ(world.durations_asked, c.asked);
  }
}

}  // namespace gpup::test
