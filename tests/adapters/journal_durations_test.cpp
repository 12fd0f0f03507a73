#include "adapters/journal_durations.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "adapters/journal_file.h"
#include "adapters/temporary_folder.h"
#include "render/journal_reader.h"

namespace gpup {

namespace {

constexpr std::string_view kBegin =
    R"({"time":"2026-11-22T08:41:00.000Z","entry":"begin","apiVersion":"gpup/v1","steps":30,"hosts":[{"name":"hv-1","transport":"ssh"},)"
    R"({"name":"lab","transport":"simulated"}]})"
    "\n";

std::string at(int ms) {
  return fmt::format("2026-11-22T08:{:02}:{:02}.{:03}Z", 41 + ms / 60'000, ms / 1000 % 60, ms % 1000);
}

std::string entry(std::string_view kind, int step, int ms, std::string_view more = "") {
  return fmt::format(R"({{"time":"{}","entry":"{}","step":{},"op":"stop-vm","host":"hv-1","model":"NVIDIA A2"{}}})"
                     "\n",
                     at(ms), kind, step, more);
}

/// A step that took so long.
std::string step(int number, int took, std::string_view more = R"(,"outcome":"done")") {
  return entry("intent", number, 1'000) + entry("outcome", number, 1'000 + took, more);
}

const StepKind kStop{Op::kStopVm, "NVIDIA A2", false};

Durations durations_in(const std::string& folder) {
  return read_durations(folder,
                        [](std::string_view text, const std::string& path) { return read_journal(text, path, "run"); });
}

Durations of(const std::string& journal) {
  const TemporaryFolder folder;
  spill(folder / "20261122T084100.000Z-1.jsonl", journal);
  return durations_in(folder.path());
}

}  // namespace

TEST_CASE("the median and the 95th percentile of a kind of step are those of the steps that ended as done") {
  std::string journal(kBegin);
  for (int i = 1; i <= 20; ++i) {
    journal += step(i, i * 1'000);
  }
  journal += step(21, 900'000, R"(,"outcome":"failed")") + step(22, 900'000, R"(,"outcome":"unknown")") +
             step(23, 0, R"(,"outcome":"already")");
  const Durations durations = of(journal);
  REQUIRE_EQ(durations.measured.size(), 1);
  CHECK_EQ(durations.measured.at(kStop), StepTime{10'000, 19'000, 20, 1});
}

TEST_CASE("simulated hosts are measured apart, and models are") {
  std::string journal(kBegin);
  journal += step(1, 5'000) + step(2, 7'000);
  std::string other = step(3, 1);
  for (std::size_t found = other.find("hv-1"); found != std::string::npos; found = other.find("hv-1")) {
    other.replace(found, 4, "lab");
  }
  std::string no_model = step(4, 9'000);
  for (std::size_t found = no_model.find(R"(,"model":"NVIDIA A2")"); found != std::string::npos;
       found = no_model.find(R"(,"model":"NVIDIA A2")")) {
    no_model.erase(found, std::string_view(R"(,"model":"NVIDIA A2")").size());
  }
  const Durations durations = of(journal + other + no_model);
  CHECK_EQ(durations.measured.at(kStop), StepTime{5'000, 7'000, 2, 1});
  CHECK_EQ(durations.measured.at({Op::kStopVm, "NVIDIA A2", true}), StepTime{1, 1, 1, 1});
  CHECK_EQ(durations.measured.at({Op::kStopVm, "", false}), StepTime{9'000, 9'000, 1, 1});
}

TEST_CASE("steps whose times make no sense and a torn last line are passed over, the others count") {
  const std::string good = std::string(kBegin) + step(1, 3'000);
  for (const std::string& odd : {
           std::string("{\"time\":\"2026-11-22T08:4"),
           std::string(R"({"time":"2026-13-40T08:41:00.000Z","entry":"outcome","step":2,"outcome":"done"})") + "\n",
           entry("outcome", 7, 9'000, R"(,"outcome":"done")"),                          // no intent
           entry("intent", 8, 9'000) + entry("outcome", 8, 1, R"(,"outcome":"done")"),  // it ends before it begins
           entry("intent", 10, 1),
       }) {
    CAPTURE(odd.substr(0, 80));
    const Durations durations = of(good + odd);
    REQUIRE_EQ(durations.measured.size(), 1);
    CHECK_EQ(durations.measured.at(kStop), StepTime{3'000, 3'000, 1, 1});
  }
}

TEST_CASE("a journal that is wrong, as history says as well, has measured nothing, and other journals count") {
  const TemporaryFolder folder;
  const std::string good = std::string(kBegin) + step(1, 3'000);
  spill(folder / "20261122T084100.000Z-1.jsonl", good);
  for (const std::string& odd : {std::string("not json\n"), std::string("[]\n42\n"), std::string("\0\xff\n", 3),
                                 std::string(200'000, '[') + "\n", entry("outcome", 9, 2, R"(,"outcome":7)")}) {
    CAPTURE(odd.substr(0, 80));
    spill(folder / "20261122T084200.000Z-1.jsonl", good + odd);
    CHECK_EQ(durations_in(folder.path()).measured.at(kStop), StepTime{3'000, 3'000, 1, 1});
  }
  CHECK(of(step(1, 3'000)).measured.empty());  // nobody says what its hosts are
  CHECK(of("").measured.empty());
}

TEST_CASE("of many journals the newest 200 are read, each a run") {
  const TemporaryFolder folder;
  for (int i = 0; i < 205; ++i) {
    spill(folder / fmt::format("20261122T08{:02}{:02}.000Z-1.jsonl", i / 60, i % 60),
          std::string(kBegin) + step(1, i < 5 ? 1 : 4'000));
  }
  spill(folder / "notes.txt", std::string(kBegin) + step(1, 1));
  CHECK_EQ(durations_in(folder.path()).measured.at(kStop), StepTime{4'000, 4'000, 200, 200});
}

TEST_CASE("a folder that is not there has measured nothing") {
  const TemporaryFolder folder;
  CHECK(durations_in(folder / "missing").measured.empty());
  CHECK(durations_in(folder.path()).measured.empty());
  CHECK(durations_in("").measured.empty());
}

TEST_CASE("what a run journals can be read, with the model of its steps") {
  const TemporaryFolder folder;
  Plan plan;
  plan.hosts = {{"hv-1", {}}};
  plan.hosts.front().connect.transport = Transport::kSsh;
  plan.gpus = {{"GPU0", "NVIDIA A2", 0, {}, {}}, {"GPU1", "NVIDIA A16", 0, {}, {}}};
  plan.adapters = {{"a", "GPU1", true}};
  plan.vms = {{"vm-1", "id-1", 0, 0, 1, kNone, 0, {}, true}};
  plan.steps.resize(2);
  plan.steps[0].vm = 0;
  plan.steps[1].op = Op::kSetPartitionCount;
  plan.steps[1].gpu = 0;
  plan.steps[1].to = 4;
  const auto journal = make_journal_file({folder.path(), {}, {}}, [](const Plan&, OutputFile&) {});
  const Time start{};
  REQUIRE(journal->begin(plan, start));
  for (std::uint32_t i = 0; i < 2; ++i) {
    REQUIRE(journal->intent(plan, i, start + std::chrono::milliseconds(10)));
    StepResult result;
    result.step = i;
    result.started = start + std::chrono::milliseconds(10);
    result.outcome = Outcome::kDone;
    result.ended = start + std::chrono::milliseconds(1'510 + i);
    REQUIRE(journal->outcome(plan, result));
  }
  const Durations durations = durations_in(folder.path());
  CHECK_EQ(durations.measured.size(), 2);
  CHECK_EQ(durations.measured.at({Op::kStopVm, "NVIDIA A16", false}), StepTime{1'500, 1'500, 1, 1});
  CHECK_EQ(durations.measured.at({Op::kSetPartitionCount, "NVIDIA A2", false}), StepTime{1'501, 1'501, 1, 1});
}

}  // namespace gpup
