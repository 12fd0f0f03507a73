#include "cli/step_progress.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/log.h"
#include "cli/program.h"
#include "paths.h"

namespace gpup::test {

namespace {

/// A terminal that knows what is asked of one here: lines, up to an earlier one, clear the rest.
class Screen : public Sink {
 public:
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (bytes.starts_with("\x1b[J")) {
        lines.resize(row_);
        lines.emplace_back();
        bytes.remove_prefix(3);
      } else if (bytes.starts_with("\x1b[")) {
        const std::size_t end = bytes.find('F');
        REQUIRE_NE(end, std::string_view::npos);
        const auto up = static_cast<std::size_t>(std::stoi(std::string(bytes.substr(2, end - 2))));
        REQUIRE_GE(row_, up);
        row_ -= up;
        bytes.remove_prefix(end + 1);
      } else if (bytes.front() == '\n') {
        most = std::max(most, lines[row_].size());
        ++row_;
        lines.resize(std::max(lines.size(), row_ + 1));
        bytes.remove_prefix(1);
      } else {
        lines[row_] += bytes.front();
        bytes.remove_prefix(1);
      }
    }
  }
  std::string text() const {
    std::string all;
    for (const std::string& line : lines) {
      all += line.empty() ? "" : line + "\n";
    }
    return all;
  }

  std::vector<std::string> lines{1};
  std::size_t most = 0;

 private:
  std::size_t row_ = 0;
};

/// So many machines of one host are stopped.
Plan a_plan(std::size_t vms, const std::vector<std::string>& names) {
  Plan plan;
  plan.hosts.push_back({"hv-1", {}});
  for (std::size_t i = 0; i < vms; ++i) {
    PlanVm vm;
    vm.name = names[i];
    vm.id = names[i];
    vm.host = 0;
    plan.vms.push_back(vm);
    Step step;
    step.op = Op::kStopVm;
    step.vm = static_cast<std::uint32_t>(i);
    plan.steps.push_back(step);
  }
  return plan;
}

std::vector<std::string> some_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("vm-" + std::to_string(i));
  }
  return names;
}

StepResult done(std::uint32_t step) {
  StepResult result;
  result.step = step;
  result.outcome = Outcome::kDone;
  return result;
}

}  // namespace

TEST_CASE("a terminal's last lines say what is under way, for how long and of how much, and are gone in the end") {
  close_log();
  const std::vector<std::string> names = some_names(2);
  const Plan plan = a_plan(2, names);
  Durations known;
  StepTime time;
  time.median = 30000;
  time.samples = 5;
  known.measured[{Op::kStopVm, "", false}] = time;
  Time now{};
  Screen screen;
  StepProgress progress(screen, StepProgress::Terminal{80, StepTimes(plan, known)}, [&] { return now; });
  progress.started(plan, 0);
  now += std::chrono::seconds(5);
  progress.started(plan, 1);
  now += std::chrono::milliseconds(7900);
  progress.tick();
  CHECK_EQ(screen.text(),
           "  stop-vm hv-1/vm/vm-0 (12 s of about 30 s)\n"
           "  stop-vm hv-1/vm/vm-1 (7 s of about 30 s)\n"
           "0 of 2 steps ended, 2 under way on 1 host; 12 s\n");
  progress.finished(plan, done(0));
  CHECK_EQ(screen.text(),
           "[1/2] done     stop-vm hv-1/vm/vm-0\n"
           "  stop-vm hv-1/vm/vm-1 (7 s of about 30 s)\n"
           "1 of 2 steps ended, 1 under way on 1 host; 12 s\n");
  progress.finished(plan, done(1));
  progress.tick();
  CHECK_EQ(screen.text(), "[1/2] done     stop-vm hv-1/vm/vm-0\n[2/2] done     stop-vm hv-1/vm/vm-1\n");
}

TEST_CASE("however many steps are under way and however long their names are, no line of a terminal wraps") {
  close_log();
  std::vector<std::string> names = some_names(100);
  for (std::size_t i = 0; i < names.size(); i += 3) {
    names[i] = std::string(200, 'x') + "\x1b[31m";
    names[i + 1 < names.size() ? i + 1 : i] = [] {
      std::string wide;
      for (int j = 0; j < 100; ++j) {
        wide += "東";
      }
      return wide;
    }();
  }
  const Plan plan = a_plan(100, names);
  for (const unsigned width : {20U, 80U}) {
    Screen screen;
    StepProgress progress(screen, StepProgress::Terminal{width, StepTimes(plan, {})}, [] { return Time{}; });
    for (std::uint32_t i = 0; i < 100; ++i) {
      progress.started(plan, i);
      CHECK_LE(screen.lines.size(), 11);
      for (const std::string& line : screen.lines) {
        CHECK_LE(display_width(line), width);
        CHECK_FALSE(invalid_utf8_at(line));
      }
    }
    CHECK(screen.lines[8] == "  and 92 more");
  }
}

TEST_CASE("without a terminal nothing but the lines of what ended is written") {
  close_log();
  const std::vector<std::string> names = some_names(1);
  const Plan plan = a_plan(1, names);
  StringSink err;
  StepProgress progress(err, std::nullopt, [] { return Time{}; });
  progress.started(plan, 0);
  progress.tick();
  progress.finished(plan, done(0));
  CHECK_EQ(err.text, "[1/1] done     stop-vm hv-1/vm/vm-0\n");
}

TEST_CASE("what a hook writes is told line by line, as text") {
  close_log();
  StringSink err;
  StepProgress progress(err, std::nullopt, [] { return Time{}; });
  HookResult hook;
  hook.host = "hv-1";
  hook.vm = "vm-\x1b[2J";
  progress.hook_started(hook);
  progress.hook_said(hook, "\x1b[31mdrained");
  hook.message = "exited with 3";
  progress.hook_ended(hook);
  CHECK_EQ(err.text,
           "hook before hv-1/vm/vm-\\u{1b}[2J: \\u{1b}[31mdrained\n"
           "hook before hv-1/vm/vm-\\u{1b}[2J: failed, exited with 3 (0 s)\n");
}

TEST_CASE("on a terminal apply draws what is under way and leaves the lines of what ended") {
  const Folder folder;
  folder.write("desired.yaml", kDesired);
  std::string lab(kLab);
  folder.write("lab.json",
               lab.insert(lab.find("\"gpus\""), "\"simulate\": {\"latency\": {\"assign-partition\": 1200}}, "));
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE_GE(child, 0);
  if (child == 0) {
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    const std::string state = folder.path() + "/state";
    if (chdir(folder.path().c_str()) == 0) {
      execl(kProgram, "gpup", "apply", "-f", "desired.yaml", "--yes", "--state-dir", state.c_str(), nullptr);
    }
    _exit(127);
  }
  std::string shown;
  char bytes[4096];
  for (ssize_t got = 0; (got = read(terminal, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR);) {
    shown.append(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(terminal);
  CAPTURE(shown);
  CHECK_EQ(status, 0);
  CHECK_NE(shown.find("  assign-partition hv-1/vm/vdi-01 ("), std::string::npos);
  CHECK_NE(shown.find("under way on 1 host; "), std::string::npos);
  CHECK_NE(shown.find("F\x1b[J"), std::string::npos);
  CHECK_NE(shown.find("] done     assign-partition hv-1/vm/vdi-01"), std::string::npos);
}

}  // namespace gpup::test
