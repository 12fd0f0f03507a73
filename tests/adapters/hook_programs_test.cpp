#include "adapters/hook_programs.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "adapters/temporary_folder.h"

using namespace gpup;

namespace {

using Clock = std::chrono::steady_clock;

/// A folder with a shell script in it, and what came of running that.
struct Script {
  explicit Script(const std::string& text) {
    spill(path(), "#!/bin/sh\n" + text);
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  std::string path() const { return folder / "hook"; }

  std::string run(std::vector<std::string> arguments = {}, std::chrono::seconds timeout = std::chrono::seconds(30)) {
    arguments.insert(arguments.begin(), path());
    return run_words(arguments, timeout);
  }
  /// Why it did not end well; empty where it did.
  std::string run_words(const std::vector<std::string>& argv, std::chrono::seconds timeout = std::chrono::seconds(30)) {
    const Clock::time_point begun = Clock::now();
    const Result<Done> ran = hooks->run({argv, environment, timeout, &cancelled},
                                        [this](std::string_view line) { lines.emplace_back(line); });
    took = Clock::now() - begun;
    interrupted = !ran && ran.error().code == ErrorCode::kInterrupted;
    return ran ? std::string() : ran.error().message;
  }

  TemporaryFolder folder;
  std::unique_ptr<Hooks> hooks = make_hook_programs();
  std::vector<std::pair<std::string, std::string>> environment;
  std::atomic<bool> cancelled = false;
  std::vector<std::string> lines;
  Clock::duration took{};
  bool interrupted = false;
};

bool within_seconds(int most, const std::function<bool()>& holds) {
  for (const Clock::time_point until = Clock::now() + std::chrono::seconds(most); Clock::now() < until;) {
    if (holds()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return holds();
}

}  // namespace

TEST_CASE("a hook is told what it needs, word for word: nothing of it is read by a shell") {
  const std::vector<std::string> hostile = {"$(touch reached)", "`touch reached`", "a b",  "*",  "'",  "\"",
                                            "; exit 3",         "&& false",        "名前", "\\", "-n", "x\nexit 4"};
  for (const std::string& name : hostile) {
    CAPTURE(name);
    Script script("printf '%s' \"$GPUP_VM\" >\"$0.vm\"; printf '%s' \"$1\" >\"$0.argument\"\n");
    script.environment = {{"GPUP_VM", name}};
    CHECK_EQ(script.run({name}), "");
    CHECK_EQ(read_text(script.path() + ".vm"), name);
    CHECK_EQ(read_text(script.path() + ".argument"), name);
  }
  CHECK_FALSE(std::filesystem::exists("reached"));
}

TEST_CASE("a hook ends well with 0 alone") {
  CHECK_EQ(Script("exit 0\n").run(), "");
  CHECK_EQ(Script("exit 3\n").run(), "exited with 3");
  CHECK_EQ(Script("kill -9 $$\n").run(), "was ended by signal 9");
  Script script("");
  CHECK_EQ(script.run_words({script.folder / "missing"}),
           "could not be started: " + script.folder / "missing" + ": No such file or directory");
  spill(script.path(), "echo no program\n");
  CHECK_EQ(script.run(), "could not be started: " + script.path() + ": Exec format error");
  std::filesystem::permissions(script.path(), std::filesystem::perms::owner_read);
  CHECK_EQ(script.run(), "could not be started: " + script.path() + ": Permission denied");
  CHECK_EQ(script.run_words({"true"}), "");  // from PATH
  script.environment = {{"GPUP_VM", std::string("a\0b", 3)}};
  CHECK_EQ(script.run_words({"true"}), "could not be started: GPUP_VM would hold U+0000");
}

TEST_CASE("a hook has nothing to read, and what it writes comes line by line") {
  Script script("read -r line && echo read; echo out; echo err >&2; printf 'cr\\r\\nlast'\n");
  CHECK_EQ(script.run(), "");
  std::sort(script.lines.begin(), script.lines.end());
  CHECK(script.lines == std::vector<std::string>{"cr", "err", "last", "out"});
}

TEST_CASE("a hook that says too much is cut short, and not kept from ending") {
  Script script("head -c 3000000 /dev/zero | tr '\\0' x; yes | head -n 200000\n");
  CHECK_EQ(script.run(), "");
  CHECK_EQ(script.lines.size(), 501);
  CHECK_EQ(script.lines.front(), std::string(1000, 'x'));
  CHECK_EQ(script.lines.back(), "(more was said, and is not shown)");
}

TEST_CASE("a hook that takes too long is ended, with what it started") {
  SUBCASE("it ends when it is asked to") {
    Script script("trap 'echo tidied; exit 0' TERM; sleep 60 & wait\n");
    CHECK_EQ(script.run({}, std::chrono::seconds(1)), "took longer than 1 s and was ended");
    CHECK(script.lines == std::vector<std::string>{"tidied"});
    CHECK_LT(script.took, std::chrono::seconds(5));
  }
  SUBCASE("it does not") {
    Script script("trap '' TERM; sleep 60 & echo $! >\"$0.pid\"; while :; do sleep 1; done\n");
    CHECK_EQ(script.run({}, std::chrono::seconds(1)), "took longer than 1 s and was ended");
    CHECK_LT(script.took, std::chrono::seconds(20));
    const std::string left = "/proc/" + std::to_string(std::stol(read_text(script.path() + ".pid"))) + "/stat";
    CHECK(
        within_seconds(5, [&] { return read_text(left).empty() || read_text(left).find(") Z") != std::string::npos; }));
  }
}

TEST_CASE("a hook is told to end where the run is cancelled") {
  Script script("trap 'exit 0' TERM; echo begun; sleep 60 & wait\n");
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    script.cancelled = true;
  });
  CHECK_EQ(script.run(), "was told to end, as the run was cancelled");
  canceller.join();
  CHECK(script.interrupted);
  CHECK_LT(script.took, std::chrono::seconds(6));
}

TEST_CASE("what a hook leaves running does not keep the run waiting") {
  Script script("sleep 30 & echo $! >\"$0.pid\"; echo done\n");
  CHECK_EQ(script.run(), "");
  CHECK_LT(script.took, std::chrono::seconds(10));
  CHECK(script.lines == std::vector<std::string>{"done"});
  const std::string pid = read_text(script.path() + ".pid");
  CHECK(std::filesystem::exists("/proc/" + std::to_string(std::stol(pid))));
  script.run_words({"kill", std::to_string(std::stol(pid))});
}
