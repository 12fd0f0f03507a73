#include "adapters/files.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "adapters/journal_file.h"
#include "adapters/temporary_folder.h"
#include "plan/plan.h"

using namespace gpup;

TEST_CASE("what cannot be read is said with its name and the reason") {
  const TemporaryFolder folder;
  const auto missing = read_file(folder / "none.yaml", 10);
  REQUIRE_FALSE(missing);
  CHECK_EQ(missing.error().message, "cannot read " + folder.path() + "/none.yaml: no such file or folder");
  CHECK_EQ(missing.error().code, ErrorCode::kCannotRead);
  const auto is_a_folder = read_file(folder.path(), 10);
  REQUIRE_FALSE(is_a_folder);
  CHECK_EQ(is_a_folder.error().message, "cannot read " + folder.path() + ": it is a folder");
  CHECK_FALSE(read_file(std::string("a\0b", 3), 10));
}

TEST_CASE("a file is read up to its bound and not beyond") {
  const TemporaryFolder folder;
  spill(folder / "f", std::string(1000, 'x'));
  CHECK_EQ(read_file(folder / "f", 1000).value().size(), 1000);
  CHECK_FALSE(read_file(folder / "f", 999));
  CHECK_FALSE(read_file("/dev/zero", 1000000));
  CHECK_EQ(read_file("/dev/null", 0).value(), "");
}

TEST_CASE("a file is replaced whole, keeps its mode, and leaves nothing beside it") {
  const TemporaryFolder folder;
  spill(folder / "plan", "old");
  ::chmod((folder / "plan").c_str(), 0640);
  {
    auto file = create_output(folder / "plan");
    REQUIRE(file);
    (*file)->write("0123456789");
    (*file)->patch(2, "XY");
    CHECK_EQ(read_text(folder / "plan"), "old");
    CHECK((*file)->commit());
  }
  CHECK_EQ(read_text(folder / "plan"), "01XY456789");
  struct stat status {};
  ::stat((folder / "plan").c_str(), &status);
  CHECK_EQ(status.st_mode & 0777U, 0640U);
  {
    auto file = create_output(folder / "plan");
    (*file)->write(std::string(200000, 'z'));
  }
  CHECK_EQ(read_text(folder / "plan"), "01XY456789");
  CHECK_EQ(list_folder(folder.path()).value(), std::vector<std::string>{"plan"});
}

TEST_CASE("a symbolic link stays, what it points to is replaced") {
  const TemporaryFolder folder;
  spill(folder / "real", "old");
  REQUIRE_EQ(::symlink("real", (folder / "link").c_str()), 0);
  auto file = create_output(folder / "link");
  (*file)->write("new");
  CHECK((*file)->commit());
  CHECK_EQ(read_text(folder / "real"), "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
}

TEST_CASE("what cannot be written is said") {
  const TemporaryFolder folder;
  CHECK_FALSE(create_output(folder.path()));
  CHECK_FALSE(create_output(folder / "none/plan"));
  auto full = create_output("/dev/full");
  REQUIRE(full);
  (*full)->write("x");
  CHECK_FALSE((*full)->commit());
}

TEST_CASE("a process that dies while it writes leaves the old file whole") {
  const TemporaryFolder folder;
  spill(folder / "lab", "old and whole");
  const pid_t child = ::fork();
  if (child == 0) {
    auto file = create_output(folder / "lab");
    (*file)->write(std::string(1000000, 'n'));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(read_text(folder / "lab"), "old and whole");
}

TEST_CASE("a stream that takes nothing more is remembered until it is asked") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  StreamSink out(full);
  out.write("some");
  out.write(std::string(1000000, 'x'));
  const auto finished = out.finish();
  REQUIRE_FALSE(finished);
  CHECK_EQ(finished.error().code, ErrorCode::kCannotRead);
  CHECK(finished.error().message.find("no space is left") != std::string::npos);
  ::close(full);
}

TEST_CASE("the journal of a run that is under way is taken, and nothing else") {
  const TemporaryFolder folder;
  CHECK_FALSE(is_taken(folder / "none"));
  auto journal = make_journal_file({folder / "state", {}, {}}, [](const Plan&, OutputFile&) {});
  REQUIRE(journal->begin(Plan{}, {}));
  const auto taken = [&] {
    const auto names = list_folder(folder / "state").value();
    return std::count_if(names.begin(), names.end(),
                         [&](const std::string& name) { return is_taken(folder / ("state/" + name)); });
  };
  CHECK_EQ(list_folder(folder / "state")->size(), 2);
  CHECK_EQ(taken(), 1);
  journal.reset();
  CHECK_EQ(taken(), 0);
}

TEST_CASE("a run whose journal has no room to begin leaves none") {
  const TemporaryFolder folder;
  auto journal = make_journal_file({folder / "state", {}, {}}, [](const Plan&, OutputFile&) {});
  rlimit before{};
  REQUIRE_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{10, before.rlim_max};
  const auto told = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const Result<Done> begun = journal->begin(Plan{}, {});
  REQUIRE_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, told);
  CHECK_FALSE(begun);
  journal.reset();
  CHECK(list_folder(folder / "state")->empty());
}

TEST_CASE("a folder lists its files by name, without its folders") {
  const TemporaryFolder folder;
  spill(folder / "b.yaml", "");
  spill(folder / "a.yaml", "");
  std::filesystem::create_directory(folder / "deeper");
  CHECK_EQ(list_folder(folder.path()).value(), std::vector<std::string>{"a.yaml", "b.yaml"});
  CHECK_FALSE(list_folder(folder / "none"));
}
