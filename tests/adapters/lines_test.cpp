#include "adapters/lines.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/temporary_folder.h"

using namespace gpup;

namespace {

const std::string kLine = std::string(999, 'x') + "\n";

/// A pipe in a folder, whose reading end is open.
struct Fifo {
  explicit Fifo(const std::string& path) {
    REQUIRE_EQ(::mkfifo(path.c_str(), 0600), 0);
    reading = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  ~Fifo() { close(); }
  void close() {
    if (reading >= 0) {
      ::close(reading);
      reading = -1;
    }
  }
  int reading = -1;
};

}  // namespace

TEST_CASE("lines are written to a file in the order in which they were put, and all of them") {
  const TemporaryFolder folder;
  spill(folder / "lines", "what was there before");
  auto lines = create_lines(folder / "lines");
  REQUIRE(lines);
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    all += line;
    (*lines)->put(line);
  }
  CHECK((*lines)->finish());
  CHECK_EQ(read_text(folder / "lines"), all);
}

TEST_CASE("a file that another run still writes its lines to is not emptied") {
  const TemporaryFolder folder;
  auto first = create_lines(folder / "lines");
  REQUIRE(first);
  (*first)->put("of the first\n");
  const auto second = create_lines(folder / "lines");
  REQUIRE_FALSE(second);
  CHECK_EQ(second.error().code, ErrorCode::kHeld);
  CHECK(second.error().message.ends_with("lines: another run that goes on writes to it"));
  CHECK((*first)->finish());
  CHECK_EQ(read_text(folder / "lines"), "of the first\n");
  first->reset();
  CHECK(create_lines(folder / "lines"));
  CHECK_EQ(read_text(folder / "lines"), "");
}

TEST_CASE("a reader who does not read holds nobody up, and what he misses is counted") {
  const TemporaryFolder folder;
  Fifo fifo(folder / "pipe");
  auto lines = create_lines(folder / "pipe", std::chrono::seconds(0));
  REQUIRE(lines);
  for (int i = 0; i < 20000; ++i) {
    (*lines)->put(kLine);
  }
  const Result<Done> done = (*lines)->finish();
  REQUIRE_FALSE(done);
  CHECK_NE(done.error().message.find("pipe: its reader is too slow; "), std::string::npos);
  CHECK_NE(done.error().message.find(" lines are lost"), std::string::npos);
}

TEST_CASE("a reader who has gone, a full disk and a place that is none are told, and nothing else happens") {
  std::signal(SIGPIPE, SIG_IGN);
  const TemporaryFolder folder;
  Fifo fifo(folder / "pipe");
  auto gone = create_lines(folder / "pipe");
  REQUIRE(gone);
  fifo.close();
  (*gone)->put(kLine);
  const Result<Done> nobody = (*gone)->finish();
  REQUIRE_FALSE(nobody);
  CHECK_NE(nobody.error().message.find("pipe: Broken pipe; 1 line is lost"), std::string::npos);

  auto full = create_lines("/dev/full");
  REQUIRE(full);
  (*full)->put(kLine);
  const Result<Done> no_room = (*full)->finish();
  REQUIRE_FALSE(no_room);
  CHECK_EQ(no_room.error().message, "cannot write /dev/full: No space left on device; 1 line is lost");

  const auto unread = create_lines(folder / "pipe");
  REQUIRE_FALSE(unread);
  CHECK(unread.error().message.ends_with("nobody reads it"));
  CHECK_FALSE(create_lines(folder / "missing/lines"));
}
