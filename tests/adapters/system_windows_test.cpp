#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <windows.h>
// after it
#include <shellapi.h>

#include "adapters/common_windows.h"
#include "adapters/file_lock.h"
#include "adapters/files.h"
#include "adapters/journal_file.h"
#include "adapters/lab_bench.h"
#include "adapters/lines.h"
#include "adapters/run_program.h"
#include "adapters/subprocess.h"
#include "adapters/this_process.h"
#include "base/paths.h"
#include "paths.h"

namespace gpup {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr seconds kLong(60);

/// tests/windows/child.cpp
std::string child() { return path_text(path_of(kProgram).parent_path() / "tests/windows/gpup_child.exe"); }

/// All that a program says on its output until it ends.
std::string heard(Subprocess& process, std::size_t most = 1U << 20U) {
  std::string text;
  std::vector<char> piece(kPipeBytes);
  for (std::size_t got = 0; text.size() < most;) {
    const auto piped = process.read_out(piece.data(), piece.size(), got);
    if (piped == Subprocess::Piped::kEnded) {
      break;
    }
    text.append(piece.data(), got);
    if (piped == Subprocess::Piped::kNothingNow) {
      Subprocess::wait_for(process.watch(false), nullptr, kLong);
    }
  }
  return text;
}

bool is_alive(DWORD number) {
  const windows::Handle process(::OpenProcess(SYNCHRONIZE, FALSE, number));
  return process.ok() && ::WaitForSingleObject(process.get(), 0) == WAIT_TIMEOUT;
}

TEST_CASE("words that are hard to quote reach a program as they are, by every way that it may read them") {
  const std::vector<std::string> words = {"plain",  "two words",   "",        "quote\"d",        "back\\slash",
                                          "end\\",  "end two\\\\", "\\\"",    "a\\\\\"b",        "tab\there",
                                          "ü–π🎮",   "%PATH%",      "^&|<>()", "-EncodedCommand", "'single'",
                                          "*.yaml", "line\nbreak"};
  std::vector<std::string> argv = {child(), "say"};
  argv.insert(argv.end(), words.begin(), words.end());
  std::string wanted;
  for (const std::string& word : words) {
    wanted += "[" + word + "]\n";
  }
  const auto run = run_program(argv, "größe\n", kLong);
  REQUIRE(run);
  CHECK_EQ(run->ending, Ending{0, 0});
  CHECK_EQ(run->out, wanted + "größe\n");

  int count = 0;
  wchar_t** const split = ::CommandLineToArgvW(windows::command_line(argv).c_str(), &count);
  REQUIRE_EQ(count, static_cast<int>(argv.size()));
  for (int i = 0; i < count; ++i) {
    CHECK_EQ(windows::narrow(split[i]), argv[static_cast<std::size_t>(i)]);
  }
  ::LocalFree(split);
}

TEST_CASE("a program's exit code and what it complained of are told") {
  const auto run = run_program({child(), "complain", "7"}, {}, kLong);
  REQUIRE(run);
  CHECK_EQ(run->ending, Ending{7, 0});
  CHECK_EQ(run->err, "it does not work\n");
}

TEST_CASE("more than a pipe holds goes in and comes out at once") {
  const std::string much(700'000, 'y');
  const auto run = run_program({child(), "say"}, much, kLong);
  REQUIRE(run);
  CHECK(run->out == much);
}

TEST_CASE("a program that takes too long is ended, with all that it started") {
  const TemporaryFolder folder;
  const std::string file = folder / "number";
  const auto process = Subprocess::start({child(), "parent", file});
  REQUIRE(process);
  const auto until = Clock::now() + kLong;
  while (!std::filesystem::exists(file) && Clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  const DWORD grandchild = static_cast<DWORD>(std::stoul(read_text(file)));
  CHECK(is_alive(grandchild));
  CHECK_FALSE((*process)->wait(milliseconds(100)));
  (*process)->kill();
  CHECK((*process)->wait(kLong));
  for (const auto end = Clock::now() + seconds(10); is_alive(grandchild) && Clock::now() < end;) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  CHECK_FALSE(is_alive(grandchild));

  const auto began = Clock::now();
  const auto late = run_program({child(), "sleep"}, {}, milliseconds(500));
  REQUIRE_FALSE(late);
  CHECK_EQ(late.error().code, ErrorCode::kInterrupted);
  CHECK_LT(Clock::now() - began, seconds(20));
}

TEST_CASE("a program sees the end of its input, also of what was still on its way") {
  const auto process = Subprocess::start({child(), "say"});
  REQUIRE(process);
  const std::string much(3 * kPipeBytes, 'z');
  std::string_view rest = much;
  std::string text;
  std::vector<char> piece(kPipeBytes);
  while (!rest.empty()) {
    std::size_t taken = 0;
    REQUIRE((*process)->write(rest, taken) != Subprocess::Piped::kEnded);
    rest.remove_prefix(taken);
    std::size_t got = 0;
    (*process)->read_out(piece.data(), piece.size(), got);
    text.append(piece.data(), got);
    Subprocess::wait_for((*process)->watch(!rest.empty()), nullptr, milliseconds(100));
  }
  (*process)->close_input();
  text += heard(**process);
  CHECK(text == much);
  CHECK((*process)->wait(kLong));
  CHECK_EQ((*process)->ending().code, 0);
}

TEST_CASE("a program that is let go lives on, sees the end of its input, and may still write") {
  const TemporaryFolder folder;
  const std::string file = folder / "made";
  {
    const auto process = Subprocess::start({child(), "linger", file});
    REQUIRE(process);
    std::size_t taken = 0;
    CHECK((*process)->write("a request", taken) == Subprocess::Piped::kSome);
    (*process)->release();
  }
  for (const auto until = Clock::now() + kLong; read_text(file).empty() && Clock::now() < until;) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  CHECK_EQ(read_text(file), "told");
}

TEST_CASE("a bell wakes whoever waits for a process") {
  const auto process = Subprocess::start({child(), "sleep"});
  REQUIRE(process);
  const auto bell = Bell::make();
  std::thread ringer([&] {
    std::this_thread::sleep_for(milliseconds(100));
    bell->ring();
  });
  std::size_t got = 0;
  char c = 0;
  CHECK((*process)->read_out(&c, 1, got) == Subprocess::Piped::kNothingNow);
  CHECK((*process)->read_err(&c, 1, got) == Subprocess::Piped::kNothingNow);
  const auto began = Clock::now();
  const auto ready = Subprocess::wait_for((*process)->watch(false), bell.get(), kLong);
  ringer.join();
  CHECK(ready.any);
  CHECK_FALSE(ready.out);
  CHECK_LT(Clock::now() - began, seconds(20));
  CHECK_FALSE(Subprocess::wait_for((*process)->watch(false), bell.get(), milliseconds(50)).any);  // heard once
}

TEST_CASE("a program is looked for in PATH, and a batch file is no program") {
  CHECK_FALSE(Subprocess::look_for({"cmd"}));
  CHECK_FALSE(Subprocess::look_for({child()}));
  CHECK_FALSE(Subprocess::look_for({child().substr(0, child().size() - 4)}));  // without .exe
  const auto missing = Subprocess::look_for({"no-such-program"});
  REQUIRE(missing);
  CHECK(missing->trouble == Subprocess::Trouble::kNotFound);
  const TemporaryFolder folder;
  spill(folder / "hook.cmd", "@echo off\r\n");
  const auto batch = Subprocess::start({folder / "hook.cmd", "a&calc"});
  REQUIRE_FALSE(batch);
  CHECK(batch.error().trouble == Subprocess::Trouble::kNotAllowed);
  CHECK_EQ(batch.error().message, "it is a batch file, in which cmd would take arguments for commands");
  const auto here = Subprocess::look_for({folder.path()});
  REQUIRE(here);
  CHECK(here->trouble == Subprocess::Trouble::kNotAllowed);
}

TEST_CASE("variables are set besides our own, whatever the case of their names") {
  ::SetEnvironmentVariableW(L"Gpup_Test", L"ours");
  const auto with = [](const Subprocess::Environment& more) {
    const auto process = Subprocess::start({child(), "variable", "GPUP_TEST"}, more, Subprocess::Input::kNothing);
    REQUIRE(process);
    return heard(**process);
  };
  CHECK_EQ(with({}), "ours");
  CHECK_EQ(with({{"GPUP_TEST", "größer"}}), "größer");
  ::SetEnvironmentVariableW(L"Gpup_Test", nullptr);
  CHECK_EQ(with({}), "(not set)");
}

TEST_CASE("names may hold any letter, and paths be longer than 260 of them") {
  const TemporaryFolder folder;
  std::string path = folder.path();
  for (int i = 0; i < 8; ++i) {
    path += "/größe–π–" + std::string(40, 'x');
  }
  const JournalUse use{path, {}, {}, {}};
  const auto journal = make_journal_file(use, [](const Plan&, OutputFile& file) { file.write("{}\n"); });
  REQUIRE(journal->begin(Plan{}, {}));
  const auto names = list_folder(path);
  REQUIRE(names);
  CHECK_EQ(names->size(), 2);
  CHECK_EQ(
      std::count_if(names->begin(), names->end(), [&](const std::string& name) { return is_taken(path + "/" + name); }),
      1);  // the journal, and not the plan beside it

  const std::string file = path + "/plän.json";
  REQUIRE_GT(file.size(), 400);
  for (const char* const text : {"first\n", "second\n"}) {
    auto out = create_output(file);
    REQUIRE(out);
    (*out)->write(text);
    REQUIRE((*out)->commit());
    CHECK_EQ(read_file(file, 100).value_or("?"), text);
  }
  CHECK(is_folder(path));
  CHECK_FALSE(is_folder(file));
  CHECK_EQ(list_folder(path)->size(), 3);
}

TEST_CASE("a file is replaced once nobody reads it any more, and lines end as they were written") {
  const TemporaryFolder folder;
  const std::string file = folder / "plan";
  spill(file, "old\r\n");
  windows::Handle reader(::CreateFileW(windows::wide_path(file).c_str(), GENERIC_READ,
                                       FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING, 0, nullptr));
  REQUIRE(reader.ok());
  CHECK_EQ(read_file(file, 100).value_or("?"), "old\r\n");
  auto out = create_output(file);
  REQUIRE(out);
  (*out)->write("new\nlonger\n");
  (*out)->patch(4, "LONGER");
  std::thread closer([&] {
    std::this_thread::sleep_for(milliseconds(200));
    reader.close();
  });
  const auto done = (*out)->commit();
  closer.join();
  CHECK(done);
  CHECK_EQ(read_file(file, 100).value_or("?"), "new\nLONGER\n");
  CHECK_EQ(list_folder(folder.path())->size(), 1);
  { CHECK(create_output(folder / "never")); }  // destroyed without commit
  CHECK_EQ(list_folder(folder.path())->size(), 1);
}

TEST_CASE("what cannot be read is told as it is elsewhere") {
  const TemporaryFolder folder;
  CHECK_EQ(read_file(folder / "none", 1).error().message,
           "cannot read " + (folder / "none") + ": no such file or folder");
  CHECK_EQ(read_file(folder.path(), 1).error().message, "cannot read " + folder.path() + ": it is a folder");
  CHECK_EQ(create_output(folder / "none/file").error().message,
           "cannot write " + (folder / "none/file") + ": no such file or folder");
}

TEST_CASE("a lock is held by one, names who that is, and leaves nothing behind") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.lock";
  {
    const auto lock = FileLock::try_acquire(path);
    REQUIRE(lock);
    const auto second = FileLock::try_acquire(path);
    REQUIRE_FALSE(second);
    CHECK_EQ(second.error().code, ErrorCode::kHeld);
    CHECK(second.error().message.starts_with("held by process " + std::to_string(process_number()) + " since 2"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  int inside = 0;
  int most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10; ++k) {
        const auto lock = FileLock::acquire(path);
        if (lock) {
          most = std::max(most, ++inside);  // the lock keeps these apart
          --inside;
        } else {
          most = 100;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK_EQ(most, 1);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a host's lock names who holds it and dies with its process") {
  using namespace lab_bench;
  Bench bench(lab({a2(kGpu0, 16)}, json::array()));
  const auto process = Subprocess::start({child(), "take", bench.file(), "hv-1"});
  REQUIRE(process);
  CHECK_EQ(heard(**process, 6), "taken\n");
  const auto held = bench.hosts->lock(bench.target("HV-1"));
  REQUIRE_FALSE(held);
  CHECK_EQ(held.error().code, ErrorCode::kHeld);
  CHECK(held.error().message.starts_with("held by process "));
  (*process)->close_input();
  CHECK((*process)->wait(kLong));
  CHECK(bench.hosts->lock(bench.target()));
  CHECK(bench.hosts->lock(bench.target()));  // ours already
  bench.hosts->unlock(bench.target());
  CHECK_EQ(list_folder(bench.folder.path())->size(), 1);
}

TEST_CASE("two processes may use a lab at once") {
  using namespace lab_bench;
  constexpr int kEach = 15;
  Bench bench(lab({a2(kGpu0, 16)}, {vm(1, "Off"), vm(2, "Off")}));
  std::vector<std::unique_ptr<Subprocess>> children;
  for (const int number : {1, 2}) {
    auto process = Subprocess::start({child(), "assign", bench.file(), guid(number), std::to_string(kEach)});
    REQUIRE(process);
    children.push_back(std::move(*process));
  }
  for (const auto& process : children) {
    CHECK(process->wait(kLong));
    CHECK_EQ(process->ending().code, 0);
  }
  CHECK_EQ(bench.machine(0)["partitions"].size(), kEach);
  CHECK_EQ(bench.machine(1)["partitions"].size(), kEach);
  CHECK_EQ(list_folder(bench.folder.path())->size(), 1);
}

TEST_CASE("lines go to a file that another sink does not empty, and are lost where nobody takes them") {
  const TemporaryFolder folder;
  const std::string file = folder / "events";
  spill(file, "of an earlier run\n");
  {
    auto lines = create_lines(file);
    REQUIRE(lines);
    (*lines)->put("one\n");
    const auto second = create_lines(file);
    REQUIRE_FALSE(second);
    CHECK_EQ(second.error().code, ErrorCode::kHeld);
    (*lines)->put("two\n");
    CHECK((*lines)->finish());
  }
  CHECK_EQ(read_text(file), "one\ntwo\n");

  const std::wstring name = L"\\\\.\\pipe\\gpup-test-" + std::to_wstring(process_number());
  const windows::Handle deaf(
      ::CreateNamedPipeW(name.c_str(), PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE | PIPE_WAIT, 1, 4096, 4096, 0, nullptr));
  REQUIRE(deaf.ok());
  auto lines = create_lines(windows::narrow(name), seconds(1));
  REQUIRE(lines);
  for (int i = 0; i < 1000; ++i) {
    (*lines)->put(std::string(99, 'x') + "\n");
  }
  const auto began = Clock::now();
  const auto lost = (*lines)->finish();
  CHECK_LT(Clock::now() - began, seconds(20));
  REQUIRE_FALSE(lost);
  CHECK_NE(lost.error().message.find("its reader is too slow"), std::string::npos);
}

TEST_CASE("this process knows its user, its machine, and where its state goes") {
  CHECK_FALSE(user_name().empty());
  CHECK_FALSE(machine_name().empty());
  ::SetEnvironmentVariableW(L"XDG_STATE_HOME", nullptr);
  ::SetEnvironmentVariableW(L"LOCALAPPDATA", L"C:\\users\\jürgen\\AppData\\Local");
  CHECK_EQ(default_state_folder(), "C:/users/jürgen/AppData/Local/gpup/journal");
  ::SetEnvironmentVariableW(L"LOCALAPPDATA", nullptr);
  CHECK_NE(default_state_folder(), "");
  ::SetEnvironmentVariableW(L"XDG_STATE_HOME", L"D:\\state");
  CHECK_EQ(default_state_folder(), "D:\\state/gpup/journal");
}

}  // namespace

}  // namespace gpup
